"""Copies of served models in temporary storage, served by new processes while the mirror is damaged or unreachable.

Temporary storage outlives a process that crashes or times out; on AWS it is not shared.
"""

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Final

from chalicelib.domain import Stage
from chalicelib.errors import InvalidModel
from chalicelib.models.mirror import ModelInfo

logger = logging.getLogger(__name__)

KEPT_MODELS: Final = 4
"""Number of model files: the current and the previous one of both stages."""


class ModelCopies:
    """Model files under their checksums, and the description of each stage's last good model.

    Disk errors are logged and otherwise ignored: copies are optional.

    Args:
        folder: Their folder; used only while it belongs to this user and is private.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def model(self, sha256: str) -> bytes | None:
        """The model file with that checksum; None if missing or damaged."""
        content = self._read(f"{sha256}.lgb")
        return content if content is not None and hashlib.sha256(content).hexdigest() == sha256 else None

    def last_good(self, stage: Stage) -> ModelInfo | None:
        """The description of the last model that was loaded for the stage."""
        body = self._read(f"{stage}.json")
        try:
            return None if body is None else ModelInfo.from_json(body, stage)
        except InvalidModel:
            return None

    def keep(self, info: ModelInfo, description: bytes, content: bytes) -> None:
        """Keep a model that was loaded: its file first, then the description that names it."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_private():
                return
            self._write(f"{info.model_sha256}.lgb", content)
            self._write(f"{info.stage}.json", description)
            self._discard_old()
        except OSError as error:
            logger.warning("model not kept on disk", extra={"reason": type(error).__name__, "errno": error.errno})

    def forget(self, stage: Stage) -> None:
        """Forget a stage's last good model, which must no longer be served."""
        try:
            (self._folder / f"{stage}.json").unlink(missing_ok=True)
        except OSError as error:
            logger.warning("model not forgotten on disk", extra={"reason": type(error).__name__, "errno": error.errno})

    def _is_private(self) -> bool:
        status = self._folder.stat()
        return status.st_uid == os.getuid() and not status.st_mode & 0o077

    def _read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes() if self._is_private() else None
        except OSError:
            return None

    def _write(self, name: str, content: bytes) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(temporary).replace(self._folder / name)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _discard_old(self) -> None:
        newest_first = sorted(self._folder.glob("*.lgb"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in newest_first[KEPT_MODELS:]:
            file.unlink(missing_ok=True)
