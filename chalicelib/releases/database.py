"""A serving file open for reading, with the odds files attached that listings need.

Statements only read: the connection refuses writes. SQLite comes from apsw, not from the runtime, so that the version
is the one the file was written and tested with.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

import apsw

from chalicelib.errors import DeadlineExceeded, ReleaseDamaged
from chalicelib.releases.schema import ODDS_SCHEMA, SCHEMA_VERSION

STATEMENT_SECONDS: Final = 10.0
"""Longest that one statement may run; a page takes milliseconds."""

_STEPS_BETWEEN_CHECKS: Final = 20_000
"""SQLite instructions between two looks at the clock: less than a millisecond."""

Row = tuple[Any, ...]

NO_ODDS: Final = "no_odds"
"""Schema with empty tables, for a release without odds."""


class ServingDatabase:
    """One `serving.sqlite`, and the last few `odds.sqlite` attached to it.

    Args:
        content: The file.
        kept_odds: How many odds files stay attached: the current one, and what cursors of the one before still need.
        clock: Monotonic seconds.

    Raises:
        ReleaseDamaged: it is no serving file.
    """

    def __init__(self, content: bytes, kept_odds: int = 2, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = apsw.Connection(":memory:")
        self._kept_odds = kept_odds
        self._clock = clock
        self._until = float("inf")
        self._attached: OrderedDict[str, str] = OrderedDict()
        self._attachments = 0
        self._connection.execute(f"ATTACH ':memory:' AS {NO_ODDS}")
        for statement in ODDS_SCHEMA:
            self._connection.execute(_in_schema(statement, NO_ODDS))
        self._connection.set_progress_handler(self._is_late, _STEPS_BETWEEN_CHECKS)
        self._load("main", content)
        self._connection.execute("PRAGMA query_only=1")

    def attach(self, key: str, read: Callable[[], bytes]) -> str:
        """The schema name of an odds file.

        Args:
            key: What names the file; equal keys, equal content.
            read: Fetches it, if it is not attached yet.

        Raises:
            ReleaseDamaged: it is no odds file.
        """
        if key in self._attached:
            self._attached.move_to_end(key)
            return self._attached[key]
        content = read()
        self._attachments += 1
        schema = f"odds_{self._attachments}"
        self._connection.execute(f"ATTACH ':memory:' AS {schema}")
        try:
            self._load(schema, content)
        except BaseException:
            self._connection.execute(f"DETACH {schema}")
            raise
        self._attached[key] = schema
        while len(self._attached) > self._kept_odds:
            _, oldest = self._attached.popitem(last=False)
            self._connection.execute(f"DETACH {oldest}")
        return schema

    def rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Iterator[Row]:
        """The rows of a statement, read as they are taken.

        Raises:
            DeadlineExceeded: the statement takes too long.
            ReleaseDamaged: the file cannot be read.
        """
        self._until = self._clock() + STATEMENT_SECONDS
        try:
            yield from self._connection.execute(statement, parameters)
        except apsw.InterruptError as error:
            raise DeadlineExceeded("the query takes too long; filter it further") from error
        except apsw.Error as error:
            raise _damaged(error) from error

    @cached_property
    def properties(self) -> Mapping[str, Any]:
        """What the file says of itself, see `batch/serving.py`."""
        return {name: json.loads(value) for name, value in self.rows("SELECT name, value FROM properties")}

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()

    def _load(self, schema: str, content: bytes) -> None:
        try:
            self._connection.deserialize(schema, content)
            statement = f"SELECT value FROM {schema}.properties WHERE name = 'schema_version'"
            ((version,),) = self.rows(statement)
        except (apsw.Error, ValueError) as error:
            raise _damaged(error) from error
        if int(version) > SCHEMA_VERSION:
            raise ReleaseDamaged(f"the release's files have schema version {version}, this code reads {SCHEMA_VERSION}")

    def _is_late(self) -> bool:
        return self._clock() > self._until


def _in_schema(statement: str, schema: str) -> str:
    kind, name = statement.split(" ", 3)[1:3]
    return statement.replace(f"CREATE {kind} {name}", f"CREATE {kind} {schema}.{name}", 1)


def _damaged(error: Exception) -> ReleaseDamaged:
    return ReleaseDamaged(f"the data release cannot be read: {error}")
