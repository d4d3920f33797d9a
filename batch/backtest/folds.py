"""When a backtest refits, and which matches each refit may learn from. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.history import MatchTimes

Booleans = npt.NDArray[np.bool_]

VALIDATION_DAYS: Final = 365
VALIDATION_SHARE: Final = 0.25
"""Early stopping uses the latest year of known matches, but never more than this share of them."""

_EPOCH: Final = pd.Timestamp(0, tz="UTC")
_MILLISECOND: Final = pd.Timedelta(milliseconds=1)


class Refit(StrEnum):
    """How often the model is refitted, counted from the backtest's start."""

    SEASON = "season"
    MONTH = "month"

    @property
    def step(self) -> pd.DateOffset:
        """The time between two refits."""
        return pd.DateOffset(years=1) if self is Refit.SEASON else pd.DateOffset(months=1)


@dataclass(frozen=True)
class Fold:
    """One refit, and the matches it forecasts.

    Attributes:
        number: From 1.
        start, end: It forecasts kickoffs from `start` on, before `end`.
        train, validation: Matches whose result was known at `start`; the later ones are for early stopping.
        test: Finished matches it forecasts.
    """

    number: int
    start: pd.Timestamp
    end: pd.Timestamp
    train: Booleans
    validation: Booleans
    test: Booleans


def folds(
    matches: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp | None = None, refit: Refit = Refit.SEASON
) -> list[Fold]:
    """Plan the refits from `start` on, leaving out those without a match to forecast.

    A result is known two hours after kickoff (`batch.history`), so a match in play at the refit is not learned from.

    Args:
        matches: Accepted matches, sorted by match_id.
        start: First kickoff that is forecast, and the first refit.
        end: Kickoffs from here on are not forecast; None for all.
        refit: How often.

    Raises:
        ValueError: no finished match to forecast, or none known before `start`.
    """
    times = MatchTimes.of(matches)
    finished = matches[["kickoff", "home_goals", "away_goals"]].notna().all(axis="columns").to_numpy(bool)
    stop = _ms(end) if end is not None else int(times.kickoff[finished].max(initial=0)) + 1
    tested = finished & (times.kickoff >= _ms(start)) & (times.kickoff < stop)
    if not tested.any():
        raise ValueError(f"no finished match from {start} on to forecast")
    last = int(times.kickoff[tested].max())
    plan: list[Fold] = []
    number = 0
    while (opens := start + number * refit.step) <= _EPOCH + last * _MILLISECOND:
        closes = start + (number + 1) * refit.step
        number += 1
        test = tested & (times.kickoff >= _ms(opens)) & (times.kickoff < _ms(closes))
        if not test.any():
            continue
        known = finished & (times.known_at < _ms(opens))
        if not known.any():
            raise ValueError(f"no match with a result known before {opens} to learn from")
        validation = known & (times.kickoff >= _validation_from(times.kickoff[known]))
        plan.append(Fold(len(plan) + 1, opens, closes, known & ~validation, validation, test))
    return plan


def _validation_from(known: npt.NDArray[np.int64]) -> int:
    """The kickoff from which known matches are for early stopping."""
    year = int(known.max()) - VALIDATION_DAYS * 86_400_000
    return max(year, int(np.quantile(known, 1 - VALIDATION_SHARE, method="lower")) + 1)


def _ms(moment: pd.Timestamp) -> int:
    return int((moment - _EPOCH) // _MILLISECOND)
