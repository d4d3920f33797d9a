"""An SQLite file system over objects: a database in the bucket is read block by block, as queries need it.

Each read of the bucket is a ranged GET of whole blocks, under the ETag that the object had when it was published: a
replaced object is an error, never a mixture. Blocks are cached up to a limit, least recently used evicted first.
Sequential reads grow, so a scan needs few of them.
"""

from collections import OrderedDict
from typing import Any, Final

import apsw

from chalicelib.storage.objects import ObjectStore

BLOCK_BYTES: Final = 65_536
HEAD_BLOCKS: Final = 12
"""Blocks of the first read: the schema and the roots of all tables lie at a file's beginning."""
MAX_READAHEAD_BLOCKS: Final = 16
"""Largest number of blocks per read, for sequential reads."""
CACHE_BYTES: Final = 16 * 2**20

VFS_NAME: Final = "objects"


class BlockCache:
    """Blocks of objects in memory.

    Args:
        objects: Where the objects are.
        max_bytes: Size of the cache.
    """

    def __init__(self, objects: ObjectStore, max_bytes: int = CACHE_BYTES) -> None:
        self._objects = objects
        self._max_blocks = max(1, max_bytes // BLOCK_BYTES)
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self.reads = 0
        """Reads of the bucket so far."""

    def block(self, key: str, number: int, ahead: int, etag: str | None) -> bytes:
        """A block of an object; if not in memory, it is read together with the following ones.

        Args:
            key: The object's key.
            number: Which block.
            ahead: Number of blocks to read at once.
            etag: The object's ETag.

        Raises:
            ConditionFailed: the object was replaced.
            ObjectMissing, ObjectStoreUnavailable: it cannot be read.
        """
        if (key, number) not in self._blocks:
            content = self._objects.get_range(key, number * BLOCK_BYTES, ahead * BLOCK_BYTES, etag)
            self.reads += 1
            for start in range(0, len(content), BLOCK_BYTES):
                self._blocks[key, number + start // BLOCK_BYTES] = content[start : start + BLOCK_BYTES]
            while len(self._blocks) > self._max_blocks:
                self._blocks.popitem(last=False)
            return content[:BLOCK_BYTES]
        self._blocks.move_to_end((key, number))
        return self._blocks[key, number]

    def holds(self, key: str, number: int) -> bool:
        """Whether a block is in memory."""
        return (key, number) in self._blocks


class ObjectFile:
    """One object as SQLite reads it; the methods are SQLite's (https://sqlite.org/c3ref/io_methods.html).

    Args:
        cache: Its blocks.
        key: The object's key.
        size: Its size in bytes.
        etag: Its ETag.
    """

    def __init__(self, cache: BlockCache, key: str, size: int, etag: str | None) -> None:
        self._cache = cache
        self._key = key
        self._size = size
        self._etag = etag
        self._next = 0
        self._ahead = HEAD_BLOCKS

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        """Bytes of the object; fewer at its end."""
        content = bytearray()
        end = min(offset + amount, self._size)
        while offset < end:
            number, start = divmod(offset, BLOCK_BYTES)
            block = self._block(number)[start : start + end - offset]
            if not block:
                break  # shorter than published: SQLite reports the damage
            content += block
            offset += len(block)
        return bytes(content)

    def _block(self, number: int) -> bytes:
        if self._cache.holds(self._key, number):
            return self._cache.block(self._key, number, 1, self._etag)
        if number and number == self._next:
            self._ahead = min(self._ahead * 2, MAX_READAHEAD_BLOCKS)
        else:
            self._ahead = HEAD_BLOCKS if number == 0 else 1
        self._next = number + self._ahead
        return self._cache.block(self._key, number, self._ahead, self._etag)

    def xFileSize(self) -> int:  # noqa: N802
        """The object's size."""
        return self._size

    def xClose(self) -> None:  # noqa: N802
        """Nothing to close; the blocks stay cached."""

    def xLock(self, _level: int) -> None:  # noqa: N802
        """Not needed: objects are read-only."""

    def xUnlock(self, _level: int) -> None:  # noqa: N802
        """Not needed: objects are read-only."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        """Not needed: objects are read-only."""
        return False

    def xFileControl(self, _operation: int, _pointer: int) -> bool:  # noqa: N802
        """No special operation."""
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        """Irrelevant for a read-only file."""
        return 4096

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        """The file never changes."""
        return int(apsw.SQLITE_IOCAP_IMMUTABLE)


class ObjectFileSystem(apsw.VFS):
    """SQLite's access to the objects: a database is opened by the name from `uri`.

    Args:
        cache: The blocks in memory.
    """

    def __init__(self, cache: BlockCache) -> None:
        self.name = f"{VFS_NAME}-{id(self):x}"
        self._cache = cache
        self._files: dict[str, tuple[int, str | None]] = {}
        super().__init__(self.name, base="")

    def uri(self, key: str, size: int, etag: str | None) -> str:
        """The URI under which SQLite opens an object."""
        self._files[key] = size, etag
        return f"file:{key}?immutable=1&mode=ro&vfs={self.name}"

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
        """The object's file; temporary files come from the base VFS."""
        key = name.filename() if isinstance(name, apsw.URIFilename) else name
        if key not in self._files:
            return super().xOpen(name, flags)
        size, etag = self._files[key]
        return ObjectFile(self._cache, key, size, etag)

    def xAccess(self, _path: str, _flags: int) -> bool:  # noqa: N802
        """There is no journal beside an object."""
        return False

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        """Keys are not paths."""
        return name
