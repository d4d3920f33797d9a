"""Make the rows of a release's `fonbet_odds.parquet` from matched odds. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from batch.odds import arrays as odds_arrays
from batch.odds.matching import MatchedOdds
from batch.odds.past_prices import CLOSING, ODDS

FONBET_ODDS_SCHEMA: Final = pa.schema(
    [
        ("match_id", pa.int64()),
        ("provider", pa.string()),
        ("fonbet_event_id", pa.string()),
        ("odds_home", pa.float64()),
        ("odds_draw", pa.float64()),
        ("odds_away", pa.float64()),
        ("margin", pa.float64()),
        ("implied_home", pa.float64()),
        ("implied_draw", pa.float64()),
        ("implied_away", pa.float64()),
        ("margin_method", pa.string()),
        ("suspended", pa.bool_()),
        ("collected_at", pa.timestamp("ms", "UTC")),
        ("url", pa.string()),
        ("live_score", pa.string()),
        ("match_method", pa.string()),
        ("match_score", pa.float64()),
        ("time_delta_min", pa.float64()),
        ("closing_home", pa.float64()),
        ("closing_draw", pa.float64()),
        ("closing_away", pa.float64()),
        ("closing_at", pa.timestamp("ms", "UTC")),
        ("bookmaker", pa.string()),
    ]
)
"""Columns of fonbet_odds.parquet, in this order."""

_TEXT: Final = ("provider", "fonbet_event_id", "margin_method", "url", "live_score", "match_method", "bookmaker")
_TIMES: Final = ("collected_at", "closing_at")
_NUMBERS: Final = tuple(field.name for field in FONBET_ODDS_SCHEMA if field.type == pa.float64())
IMPLIED: Final = ("implied_home", "implied_draw", "implied_away")


def build(matched: Sequence[MatchedOdds], provider_order: Sequence[str] = ()) -> pd.DataFrame:
    """One row per match, sorted by match_id; the same input gives the same frame.

    Args:
        matched: From `batch.odds.matching.match_odds`.
        provider_order: Where a match has odds of several providers, the first of these that prices it is taken, else
            any other that does, by name.

    Returns:
        Columns of FONBET_ODDS_SCHEMA. Odds, margin and implied probabilities are missing where the market has never
        been seen open before kickoff. Implied probabilities and `margin_method` are missing where the odds are
        not a valid market (1 < booksum < 1.25): such a row gives no bet.
    """
    rank = {name: place for place, name in enumerate(provider_order)}

    def preference(row: MatchedOdds) -> tuple[int, bool, int, str, str]:
        market = row.market
        unpriced = market.odds is None
        return row.match_id, unpriced, rank.get(market.provider, len(rank)), market.provider, market.event_id

    chosen: dict[int, MatchedOdds] = {}
    for row in sorted(matched, key=preference):
        chosen.setdefault(row.match_id, row)
    rows = list(chosen.values())
    collected_at = pd.Series([row.market.collected_at for row in rows], dtype=object)
    closing_at = pd.Series([row.market.closing_at for row in rows], dtype=object)
    odds = _triples([row.market.odds for row in rows])
    closing = _triples([row.market.closing for row in rows])
    fair = odds_arrays.shin(odds)
    frame = pd.DataFrame(
        {
            "match_id": np.array([row.match_id for row in rows], dtype=np.int64),
            "provider": [row.market.provider for row in rows],
            "fonbet_event_id": [row.market.event_id for row in rows],
            "margin": odds_arrays.booksum(odds) - 1,
            "margin_method": [odds_arrays.margin_method(has_fair) for has_fair in fair.has_fair.tolist()],
            "suspended": np.array([row.market.suspended for row in rows], dtype=bool),
            "collected_at": pd.to_datetime(collected_at, utc=True),
            "closing_at": pd.to_datetime(closing_at, utc=True),
            "bookmaker": [row.market.bookmaker for row in rows],
            "url": [row.market.url for row in rows],
            "live_score": [row.market.live_score for row in rows],
            "match_method": [row.match_method for row in rows],
            "match_score": [row.match_score for row in rows],
            "time_delta_min": [row.time_delta_min for row in rows],
        }
    )
    for names, values in ((ODDS, odds), (IMPLIED, fair.probabilities), (CLOSING, closing)):
        frame[list(names)] = values
    return typed(frame)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the schema's columns, order and types, sorted by match_id; an empty one has them too.

    Columns that an earlier version's file lacks are missing values.
    """
    columns: pd.DataFrame = frame.reindex(columns=FONBET_ODDS_SCHEMA.names)
    ordered = columns.sort_values("match_id", ignore_index=True)
    types: dict[str, str] = dict.fromkeys(_TEXT, "str") | dict.fromkeys(_NUMBERS, "float64")
    types |= {"match_id": "int64", "suspended": "bool"} | dict.fromkeys(_TIMES, "datetime64[ms, UTC]")
    return ordered.astype(types)


def known_at(odds: pd.DataFrame, predictions: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Published odds as known at a time, for a replay that is moved back.

    Args:
        odds: Rows of a release.
        predictions: Rows of predictions.parquet, for the kickoffs.
        as_of: The time, with its zone.

    Returns:
        The rows collected by then. Those of matches that had not begun lose their closing odds and live score, and are
        not suspended: the stored values may be from later.
    """
    known_odds = odds[(odds["collected_at"] <= as_of).to_numpy(bool)].copy()
    kickoff = predictions.set_index("match_id")["match_date"].reindex(known_odds["match_id"])
    to_come = ~(kickoff <= as_of).to_numpy(bool)
    known_odds.loc[to_come, list(CLOSING)] = np.nan
    known_odds.loc[to_come, "closing_at"] = pd.NaT
    known_odds.loc[to_come, "live_score"] = None
    known_odds.loc[to_come, "suspended"] = False
    return typed(known_odds)


def carry_forward(previous: pd.DataFrame | None, current: pd.DataFrame) -> pd.DataFrame:
    """The current rows, completed from the previous release.

    Finished matches leave a live line and closed markets lose their prices. Matches that are no longer listed keep
    their previous row, and a row without a price keeps its previous odds with its current `suspended` and `live_score`.

    Args:
        previous: The last release's rows; None on the first run.
        current: Rows of `build`.

    Returns:
        Columns of FONBET_ODDS_SCHEMA, sorted by match_id.
    """
    if previous is None or previous.empty:
        return current
    old = typed(previous).set_index("match_id")
    new = current.set_index("match_id")
    unpriced = new.index[new["odds_home"].isna()].intersection(old.index[old["odds_home"].notna()])
    price_columns = [*ODDS, "margin", *IMPLIED, "margin_method", "collected_at", *CLOSING, "closing_at", "bookmaker"]
    if len(unpriced):
        new.loc[unpriced, price_columns] = old.loc[unpriced, price_columns]
    gone = old.loc[old.index.difference(new.index)]
    if gone.empty:
        return typed(new.reset_index())
    return typed((gone if new.empty else pd.concat([gone, new])).reset_index())


def _triples(odds: Sequence[tuple[float, float, float] | None]) -> odds_arrays.Floats:
    """Shape (n, 3), NaN where missing."""
    missing = (np.nan, np.nan, np.nan)
    return np.array([triple or missing for triple in odds], dtype=np.float64).reshape(len(odds), 3)
