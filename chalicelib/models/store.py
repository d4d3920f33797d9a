"""From a stage to its current model: read from the S3 mirror, cached per sandbox, last good one kept.

Only the mirror is read; the registry itself is never on the request path, so predictions continue while it is down.
"""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.domain import MODEL_NAME, OutcomeProbabilities, Stage
from chalicelib.errors import InvalidModel, ModelUnavailable, ServiceError
from chalicelib.models.copies import ModelCopies
from chalicelib.models.mirror import ModelInfo, mirror_key
from chalicelib.models.native import NativeModel
from chalicelib.models.signature import Signature
from chalicelib.storage.objects import ObjectMissing, ObjectStore, ObjectStoreUnavailable, read

logger = logging.getLogger(__name__)


class ServedModel:
    """A loaded model with its signature: features by name in, outcome probabilities out.

    Raises:
        InvalidModel: the booster's feature names differ from the signature's, or their order does.
    """

    def __init__(self, info: ModelInfo, native: NativeModel) -> None:
        self._signature = Signature(info.features)
        if native.feature_names != self._signature.names:
            raise InvalidModel(
                f"version {info.registered_version}: the model's features differ from its signature's",
                [
                    {
                        "loc": ["features"],
                        "msg": f"{native.feature_names} != {self._signature.names}",
                        "type": "signature",
                    }
                ],
            )
        self.info = info
        self.native = native

    def row(self, features: Mapping[str, float | None]) -> list[float]:
        """The model's input row; see `Signature.row`."""
        return self._signature.row(features)

    def ignored(self, features: Mapping[str, float | None]) -> list[str]:
        """Names in `features` that the signature does not know, sorted."""
        return self._signature.ignored(features)

    def predict(self, row: list[float]) -> OutcomeProbabilities:
        """Outcome probabilities of one row made by `row`."""
        return OutcomeProbabilities(*self.native.predict_row(row))

    def predict_many(self, rows: list[list[float]]) -> list[OutcomeProbabilities]:
        """Outcome probabilities of many rows in one native call."""
        return [OutcomeProbabilities(*probabilities) for probabilities in self.native.predict_rows(rows)]

    def contributions(self, row: list[float]) -> list[tuple[float, ...]]:
        """Per outcome, what each feature adds to its raw score; the last number is the expected score."""
        return self.native.contributions(row)


@dataclass(slots=True)
class _Cached:
    """The cached state of a stage.

    Args:
        etag: ETag of the description; empty if the mirror must be read again.
        description: The mirror object as read.
        info: The same, parsed.
        checked_at: When the mirror was last checked.
        model: The loaded model, once needed.
        file_etag: ETag under which the model's file was last read whole.
        file_checked_at: When that was checked last.
    """

    etag: str
    description: bytes
    info: ModelInfo
    checked_at: float
    model: ServedModel | None = None
    file_etag: str | None = None
    file_checked_at: float = -math.inf


class ModelStore:
    """The current model of each stage.

    Args:
        objects: Where the mirror is.
        check_seconds: How long before the mirror is checked again (by ETag).
        clock: Monotonic seconds.
        copies: Copies on disk.
    """

    def __init__(
        self,
        objects: ObjectStore,
        check_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        copies: ModelCopies | None = None,
    ) -> None:
        self._objects = objects
        self._check_seconds = check_seconds
        self._clock = clock
        self._copies = copies
        self._cache: dict[Stage, _Cached] = {}

    def info(self, stage: Stage) -> ModelInfo:
        """The stage's metadata, without loading the model.

        Raises:
            ModelUnavailable: no version has the alias, or the mirror was never readable.
        """
        return self._fresh(stage).info

    def check(self, stage: Stage) -> None:
        """Check that the mirrored model is complete, so that new processes can load it.

        The file is read when it is new or changed (by ETag), and not loaded.

        Raises:
            ModelUnavailable: no version has the alias, or the mirror was never readable.
            ObjectMissing, ObjectStoreUnavailable, InvalidModel: the model's file cannot be read, or is damaged.
        """
        cached = self._fresh(stage)
        now = self._clock()
        if cached.file_etag is not None and now - cached.file_checked_at < self._check_seconds:
            return
        try:
            stored = self._objects.get(cached.info.model_key, unless_etag=cached.file_etag)
            if stored is not None:
                _check_content(cached.info, stored.body)
                cached.file_etag = stored.etag
        except ServiceError as error:
            cached.file_etag = None
            logger.warning("the mirrored model cannot be loaded", extra={"reason": error.code})
            raise
        cached.file_checked_at = now

    def is_loadable(self, stage: Stage) -> bool:
        """Whether `check` finds the mirror in order.

        Raises:
            ModelUnavailable: no version has the alias, or the mirror was never readable.
        """
        try:
            self.check(stage)
        except (ObjectMissing, ObjectStoreUnavailable, InvalidModel):
            return False
        return True

    def current(self, stage: Stage) -> ServedModel:
        """The stage's model; the last good one while the mirror is damaged or unreachable.

        Raises:
            ModelUnavailable: no version has the alias, or none was ever readable.
        """
        cached = self._cache.get(stage)
        if cached is None or cached.model is None or self._clock() - cached.checked_at >= self._check_seconds:
            cached = self._fresh(stage)
        if cached.model is None:
            try:
                cached.model = self._load(cached.info, cached.description)
            except (ObjectMissing, ObjectStoreUnavailable, InvalidModel) as error:
                last_good = self._last_good(stage)
                if last_good is None:
                    raise ModelUnavailable(f"the model of {stage} cannot be read: {error.message}") from error
                logger.warning("model unreadable, serving the last good one", extra={"reason": error.code})
                # without an ETag: the mirror is read again at the next check and used once it is complete
                cached = _Cached("", cached.description, last_good.info, cached.checked_at, last_good)
                self._cache[stage] = cached
        assert cached.model is not None  # noqa: S101 - just loaded
        return cached.model

    def _fresh(self, stage: Stage) -> _Cached:
        cached = self._cache.get(stage)
        now = self._clock()
        if cached is not None and now - cached.checked_at < self._check_seconds:
            return cached
        try:
            stored = self._objects.get(mirror_key(stage), unless_etag=cached.etag or None if cached else None)
            if stored is not None:
                cached = self._replacement(stage, cached, stored.body, stored.etag)
        except ObjectMissing as error:
            # the alias was removed from the registry: this model must no longer be served
            self._cache.pop(stage, None)
            if self._copies is not None:
                self._copies.forget(stage)
            raise ModelUnavailable(f"no registered version of {MODEL_NAME} has the alias {stage}") from error
        except (ObjectStoreUnavailable, InvalidModel) as error:
            if cached is None:
                last_good = self._last_good(stage)
                if last_good is None:
                    raise ModelUnavailable(f"the model mirror cannot be read: {error.message}") from error
                cached = _Cached("", b"", last_good.info, now, last_good)
            logger.warning("model mirror unreadable, keeping the last good model", extra={"reason": error.code})
        assert cached is not None  # noqa: S101 - the store answers None only for an ETag it was given
        cached.checked_at = now
        self._cache[stage] = cached
        return cached

    def _replacement(self, stage: Stage, old: _Cached | None, body: bytes, etag: str) -> _Cached:
        info = ModelInfo.from_json(body, stage)
        replacement = _Cached(etag, body, info, self._clock())
        if old is not None and old.model is not None:
            if info.model_sha256 == old.info.model_sha256 and info.features == old.info.features:
                replacement.model = ServedModel(info, old.model.native)
            else:
                try:
                    replacement.model = self._load(info, body)
                except (ObjectMissing, InvalidModel) as error:
                    raise InvalidModel(f"version {info.registered_version}: {error.message}") from error
        return replacement

    def _load(self, info: ModelInfo, description: bytes) -> ServedModel:
        content = self._copies.model(info.model_sha256) if self._copies is not None else None
        if content is None:
            content = _content(self._objects, info)
        model = ServedModel(info, NativeModel(content))
        if self._copies is not None:
            self._copies.keep(info, description, content)
        return model

    def _last_good(self, stage: Stage) -> ServedModel | None:
        info = self._copies.last_good(stage) if self._copies is not None else None
        if self._copies is None or info is None or (content := self._copies.model(info.model_sha256)) is None:
            return None
        try:
            return ServedModel(info, NativeModel(content))
        except InvalidModel as error:
            logger.warning("the last good model cannot be loaded", extra={"reason": error.code, "error": error.message})
            return None


def read_model(objects: ObjectStore, info: ModelInfo) -> ServedModel:
    """The model that a description names, whether or not its stage still has it.

    Raises:
        ObjectMissing, ObjectStoreUnavailable: its file cannot be read.
        InvalidModel: the file is damaged.
    """
    return ServedModel(info, NativeModel(_content(objects, info)))


def _content(objects: ObjectStore, info: ModelInfo) -> bytes:
    content = read(objects, info.model_key).body
    # Before the native library sees it, which ends the process on some damaged files.
    _check_content(info, content)
    return content


def _check_content(info: ModelInfo, content: bytes) -> None:
    if hashlib.sha256(content).hexdigest() != info.model_sha256:
        raise InvalidModel(f"{info.model_key} does not have the recorded checksum")
