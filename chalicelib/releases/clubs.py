"""The clubs of the current data release and the other spellings of their names."""

from typing import Any

from chalicelib.releases.store import ReleaseStore
from chalicelib.text import plain


def clubs(releases: ReleaseStore, region: str | None = None) -> tuple[list[dict[str, Any]], str]:
    """Clubs in order of region and name, of all regions or of one, and the version of the release.

    Raises:
        ReleaseUnavailable, ReleaseDamaged: it cannot be read.
    """
    release = releases.current(with_odds=False)
    rows = release.database.rows(
        "SELECT region, sex, name, matches, spellings FROM clubs ORDER BY region, name, sex", {}
    )
    plain_region = None if region is None else plain(region)
    matching_clubs = [
        {"region": place, "sex": sex, "club": name, "matches": matches, "spellings": spellings.split("\n")}
        for place, sex, name, matches, spellings in rows
        if plain_region is None or plain(place) == plain_region
    ]
    return matching_clubs, release.pointer.version


def clubs_named(releases: ReleaseStore, team: str) -> frozenset[tuple[str, int, str]]:
    """Region, sex and name of the clubs that a part of a name, or of another spelling of it, finds.

    Raises:
        ReleaseUnavailable, ReleaseDamaged: the release cannot be read.
    """
    spelling = plain(team)
    if not spelling:
        return frozenset()
    statement = "SELECT region, sex, name FROM clubs WHERE instr(spellings, :spelling)"
    return frozenset(
        tuple(row) for row in releases.current(with_odds=False).database.rows(statement, {"spelling": spelling})
    )
