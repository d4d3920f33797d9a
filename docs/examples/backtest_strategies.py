"""A trainer and a bettor of one's own, for `python -m batch.backtest`."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.backtest import Forecaster, MatchRows, ResultRows
from batch.evaluate import Probabilities
from batch.training.elo_curve import EloCurve


def elo_alone(train: ResultRows, validation: ResultRows) -> Forecaster:
    """Learn nothing but the curve from the Elo expectation to the three outcomes."""
    curve = EloCurve.fit(train.features["elo_expected_home"].to_numpy(np.float64), train.outcome)

    def forecaster(rows: MatchRows) -> Probabilities:
        return curve.probabilities(rows.features["elo_expected_home"].to_numpy(np.float64))

    return forecaster


def favourites(day: pd.DataFrame, bankroll: float) -> npt.NDArray[np.float64]:
    """One per cent of the bankroll on each outcome that the forecast gives more than 60 %."""
    probabilities = day[["proba_home", "proba_draw", "proba_away"]].to_numpy(np.float64)
    return np.where(probabilities > 0.6, 0.01 * max(bankroll, 0.0), 0.0)
