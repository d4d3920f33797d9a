"""Prices of past matches: what a release keeps of every match that has begun, and what ratings use. Pure.

A row has the price available an hour before kickoff and the last one before it (`closing`), when each was seen,
bookmaker and source. A later run may add a closing price or a missing match, and keeps what it no longer sees.
"""

from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from batch.odds import arrays as odds_arrays
from batch.odds.arrays import Floats

ODDS: Final = ("odds_home", "odds_draw", "odds_away")
CLOSING: Final = ("closing_home", "closing_draw", "closing_away")

PAST_PRICES_SCHEMA: Final = pa.schema(
    [
        ("match_id", pa.int64()),
        ("provider", pa.string()),
        ("bookmaker", pa.string()),
        *((name, pa.float64()) for name in ODDS),
        ("collected_at", pa.timestamp("ms", "UTC")),
        *((name, pa.float64()) for name in CLOSING),
        ("closing_at", pa.timestamp("ms", "UTC")),
    ]
)
"""Columns of past_prices.parquet, in this order; `bookmaker` is empty if unknown or an average,
`closing_at` where the source states its closing price without a time."""

_SOLVER_STEPS: Final = 40
"""Ratings and measures do not need the last bits; this takes two thirds of the time."""

_TYPES: Final = (
    {"match_id": "int64"}
    | dict.fromkeys(("provider", "bookmaker"), "str")
    | dict.fromkeys((*ODDS, *CLOSING), "float64")
    | dict.fromkeys(("collected_at", "closing_at"), "datetime64[ms, UTC]")
)


def of_begun_matches(odds: pd.DataFrame, kickoffs: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The prices of matches that have begun by `as_of`, out of a release's odds.

    Args:
        odds: Rows in the form of fonbet_odds.parquet.
        kickoffs: `match_id` and `match_date` of the release's matches.
        as_of: With its time zone.

    Returns:
        Columns of PAST_PRICES_SCHEMA, sorted by match_id. Odds seen at or after kickoff are left out, and so are those
        that are not a valid market (1 < booksum < 1.25).
    """
    odds = odds.reset_index(drop=True)
    kickoff = kickoffs.set_index("match_id")["match_date"].reindex(odds["match_id"]).reset_index(drop=True)
    # comparisons with an unknown time are False
    is_past_price = (kickoff <= as_of).to_numpy(bool) & (odds["collected_at"] < kickoff).to_numpy(bool)
    is_past_price &= odds_arrays.is_market(odds_arrays.booksum(odds[list(ODDS)].to_numpy(np.float64)))
    return typed(odds[is_past_price])


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the schema's columns, order and types, sorted by match_id; missing columns hold missing values."""
    complete = frame.reindex(columns=PAST_PRICES_SCHEMA.names).sort_values("match_id", ignore_index=True)
    return complete.astype(_TYPES)


def merge(previous: pd.DataFrame | None, current: pd.DataFrame) -> pd.DataFrame:
    """All rows of both; the current one wins unless it lost the closing price.

    Args:
        previous: Past prices kept so far.
        current: Past prices as this run sees them.
    """
    if previous is None or previous.empty:
        return typed(current)
    rows = pd.concat([typed(previous), typed(current)], ignore_index=True)
    rows = rows.assign(_closed=rows["closing_home"].notna())
    # stable: of two rows that both have or both lack a closing price the later is kept
    rows = rows.sort_values(["match_id", "_closed"], kind="stable")
    return typed(rows.drop_duplicates("match_id", keep="last"))


def closing_probabilities(prices: pd.DataFrame | None, match_id: pd.Series) -> Floats:
    """Margin-free probabilities of these matches by the closing price, else the last one known before kickoff.

    Args:
        prices: `match_id` (unique), ODDS and, where known, CLOSING.
        match_id: Of the requested matches.

    Returns:
        Shape (n, 3), home, draw, away, by Shin's method; NaN without a valid price.
    """
    probabilities = np.full((len(match_id), 3), np.nan)
    if prices is None or prices.empty:
        return probabilities
    row = pd.Index(prices["match_id"]).get_indexer(match_id)
    priced = np.flatnonzero(row >= 0)
    for names in (ODDS, CLOSING):
        if set(names) <= set(prices.columns):
            fair = odds_arrays.shin(prices[list(names)].to_numpy(np.float64)[row[priced]], _SOLVER_STEPS)
            probabilities[priced[fair.has_fair]] = fair.probabilities[fair.has_fair]
    return probabilities


def expected_home_share(prices: pd.DataFrame | None, match_id: pd.Series) -> Floats:
    """The home team's expected share of the points by these prices, q_home + q_draw / 2; NaN without a price."""
    probabilities = closing_probabilities(prices, match_id)
    return np.asarray(probabilities[:, 0] + probabilities[:, 1] / 2)
