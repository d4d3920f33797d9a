"""How the price of a match moved, and the track record, from the files of the current release."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from chalicelib.errors import PredictionNotFound
from chalicelib.releases.database import Row
from chalicelib.releases.pointer import TRACK_RECORD
from chalicelib.releases.store import Release, ReleaseStore
from chalicelib.timestamps import iso_utc

_MATCH: Final = """
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', m.kickoff, 'unixepoch'), o.provider, o.collected_at,
       o.odds_home, o.odds_draw, o.odds_away
FROM by_id CROSS JOIN matches m ON m.position = by_id.position LEFT JOIN {odds}.odds o ON o.position = m.position
WHERE by_id.match_id = :match_id
"""
_PRICES: Final = """
SELECT seen_at, odds_home, odds_draw, odds_away, bookmaker, is_closing
FROM {odds}.prices WHERE match_id = :match_id ORDER BY number
"""
_HAS_PRICES: Final = "SELECT 1 FROM {odds}.sqlite_master WHERE type = 'table' AND name = 'prices'"


def price_movement(match_id: int, releases: ReleaseStore) -> dict[str, Any]:
    """The match's prices as `PriceMovement` has them.

    Raises:
        PredictionNotFound: the release does not carry the match.
    """
    release = releases.current()
    match_rows = list(_rows(release, _MATCH, match_id))
    if not match_rows:
        raise PredictionNotFound(match_id)
    ((match_date, provider, published_at, *published),) = match_rows
    change_by_time: dict[int, dict[str, Any]] = {}
    closing = None
    for seen_at, *odds, bookmaker, is_closing in _prices(release, match_id):
        if is_closing:
            closing = _price(seen_at, odds, bookmaker)
        else:
            change_by_time[seen_at] = _price(seen_at, odds, bookmaker)
    if published and published[0] is not None:
        change_by_time.setdefault(published_at, _price(published_at, published, None))
    return {
        "match_id": match_id,
        "match_date": match_date,
        "provider": provider,
        "snapshots": [change_by_time[at] for at in sorted(change_by_time)],
        "closing": closing,
    }


def track_record(releases: ReleaseStore) -> dict[str, Any]:
    """The release's track record.

    Raises:
        DatasetUnavailable: this release carries none.
    """
    record: dict[str, Any] = releases.parsed(releases.entry(releases.pointer(), TRACK_RECORD), json.loads)
    return record


def _rows(release: Release, statement: str, match_id: int) -> Iterator[Row]:
    return release.database.rows(statement.format(odds=release.odds), {"match_id": match_id})


def _prices(release: Release, match_id: int) -> Iterator[Row]:
    if any(release.database.rows(_HAS_PRICES.format(odds=release.odds))):
        yield from _rows(release, _PRICES, match_id)


def _price(seen_at: int | None, odds: Sequence[float], bookmaker: str | None) -> dict[str, Any]:
    return {
        "collected_at": None if seen_at is None else iso_utc(datetime.fromtimestamp(seen_at, UTC)),
        **dict(zip(("odds_home", "odds_draw", "odds_away"), odds, strict=True)),
        "bookmaker": bookmaker,
    }
