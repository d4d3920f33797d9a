"""The parts of a backtest that can be replaced: how to learn (a trainer) and how to bet (a bettor)."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.evaluate import N_OUTCOMES, Outcomes, Probabilities
from batch.odds import arrays as odds_arrays
from batch.odds.arrays import NO_BET
from batch.odds.market import DEFAULT_VALUE_THRESHOLD
from batch.training.fitting import TrainingRows, TrainingSettings, fit

Floats = npt.NDArray[np.float64]

PROBABILITIES: Final = ["proba_home", "proba_draw", "proba_away"]
ODDS: Final = ["odds_home", "odds_draw", "odds_away"]

SUM_TOLERANCE: Final = 1e-6


class InvalidForecast(ValueError):
    """A trainer's forecasts are not probabilities of three outcomes."""


class InvalidStakes(ValueError):
    """A bettor's stakes are not stakes on three outcomes."""


@dataclass(frozen=True)
class MatchRows:
    """Matches to forecast, without anything that was not known before their kickoff.

    Attributes:
        features: match_id and every feature (docs/features.md), missing values as NaN.
        matches: match_id, match_date, season, region, league, sex, home_team, away_team; row for row the same.
    """

    features: pd.DataFrame
    matches: pd.DataFrame

    def __len__(self) -> int:
        return len(self.features)


@dataclass(frozen=True)
class ResultRows(MatchRows):
    """Matches whose result is known.

    Attributes:
        outcome: 0 home win, 1 draw, 2 away win.
        goals: Columns home_goals, away_goals.
        weight: Sample weights; None for equal ones.
    """

    outcome: Outcomes = field(kw_only=True)
    goals: pd.DataFrame = field(kw_only=True)
    weight: Floats | None = None


class Forecaster(Protocol):
    """The result of training: gives probabilities, shape (n, 3), home, draw, away."""

    def __call__(self, rows: MatchRows, /) -> Probabilities:
        """The forecast of these matches."""


class Trainer(Protocol):
    """Learns from matches known at a refit."""

    def __call__(self, train: ResultRows, validation: ResultRows, /) -> Forecaster:
        """Fit a forecaster; the validation matches are the latest ones, for early stopping."""


class Bettor(Protocol):
    """Decides on the bets of one day."""

    def __call__(self, day: pd.DataFrame, bankroll: float, /) -> Floats:
        """Stakes in units, shape (n, 3), home, draw, away; 0 is no bet.

        Args:
            day: Priced matches that kick off on one day (UTC): what `MatchRows.matches` has, proba_home, proba_draw,
                proba_away, odds_home, odds_draw, odds_away. Neither results nor closing odds.
            bankroll: Units after the previous days.
        """


@dataclass(frozen=True)
class RecipeTrainer:
    """Fits a recipe, as `python -m batch.train` does."""

    recipe: TrainingSettings

    def __call__(self, train: ResultRows, validation: ResultRows) -> Forecaster:
        """The fitted model's forecasts."""
        names = self.recipe.features

        def matrix(rows: MatchRows) -> Floats:
            return rows.features[list(names)].to_numpy(np.float64)

        model = fit(
            TrainingRows(matrix(train), train.outcome, train.weight),
            TrainingRows(matrix(validation), validation.outcome),
            self.recipe,
        )
        return lambda rows: model.predict(matrix(rows))

    def with_features(self, extra: tuple[str, ...]) -> "RecipeTrainer":
        """The same with further features."""
        added = tuple(name for name in extra if name not in self.recipe.features)
        return RecipeTrainer(replace(self.recipe, features=self.recipe.features + added))


@dataclass(frozen=True)
class ValueBettor:
    """One unit on the outcome with the largest edge, where that exceeds the threshold."""

    threshold: float = DEFAULT_VALUE_THRESHOLD

    def __call__(self, day: pd.DataFrame, bankroll: float) -> Floats:  # noqa: ARG002 - stakes do not depend on it
        """Flat stakes."""
        bets = odds_arrays.value_bets(
            day[PROBABILITIES].to_numpy(np.float64), day[ODDS].to_numpy(np.float64), self.threshold
        )
        stakes = np.zeros((len(day), N_OUTCOMES))
        bet_rows = np.flatnonzero(bets.outcome != NO_BET)
        stakes[bet_rows, bets.outcome[bet_rows]] = 1.0
        return stakes


def checked_forecast(values: Any, n: int) -> Probabilities:
    """Return the forecast if it is valid.

    Raises:
        InvalidForecast: another shape, a missing or negative value, or a sum other than 1.
    """
    probabilities = np.asarray(values, dtype=np.float64)
    if probabilities.shape != (n, N_OUTCOMES):
        raise InvalidForecast(f"the trainer's forecast has shape {probabilities.shape}, not {(n, N_OUTCOMES)}")
    sums = probabilities.sum(axis=1)
    if not (np.isfinite(probabilities).all() and (probabilities >= 0).all()):
        raise InvalidForecast("the trainer's forecast has missing or negative probabilities")
    if n and np.abs(sums - 1).max() > SUM_TOLERANCE:
        raise InvalidForecast(f"the trainer's forecast sums to {sums[np.abs(sums - 1).argmax()]:.6g}, not to 1")
    return probabilities


def checked_stakes(values: Any, n: int) -> Floats:
    """Return the stakes if they are valid.

    Raises:
        InvalidStakes: another shape, or a missing or negative value.
    """
    stakes = np.asarray(values, dtype=np.float64)
    if stakes.shape != (n, N_OUTCOMES):
        raise InvalidStakes(f"the bettor's stakes have shape {stakes.shape}, not {(n, N_OUTCOMES)}")
    if not (np.isfinite(stakes).all() and (stakes >= 0).all()):
        raise InvalidStakes("the bettor's stakes have missing or negative values")
    return stakes
