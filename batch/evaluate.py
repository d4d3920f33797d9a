"""How good forecasts are: proper scores, calibration, baselines, and a paired interval for comparing two models.

Pure. Probabilities are arrays of shape (n, 3), columns home, draw, away; outcomes are codes 0, 1, 2 in that order.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Probabilities = npt.NDArray[np.float64]
Outcomes = npt.NDArray[np.int64]

N_OUTCOMES: Final = 3

CALIBRATION_BINS: Final = 10
"""Equal-width bins of the expected calibration error."""

SETTLED_MATCHES: Final = 5
"""A match is settled when both sides have played this many in the season; settled matches are compared with the
market."""

BOOTSTRAP_ROUNDS: Final = 2000

MIN_PRICED_MATCHES: Final = 30
"""With fewer priced matches two models are compared by log loss."""

PROBABILITY_FLOOR: Final = 1e-15
"""Keeps the log loss of a certain, wrong forecast finite."""


def outcomes(home_goals: pd.Series, away_goals: pd.Series) -> Outcomes:
    """0 home win, 1 draw, 2 away win; both columns without missing values."""
    difference = home_goals.to_numpy(np.int64) - away_goals.to_numpy(np.int64)
    return np.asarray(1 - np.sign(difference), dtype=np.int64)


def log_losses(probabilities: Probabilities, outcome: Outcomes) -> npt.NDArray[np.float64]:
    """Negative log of the probability given to the actual outcome, per match."""
    forecast = probabilities[np.arange(len(outcome)), outcome]
    return np.asarray(-np.log(np.clip(forecast, PROBABILITY_FLOOR, 1.0)))


def log_loss(probabilities: Probabilities, outcome: Outcomes) -> float:
    """Mean log loss, >= 0; ln 3 = 1.0986 for a forecast of one third each."""
    return float(log_losses(probabilities, outcome).mean())


def rps(probabilities: Probabilities, outcome: Outcomes) -> float:
    """Mean ranked probability score in [0, 1]: half the sum of squared differences of the cumulative probabilities.

    Source: Epstein (1969); (0.8, 0.1, 0.1) with a home win is 0.025.
    """
    happened = np.cumsum(_one_hot(outcome), axis=1)
    difference = np.cumsum(probabilities, axis=1) - happened
    return float((difference[:, : N_OUTCOMES - 1] ** 2).sum(axis=1).mean() / (N_OUTCOMES - 1))


def brier(probabilities: Probabilities, outcome: Outcomes) -> float:
    """Mean sum of squared differences over the three outcomes, in [0, 2]. Source: Brier (1950)."""
    return float(((probabilities - _one_hot(outcome)) ** 2).sum(axis=1).mean())


def accuracy(probabilities: Probabilities, outcome: Outcomes) -> float:
    """Share of matches whose most probable outcome happened; ties go to the earlier outcome."""
    return float((probabilities.argmax(axis=1) == outcome).mean())


def calibration_table(forecast: npt.NDArray[np.float64], happened: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Forecast against frequency in ten equal-width bins.

    Returns:
        One row per bin that holds anything: `lower` edge, `count`, mean `forecast`, `frequency` of happening.
    """
    bins = np.minimum((forecast * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    count = np.bincount(bins, minlength=CALIBRATION_BINS)
    used = count > 0
    return pd.DataFrame(
        {
            "lower": np.arange(CALIBRATION_BINS)[used] / CALIBRATION_BINS,
            "count": count[used],
            "forecast": np.bincount(bins, forecast, CALIBRATION_BINS)[used] / count[used],
            "frequency": np.bincount(bins, happened.astype(float), CALIBRATION_BINS)[used] / count[used],
        }
    )


def calibration_error(probabilities: Probabilities, outcome: Outcomes) -> float:
    """Expected calibration error over all three outcomes.

    Mean over bins, weighted by count, of |mean forecast - frequency|; 3 n probabilities, ten bins; in [0, 1].
    """
    return _table_error(calibration_table(probabilities.ravel(), _one_hot(outcome).astype(bool).ravel()))


def confidence_calibration_error(probabilities: Probabilities, outcome: Outcomes) -> float:
    """The same for each match's most probable outcome only (Guo et al. 2017): n probabilities."""
    return _table_error(calibration_table(probabilities.max(axis=1), probabilities.argmax(axis=1) == outcome))


def scores(probabilities: Probabilities, outcome: Outcomes, market: Probabilities | None = None) -> dict[str, float]:
    """All measures by name; NaN without matches.

    Args:
        probabilities: Forecasts.
        outcome: What happened.
        market: Margin-free closing probabilities of the same matches, without NaN; adds `kl_to_market`.
    """
    measures = {
        "log_loss": log_loss,
        "rps": rps,
        "brier": brier,
        "accuracy": accuracy,
        "ece": calibration_error,
        "ece_confidence": confidence_calibration_error,
    }
    empty = len(outcome) == 0
    result = {name: math.nan if empty else measure(probabilities, outcome) for name, measure in measures.items()}
    if market is not None:
        result["kl_to_market"] = math.nan if empty else float(kl_divergences(market, probabilities).mean())
    return result


def base_rates(train_outcome: Outcomes, n: int) -> Probabilities:
    """The outcome frequencies of the training matches as the forecast of n matches.

    One match of each outcome is added, so that an outcome never seen does not get probability 0.
    """
    counts = np.bincount(train_outcome, minlength=N_OUTCOMES) + 1.0
    return np.tile(counts / counts.sum(), (n, 1))


def kl_divergences(market: Probabilities, probabilities: Probabilities) -> npt.NDArray[np.float64]:
    """Kullback-Leibler divergence of forecasts from margin-free market probabilities, per match, in nats.

    sum q ln(q / p): what the forecast loses, in log loss, against the market if the market is right. It is free of
    the chance of results, so it separates two models with far fewer matches than log loss.

    Source: Kullback and Leibler (1951).
    """
    bounded = np.clip(probabilities, PROBABILITY_FLOOR, 1.0)
    return np.asarray((market * np.log(np.clip(market, PROBABILITY_FLOOR, 1.0) / bounded)).sum(axis=1))


def paired_interval(
    candidate: npt.NDArray[np.float64], current: npt.NDArray[np.float64], seed: int = 0
) -> dict[str, float]:
    """Candidate minus current mean loss with its 95 % bootstrap interval, matches resampled together for both.

    Returns:
        `difference` (negative: the candidate is better), `low`, `high`.
    """
    difference = candidate - current
    generator = np.random.default_rng(seed)
    n = len(difference)
    means = [float(difference[generator.integers(0, n, n)].mean()) for _ in range(BOOTSTRAP_ROUNDS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return {"difference": float(difference.mean()), "low": float(low), "high": float(high)}


def compare(
    candidate: Probabilities, current: Probabilities, outcome: Outcomes, market: Probabilities
) -> dict[str, dict[str, float]]:
    """Candidate minus current on the same matches by measure, see `paired_interval`; the deciding measure comes first.

    With MIN_PRICED_MATCHES priced matches or more (`market` is NaN elsewhere) the divergence from the market decides,
    and log loss otherwise.
    """
    priced = np.isfinite(market[:, 0])
    result = {}
    if int(priced.sum()) >= MIN_PRICED_MATCHES:
        divergences = [kl_divergences(market[priced], forecasts[priced]) for forecasts in (candidate, current)]
        result["kl_to_market"] = paired_interval(divergences[0], divergences[1])
    result["log_loss"] = paired_interval(log_losses(candidate, outcome), log_losses(current, outcome))
    return result


def span(interval: Mapping[str, float]) -> str:
    """A paired interval as text."""
    return f"{interval['difference']:+.4f}, 95 % between {interval['low']:+.4f} and {interval['high']:+.4f}"


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Scores as aligned text: a line per forecast, a column per measure."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    width = max([len(name) for name in rows] + [10])
    head = " " * width + "".join(f"{name:>16}" for name in names)
    lines = [f"{label:<{width}}" + "".join(_cell(row.get(name)) for name in names) for label, row in rows.items()]
    return "\n".join([head, *lines])


def by_region(probabilities: Probabilities, outcome: Outcomes, region: pd.Series) -> dict[str, dict[str, Any]]:
    """Scores of each region's matches, with their number."""
    report: dict[str, dict[str, Any]] = {}
    for name in sorted(region.unique()):
        in_region = (region == name).to_numpy(bool)
        report[str(name)] = {"matches": int(in_region.sum()), **scores(probabilities[in_region], outcome[in_region])}
    return report


def _cell(value: float | None) -> str:
    if value is None:
        return f"{'':>16}"
    return f"{value:>16}" if isinstance(value, int) else f"{value:>16.4f}"


def _one_hot(outcome: Outcomes) -> npt.NDArray[np.float64]:
    return np.asarray(np.eye(N_OUTCOMES)[outcome])


def _table_error(bins: pd.DataFrame) -> float:
    return float(((bins["forecast"] - bins["frequency"]).abs() * bins["count"]).sum() / bins["count"].sum())
