"""The projected tables of the current data release."""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.releases.pointer import PROJECTIONS
from chalicelib.releases.store import ReleaseStore


@dataclass(frozen=True, slots=True)
class Projections:
    """Rows of the requested tables, and when they were computed.

    Args:
        rows: In order of region, league, season and projected position.
        version: Identifies the content.
        computed_at: ISO-8601.
    """

    rows: list[dict[str, Any]]
    version: str
    computed_at: str


def projections(
    releases: ReleaseStore, *, region: str | None = None, league: str | None = None, team: str | None = None
) -> Projections:
    """The tables, filtered by region, league (any case) and a team in them (a part of its name, any case).

    Raises:
        DatasetUnavailable: this release has no projections.
    """
    entry = releases.entry(releases.pointer(), PROJECTIONS)
    rows: list[dict[str, Any]] = releases.parsed(entry, json.loads)
    if region is not None:
        rows = [row for row in rows if row["region"].casefold() == region.casefold()]
    if league is not None:
        rows = [row for row in rows if row["league"].casefold() == league.casefold()]
    if team is not None:
        with_team = {_season(row) for row in rows if team.casefold() in row["team"].casefold()}
        rows = [row for row in rows if _season(row) in with_team]
    return Projections(rows, entry.sha256[:16], entry.computed_at)


def _season(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("region", "league", "sex", "season"))
