"""Model and price combined: p ~ price^a model^b times a constant per outcome, fitted on past priced matches.

Pure. A logarithmic opinion pool, fitted by maximum likelihood as a multinomial logit with the two logarithms as inputs.
Each month's matches are combined with weights fitted on what was known before the month; coming matches with
weights fitted on everything known. With fewer than MIN_MATCHES priced matches the pool is the market alone.

Source: Genest and Zidek (1986), logarithmic opinion pools; weights by Satopää et al. (2014).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.odds.arrays import NO_BET, Booleans, Floats, Integers
from chalicelib.domain import Outcome

MIN_MATCHES: Final = 2_000
"""With fewer settled priced matches fitted weights are often worse than the market alone (docs/odds.md)."""

MAX_MATCHES: Final = 20_000
"""Weights are fitted on at most this many of the latest matches: more do not change them."""

RESULT_KNOWN_AFTER: Final = pd.Timedelta(hours=2)

_FLOOR: Final = 1e-9
"""Lower bound of probabilities: the pool works on logarithms."""
_STEPS: Final = 25
_CONVERGED: Final = 1e-9
_PRIOR_WEIGHT: Final = 4.0
"""Strength of the prior towards the market alone; it fades as matches come in."""


@dataclass(frozen=True, slots=True)
class PoolWeights:
    """Weights of one pool.

    Attributes:
        price: Exponent of the margin-free price.
        model: Exponent of the model's probability.
        home: Logarithm of the home win's constant; a draw's is 0.
        away: The same for the away win's.
        matches: Settled priced matches they were fitted on; 0 for the market alone.
    """

    price: float = 1.0
    model: float = 0.0
    home: float = 0.0
    away: float = 0.0
    matches: int = 0

    def combine(self, price: Floats, model: Floats) -> Floats:
        """Pooled probabilities, shape (n, 3)."""
        scores = self.price * _logarithm(price) + self.model * _logarithm(model)
        scores = scores + np.array([self.home, 0.0, self.away])
        return _softmax(scores)


MARKET_ALONE: Final = PoolWeights()


@dataclass(frozen=True)
class Pooled:
    """Pooled probabilities of matches, and the weights for coming matches.

    Attributes:
        probabilities: Shape (n, 3).
        weights: Fitted on all that is settled.
    """

    probabilities: Floats
    weights: PoolWeights


def fit_pool(price: Floats, model: Floats, outcome: Integers, start: PoolWeights = MARKET_ALONE) -> PoolWeights:
    """The maximum-likelihood weights with a weak prior towards the market alone; Newton's method.

    Args:
        price: Margin-free probabilities, shape (n, 3).
        model: The model's probabilities, from outside its training period.
        outcome: 0, 1, 2.
        start: Weights to begin from.
    """
    n = len(outcome)
    inputs = np.zeros((n, len(Outcome), 4))
    inputs[:, :, 0], inputs[:, :, 1] = _logarithm(price), _logarithm(model)
    inputs[:, Outcome.HOME, 2] = inputs[:, Outcome.AWAY, 3] = 1.0
    happened = np.eye(len(Outcome))[outcome]
    centre = np.array([1.0, 0.0, 0.0, 0.0])
    weights = np.array([start.price, start.model, start.home, start.away])
    for _ in range(_STEPS):
        fitted = _softmax(inputs @ weights)
        gradient = np.einsum("nk,nkj->j", happened - fitted, inputs) - _PRIOR_WEIGHT * (weights - centre)
        mean = np.einsum("nk,nkj->nj", fitted, inputs)
        curvature = np.einsum("nk,nki,nkj->ij", fitted, inputs, inputs, optimize=True) - mean.T @ mean
        step = np.linalg.solve(curvature + _PRIOR_WEIGHT * np.eye(4), gradient)
        weights = weights + step
        if np.abs(step).max() < _CONVERGED:
            break
    price_weight, model_weight, home, away = weights.tolist()
    return PoolWeights(price_weight, model_weight, home, away, n)


def pool_walk_forward(
    kickoff: pd.Series, price: Floats, model: Floats, outcome: Integers, min_matches: int = MIN_MATCHES
) -> Pooled:
    """Pooled probabilities of matches in order of kickoff, each with weights from before its month.

    Args:
        kickoff: UTC, sorted.
        price: Margin-free probabilities of the price that could be taken, shape (n, 3).
        model: The model's, shape (n, 3).
        outcome: 0, 1, 2, or `NO_BET` where there is no result: such matches are combined with the latest weights.
        min_matches: With fewer settled matches the pool is the market alone.
    """
    settled: Booleans = outcome != NO_BET
    rows = np.flatnonzero(settled)
    known_at = (kickoff.dt.tz_convert(None) + RESULT_KNOWN_AFTER).to_numpy()[rows]
    month = kickoff.dt.tz_convert(None).to_numpy().astype("datetime64[M]")
    pooled = np.empty(price.shape)
    weights = MARKET_ALONE

    def fitted(known: int) -> PoolWeights:
        if known < min_matches:
            return MARKET_ALONE
        latest = rows[max(known - MAX_MATCHES, 0) : known]
        return replace(fit_pool(price[latest], model[latest], outcome[latest], weights), matches=known)

    for start in np.unique(month[rows]):
        weights = fitted(int(np.searchsorted(known_at, start.astype(known_at.dtype), side="right")))
        now = settled & (month == start)
        pooled[now] = weights.combine(price[now], model[now])
    weights = fitted(len(rows))
    pooled[~settled] = weights.combine(price[~settled], model[~settled])
    return Pooled(pooled, weights)


def _logarithm(probabilities: Floats) -> Floats:
    return np.asarray(np.log(np.clip(probabilities, _FLOOR, 1.0)))


def _softmax(scores: npt.NDArray[np.float64]) -> Floats:
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
