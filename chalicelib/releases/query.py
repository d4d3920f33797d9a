"""The query of a list request, a page of the list, and the cursor between two pages."""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from chalicelib.errors import CursorExpired, InvalidCursor

DEFAULT_LIMIT: Final = 100
ANONYMOUS_LIMIT: Final = 500
"""Most rows of a page for callers without an API key, where keys are required."""
MAX_LIMIT: Final = 5_000
"""5,000 cards are about 4 MB of JSON, below Lambda's 6 MB."""

_FORMAT: Final = 2
_VERSION: Final = re.compile("[0-9a-f]{16}")


class Sort(StrEnum):
    """Order of a list of matches."""

    KICKOFF = "kickoff"
    LATEST = "-kickoff"
    EDGE = "edge"
    """Largest edge first; matches without an edge follow in order of kickoff."""


@dataclass(frozen=True, slots=True)
class Query:
    """Filters, order and page of a list request; None means no filter.

    Args:
        region: Region, ignoring case and accents.
        league: League, likewise.
        status: upcoming, live or finished.
        begin: Kickoff at or after.
        end: Kickoff before.
        min_region_roi: Regions whose ROI is at least this (a share, 0.05 is 5 %).
        value_only: Only cards with a value bet.
        team: Part of a team's name or of one of its aliases, ignoring case and accents.
        match_ids: Only these matches.
        sort: Order of the matches.
        limit: Rows in the page.
        cursor: Start of the page, from the previous page.
    """

    region: str | None = None
    league: str | None = None
    status: str | None = None
    begin: datetime | None = None
    end: datetime | None = None
    min_region_roi: float | None = None
    value_only: bool = False
    team: str | None = None
    match_ids: tuple[int, ...] | None = None
    sort: Sort = Sort.KICKOFF
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Args:
        rows: The rows.
        next_cursor: Where the next page begins; None on the last.
        version: Identifies the content for equal filters. It changes with the release and with every status.
        last_modified: When the newest data set of the list was computed.
        predictions_computed_at: When its predictions were computed; odds are newer.
        now: The service's time that decided the statuses.
    """

    rows: list[dict[str, Any]]
    next_cursor: str | None
    version: str
    last_modified: datetime
    predictions_computed_at: datetime | None = None
    now: datetime | None = None


Key: TypeAlias = list[int | float | None]
"""The sort key of a row: a position, a match id, or an edge and a position."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The start of a page.

    Args:
        version: Version of the release that the listing began in.
        after: Key of the last row of the previous page.
        began_at: Time of the first page in seconds since the epoch: it decides the statuses of all pages, so that no
            match moves between them.
        listing: Which listing the cursor belongs to, see `listing_id`.
    """

    version: str
    after: Key
    began_at: int
    listing: str

    def encode(self) -> str:
        """The cursor as text for callers."""
        plain = json.dumps([_FORMAT, self.version, self.after, self.began_at, self.listing], separators=(",", ":"))
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The cursor in a request.

        Raises:
            InvalidCursor: this service did not issue it.
            CursorExpired: an earlier version of this service did; it cannot be continued.
        """
        try:
            content = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        except (ValueError, binascii.Error, RecursionError) as error:
            raise InvalidCursor("the cursor was not issued by this service") from error
        match content:
            case [form, str(version), [*after], int(began_at), str(listing)] if (
                form == _FORMAT
                and _VERSION.fullmatch(version)
                and 0 <= began_at < 2**33
                and len(after) in (1, 2)
                and all(map(_is_key, after))
            ):
                return cls(version, after, began_at, listing)
            case [str(version), int(), int(), str()] if _VERSION.fullmatch(version):  # the first form of cursors
                raise CursorExpired
        raise InvalidCursor("the cursor was not issued by this service")

    @property
    def now(self) -> datetime:
        """The time that decides the statuses of the listing."""
        return datetime.fromtimestamp(self.began_at, UTC)


def _is_key(value: object) -> bool:
    return value is None or (type(value) is int and 0 <= value < 2**63) or type(value) is float


def listing_id(name: str, query: Query) -> str:
    """Identifies a listing: the list with its stage, filters and order, but not the page size."""
    filters = {
        field.name: getattr(query, field.name) for field in fields(query) if field.name not in ("limit", "cursor")
    }
    return hashlib.sha256(json.dumps([name, filters], default=str, sort_keys=True).encode()).hexdigest()[:16]


def decoded_cursor(name: str, query: Query) -> Cursor | None:
    """The query's cursor, if it has one.

    Raises:
        InvalidCursor: it is invalid, or belongs to another listing.
        CursorExpired: as `Cursor.decode`.
    """
    if query.cursor is None:
        return None
    cursor = Cursor.decode(query.cursor)
    if cursor.listing != listing_id(name, query):
        raise InvalidCursor("the cursor belongs to another list, stage or order, or to other filters")
    return cursor
