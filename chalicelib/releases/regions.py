"""The regions of the current data release, with their leagues and seasons."""

from typing import Any

from chalicelib.releases.pointer import Pointer
from chalicelib.releases.store import Release, ReleaseStore

_COMPETITIONS = (
    "SELECT c.region, c.league, m.season, count(*) FROM competitions c "
    "JOIN matches_by_league m ON m.competition = c.id GROUP BY c.id, m.season ORDER BY c.region, c.league, m.season"
)


def regions(releases: ReleaseStore) -> tuple[list[dict[str, Any]], Pointer]:
    """Regions in order of name, and their release.

    Raises:
        ReleaseUnavailable, ReleaseDamaged: the release cannot be read.
    """
    release = releases.current()
    version = release.pointer.version
    if version not in _counted:
        # once per release: it reads every match
        _counted.clear()
        _counted[version] = _count(release)
    return _counted[version], release.pointer


_counted: dict[str, list[dict[str, Any]]] = {}


def _count(release: Release) -> list[dict[str, Any]]:
    by_region: dict[str, dict[str, dict[str, int]]] = {}
    for region, league, season, matches in release.database.rows(_COMPETITIONS):
        by_region.setdefault(region, {}).setdefault(league, {})[season] = matches
    return [
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
