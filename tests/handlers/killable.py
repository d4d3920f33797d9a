"""A rebuild in a process of its own, which can be killed at any moment; imported by that process."""

import hashlib
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from batch import handlers
from batch.jobs import rebuild as rebuild_job  # noqa: F401 - read before the process is forked, as in a warm sandbox
from chalicelib import wiring
from chalicelib.storage.objects import ConditionFailed, ObjectMissing, StoredObject
from tests.support.builders import Context


class FolderStore:
    """Objects as files below a folder; like S3's, a write is seen whole or not at all.

    Args:
        folder: Where they are.
        latency_seconds: What each call takes, so that a moment at random may fall between any two of them.
    """

    def __init__(self, folder: Path, latency_seconds: float = 0.0) -> None:
        self._latency_seconds = latency_seconds
        self._objects, self._partial = folder / "objects", folder / "partial"
        self._objects.mkdir(exist_ok=True)
        self._partial.mkdir(exist_ok=True)

    def get(self, key: str, unless_etag: str | None = None) -> StoredObject | None:
        time.sleep(self._latency_seconds)
        stored = self._read(key)
        return None if stored.etag == unless_etag else stored

    def get_range(self, key: str, start: int, length: int, only_if_etag: str | None) -> bytes:
        stored = self._read(key)
        if only_if_etag not in (None, stored.etag):
            raise ConditionFailed(key)
        return stored.body[start : start + length]

    def put(self, key: str, body: bytes, *, only_if_etag: str | None = None, only_if_absent: bool = False) -> str:
        time.sleep(self._latency_seconds)
        # One writer at a time here; writers that race are tested elsewhere.
        present = (self._objects / key).exists()
        current = self._read(key) if present else None
        if (only_if_absent and present) or (only_if_etag and (current is None or current.etag != only_if_etag)):
            raise ConditionFailed(key)
        handle, partial = tempfile.mkstemp(dir=self._partial)
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        (self._objects / key).parent.mkdir(parents=True, exist_ok=True)
        Path(partial).replace(self._objects / key)
        return hashlib.md5(body, usedforsecurity=False).hexdigest()

    def put_file(self, key: str, path: Path) -> str:
        return self.put(key, path.read_bytes())

    def delete(self, key: str) -> None:
        (self._objects / key).unlink(missing_ok=True)

    def keys(self, prefix: str) -> list[tuple[str, str]]:
        files = (path for path in self._objects.rglob("*") if path.is_file())
        keys = sorted(str(path.relative_to(self._objects)) for path in files)
        return [(key, self._read(key).etag) for key in keys if key.startswith(prefix)]

    def newest(self, prefix: str, count: int) -> list[str]:
        written_at = {key: (self._objects / key).stat().st_mtime_ns for key, _ in self.keys(prefix)}
        return sorted(written_at, key=written_at.__getitem__, reverse=True)[:count]

    def _read(self, key: str) -> StoredObject:
        try:
            body = (self._objects / key).read_bytes()
        except FileNotFoundError:
            raise ObjectMissing(key) from None
        return StoredObject(body, hashlib.md5(body, usedforsecurity=False).hexdigest())


def rebuild_in(folder: Path, environment: dict[str, str], begun: Connection) -> None:
    """Rebuild on a folder, as the function does on its bucket; says when it begins."""
    os.environ.update(environment)
    store = FolderStore(folder, latency_seconds=0.01)
    wiring.objects = lambda: store  # type: ignore[assignment]
    begun.send("begun")
    handlers.rebuild({}, Context())
