"""The projected tables of the current data release."""

import json
from dataclasses import dataclass
from typing import Any

from chalicelib.releases.clubs import clubs_named
from chalicelib.releases.pointer import PROJECTIONS
from chalicelib.releases.store import ReleaseStore
from chalicelib.text import plain


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
    """The tables, filtered by region, league and a team in them (a part of its name or of a known spelling of it).

    Raises:
        DatasetUnavailable: this release has no projections.
    """
    entry = releases.entry(releases.pointer(), PROJECTIONS)
    rows: list[dict[str, Any]] = releases.parsed(entry, json.loads)
    if region is not None:
        rows = [row for row in rows if plain(row["region"]) == plain(region)]
    if league is not None:
        rows = [row for row in rows if plain(row["league"]) == plain(league)]
    if team is not None:
        clubs = clubs_named(releases, team)
        with_team = {_season(row) for row in rows if (row["region"], row["sex"], row["team"]) in clubs}
        rows = [row for row in rows if _season(row) in with_team]
    return Projections(rows, entry.sha256[:16], entry.computed_at)


def _season(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("region", "league", "sex", "season"))
