"""Returns of bets on finished matches, per region, with intervals. Pure.

One unit is staked where the model's own edge, at odds seen before kickoff, exceeds the threshold.
profit = o - 1 or -1; ROI = profit / turnover, and turnover is the sum of stakes. The 95 % interval comes from
resampling matches.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from batch.odds import arrays as odds_arrays
from batch.odds.arrays import NO_BET, Floats, Integers
from batch.odds.market import DEFAULT_VALUE_THRESHOLD
from batch.odds.past_prices import CLOSING, ODDS
from chalicelib.csv_cells import harmless
from chalicelib.domain import Outcome

COLUMNS: Final = (
    "region",
    "bets",
    "turnover",
    "profit",
    "roi",
    "roi_ci_low",
    "roi_ci_high",
    "clv",
    "clv_ci_low",
    "clv_ci_high",
)
"""Columns of roi_by_region.csv, in this order."""
BOOTSTRAP_ROUNDS: Final = 1000
INTERVAL_DECIMALS: Final = 2
"""Decimals of a bootstrapped interval. With 1,000 rounds its ends are uncertain by 0.085 of the mean's standard error
(sqrt(0.025 x 0.975 / 1,000) over the normal density at 1.96): by about 0.01 for some hundred bets."""
EXACT_BOOTSTRAP_BETS: Final = 2000
"""With more bets than this, random groups of matches are resampled: the same interval, faster."""
MIN_BETS_FOR_INTERVAL: Final = 10
"""With fewer bets no interval is given."""
PROBABILITIES: Final = ["proba_home", "proba_draw", "proba_away"]
FAIR: Final = ["fair_home", "fair_draw", "fair_away"]
FAIR_CLOSING: Final = ["fair_closing_home", "fair_closing_draw", "fair_closing_away"]
_ODDS: Final = list(ODDS)
_CLOSING: Final = list(CLOSING)


@dataclass(frozen=True, slots=True)
class RoiSettings:
    """How the bets are made and counted.

    Args:
        threshold: Expected value per unit above which an outcome is bet on.
        seed: Seed of the bootstrap.
        rounds: Rounds of the bootstrap.
    """

    threshold: float = DEFAULT_VALUE_THRESHOLD
    seed: int = 20240330
    rounds: int = BOOTSTRAP_ROUNDS


def bettable(predictions: pd.DataFrame, odds: pd.DataFrame) -> pd.DataFrame:
    """Matches with a forecast and odds from before kickoff, in order of kickoff.

    Left out: matches without a kickoff or without odds seen before it (a kickoff at 00:00 is a day without a time,
    and only odds of an earlier day are surely before it), odds that are not a valid market (1 < booksum < 1.25), and
    forecasts of matches the model was fitted on (`in_sample`, where the column is there).

    Args:
        predictions: Rows in the form of predictions.parquet.
        odds: Rows in the form of fonbet_odds.parquet.

    Returns:
        The predictions' columns, the odds' columns, and the margin-free probabilities of the price (FAIR) and of the
        closing price (FAIR_CLOSING, missing where it is unknown or no market), sorted by (match_date, match_id).
    """
    columns = ["match_id", *_ODDS, *[name for name in _CLOSING if name in odds.columns], "collected_at"]
    priced = predictions.merge(odds[columns], on="match_id", how="inner", validate="one_to_one")
    before = (priced["collected_at"] < priced["match_date"]).fillna(value=False).to_numpy(bool)
    total = odds_arrays.booksum(priced[_ODDS].to_numpy(np.float64))
    usable = before & odds_arrays.is_market(total)
    if "in_sample" in priced.columns:
        usable &= ~priced["in_sample"].fillna(value=False).to_numpy(bool)
    bettable_rows: pd.DataFrame = priced[usable]
    ordered = bettable_rows.sort_values(["match_date", "match_id"], ignore_index=True)
    # once for all uses: solving a million markets takes a second
    for names, prices in ((FAIR, _ODDS), (FAIR_CLOSING, _CLOSING)):
        has_prices = set(prices) <= set(ordered.columns)
        ordered[names] = odds_arrays.shin(ordered[prices].to_numpy(np.float64)).probabilities if has_prices else np.nan
    return ordered


def settled_bets(predictions: pd.DataFrame, odds: pd.DataFrame, settings: RoiSettings = RoiSettings()) -> pd.DataFrame:
    """The bets that the model's own edges call for, on matches with a result; see `bets_on`."""
    matches = bettable(predictions, odds)
    return bets_on(matches, matches[PROBABILITIES].to_numpy(np.float64), settings.threshold)


def bets_on(matches: pd.DataFrame, probabilities: Floats, threshold: float) -> pd.DataFrame:
    """The bets that these probabilities call for on matches with a result, in order of kickoff.

    A bet on a match without a result (abandoned, postponed, cancelled) is void: it counts neither as
    turnover nor as profit and has no row.

    Args:
        matches: Rows of `bettable`.
        probabilities: Of each, shape (n, 3).
        threshold: Expected value per unit above which an outcome is bet on.

    Returns:
        Columns match_id, match_date, region, league, bet (0, 1, 2), pick (the model's most probable outcome), odds,
        edge, profit (units), clv (missing where the closing odds are unknown or no market).
    """
    bets = odds_arrays.value_bets(probabilities, matches[_ODDS].to_numpy(np.float64), threshold)
    return settle(matches, bets.outcome, bets.edge)


def settle(matches: pd.DataFrame, bet: Integers, edge: Floats) -> pd.DataFrame:
    """One unit on an outcome of each match that has a result, at the odds of `matches`; columns of `bets_on`.

    Args:
        matches: Rows of `bettable`.
        bet: 0, 1, 2, or `NO_BET`.
        edge: Expected value of each bet.
    """
    outcome = outcome_codes(matches["outcome_1x2"])
    rows = np.flatnonzero((bet != NO_BET) & (outcome != NO_BET))
    taken_odds = matches[_ODDS].to_numpy(np.float64)[rows, bet[rows]]
    columns: pd.DataFrame = matches[["match_id", "match_date", "region", "league"]].iloc[rows]
    return columns.reset_index(drop=True).assign(
        bet=bet[rows],
        pick=matches[PROBABILITIES].to_numpy(np.float64).argmax(axis=1)[rows],
        odds=taken_odds,
        edge=edge[rows],
        profit=np.where(bet[rows] == outcome[rows], taken_odds - 1, -1.0),
        clv=taken_odds * matches[FAIR_CLOSING].to_numpy(np.float64)[rows, bet[rows]] - 1,
    )


def region_roi(bets: pd.DataFrame, settings: RoiSettings = RoiSettings()) -> pd.DataFrame:
    """Returns by region.

    Args:
        bets: Rows of `settled_bets`.
        settings: Seed and rounds of the bootstrap.

    Returns:
        COLUMNS, sorted by region. A region without a bet has no row. Intervals are missing below MIN_BETS_FOR_INTERVAL
        bets; `clv` is the mean over the bets whose closing odds are known, missing if none.
    """
    rows = [{"region": str(region), **summary(group, settings)} for region, group in bets.groupby("region", sort=True)]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"region": "str", "bets": "int64"} | dict.fromkeys(COLUMNS[2:], "float64"))


def summary(bets: pd.DataFrame, settings: RoiSettings = RoiSettings()) -> dict[str, float | int]:
    """COLUMNS without the region, of these bets together; NaN where there is none."""
    profit = bets["profit"].to_numpy(np.float64)
    low, high = bootstrap_interval(profit, settings.seed, settings.rounds)
    turnover = float(len(profit))
    total = float(profit.sum())
    clv = bets["clv"].to_numpy(np.float64)
    clv = clv[np.isfinite(clv)]
    clv_low, clv_high = mean_interval(clv)
    return {
        "bets": len(profit),
        "turnover": turnover,
        "profit": total,
        "roi": total / turnover if turnover else np.nan,
        "roi_ci_low": low,
        "roi_ci_high": high,
        "clv": float(clv.mean()) if len(clv) else np.nan,
        "clv_ci_low": clv_low,
        "clv_ci_high": clv_high,
    }


def bootstrap_interval(profit: Floats, seed: int, rounds: int = BOOTSTRAP_ROUNDS) -> tuple[float, float]:
    """The 95 % percentile interval of the mean profit a unit staked, one bet per match, matches resampled.

    Above EXACT_BOOTSTRAP_BETS the matches are assigned at random to that many groups and the groups are resampled,
    which gives the same interval up to Monte Carlo noise.

    Returns:
        Low and high with INTERVAL_DECIMALS; NaN below MIN_BETS_FOR_INTERVAL bets.
    """
    if len(profit) < MIN_BETS_FOR_INTERVAL:
        return np.nan, np.nan
    generator = np.random.default_rng(seed)
    sums, stakes = profit, np.ones(len(profit), dtype=np.float64)
    if len(profit) > EXACT_BOOTSTRAP_BETS:
        group = generator.permutation(len(profit)) % EXACT_BOOTSTRAP_BETS
        sums, stakes = _sum_by(group, profit), _sum_by(group, stakes)
    means = np.empty(rounds)
    for start in range(0, rounds, _ROUNDS_AT_ONCE):
        drawn = generator.integers(0, len(sums), (min(_ROUNDS_AT_ONCE, rounds - start), len(sums)))
        means[start : start + len(drawn)] = sums[drawn].sum(axis=1) / stakes[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    # Plus zero: no -0.0.
    return round(float(low), INTERVAL_DECIMALS) + 0.0, round(float(high), INTERVAL_DECIMALS) + 0.0


def mean_interval(values: Floats) -> tuple[float, float]:
    """The 95 % interval of a mean by the normal distribution; NaN below MIN_BETS_FOR_INTERVAL values.

    For closing-line values, which have no long tail; profits are bootstrapped.
    """
    if len(values) < MIN_BETS_FOR_INTERVAL:
        return np.nan, np.nan
    mean, reach = float(values.mean()), 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values))
    return mean - reach, mean + reach


def as_csv(table: pd.DataFrame) -> bytes:
    """`roi_by_region.csv`: at most six decimals, missing values empty; the same table always gives the same bytes."""
    table = table[list(COLUMNS)].assign(region=table["region"].map(harmless))
    return table.round(6).to_csv(index=False, lineterminator="\n").encode()


def outcome_codes(outcome_1x2: pd.Series) -> Integers:
    """0 home, 1 draw, 2 away, `NO_BET` (-1) where there is no result."""
    codes = {outcome.label: int(outcome) for outcome in Outcome}
    return np.asarray(outcome_1x2.map(codes).fillna(NO_BET), dtype=np.int64)


def _sum_by(group: Integers, values: Floats) -> Floats:
    return np.asarray(np.bincount(group, values), dtype=np.float64)


def closing_line_values(matches: pd.DataFrame, bet: Integers, taken_odds: Floats) -> Floats:
    """o_taken q_close - 1 of a bet on each row of `bettable`; NaN where the closing odds are unknown or no market."""
    closing = matches[FAIR_CLOSING].to_numpy(np.float64)
    return np.asarray(taken_odds * closing[np.arange(len(matches)), bet] - 1, dtype=np.float64)


_ROUNDS_AT_ONCE: Final = 100
"""Rounds drawn together: bounds the memory at 100 x 2,000 numbers."""
