"""Reading the current data release: the pointer, checked by ETag, and the serving files it names.

A listing continues in the release it began in (`ReleaseStore.at`).
"""

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from chalicelib.errors import CursorExpired, DatasetUnavailable, ReleaseDamaged, ReleaseUnavailable
from chalicelib.releases.database import NO_ODDS, RangedFile, ServingDatabase, Source, WholeFile
from chalicelib.releases.pointer import (
    POINTER_KEY,
    SERVING,
    SERVING_ODDS,
    DatasetEntry,
    Pointer,
    pointer_version_key,
)
from chalicelib.storage.objects import ObjectMissing, ObjectStore, ObjectStoreUnavailable, read
from chalicelib.storage.ranged import BlockCache, ObjectFileSystem

logger = logging.getLogger(__name__)

T = TypeVar("T")

KEPT_POINTERS: Final = 32
"""Pointers of earlier releases kept in memory for the cursors that name them."""


WHOLE_BYTES: Final = 8 * 2**20
"""Up to this many bytes reading the whole file is faster than reading the blocks that a first request needs."""


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a release, open for reading.

    Args:
        pointer: Its pointer.
        database: The serving file.
        odds: Schema of the odds file that is attached to it.
    """

    pointer: Pointer
    database: ServingDatabase
    odds: str


class ReleaseStore:
    """The current pointer and the files it names.

    Args:
        objects: Where the release is.
        check_seconds: How long before the pointer is checked again (by ETag).
        clock: Monotonic seconds.
        kept_files: How many serving files stay open: the current one, and one for cursors.
        whole_bytes: Largest file that is fetched whole.
    """

    def __init__(
        self,
        objects: ObjectStore,
        check_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        kept_files: int = 2,
        whole_bytes: int = WHOLE_BYTES,
    ) -> None:
        self._objects = objects
        self._check_seconds = check_seconds
        self._clock = clock
        self._kept_files = kept_files
        self._pointer: tuple[Pointer, str] | None = None
        self._checked_at = float("-inf")
        self._old_pointers: OrderedDict[str, Pointer] = OrderedDict()
        self._databases: OrderedDict[str, ServingDatabase] = OrderedDict()
        self._parsed: OrderedDict[str, Any] = OrderedDict()
        self._blocks = BlockCache(objects)
        self._whole_bytes = whole_bytes
        self._last_good: Pointer | None = None
        self._unreadable: tuple[str, float] | None = None

    @property
    def range_reads(self) -> int:
        """Reads of blocks of large files so far."""
        return self._blocks.reads

    @cached_property
    def _files(self) -> ObjectFileSystem:
        return ObjectFileSystem(self._blocks)

    def pointer(self) -> Pointer:
        """The current pointer; the last good one while the store is unreachable.

        Raises:
            ReleaseUnavailable: none was ever published, or none could ever be read.
        """
        now = self._clock()
        if self._pointer is not None and now - self._checked_at < self._check_seconds:
            return self._pointer[0]
        try:
            stored = self._objects.get(POINTER_KEY, unless_etag=self._pointer[1] if self._pointer else None)
            if stored is not None:
                self._pointer = (Pointer.from_json(stored.body), stored.etag)
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

    def current(self, *, with_odds: bool = True) -> Release:
        """The current release; while its files are unreadable, the last readable one.

        Args:
            with_odds: Whether its odds are needed; a single row of predictions or features is read without them.

        Raises:
            ReleaseUnavailable: none was ever published, or its pointer cannot be read.
            DatasetUnavailable: it has no serving files, or they cannot be fetched.
            ReleaseDamaged: its files differ from what was published.
        """
        pointer = self.pointer()
        if self._last_good is not None and self._is_known_unreadable(pointer):
            return self._open(self._last_good, with_odds=with_odds)
        try:
            release = self._open(pointer, with_odds=with_odds)
        except (DatasetUnavailable, ReleaseDamaged) as error:
            self._unreadable = pointer.version, self._clock()
            if self._last_good is None or self._last_good == pointer:
                raise
            logger.warning("release unreadable, keeping the last good one", extra={"reason": error.code})
            return self._open(self._last_good, with_odds=with_odds)
        self._last_good = pointer
        return release

    def at(self, version: str) -> Release:
        """The release of that version, current or kept.

        Raises:
            CursorExpired: that version was deleted or never existed.
            ReleaseUnavailable, DatasetUnavailable, ReleaseDamaged: it cannot be read.
        """
        return self._open(self.pointer_at(version), with_odds=True)

    def entry(self, pointer: Pointer, dataset: str) -> DatasetEntry:
        """A data set's entry.

        Raises:
            DatasetUnavailable: this release does not carry it.
        """
        try:
            return pointer.datasets[dataset]
        except KeyError:
            raise DatasetUnavailable(f"the current data release has no {dataset} yet") from None

    def content(self, entry: DatasetEntry) -> bytes:
        """The bytes of a data set, checked against its checksum.

        Raises:
            DatasetUnavailable: the file cannot be read.
            ReleaseDamaged: it differs from what was published.
        """
        try:
            stored = read(self._objects, entry.key)
        except (ObjectMissing, ObjectStoreUnavailable) as error:
            raise DatasetUnavailable(f"{entry.key} cannot be read: {error.message}") from error
        if hashlib.sha256(stored.body).hexdigest() != entry.sha256:
            raise ReleaseDamaged(f"{entry.key} does not have the published checksum")
        return stored.body

    def parsed(self, entry: DatasetEntry, parse: Callable[[bytes], T]) -> T:
        """A small file's parsed content, cached for the next request.

        Args:
            entry: The file.
            parse: Parses it; always the same for one file.

        Raises:
            DatasetUnavailable, ReleaseDamaged: as `content`.
        """
        if entry.key not in self._parsed:
            self._parsed[entry.key] = parse(self.content(entry))
            while len(self._parsed) > self._kept_files:
                self._parsed.popitem(last=False)
        return self._parsed[entry.key]  # type: ignore[no-any-return]

    def pointer_at(self, version: str) -> Pointer:
        """The pointer of that version, current or kept.

        Raises:
            CursorExpired: that version was deleted or never existed.
            ReleaseUnavailable: nothing can be read.
        """
        current = self.pointer()
        if current.version == version:
            return current
        if version not in self._old_pointers:
            try:
                stored = read(self._objects, pointer_version_key(version))
            except ObjectMissing as error:
                raise CursorExpired from error
            except ObjectStoreUnavailable as error:
                raise ReleaseUnavailable(f"the data release cannot be read: {error.message}") from error
            self._old_pointers[version] = Pointer.from_json(stored.body)
            while len(self._old_pointers) > KEPT_POINTERS:
                self._old_pointers.popitem(last=False)
        return self._old_pointers[version]

    def _is_known_unreadable(self, pointer: Pointer) -> bool:
        """Whether the release was unreadable at the last check: it is fetched again at the next one."""
        if self._unreadable is None:
            return False
        version, at = self._unreadable
        return version == pointer.version and self._clock() - at < self._check_seconds

    def _source(self, entry: DatasetEntry) -> Source:
        """A small file as a whole, checked against its checksum; a large one by blocks."""
        if entry.bytes <= self._whole_bytes:
            return WholeFile(lambda: self.content(entry))
        return RangedFile(self._files, entry.key, entry.bytes, entry.etag)

    def _open(self, pointer: Pointer, *, with_odds: bool) -> Release:
        entry = self.entry(pointer, SERVING)
        if entry.key in self._databases and self._databases[entry.key].is_damaged:
            self._databases.pop(entry.key).close()
        if entry.key not in self._databases:
            self._databases[entry.key] = ServingDatabase(self._source(entry))
            while len(self._databases) > self._kept_files:
                _, oldest = self._databases.popitem(last=False)
                oldest.close()
        self._databases.move_to_end(entry.key)
        database = self._databases[entry.key]
        priced = pointer.datasets.get(SERVING_ODDS) if with_odds else None
        odds = NO_ODDS if priced is None else database.attach(priced.key, self._source(priced))
        return Release(pointer, database, odds)
