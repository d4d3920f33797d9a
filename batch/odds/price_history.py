"""The price movements of each match before kickoff, one row per change. Pure.

Stored sightings give the whole history at once; a live line adds one observation at a time to the stored rows.
Both give the same rows. Three rules keep the table small: an unchanged price adds no row; changes more than a day
before the last one are thinned to the last price of every three hours; of a match played long ago the first and
the last price are kept.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from batch.odds.matching import MatchedOdds
from batch.odds.past_prices import ODDS
from batch.odds.providers.base import PriceSeen, Sightings

PRICE_HISTORY_SCHEMA: Final = pa.schema(
    [
        ("match_id", pa.int64()),
        ("provider", pa.string()),
        ("bookmaker", pa.string()),
        ("collected_at", pa.timestamp("ms", "UTC")),
        *((name, pa.float64()) for name in ODDS),
    ]
)
"""Columns of price_history.parquet, in this order; sorted by match_id and collected_at."""

FULL_DETAIL: Final = timedelta(days=1)
"""How long before a match's last change every change is kept."""
COARSE: Final = "3h"
"""Before that, the last price of each such interval of UTC is kept."""
KEPT_WHOLE: Final = timedelta(days=90)
"""How long after kickoff a match keeps more than its first and last price."""

_TYPES: Final = (
    {"match_id": "int64", "collected_at": "datetime64[ms, UTC]"}
    | dict.fromkeys(("provider", "bookmaker"), "str")
    | dict.fromkeys(ODDS, "float64")
)


def seen_prices(matched: Sequence[MatchedOdds], sightings: Sightings) -> pd.DataFrame:
    """Every price that this look at the market tells of the matches it found.

    Args:
        matched: Rows of odds and the matches they mean.
        sightings: By provider and event, what was seen before; a row without any is its own single sighting.
    """
    rows = []
    for matched_odds in matched:
        market = matched_odds.market
        prices_of_match = sightings.get((market.provider, market.event_id))
        if prices_of_match is None:
            prices_of_match = (
                (PriceSeen(market.collected_at, market.odds, market.bookmaker),)
                if market.odds and not market.is_live
                else ()
            )
        rows += [
            (matched_odds.match_id, market.provider, price_seen.bookmaker, price_seen.collected_at, *price_seen.odds)
            for price_seen in prices_of_match
        ]
    return typed(pd.DataFrame(rows, columns=PRICE_HISTORY_SCHEMA.names))


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the schema's columns, order and types, sorted by match and time."""
    complete = frame.reindex(columns=PRICE_HISTORY_SCHEMA.names)
    complete["collected_at"] = pd.to_datetime(complete["collected_at"], utc=True)
    return complete.astype(_TYPES).sort_values(["match_id", "collected_at"], kind="stable", ignore_index=True)


def merge(
    previous: pd.DataFrame | None, current: pd.DataFrame, odds: pd.DataFrame, kickoffs: pd.DataFrame, as_of: datetime
) -> pd.DataFrame:
    """The history with what was seen now.

    Args:
        previous: The rows so far.
        current: From `seen_prices`.
        odds: Rows in the form of fonbet_odds.parquet: a match's history is that of the provider that prices it there.
        kickoffs: `match_id` and `kickoff`.
        as_of: With its time zone; tells which matches were played long ago.

    Returns:
        Columns of PRICE_HISTORY_SCHEMA, sorted by match and time; nothing seen at or after kickoff.
    """
    rows = typed(current if previous is None else pd.concat([typed(previous), current], ignore_index=True))
    provider = odds.set_index("match_id")["provider"].reindex(rows["match_id"]).to_numpy(object)
    kickoff = kickoffs.set_index("match_id")["kickoff"].reindex(rows["match_id"]).reset_index(drop=True)
    is_kept = (rows["provider"].to_numpy(object) == provider) & ~(rows["collected_at"] >= kickoff).to_numpy(bool)
    rows, kickoff = rows[is_kept], kickoff[is_kept]
    rows = rows[~rows.duplicated(["match_id", "collected_at"], keep="last")]
    rows = rows[~_is_repeated(rows)]
    return typed(rows[_is_kept(rows, kickoff.reindex(rows.index), as_of)])


def known_at(history: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """What had been seen by then, for a replay that is moved back."""
    return typed(history[(history["collected_at"] <= as_of).to_numpy(bool)])


def _is_repeated(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Whether a row says what the row of the same match before it says."""
    compared = rows[["match_id", "bookmaker", *ODDS]]
    before = compared.shift()
    is_same: pd.Series[bool] = ((compared == before) | (compared.isna() & before.isna())).all(axis=1)
    is_same.iloc[:1] = False
    return is_same


def _is_kept(rows: pd.DataFrame, kickoff: pd.Series, as_of: datetime) -> "np.typing.NDArray[np.bool_]":
    first = ~rows.duplicated("match_id", keep="first").to_numpy(bool)
    last = ~rows.duplicated("match_id", keep="last").to_numpy(bool)
    newest = rows.groupby("match_id")["collected_at"].transform("max")
    is_recent = (rows["collected_at"] >= newest - FULL_DETAIL).to_numpy(bool)
    interval = rows[["match_id"]].assign(interval=rows["collected_at"].dt.floor(COARSE))
    ends_interval = ~interval.duplicated(keep="last").to_numpy(bool)
    is_long_over = (kickoff < as_of - KEPT_WHOLE).to_numpy(bool)
    return np.asarray(first | last | ((is_recent | ends_interval) & ~is_long_over))
