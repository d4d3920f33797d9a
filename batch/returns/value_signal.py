"""Value: the pool's edge on a price, where the deployment's own record of such bets proves it. Pure.

A match is flagged where the pool (`batch.returns.pool`) expects more than the threshold from the price. That is called
value only while the closing-line value of the flags before it, each made walk-forward, lies above zero beyond doubt;
otherwise only a difference between model and market is shown. Stakes are a quarter of Kelly's, together at most
MAX_DAY_STAKE of the bankroll on one day's matches.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from batch.odds import arrays as odds_arrays
from batch.odds.arrays import NO_BET, Booleans, Floats, Integers
from batch.odds.past_prices import ODDS
from batch.returns.pool import RESULT_KNOWN_AFTER, PoolWeights, pool_walk_forward
from batch.returns.region_roi import (
    FAIR,
    PROBABILITIES,
    RoiSettings,
    bettable,
    closing_line_values,
    mean_interval,
    outcome_codes,
)
from chalicelib.domain import Outcome

POOLED: Final = ("pooled_home", "pooled_draw", "pooled_away")

MIN_BETS: Final = 100
"""Flags with a known closing price that are needed before anything counts as value."""

MAX_DAY_STAKE: Final = 0.05
"""Largest share of the bankroll staked on one day's matches."""

KELLY_SHARE: Final = 0.25
"""Fraction of Kelly's stake: full Kelly overbets on errors of estimated probabilities."""


@dataclass(frozen=True)
class ValueSignal:
    """The pool's signal on every match with a price seen before kickoff, in order of kickoff.

    Attributes:
        matches: Predictions and odds of the matches, as `bettable` gives them.
        pooled: Pooled probabilities, shape (n, 3).
        flagged: The outcome whose pooled edge is the largest over the threshold, or `NO_BET`.
        value: The same where it counts as value; else `NO_BET`.
        stake: Share of the bankroll for each value bet, 0 without.
        clv: Closing-line value of each flag; NaN without a flag or a closing price.
        weights: The pool's weights for matches to come.
        is_proven: Whether flags on coming matches count as value.
    """

    matches: pd.DataFrame
    pooled: Floats
    flagged: Integers
    value: Integers
    stake: Floats
    clv: Floats
    weights: PoolWeights
    is_proven: bool

    def by_match(self) -> pd.DataFrame:
        """match_id, POOLED, `value_bet` (home, draw, away or missing) and `stake` (missing without), by match_id."""
        labels = np.array([*(outcome.label for outcome in Outcome), None], dtype=object)
        frame = pd.DataFrame(self.pooled, columns=list(POOLED))
        frame.insert(0, "match_id", self.matches["match_id"].to_numpy(np.int64))
        frame["value_bet"] = labels[self.value]
        frame["stake"] = np.where(self.value == NO_BET, np.nan, self.stake)
        return frame.sort_values("match_id", ignore_index=True)


def value_signal(
    predictions: pd.DataFrame,
    odds: pd.DataFrame,
    settings: RoiSettings = RoiSettings(),  # noqa: B008 - frozen
) -> ValueSignal:
    """The signal of a release.

    Args:
        predictions: Rows in the form of predictions.parquet; matches the model was fitted on are left out.
        odds: Rows in the form of fonbet_odds.parquet.
        settings: The threshold.
    """
    matches = bettable(predictions, odds)
    outcome = outcome_codes(matches["outcome_1x2"])
    prices = matches[list(ODDS)].to_numpy(np.float64)
    market = matches[FAIR].to_numpy(np.float64)
    model = matches[PROBABILITIES].to_numpy(np.float64)
    pool = pool_walk_forward(matches["match_date"], market, model, outcome)
    bets = odds_arrays.value_bets(pool.probabilities, prices, settings.threshold)
    clv = np.full(len(matches), np.nan)
    has_bet = bets.outcome != NO_BET
    clv[has_bet] = closing_line_values(matches[has_bet], bets.outcome[has_bet], bets.odds[has_bet])
    proven, is_proven = _proven(matches["match_date"], outcome, clv)
    value = np.where(proven, bets.outcome, NO_BET)
    stake = _stakes(matches["match_date"], bets.edge, bets.odds, value != NO_BET)
    return ValueSignal(matches, pool.probabilities, bets.outcome, value, stake, clv, pool.weights, is_proven)


def is_proven(clv: Floats) -> bool:
    """Whether there are enough of these closing-line values and their interval lies above zero."""
    known = clv[np.isfinite(clv)]
    return len(known) >= MIN_BETS and mean_interval(known)[0] > 0


def _proven(kickoff: pd.Series, outcome: Integers, clv: Floats) -> tuple[Booleans, bool]:
    """Whether each match's flag counts as value as of its month's beginning, and whether flags do now."""
    moment = kickoff.dt.tz_convert(None).to_numpy()
    month = moment.astype("datetime64[M]")
    settled = outcome != NO_BET
    now = is_proven(clv[settled])
    proven = np.full(len(clv), now, dtype=bool)
    known_at = moment + RESULT_KNOWN_AFTER.to_numpy()
    for start in np.unique(month[settled]):
        this_month = settled & (month == start)
        proven[this_month] = is_proven(clv[settled & (known_at <= start.astype(known_at.dtype))])
    return proven, now


def _stakes(kickoff: pd.Series, edge: Floats, odds: Floats, where: Booleans) -> Floats:
    """A quarter of Kelly's f = edge / (odds - 1), scaled down where a day's together exceed MAX_DAY_STAKE."""
    stakes = np.zeros(len(edge))
    stakes[where] = KELLY_SHARE * np.clip(edge[where] / (odds[where] - 1), 0.0, 1.0)
    days = pd.factorize(kickoff.dt.tz_convert(None).to_numpy().astype("datetime64[D]"))[0]
    total = np.bincount(days, stakes, minlength=1)
    scale = np.minimum(1.0, MAX_DAY_STAKE / np.maximum(total, MAX_DAY_STAKE))
    return np.asarray(stakes * scale[days])
