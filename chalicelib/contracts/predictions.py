"""A synchronous prediction: requests and answers."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field

from chalicelib.contracts.base import Frozen, MatchId, Probability, RequestFeatures, Timestamp, with_example
from chalicelib.domain import OutcomeProbabilities, Stage

_EXAMPLE_FEATURES: dict[str, float | int] = {
    "diff_win_5_mean": 0.3, "diff_goals_for_3_mean": 0.6, "home_elo_pre": 1520.0, "sex": 0
}  # fmt: skip
EXAMPLE_PREDICTION: dict[str, Any] = {
    "predicted_class": 0,
    "probabilities": {"0": 0.58, "1": 0.27, "2": 0.15},
    "model_version": "champion",
    "model_run_id": "3f7a1c9d2e4b",
    "features_computed_at": None,
}


class PredictRequest(Frozen):
    """A match and its feature values."""

    model_config = with_example(match_id=99, features=_EXAMPLE_FEATURES)

    match_id: MatchId
    features: RequestFeatures

    def __repr__(self) -> str:
        """Short: Powertools formats a route's arguments for a debug line on each request, shown or not (16 µs)."""
        return f"PredictRequest(match_id={self.match_id}, {len(self.features)} features)"


class WhatIfRequest(Frozen):
    """Features of a match to be changed; the rest stay what they are in the current data release."""

    model_config = with_example(changes={"home_elo_pre": 1700.0})

    changes: RequestFeatures

    def __repr__(self) -> str:
        """Short, as `PredictRequest`'s."""
        return f"WhatIfRequest({len(self.changes)} changes)"


class FeaturesResponse(Frozen):
    """A match's features in the current data release; `match_id` and `features` are a body of `POST /predict`."""

    model_config = with_example(match_id=99, features=_EXAMPLE_FEATURES, features_computed_at="2024-04-07T06:00:00Z")

    match_id: int
    features: dict[str, float | None]
    features_computed_at: Timestamp = Field(description="Time of the data release they come from.")


class Probabilities(Frozen):
    """Outcome probabilities by class: 0 home win, 1 draw, 2 away win."""

    home: Probability = Field(alias="0", description="Home win.")
    draw: Probability = Field(alias="1", description="Draw.")
    away: Probability = Field(alias="2", description="Away win.")

    model_config = ConfigDict(
        frozen=True, populate_by_name=True, json_schema_extra={"examples": [{"0": 0.58, "1": 0.27, "2": 0.15}]}
    )


class Contribution(Frozen):
    """What one feature added to the raw scores (before softmax) of home win, draw and away win."""

    model_config = with_example(feature="diff_elo", value=88.4, home=0.31, draw=-0.02, away=-0.29)

    feature: str
    value: float | None = Field(description="What the feature was; null where it was missing.")
    home: float
    draw: float
    away: float


class BaseScores(Frozen):
    """The raw scores (before softmax) that the model starts from; the contributions are added to them."""

    model_config = with_example(home=-0.78, draw=-1.35, away=-1.19)

    home: float
    draw: float
    away: float


class Prediction(Frozen):
    """One prediction and the model it came from."""

    model_config = with_example(**EXAMPLE_PREDICTION)

    predicted_class: Literal[0, 1, 2] = Field(description="Most probable class: 0 home win, 1 draw, 2 away win.")
    probabilities: Probabilities
    model_version: Stage = Field(description="Alias the model was served under.")
    model_run_id: str = Field(description="MLflow run that produced the model.", examples=["3f7a1c9d2e4b"])
    features_computed_at: Timestamp | None = Field(
        description="Time of the data release the features came from; null where the caller sent them."
    )

    @classmethod
    def of(
        cls, probabilities: OutcomeProbabilities, stage: Stage, model_run_id: str, features_computed_at: str | None
    ) -> Self:
        """A prediction of these probabilities."""
        return cls.model_construct(
            predicted_class=int(probabilities.predicted),
            probabilities=Probabilities.model_construct(
                home=probabilities.home, draw=probabilities.draw, away=probabilities.away
            ),
            model_version=stage,
            model_run_id=model_run_id,
            features_computed_at=features_computed_at,
        )


class PredictResponse(Frozen):
    """The answer to a synchronous prediction."""

    model_config = with_example(match_id=99, prediction=EXAMPLE_PREDICTION)

    match_id: int
    prediction: Prediction
    base: BaseScores | None = Field(
        default=None,
        description="With `explain=true` only. Base plus all contributions, through softmax, is the prediction.",
    )
    contributions: list[Contribution] | None = Field(
        default=None, description="With `explain=true` only: the largest contribution first."
    )


class WhatIfResponse(Frozen):
    """A prediction with changed features."""

    model_config = with_example(
        match_id=99,
        prediction=EXAMPLE_PREDICTION,
        features={"home_elo_pre": 1700.0, "away_elo_pre": 1611.6, "diff_elo": 88.4},
        followed=["diff_elo"],
    )

    match_id: int
    prediction: Prediction
    features: dict[str, float | None] = Field(description="Every feature of the match as it was used.")
    followed: list[str] = Field(description="Features that were not changed by the caller but followed.")
