"""The regions of the current data release, with their leagues and seasons."""

from typing import Any

from chalicelib.releases.pointer import Pointer
from chalicelib.releases.store import ReleaseStore

_SEASONS = (
    "SELECT c.region, c.league, s.season, s.matches FROM competitions c "
    "JOIN seasons s ON s.competition = c.id ORDER BY c.region, c.league, s.season"
)


def regions(releases: ReleaseStore) -> tuple[list[dict[str, Any]], Pointer]:
    """Regions in order of name, and their release.

    Raises:
        ReleaseUnavailable, ReleaseDamaged: the release cannot be read.
    """
    release = releases.current(with_odds=False)
    by_region: dict[str, dict[str, dict[str, int]]] = {}
    for region, league, season, matches in release.database.rows(_SEASONS):
        by_region.setdefault(region, {}).setdefault(league, {})[season] = matches
    listed = [
        {
            "region": region,
            "matches": sum(sum(seasons.values()) for seasons in leagues.values()),
            "leagues": [
                {
                    "league": league,
                    "matches": sum(seasons.values()),
                    "seasons": [{"season": season, "matches": matches} for season, matches in seasons.items()],
                }
                for league, seasons in leagues.items()
            ],
        }
        for region, leagues in by_region.items()
    ]
    return listed, release.pointer
