"""What a raw match file must hold, and what reading it gives: accepted rows, rejected rows and why.

The raw-matches schema: match_id, kickoff (UTC, null = not known yet), season, region, league, sex (0 men,
1 women), home_team, away_team, home_goals, away_goals (null before the match). Columns may come in any order; further
columns are ignored unless they are asked for, with one exception: an optional `kickoff_time_known` (false where
only the date is known). A kickoff written as a bare date says the same by itself.

A club is (region, sex, name): two clubs of one name in different regions, or the men's and the women's team of
one club, are never the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import pandas as pd

TEXT_COLUMNS: Final = ("season", "region", "league", "home_team", "away_team")
REQUIRED_COLUMNS: Final = (
    "match_id",
    "kickoff",
    *TEXT_COLUMNS[:3],
    "sex",
    *TEXT_COLUMNS[3:],
    "home_goals",
    "away_goals",
)

READ_COLUMNS: Final = frozenset({*REQUIRED_COLUMNS, "kickoff_time_known"})

ROW_NUMBER: Final = "row"
"""A row's number in its file, beside the file's own columns."""

MATCH_COLUMNS: Final = (
    "match_id",
    "kickoff",
    "kickoff_time_known",
    "season",
    "region",
    "league",
    "sex",
    "home_team",
    "away_team",
    "home_goals",
    "away_goals",
)
"""Columns of an accepted frame, in this order."""

CLUB_PAIR: Final = ["region", "sex", "home_team", "away_team"]

MATCH_ID_LIMIT: Final = 2**53
"""Ids must be below this: JSON clients read numbers as doubles."""

GOALS_LIMIT: Final = 99
"""More goals than this by one side are a typo."""

LISTED_LIMIT: Final = 1000
"""At most this many rejected rows are listed; all of them are counted."""

EARLIEST_KICKOFF: Final = pd.Timestamp("1850-01-01", tz="UTC")
LATEST_KICKOFF: Final = pd.Timestamp("2200-01-01", tz="UTC")
"""Kickoffs outside are typos; the first rules of association football date from 1863."""


class Reason(StrEnum):
    """Why a row was rejected."""

    UNREADABLE_ROW = "unreadable_row"
    """Not a row of the file's format: a CSV line of the wrong width or with an open quote, a line that is not a JSON
    object."""
    INVALID_MATCH_ID = "invalid_match_id"
    """Missing, not a whole number, not positive, or 2^53 or more."""
    MISSING_TEXT = "missing_text"
    """No season, region, league, home team or away team."""
    SAME_TEAM = "same_team"
    """A team against itself."""
    INVALID_SEX = "invalid_sex"
    """Neither 0 nor 1."""
    INVALID_KICKOFF = "invalid_kickoff"
    """Present, but not an ISO 8601 time between 1850 and 2200."""
    INVALID_GOALS = "invalid_goals"
    """Not a whole number from 0 to 99."""
    HALF_RESULT = "half_result"
    """One side's goals without the other's."""
    RESULT_WITHOUT_KICKOFF = "result_without_kickoff"
    """A result without a time cannot be ordered among the other matches."""
    SUPERSEDED = "superseded"
    """A later row of the same match replaced it (a result came in, or the match was re-dated)."""
    MATCH_ID_REUSED = "match_id_reused"
    """The id already belongs to another pairing."""
    DUPLICATE = "duplicate"
    """The same pairing on the same day, or within twelve hours, under another id."""
    REPLAYED = "replayed"
    """Never played at this date: the same pairing was played later that season under another id."""
    CLUB_BUSY = "club_busy"
    """One of its clubs kicks off another match within 90 minutes; this includes a copy with the sides swapped."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected row: its file, its number in it (1 is the first after any header), its id if readable, and why."""

    file: str
    row: int
    match_id: int | None
    reason: Reason


@dataclass(frozen=True)
class MatchesFile:
    """The valid and the rejected rows of one file. Depends on that file alone, so it can be cached.

    `rows` has MATCH_COLUMNS and `row`, the row's number in the file.
    """

    name: str
    rows: pd.DataFrame
    rejected: tuple[RejectedRow, ...]
    rejected_counts: Mapping[Reason, int]
    total_rows: int
    sha256: str = ""
    """Of the file's content as stored, in hex."""


@dataclass(frozen=True)
class MatchesReport:
    """The matches of all files.

    Attributes:
        accepted: MATCH_COLUMNS and the requested extra columns, one row per match_id, sorted by (kickoff, match_id),
            unknown kickoffs last.
            kickoff datetime64[ms, UTC], goals Int16 (missing = no result), sex int8, texts str.
        rejected: The first LISTED_LIMIT rejected rows, by file and row.
        rejected_counts: Number of all rejected rows by reason.
        files: Number of files read.
        inputs: Each file's name, SHA-256, number of rows, and of rows invalid in themselves; as plain values, by name.
        total_rows: Rows in all files, rejected ones included.
    """

    accepted: pd.DataFrame
    rejected: list[RejectedRow] = field(default_factory=list)
    rejected_counts: Mapping[Reason, int] = field(default_factory=dict)
    files: int = 0
    inputs: tuple[Mapping[str, Any], ...] = ()
    total_rows: int = 0

    def summary(self) -> dict[str, Any]:
        """The counts as plain values, for a run report."""
        return {
            "files": self.files,
            "rows": self.total_rows,
            "accepted": len(self.accepted),
            "rejected": sum(self.rejected_counts.values()),
            "rejected_by_reason": {str(reason): count for reason, count in sorted(self.rejected_counts.items())},
        }
