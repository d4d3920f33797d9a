"""Prices of past matches from files, for training and other commands that run without a stack.

The files are those `python -m batch.rebuild --odds` takes (docs/odds.md), matched in the same way. A file
with `match_id` in place of teams, such as a release's past_prices.parquet, is joined by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from batch.odds import past_prices
from batch.odds import table as fonbet_odds
from batch.odds.clubs import ConfirmedClubs
from batch.odds.matching import match_odds
from batch.odds.providers.snapshot import SnapshotProvider, read_table
from chalicelib.errors import ProviderUnavailable

TEAMS: Final = frozenset({"home_team", "away_team", "kickoff"})


@dataclass(frozen=True)
class PricesRead:
    """Prices of past matches, and counts of the rows they were read from.

    Attributes:
        prices: Columns of PAST_PRICES_SCHEMA.
        summary: Counts as plain values, for a report.
    """

    prices: pd.DataFrame
    summary: dict[str, Any]


def read_prices(files: Sequence[Path], matches: pd.DataFrame, as_of: datetime) -> PricesRead:
    """The prices of matches that have begun by `as_of`.

    Args:
        files: Parquet, CSV or JSON lines.
        matches: Accepted matches.
        as_of: With its time zone; rows collected later are left out.

    Raises:
        ProviderUnavailable: no file could be read, or one lacks a needed column.
        OSError: a file does not exist.
    """
    contents = {str(path): path.read_bytes() for path in files}
    by_id = {name: table for name, body in contents.items() if (table := _table_by_id(body, name)) is not None}
    matched = past_prices.typed(pd.DataFrame({"match_id": []}))
    summary: dict[str, Any] = {"files": len(contents), "by_match_id": sum(len(table) for table in by_id.values())}
    by_name = [name for name in contents if name not in by_id]
    if by_name:
        provider = SnapshotProvider(keys=lambda: by_name, read=contents.__getitem__)
        snapshot = provider.fetch(as_of)
        result = match_odds(matches, snapshot.markets, confirmed=ConfirmedClubs())
        kickoffs = matches[["match_id", "kickoff"]].rename(columns={"kickoff": "match_date"})
        matched = past_prices.of_begun_matches(fonbet_odds.build(result.matched), kickoffs, as_of)
        summary |= {
            "markets": len(snapshot.markets),
            "matched": len(result.matched),
            "unmatched": len(result.unmatched),
            "notes": list(snapshot.notes),
        }
    for table in by_id.values():
        matched = past_prices.merge(matched, table[table["match_id"].isin(matches["match_id"])])
    return PricesRead(matched, {**summary, "prices": len(matched)})


def _table_by_id(body: bytes, name: str) -> pd.DataFrame | None:
    """The file's prices by match_id; None if it names teams instead."""
    try:
        table = read_table(body, name)
    except (ValueError, OSError, EOFError):  # the provider reports what is wrong with it
        return None
    if "match_id" not in table.columns or set(table.columns) >= TEAMS:
        return None
    missing = [column for column in past_prices.ODDS if column not in table.columns]
    if missing:
        raise ProviderUnavailable(f"{name} lacks the columns {', '.join(missing)}")
    return past_prices.typed(table.drop_duplicates("match_id", keep="last"))
