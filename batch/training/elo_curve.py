"""Outcome probabilities from a rating's expectation alone: an ordered logit, fitted or with usual values.

Used in three places: as the starting point of a recipe's trees, as the "Elo only" baseline of every report, and
as the fallback where there are too few matches to learn more.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

PRIOR_WEIGHT: Final = 10.0
"""Strength of the prior towards the usual curve; it fades as matches come in."""

EXPECTED_MARGIN: Final = 0.001
"""Expected shares closer to 0 or 1 than this are moved this far away."""


@dataclass(frozen=True, slots=True)
class EloCurve:
    """P(away) = s(lower - slope x), P(away or draw) = s(upper - slope x), x = logit of the home team's expected share.

    The defaults are the usual values of men's and women's leagues, rounded.

    Source: McCullagh (1980), proportional odds.
    """

    slope: float = 1.0
    lower: float = -0.65
    upper: float = 0.6

    def probabilities(self, expected_home: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Shape (n, 3), columns home, draw, away, from expected shares of the points in (0, 1)."""
        x = self.slope * _logit(expected_home)
        away, not_home = _sigmoid(self.lower - x), _sigmoid(self.upper - x)
        return np.column_stack([1.0 - not_home, not_home - away, away])

    @classmethod
    def fit(cls, expected_home: npt.NDArray[np.float64], outcome: npt.NDArray[np.int64]) -> "EloCurve":
        """The maximum-likelihood curve with a prior of PRIOR_WEIGHT towards the usual one; deterministic."""
        # imported here because the functions' package has no scipy
        from scipy.optimize import minimize  # type: ignore[import-untyped]  # noqa: PLC0415

        usual = cls()
        start = np.array([usual.slope, usual.lower, np.log(usual.upper - usual.lower)])

        def loss(w: npt.NDArray[np.float64]) -> float:
            forecast = cls(w[0], w[1], w[1] + np.exp(w[2])).probabilities(expected_home)[
                np.arange(len(outcome)), outcome
            ]
            return float(-np.log(np.maximum(forecast, 1e-12)).sum() + PRIOR_WEIGHT * ((w - start) ** 2).sum())

        slope, lower, log_gap = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-7}).x
        return cls(float(slope), float(lower), float(lower + np.exp(log_gap)))


def _logit(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    inside = np.clip(share, EXPECTED_MARGIN, 1.0 - EXPECTED_MARGIN)
    return np.asarray(np.log(inside / (1.0 - inside)))


def _sigmoid(value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-value)))
