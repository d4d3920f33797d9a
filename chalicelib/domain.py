"""Frozen values of the domain; wrong values cannot be built."""

import math
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

MODEL_NAME: Final = "soccer_model"
"""The registered model's name in the MLflow Model Registry."""


class Stage(StrEnum):
    """Alias of the registered model: the champion, or the challenger compared with it."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"

    @classmethod
    def _missing_(cls, value: object) -> "Stage | None":
        """Accept MLflow's former stage names, which clients of the original system send."""
        return {"Production": cls.CHAMPION, "Staging": cls.CHALLENGER}.get(str(value))


class Outcome(IntEnum):
    """Result of a match at full time, always in this order: home win, draw, away win."""

    HOME = 0
    DRAW = 1
    AWAY = 2

    @property
    def label(self) -> str:
        """Lower-case name in data sets: home, draw or away."""
        return self.name.lower()


PROBABILITY_TOLERANCE: Final = 1e-6
"""Largest deviation of the sum of the outcome probabilities from 1."""


@dataclass(frozen=True, slots=True)
class OutcomeProbabilities:
    """Probabilities of home win, draw and away win.

    Raises:
        ValueError: unless each is a finite number >= 0 and they sum to 1 within 1e-6.
    """

    home: float
    draw: float
    away: float

    def __post_init__(self) -> None:
        values = (self.home, self.draw, self.away)
        if not all(math.isfinite(p) and p >= 0 for p in values):
            raise ValueError(f"probabilities must be finite and >= 0, got {values}")
        if abs(sum(values) - 1) > PROBABILITY_TOLERANCE:
            raise ValueError(f"probabilities must sum to 1, got {values}")

    @property
    def predicted(self) -> Outcome:
        """The most probable outcome; on a tie the earlier in the order home, draw, away."""
        values = (self.home, self.draw, self.away)
        return Outcome(values.index(max(values)))
