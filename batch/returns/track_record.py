"""The record of published forecasts: scores beside base rates and market, calibration, returns of bets.

Pure: frames in, plain JSON values out. Only forecasts of finished matches count, none of them from the
model's training period. Edges are shown with what they promised and what they returned, closing-line value before
profit, and the curves of uninformed bettors beside the model's.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from batch import evaluate
from batch.odds.arrays import NO_BET, Booleans, Floats, Integers
from batch.odds.past_prices import ODDS
from batch.returns.pool import MIN_MATCHES
from batch.returns.region_roi import (
    FAIR,
    PROBABILITIES,
    RoiSettings,
    bets_on,
    bettable,
    outcome_codes,
    settle,
    summary,
)
from batch.returns.value_signal import MIN_BETS, ValueSignal
from chalicelib.domain import Outcome

SCHEMA_VERSION: Final = 2
CURVE_POINTS: Final = 500
"""The profit curve is thinned to at most this many points, first and last kept."""
MEASURES: Final = ("accuracy", "log_loss", "rps", "brier", "ece")
THRESHOLDS: Final = (0.0, 0.02, 0.05, 0.10)
"""Edges above which promised and realised returns are compared."""


def track_record(
    predictions: pd.DataFrame,
    odds: pd.DataFrame | None = None,
    signal: ValueSignal | None = None,
    base_rates: tuple[float, float, float] | None = None,
    settings: RoiSettings = RoiSettings(),  # noqa: B008 - frozen
) -> dict[str, Any]:
    """The record as a JSON object.

    Args:
        predictions: Rows in the form of predictions.parquet; those without a result, or `in_sample`, are left out.
        odds: Rows in the form of fonbet_odds.parquet.
        signal: The pool's signal on the same predictions and odds; required where there are odds.
        base_rates: Outcome frequencies of the training matches, a forecast without knowledge of teams; None: the
            frequencies of the finished matches before each match's day.
        settings: Settings of the value bets.

    Returns:
        `matches`, `first_kickoff`, `last_kickoff`; `forecasts.model` and `.base_rates`, each with MEASURES over the
        same matches; `market`, the same measures of model, base rates and market over the matches that had fair odds
        before kickoff, with their number; `by_region`; `reliability`, a list of bins for each outcome and for all
        together; `value_bets`, the model's own edges over the threshold (see `record_of`, with `threshold`), and
        `profit_curve` of them, a list of [day, bets so far, profit so far]. With a signal also `pool`, `by_threshold`,
        `against_the_pick` and `curves`, see `lessons`. Missing numbers are null.
    """
    finished = _finished(predictions)
    outcome = outcome_codes(finished["outcome_1x2"])
    model = finished[PROBABILITIES].to_numpy(np.float64)
    naive = _base_rates(finished["match_date"], outcome, base_rates)
    kickoffs = finished["match_date"].dropna()
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "matches": len(finished),
        "first_kickoff": _iso(kickoffs.min()) if len(kickoffs) else None,
        "last_kickoff": _iso(kickoffs.max()) if len(kickoffs) else None,
        "forecasts": {"model": _scores(model, outcome), "base_rates": _scores(naive, outcome)},
        "by_region": {
            region: {"matches": int(in_region.sum()), **_scores(model[in_region], outcome[in_region])}
            for region, in_region in _regions(finished["region"])
        },
        "reliability": reliability(model, outcome),
        "market": None,
        "value_bets": None,
        "profit_curve": [],
    }
    if odds is not None:
        record["market"] = _against_the_market(finished, odds, naive)
        matches = bettable(predictions, odds)
        bets = bets_on(matches, matches[PROBABILITIES].to_numpy(np.float64), settings.threshold)
        record["value_bets"] = {"threshold": settings.threshold, **record_of(bets, settings)}
        record["profit_curve"] = profit_curve(bets)
    if signal is not None:
        record |= lessons(signal, settings)
    return record


def record_of(bets: pd.DataFrame, settings: RoiSettings) -> dict[str, float | None]:
    """Bets with their mean edge (`promised`) and their returns (`region_roi.summary`)."""
    promised = float(bets["edge"].mean()) if len(bets) else math.nan
    return _plain({"promised": promised, **summary(bets, settings)})


def lessons(signal: ValueSignal, settings: RoiSettings) -> dict[str, Any]:
    """The record by edge and by bettor.

    Returns:
        `pool`: its weights for matches to come (`price`, `model`, constants `home` and `away`, `matches` they were
        fitted on, 0 for the market alone, and `min_matches`), `scores` of pool, market and model over the same matches,
        `bets` (the walk-forward flags, see `record_of`), `is_proven` (whether flags are called value) and `min_bets`.
        `by_threshold`: for `model` and `pool` a list of records by edge. `against_the_pick`: the model's bets
        against and on its most probable outcome. `curves`: beside the pool's flags a
        bettor at random (a third of a unit on each outcome) and one on the favourite of each match.
    """
    matches = signal.matches
    prices = matches[list(ODDS)].to_numpy(np.float64)
    model = matches[PROBABILITIES].to_numpy(np.float64)
    market = matches[FAIR].to_numpy(np.float64)
    outcome = outcome_codes(matches["outcome_1x2"])
    settled = outcome != NO_BET
    nothing_expected = np.full(len(matches), np.nan)
    edges = signal.pooled * prices - 1
    flagged_edge = np.where(
        signal.flagged == NO_BET, np.nan, edges[np.arange(len(matches)), np.maximum(signal.flagged, 0)]
    )
    flags = settle(matches, signal.flagged, flagged_edge)
    bets = bets_on(matches, model, settings.threshold)
    follows = bets["bet"] == bets["pick"]
    weights = signal.weights
    return {
        "pool": {
            "price": round(weights.price, 6),
            "model": round(weights.model, 6),
            "home": round(weights.home, 6),
            "away": round(weights.away, 6),
            "matches": weights.matches,
            "min_matches": MIN_MATCHES,
            "scores": {
                name: _scores(values[settled], outcome[settled])
                for name, values in (("pool", signal.pooled), ("market", market), ("model", model))
            },
            "bets": {"threshold": settings.threshold, **record_of(flags, settings)},
            "is_proven": signal.is_proven,
            "min_bets": MIN_BETS,
        },
        "by_threshold": {
            name: [
                {"threshold": threshold, **record_of(bets_on(matches, values, threshold), settings)}
                for threshold in THRESHOLDS
            ]
            for name, values in (("model", model), ("pool", signal.pooled))
        },
        "against_the_pick": {
            "against": record_of(bets[~follows], settings),
            "with": record_of(bets[follows], settings),
        },
        "curves": {
            "pool": profit_curve(flags),
            "random": _random_curve(matches[settled], prices[settled], outcome[settled]),
            "favourite": profit_curve(settle(matches, prices.argmin(axis=1), nothing_expected)),
        },
    }


def _random_curve(matches: pd.DataFrame, prices: Floats, outcome: Integers) -> list[list[Any]]:
    """The profit of one unit a match spread evenly over its outcomes: what an uninformed bettor expects."""
    won = prices[np.arange(len(prices)), outcome]
    return profit_curve(pd.DataFrame({"match_date": matches["match_date"], "profit": won / len(Outcome) - 1}))


def reliability(probabilities: Floats, outcome: Integers) -> dict[str, list[dict[str, float]]]:
    """Forecast against frequency in ten equal-width bins, for home, draw, away and all three together.

    Returns:
        Name -> non-empty bins: `lower` edge, `count`, mean `forecast`, `frequency`.
    """
    happened = np.eye(len(Outcome))[outcome].astype(bool)
    columns = {label.label: (probabilities[:, label], happened[:, label]) for label in Outcome}
    columns["all"] = (probabilities.ravel(), happened.ravel())
    return {
        name: [] if len(outcome) == 0 else _records(evaluate.calibration_table(forecast, outcomes))
        for name, (forecast, outcomes) in columns.items()
    }


def profit_curve(bets: pd.DataFrame, points: int = CURVE_POINTS) -> list[list[Any]]:
    """Cumulative profit of the value bets day by day: [day, bets so far, profit so far in units]."""
    if bets.empty:
        return []
    daily = bets.groupby(bets["match_date"].dt.strftime("%Y-%m-%d"), sort=True)["profit"].agg(["count", "sum"]).cumsum()
    chosen = np.unique(np.linspace(0, len(daily) - 1, min(points, len(daily))).round().astype(int))
    thinned = daily.iloc[chosen]
    return [
        [day, int(count), round(float(profit), 6)]
        for day, count, profit in zip(thinned.index, thinned["count"], thinned["sum"], strict=True)
    ]


def _finished(predictions: pd.DataFrame) -> pd.DataFrame:
    """Matches with a result, outside the model's training period."""
    keep: Booleans = outcome_codes(predictions["outcome_1x2"]) != NO_BET
    if "in_sample" in predictions.columns:
        keep = keep & ~predictions["in_sample"].fillna(value=False).to_numpy(bool)
    return predictions[keep].sort_values(["match_date", "match_id"], ignore_index=True)


def _base_rates(kickoff: pd.Series, outcome: Integers, fixed_rates: tuple[float, float, float] | None) -> Floats:
    """Shape (n, 3): the forecast of the outcome frequencies, given or of the days before each match's.

    One match of each outcome is counted beforehand, so that no outcome has probability 0.
    """
    if fixed_rates is not None:
        return np.tile(np.array(fixed_rates, dtype=np.float64), (len(outcome), 1))
    days = kickoff.dt.strftime("%Y-%m-%d").to_numpy()
    running_counts = np.vstack([np.zeros(len(Outcome)), np.cumsum(np.eye(len(Outcome))[outcome], axis=0)]) + 1
    # sorted by kickoff: all matches of a day know the matches before its first one
    starts = np.r_[True, days[1:] != days[:-1]] if len(days) else np.zeros(0, dtype=bool)
    first_of_day = np.maximum.accumulate(np.where(starts, np.arange(len(days)), 0))
    counts_before = running_counts[first_of_day]
    return np.asarray(counts_before / counts_before.sum(axis=1, keepdims=True))


def _against_the_market(finished: pd.DataFrame, odds: pd.DataFrame, naive: Floats) -> dict[str, Any]:
    rows = finished.assign(_naive_home=naive[:, 0], _naive_draw=naive[:, 1], _naive_away=naive[:, 2])
    priced = bettable(rows, odds)
    outcome = outcome_codes(priced["outcome_1x2"])
    market = priced[FAIR].to_numpy(np.float64)
    return {
        "matches": len(priced),
        "model": _scores(priced[PROBABILITIES].to_numpy(np.float64), outcome),
        "base_rates": _scores(priced[["_naive_home", "_naive_draw", "_naive_away"]].to_numpy(np.float64), outcome),
        "market": _scores(market, outcome),
    }


def _regions(region: pd.Series) -> list[tuple[str, Booleans]]:
    codes, names = pd.factorize(region, sort=True)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    regions = []
    for number, name in enumerate(names):
        in_region = np.zeros(len(codes), dtype=bool)
        in_region[order[bounds[number] : bounds[number + 1]]] = True
        regions.append((str(name), in_region))
    return regions


def _scores(probabilities: Floats, outcome: Integers) -> dict[str, float | None]:
    scored = evaluate.scores(probabilities, outcome)
    return _plain({name: scored[name] for name in MEASURES})


def _plain(values: Mapping[str, float]) -> dict[str, float | None]:
    """Numbers for JSON, rounded to 6 decimals; NaN becomes null."""
    return {
        name: value if isinstance(value, int) else (round(value, 6) if math.isfinite(value) else None)
        for name, value in values.items()
    }


def _records(table: pd.DataFrame) -> list[dict[str, float]]:
    return [
        {
            "lower": round(lower, 1),
            "count": int(count),
            "forecast": round(forecast, 6),
            "frequency": round(frequency, 6),
        }
        for lower, count, forecast, frequency in zip(
            table["lower"].tolist(),
            table["count"].tolist(),
            table["forecast"].tolist(),
            table["frequency"].tolist(),
            strict=True,
        )
    ]


def _iso(moment: pd.Timestamp) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
