"""The odds formulas for one market in plain Python: the tests compare `batch/odds/arrays.py` with them, to the bit.

Notation: `o` decimal odds, `r = 1/o` raw implied probability, `B = sum(r)` booksum, `M = B - 1` margin (overround),
`q` margin-free probability, `p` the model's probability. Triples are always in the order home, draw, away.

Sources:
    Shin, H. S. (1993), "Measuring the incidence of insider trading in a market for state-contingent claims",
    Economic Journal 103; inverted as in Jullien and Salanie (1994), Economic Journal 104.
    Cheung, K. (2015), "Fixed-odds betting and traditional odds" (odds ratio method).
    Strumbelj, E. (2014), "On determining probability forecasts from betting odds", Int. J. of Forecasting 30.
    Kelly, J. L. (1956), "A new interpretation of information rate", Bell System Technical Journal 35.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from batch.odds.market import (
    BOOKSUM_LOWER,
    BOOKSUM_UPPER,
    DEFAULT_VALUE_THRESHOLD,
    SOLVER_STEPS,
    MarginMethod,
    Triple,
    are_odds,
    booksum,
)
from chalicelib.domain import Outcome, OutcomeProbabilities

SUM_TOLERANCE: Final = 1e-9
"""How far a method's probabilities may sum from 1 before the multiplicative method is used."""


@dataclass(frozen=True, slots=True)
class FairProbabilities:
    """Margin-free probabilities of one market.

    Args:
        probabilities: Of home win, draw and away win; they sum to 1.
        method: The method that produced them, which differs from the requested one if that did not converge.
        parameter: The method's own parameter: Shin's share of insiders z in [0, 1), the odds ratio c >= 1, or the
            booksum for the multiplicative method.
    """

    probabilities: OutcomeProbabilities
    method: MarginMethod
    parameter: float


@dataclass(frozen=True, slots=True)
class ValueBet:
    """A value bet on an outcome of a match.

    Args:
        outcome: The outcome to bet on.
        odds: Its decimal odds.
        probability: The model's probability of it.
        edge: Expected value per unit staked, `probability * odds - 1`; above the threshold.
        kelly: Full Kelly share of the bankroll in [0, 1].
    """

    outcome: Outcome
    odds: float
    probability: float
    edge: float
    kelly: float


def has_fair_odds(odds: Sequence[float]) -> bool:
    """Whether probabilities may be read from these odds: each above 1 and 1 < B < 1.25."""
    return are_odds(odds) and BOOKSUM_LOWER < booksum(odds) < BOOKSUM_UPPER


def multiplicative(odds: Sequence[float]) -> tuple[Triple, float]:
    """Margin spread in proportion to the raw probabilities, q = r/B.

    Returns:
        The probabilities and the booksum.
    """
    total = booksum(odds)
    home, draw, away = (1 / o / total for o in odds)
    return (home, draw, away), total


def shin(odds: Sequence[float]) -> tuple[Triple, float]:
    """Shin's method: the margin protects the bookmaker against a share z of bettors who know the result.

    q = (sqrt(z^2 + 4(1-z) r^2/B) - z) / (2(1-z)), with z such that the probabilities sum to 1. Computed in the equal
    form q = 2 r^2/B / (sqrt(z^2 + 4(1-z) r^2/B) + z), which neither cancels nor divides by zero as z nears 1.

    Returns:
        The probabilities and z in [0, 1).
    """
    total = booksum(odds)
    a, b, c = ((1 / o) * (1 / o) / total for o in odds)

    def probabilities(z: float) -> Triple:
        square, factor = z * z, 4 * (1 - z)
        return (
            2 * a / (math.sqrt(square + factor * a) + z),
            2 * b / (math.sqrt(square + factor * b) + z),
            2 * c / (math.sqrt(square + factor * c) + z),
        )

    z = _bisect(probabilities, 0.0, 1.0)
    return probabilities(z), z


def odds_ratio(odds: Sequence[float]) -> tuple[Triple, float]:
    """The margin as one odds ratio c between the raw and the fair probability of every outcome, q = r/(c + r - c r).

    Returns:
        The probabilities and c >= 1.
    """
    booksum(odds)
    a, b, c = (1 / o for o in odds)

    def probabilities(ratio: float) -> Triple:
        return a / (ratio + a - ratio * a), b / (ratio + b - ratio * b), c / (ratio + c - ratio * c)

    upper = 2.0
    while sum(probabilities(upper)) > 1:
        upper *= 2
    ratio = _bisect(probabilities, 1.0, upper)
    return probabilities(ratio), ratio


_METHODS: Final[dict[MarginMethod, Callable[[Sequence[float]], tuple[Triple, float]]]] = {
    MarginMethod.MULTIPLICATIVE: multiplicative,
    MarginMethod.SHIN: shin,
    MarginMethod.ODDS_RATIO: odds_ratio,
}


def remove_margin(
    odds: Sequence[float], method: MarginMethod = MarginMethod.SHIN, tolerance: float = SUM_TOLERANCE
) -> FairProbabilities | None:
    """Margin-free probabilities of one market.

    Args:
        odds: Decimal odds of home win, draw, away win.
        method: Shin unless asked otherwise; no method beats another significantly on football (Strumbelj 2014 prefers
            Shin's), so the choice is recorded rather than tuned.
        tolerance: How far the method's probabilities may sum from 1 before the multiplicative method is used.

    Returns:
        None where no fair odds can be read (see `has_fair_odds`).
    """
    if not has_fair_odds(odds):
        return None
    probabilities, parameter = _METHODS[method](odds)
    if abs(sum(probabilities) - 1) > tolerance:
        method = MarginMethod.MULTIPLICATIVE
        probabilities, parameter = multiplicative(odds)
    return FairProbabilities(OutcomeProbabilities(*probabilities), method, parameter)


def expected_value(probability: float, odds: float) -> float:
    """Expected profit per unit staked, EV = p o - 1; the edge the match board shows."""
    return probability * odds - 1


def edges(probabilities: Sequence[float], odds: Sequence[float]) -> Triple:
    """Expected value of each outcome, home, draw, away."""
    home, draw, away = (expected_value(p, o) for p, o in zip(probabilities, odds, strict=True))
    return home, draw, away


def value_bet(
    probabilities: Sequence[float], odds: Sequence[float], threshold: float = DEFAULT_VALUE_THRESHOLD
) -> ValueBet | None:
    """The outcome with the largest edge, if that edge is over the threshold.

    That the model's probability exceeds the margin-free one is not enough: the price must pay for it.

    Args:
        probabilities: The model's, home, draw, away.
        odds: Decimal odds in the same order.
        threshold: Expected value per unit that must be exceeded, not just reached.

    Returns:
        None where no edge is over the threshold; on a tie the earlier outcome in the order home, draw, away.

    Raises:
        ValueError: unless the odds are three finite numbers above 1.
    """
    if not are_odds(odds):
        raise ValueError(f"three finite decimal odds above 1 are needed, got {tuple(odds)}")
    values = edges(probabilities, odds)
    best = max(values)
    if not best > threshold:  # also refuses NaN
        return None
    outcome = Outcome(values.index(best))
    probability, price = probabilities[outcome], odds[outcome]
    return ValueBet(outcome, price, probability, best, kelly_fraction(probability, price))


def kelly_fraction(probability: float, odds: float) -> float:
    """Share of the bankroll that maximises its expected logarithm, f = (p o - 1)/(o - 1), clipped to [0, 1].

    Raises:
        ValueError: unless the odds are above 1.
    """
    if not odds > 1:
        raise ValueError(f"decimal odds above 1 are needed, got {odds}")
    return min(max(expected_value(probability, odds) / (odds - 1), 0.0), 1.0)


def _bisect(probabilities: Callable[[float], Triple], low: float, high: float) -> float:
    """The parameter at which the probabilities sum to 1; their sum falls from above 1 at `low` to below 1 at `high`."""
    for _ in range(SOLVER_STEPS):
        middle = (low + high) / 2
        home, draw, away = probabilities(middle)
        if home + draw + away > 1:
            low = middle
        else:
            high = middle
    return (low + high) / 2
