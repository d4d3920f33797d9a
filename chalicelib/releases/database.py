"""A serving file open for reading, with the odds files that listings need attached.

Statements only read: the connection refuses writes. SQLite comes from apsw, not from the runtime, so the version
is the one the file was written and tested with.
"""

import contextlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

import apsw

from chalicelib.errors import DatasetUnavailable, DeadlineExceeded, ReleaseDamaged
from chalicelib.releases.schema import ODDS_SCHEMA, SCHEMA_VERSION
from chalicelib.storage.objects import ConditionFailed, ObjectMissing, ObjectStoreUnavailable
from chalicelib.storage.ranged import ObjectFileSystem

STATEMENT_SECONDS: Final = 10.0
"""Longest that one statement may run; a page takes milliseconds."""

_STEPS_BETWEEN_CHECKS: Final = 20_000
"""SQLite instructions between two checks of the clock: less than a millisecond."""

_OPEN_FLAGS: Final = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI

Row = tuple[Any, ...]

NO_ODDS: Final = "no_odds"
"""Schema with empty tables, for a release without odds."""


class Source(Protocol):
    """The source of a database."""

    def attach(self, connection: apsw.Connection, schema: str) -> None:
        """Attach it to the connection as a schema."""


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file that is read whole into memory.

    Args:
        read: Fetches it.
    """

    read: Callable[[], bytes]

    def attach(self, connection: apsw.Connection, schema: str) -> None:
        """See `Source.attach`."""
        content = self.read()
        connection.execute(f"ATTACH ':memory:' AS {schema}")
        connection.deserialize(schema, content)


@dataclass(frozen=True, slots=True)
class RangedFile:
    """An object that is read block by block.

    Args:
        files: SQLite's access to it.
        key: Its key.
        size: Its size in bytes.
        etag: Its ETag.
    """

    files: ObjectFileSystem
    key: str
    size: int
    etag: str | None

    def attach(self, connection: apsw.Connection, schema: str) -> None:
        """See `Source.attach`."""
        connection.execute(f"ATTACH ? AS {schema}", (self.files.uri(self.key, self.size, self.etag),))


class ServingDatabase:
    """One `serving.sqlite`, and the last few `odds.sqlite` attached to it.

    Args:
        source: The file.
        kept_odds: How many odds files stay attached: the current one, and earlier ones for cursors.
        clock: Monotonic seconds.

    Raises:
        ReleaseDamaged: it is not a serving file.
    """

    def __init__(self, source: Source, kept_odds: int = 2, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = apsw.Connection(":memory:", flags=_OPEN_FLAGS)
        self._kept_odds = kept_odds
        self._clock = clock
        self._until = float("inf")
        self._attached: OrderedDict[str, str] = OrderedDict()
        self._attachments = 0
        self.is_damaged = False
        """Whether a statement found that a file was replaced since it was published."""
        self._connection.set_progress_handler(self._is_late, _STEPS_BETWEEN_CHECKS)
        # first, so that unqualified names mean its tables
        self._load("serving", source)
        self._connection.execute(f"ATTACH ':memory:' AS {NO_ODDS}")
        for statement in ODDS_SCHEMA:
            self._connection.execute(_in_schema(statement, NO_ODDS))
        self._connection.execute("PRAGMA query_only=1")

    def attach(self, key: str, source: Source) -> str:
        """The schema name of an odds file.

        Args:
            key: Identifies the file's content.
            source: Where it comes from, if it is not attached yet.

        Raises:
            ReleaseDamaged: it is not an odds file.
        """
        if key in self._attached:
            self._attached.move_to_end(key)
            return self._attached[key]
        self._attachments += 1
        schema = f"odds_{self._attachments}"
        self._load(schema, source)
        self._attached[key] = schema
        while len(self._attached) > self._kept_odds:
            _, oldest = self._attached.popitem(last=False)
            self._connection.execute(f"DETACH {oldest}")
        return schema

    def rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Row]:
        """The rows of a statement, read lazily.

        Raises:
            DeadlineExceeded: the statement takes too long.
            ReleaseDamaged: the file cannot be read.
        """
        self._until = self._clock() + STATEMENT_SECONDS
        try:
            yield from self._connection.execute(statement, parameters)
        except apsw.InterruptError as error:
            raise DeadlineExceeded("the query takes too long; filter it further") from error
        except (apsw.Error, ConditionFailed, ObjectMissing) as error:
            self.is_damaged = True
            raise _damaged(error) from error
        except ObjectStoreUnavailable as error:
            raise DatasetUnavailable(f"the data release cannot be read: {error.message}") from error

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """The file's properties, see `batch/serving.py`."""
        return {name: json.loads(value) for name, value in self.rows("SELECT name, value FROM properties")}

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()

    def _load(self, schema: str, source: Source) -> None:
        try:
            source.attach(self._connection, schema)
            ((version,),) = self.rows(f"SELECT value FROM {schema}.properties WHERE name = 'schema_version'")
        except BaseException as error:
            with contextlib.suppress(apsw.Error):  # it was not attached
                self._connection.execute(f"DETACH {schema}")
            if isinstance(error, apsw.Error | ValueError | ConditionFailed | ObjectMissing):
                raise _damaged(error) from error
            if isinstance(error, ObjectStoreUnavailable):
                raise DatasetUnavailable(f"the data release cannot be read: {error.message}") from error
            raise
        if int(version) > SCHEMA_VERSION:
            raise ReleaseDamaged(f"the release's files have schema version {version}, this code reads {SCHEMA_VERSION}")

    def _is_late(self) -> bool:
        return self._clock() > self._until


def _in_schema(statement: str, schema: str) -> str:
    kind, name = statement.split(" ", 3)[1:3]
    return statement.replace(f"CREATE {kind} {name}", f"CREATE {kind} {schema}.{name}", 1)


def _damaged(error: Exception) -> ReleaseDamaged:
    return ReleaseDamaged(f"the data release cannot be read: {error}")
