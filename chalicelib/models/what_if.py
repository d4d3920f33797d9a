"""What-if predictions: features derived from changed ones follow.

A rating acts on the model mostly through features derived from it, so a changed rating changes these too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.contracts.predictions import Prediction
from chalicelib.domain import Stage
from chalicelib.errors import FeaturesRejected
from chalicelib.models.store import ModelStore
from chalicelib.releases.features import match_features
from chalicelib.releases.store import ReleaseStore

ELO_SCALE: Final = 400.0
"""Elo points at which one side is expected to take ten times the other's share of the points (batch/ratings.py)."""

MAX_POWER: Final = 250.0
"""Powers of ten beyond which a share is 0 or 1 to the last digit."""

HOME_RATING: Final = "home_elo_pre"
AWAY_RATING: Final = "away_elo_pre"
RATING_DIFFERENCE: Final = "diff_elo"
EXPECTED_HOME: Final = ("elo_expected_home", "market_expected_home")
"""Expected shares of the points by a rating. The market rating has the same scale and moves by the same points: a
stronger club is stronger however its strength is measured."""

Features = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A prediction with changed features.

    Args:
        prediction: The prediction.
        features: Every feature of the match as it was used.
        followed: Names that were not changed by the caller but followed.
    """

    prediction: Prediction
    features: Features
    followed: list[str]


def what_if(
    match_id: int, changes: Mapping[str, float | None], stage: Stage, models: ModelStore, releases: ReleaseStore
) -> WhatIf:
    """Predict a match of the current release with some features changed.

    Raises:
        ReleaseUnavailable: no data release yet.
        MatchNotFound: the match is not in it.
        ModelUnavailable: no model for the stage.
        FeaturesRejected: a name is not among the match's features, or a value does not fit the signature.
    """
    released = match_features(match_id, releases)
    unknown = sorted(changes.keys() - released.values.keys())
    if unknown:
        faults: list[Mapping[str, Any]] = [
            {"loc": ["body", "changes", name], "msg": "not a feature of the match", "type": "unknown_feature"}
            for name in unknown
        ]
        raise FeaturesRejected(f"the match has no feature {', '.join(unknown)}", faults)
    features = changed(released.values, changes)
    model = models.current(stage)
    predicted = model.predict(model.row(features))
    prediction = Prediction.of(predicted, model.info.stage, model.info.model_run_id, released.computed_at)
    followed = [name for name, value in features.items() if name not in changes and value != released.values.get(name)]
    return WhatIf(prediction, features, followed)


def changed(original: Mapping[str, float | None], changes: Mapping[str, float | None]) -> Features:
    """Change features of a match; features derived from them follow unless they are changed too."""
    features: Features = {**original, **changes}
    before, after = _rating_difference(original), _rating_difference(features)
    if before is None or after is None:
        return features
    if RATING_DIFFERENCE in original and RATING_DIFFERENCE not in changes:
        features[RATING_DIFFERENCE] = after
    for name in EXPECTED_HOME:
        expected = original.get(name)
        if expected is not None and 0 < expected < 1 and name not in changes and after != before:
            features[name] = moved_share(expected, after - before)
    return features


def moved_share(expected: float, points: float) -> float:
    """A side's expected share of the points if it were this many Elo points better.

    The league's home advantage stays included.
    """
    power = max(-MAX_POWER, min(MAX_POWER, points / ELO_SCALE))
    odds = expected / (1 - expected) * 10**power
    return odds / (1 + odds)


def _rating_difference(features: Mapping[str, float | None]) -> float | None:
    home, away = features.get(HOME_RATING), features.get(AWAY_RATING)
    return None if home is None or away is None else home - away
