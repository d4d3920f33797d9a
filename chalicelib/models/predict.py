"""Synchronous predictions: from the caller's features, or from the current release's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.contracts.predictions import BaseScores, Contribution, Prediction, PredictRequest, PredictResponse
from chalicelib.domain import Stage
from chalicelib.errors import ModelUnavailable
from chalicelib.models.signature import Signature
from chalicelib.models.store import ModelStore, ServedModel
from chalicelib.releases.features import match_features
from chalicelib.releases.store import ReleaseStore


@dataclass(frozen=True, slots=True)
class Predicted:
    """A response, and the feature names that the model does not know."""

    response: PredictResponse
    ignored: list[str]


def predict(request: PredictRequest, stage: Stage, models: ModelStore, *, explain: bool = False) -> Predicted:
    """Predict from the caller's features.

    Raises:
        ModelUnavailable: no model for the stage.
        FeaturesRejected: the features contradict the model's signature.
    """
    model = models.current(stage)
    response = _predict(model, request.match_id, request.features, None, explain=explain)
    return Predicted(response, model.ignored(request.features))


def predict_match(
    match_id: int, stage: Stage, models: ModelStore, releases: ReleaseStore, *, explain: bool = False
) -> PredictResponse:
    """Predict from the current release's features.

    Raises:
        ReleaseUnavailable: no data release yet.
        MatchNotFound: the match is not in it.
        ModelUnavailable: no model for the stage.
    """
    features = match_features(match_id, releases)
    model = models.current(stage)
    return _predict(model, match_id, features.values, features.computed_at, explain=explain)


def signature_if_known(stage: Stage, models: ModelStore) -> Signature | None:
    """The signature of the stage's model for optional checks; None where it is not available."""
    try:
        return Signature(models.info(stage).features)
    except ModelUnavailable:
        return None


def _predict(
    model: ServedModel,
    match_id: int,
    features: Mapping[str, float | None],
    computed_at: str | None,
    *,
    explain: bool,
) -> PredictResponse:
    row = model.row(features)
    prediction = Prediction.of(model.predict(row), model.info.stage, model.info.model_run_id, computed_at)
    base, contributions = _explanation(model, row) if explain else (None, None)
    return PredictResponse.model_construct(
        match_id=match_id, prediction=prediction, base=base, contributions=contributions
    )


def _explanation(model: ServedModel, row: list[float]) -> tuple[BaseScores, list[Contribution]]:
    names = [feature.name for feature in model.info.features]
    home, draw, away = model.contributions(row)
    rows = [
        Contribution(
            feature=name, value=None if math.isnan(row[i]) else row[i], home=home[i], draw=draw[i], away=away[i]
        )
        for i, name in enumerate(names)
    ]
    rows.sort(key=lambda row: -max(abs(row.home), abs(row.draw), abs(row.away)))
    return BaseScores(home=home[-1], draw=draw[-1], away=away[-1]), rows
