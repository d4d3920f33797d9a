"""What the odds code shares: the shape of a market, what counts as one, and the thresholds.

Formulas over whole tables are in `arrays.py`.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeAlias

from chalicelib.domain import Outcome

Triple: TypeAlias = tuple[float, float, float]
"""Three numbers in the order home, draw, away."""

BOOKSUM_LOWER: Final = 1.0
"""A booksum at or below this is not a bookmaker's market (an arbitrage, or prices of different moments)."""
BOOKSUM_UPPER: Final = 1.25
"""A booksum at or above this is not a market to read probabilities from (a wrong price, or a market closed by it)."""
DEFAULT_VALUE_THRESHOLD: Final = 0.05
"""Expected value per unit staked above which an outcome counts as a value bet."""
SOLVER_STEPS: Final = 64
"""Bisection steps of every margin method: enough for the last bits of a double."""


class MarginMethod(StrEnum):
    """How the bookmaker's margin is taken out of the odds."""

    MULTIPLICATIVE = "multiplicative"
    SHIN = "shin"
    ODDS_RATIO = "odds_ratio"


def are_odds(odds: Sequence[float]) -> bool:
    """Whether these are three decimal odds: finite and above 1."""
    return len(odds) == len(Outcome) and all(math.isfinite(o) and o > 1 for o in odds)


def booksum(odds: Sequence[float]) -> float:
    """Sum of the raw implied probabilities, B = sum(1/o).

    Raises:
        ValueError: unless the odds are three finite numbers above 1.
    """
    if not are_odds(odds):
        raise ValueError(f"three finite decimal odds above 1 are needed, got {tuple(odds)}")
    home, draw, away = (1 / o for o in odds)
    return home + draw + away
