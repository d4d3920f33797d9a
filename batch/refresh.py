"""One refresh of the odds: the provider's markets matched to our matches, and the returns of value bets on them.

Pure; `batch.handlers` fetches the snapshot and writes the results, `batch.rebuild` uses the same steps on files.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import pandas as pd

from batch.odds import price_history
from batch.odds import table as fonbet_odds
from batch.odds.clubs import ConfirmedClubs
from batch.odds.matching import MatchingResult, match_odds
from batch.odds.providers.base import MarketOdds, OddsProvider, OddsSnapshot, in_order
from batch.release import parquet_bytes
from batch.returns.region_roi import as_csv, region_roi, settled_bets
from batch.returns.track_record import track_record
from batch.returns.value_signal import ValueSignal, value_signal

COUNTS: Final = ("markets", "matched", "unmatched", "unpriced", "no_market")
"""Figures of a refresh's report: `unpriced` odds lack three decimal prices above 1; in `no_market` the inverses do not
add up to between 1 and 1.25."""

LISTED_UNMATCHED: Final = 500
"""A run report lists at most this many unmatched rows; all are counted."""


@dataclass(frozen=True)
class Refreshed:
    """The result of a refresh.

    Attributes:
        odds: Rows of fonbet_odds.parquet.
        history: Rows of price_history.parquet.
        confirmed: Club ids and spellings known from now on.
        report: Counts, the unmatched rows with near misses, and notes; plain JSON values.
    """

    odds: pd.DataFrame
    history: pd.DataFrame
    confirmed: ConfirmedClubs
    report: dict[str, Any]

    def parquet(self) -> bytes:
        """The odds as published."""
        return parquet_bytes(self.odds, fonbet_odds.FONBET_ODDS_SCHEMA)

    def history_parquet(self) -> bytes:
        """The price history as it is published."""
        return parquet_bytes(self.history, price_history.PRICE_HISTORY_SCHEMA)


def fetch(provider: OddsProvider, as_of: datetime, ahead: timedelta = timedelta(0)) -> OddsSnapshot:
    """Fetch the markets known at `as_of` and, in a replay, later ones of matches still to come.

    Args:
        provider: Where odds come from.
        as_of: The run's time.
        ahead: How far a replay looks beyond it, so that the matches of the following weeks show their market. Only
            matches that kick off after `as_of` get such odds, so no returns are affected; `collected_at` shows
            that a row is from later.

    Raises:
        ProviderUnavailable: the source gave no usable answer.
    """
    stored = provider.fetch(as_of)
    if not ahead:
        return stored
    stored_events = {(row.provider, row.event_id) for row in stored.markets if row.odds is not None}
    later = provider.fetch(as_of + ahead)
    extra = [
        _as_before_kickoff(row)
        for row in later.markets
        if (row.provider, row.event_id) not in stored_events and _to_come(row, as_of)
    ]
    stale = {(row.provider, row.event_id) for row in extra}
    markets = [row for row in stored.markets if (row.provider, row.event_id) not in stale]
    note = f"replay: {len(extra)} matches to come show odds collected up to {ahead.days} days later"
    sightings = {**stored.sightings, **{key: later.sightings[key] for key in stale if key in later.sightings}}
    return replace(stored, markets=in_order([*markets, *extra]), notes=(*stored.notes, note), sightings=sightings)


def _to_come(row: MarketOdds, as_of: datetime) -> bool:
    return row.odds is not None and row.kickoff is not None and row.kickoff > as_of


def _as_before_kickoff(row: MarketOdds) -> MarketOdds:
    """The row without anything known only after kickoff."""
    return replace(row, closing=None, live_score=None, is_live=False, suspended=False)


def refresh(
    predictions: pd.DataFrame,
    snapshot: OddsSnapshot,
    previous: pd.DataFrame | None,
    confirmed: ConfirmedClubs,
    previous_history: pd.DataFrame | None = None,
) -> Refreshed:
    """Match a snapshot to the release's matches.

    Args:
        predictions: Rows of predictions.parquet.
        snapshot: The provider's markets.
        previous: The odds published so far, which complete the new ones.
        confirmed: Club ids and spellings settled by earlier runs.
        previous_history: The price history published so far; what only it still knows is carried on.
    """
    matches = predictions.rename(columns={"match_date": "kickoff"})
    result = match_odds(matches, snapshot.markets, confirmed=confirmed)
    current = fonbet_odds.build(result.matched)
    odds = fonbet_odds.carry_forward(previous, current)
    prices_seen = price_history.seen_prices(result.matched, snapshot.sightings)
    history = price_history.merge(previous_history, prices_seen, odds, matches, snapshot.collected_at)
    return Refreshed(odds, history, result.confirmed, _report(snapshot, result, current, len(odds)))


def _report(snapshot: OddsSnapshot, result: MatchingResult, current: pd.DataFrame, rows: int) -> dict[str, Any]:
    priced = current["odds_home"].notna()
    return {
        "provider": snapshot.provider,
        "collected_at": snapshot.collected_at.isoformat(),
        "markets": len(snapshot.markets),
        "matched": len(result.matched),
        "learned_spellings": len(result.confirmed.spellings),
        "revoked_spellings": sorted(f"{region}: {name}" for region, name in result.confirmed.revoked),
        "matched_by": dict(sorted(Counter(row.match_method for row in result.matched).items())),
        "unpriced": int((~priced).sum()),
        "no_market": int((priced & current["implied_home"].isna()).sum()),
        "unmatched": len(result.unmatched),
        "unmatched_by": dict(sorted(Counter(row.reason for row in result.unmatched).items())),
        "skipped": dict(sorted(snapshot.skipped.items())),
        "notes": list(snapshot.notes),
        "rows": rows,
        "unmatched_rows": [
            {
                "home_team": row.market.home_team,
                "away_team": row.market.away_team,
                "league": row.market.league,
                "kickoff": row.market.kickoff.isoformat() if row.market.kickoff else None,
                "reason": row.reason,
                "near_misses": [
                    {"match_id": miss.match_id, "home_team": miss.home_team, "away_team": miss.away_team,
                     "score": miss.match_score, "reason": miss.reason}
                    for miss in row.near_misses
                ],
            }
            for row in result.unmatched[:LISTED_UNMATCHED]
        ],
    }  # fmt: skip


@dataclass(frozen=True)
class Returns:
    """Returns of the value bets on finished matches.

    Attributes:
        roi_csv: roi_by_region.csv.
        regions: Its number of rows.
        track_record: Quality of the forecasts and the bets' record, plain JSON values.
        signal: The pool's signal on every match with a price.
    """

    roi_csv: bytes
    regions: int
    track_record: dict[str, Any]
    signal: ValueSignal

    def track_record_json(self) -> bytes:
        """The track record as published; equal records give equal bytes."""
        return json.dumps(self.track_record, sort_keys=True, indent=1).encode()


def returns(predictions: pd.DataFrame, odds: pd.DataFrame) -> Returns:
    """ROI per region and the track record of a release."""
    table = region_roi(settled_bets(predictions, odds))
    signal = value_signal(predictions, odds)
    return Returns(as_csv(table), len(table), track_record(predictions, odds, signal), signal)
