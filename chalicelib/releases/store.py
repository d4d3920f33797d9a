"""Reading the current data release: the pointer, checked by ETag, and its tables in memory.

A listing goes on in the release it began in (`pointer_at`).
"""

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from chalicelib.errors import DatasetUnavailable, InvalidCursor, ReleaseUnavailable
from chalicelib.storage.objects import ObjectMissing, ObjectStore, ObjectStoreUnavailable, read

if TYPE_CHECKING:
    import pyarrow as pa
from chalicelib.releases.pointer import POINTER_KEY, DatasetEntry, Pointer, pointer_version_key

logger = logging.getLogger(__name__)


T = TypeVar("T")


class ReleaseStore:
    """The current pointer and the tables it names.

    Args:
        objects: Where the release is.
        check_seconds: How long the pointer is trusted before it is asked again (by ETag).
        clock: Monotonic seconds.
        kept_views: How many derived tables stay in memory; two releases' worth, since old cursors need the old ones.
    """

    def __init__(
        self,
        objects: ObjectStore,
        check_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        kept_views: int = 6,
    ) -> None:
        self._objects = objects
        self._check_seconds = check_seconds
        self._clock = clock
        self._kept_views = kept_views
        self._pointer: tuple[Pointer, str] | None = None
        self._checked_at = float("-inf")
        self._old_pointers: dict[str, Pointer] = {}
        self._views: OrderedDict[tuple[str, ...], Any] = OrderedDict()

    def pointer(self) -> Pointer:
        """The current pointer; the last good one while the store is out of reach.

        Raises:
            ReleaseUnavailable: none was ever published, or none could ever be read.
        """
        now = self._clock()
        if self._pointer is not None and now - self._checked_at < self._check_seconds:
            return self._pointer[0]
        try:
            found = self._objects.get(POINTER_KEY, unless_etag=self._pointer[1] if self._pointer else None)
            if found is not None:
                self._pointer = (Pointer.from_json(found.body), found.etag)
        except ObjectMissing as error:
            if self._pointer is None:
                raise ReleaseUnavailable("no data release has been published yet") from error
            logger.warning("release pointer is gone, keeping the last good one")
        except (ObjectStoreUnavailable, ReleaseUnavailable) as error:
            if self._pointer is None:
                raise ReleaseUnavailable(f"the data release cannot be read: {error.message}") from error
            logger.warning("release pointer unreadable, keeping the last good one", extra={"reason": error.code})
        assert self._pointer is not None  # noqa: S101 - the store answers None only for an ETag it was given
        self._checked_at = now
        return self._pointer[0]

    def pointer_at(self, version: str) -> Pointer:
        """The pointer of that version, current or kept.

        Raises:
            InvalidCursor: that version is past its retention, or never was.
            ReleaseUnavailable: nothing can be read.
        """
        current = self.pointer()
        if current.version == version:
            return current
        if version not in self._old_pointers:
            try:
                found = read(self._objects, pointer_version_key(version))
            except ObjectMissing as error:
                raise InvalidCursor("the data release this listing began in is gone; begin again") from error
            except ObjectStoreUnavailable as error:
                raise ReleaseUnavailable(f"the data release cannot be read: {error.message}") from error
            self._old_pointers[version] = Pointer.from_json(found.body)
        return self._old_pointers[version]

    def entry(self, pointer: Pointer, dataset: str) -> DatasetEntry:
        """A data set's entry.

        Raises:
            DatasetUnavailable: this release does not carry it.
        """
        try:
            return pointer.datasets[dataset]
        except KeyError:
            raise DatasetUnavailable(f"the current data release carries no {dataset} yet") from None

    def content(self, entry: DatasetEntry) -> bytes:
        """The bytes of a data set, checked against its checksum.

        Raises:
            DatasetUnavailable: the file cannot be read or is not what was published.
        """
        try:
            found = read(self._objects, entry.key)
        except (ObjectMissing, ObjectStoreUnavailable) as error:
            raise DatasetUnavailable(f"{entry.key} cannot be read: {error.message}") from error
        if hashlib.sha256(found.body).hexdigest() != entry.sha256:
            raise DatasetUnavailable(f"{entry.key} does not have the published checksum")
        return found.body

    def table(self, entry: DatasetEntry) -> "pa.Table":
        """The rows of a parquet data set.

        Raises:
            DatasetUnavailable: as `content`.
        """
        # Imported here: functions that never read parquet come without pyarrow.
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        return pq.ParquetFile(pa.BufferReader(self.content(entry))).read()

    def view(self, name: str, entries: tuple[DatasetEntry, ...], build: Callable[[], T]) -> T:
        """Something derived from data sets, kept in memory as long as they are in use.

        Args:
            name: What is derived.
            entries: What it is derived from; their keys identify the content.
            build: Makes it.
        """
        identity = (name, *(entry.key for entry in entries))
        if identity not in self._views:
            self._views[identity] = build()
            while len(self._views) > self._kept_views:
                self._views.popitem(last=False)
        self._views.move_to_end(identity)
        return self._views[identity]  # type: ignore[no-any-return]
