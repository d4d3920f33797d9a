"""Pydantic models of requests, responses and queue messages: the public promise of the service.

Field meanings are in docs/api.md; the OpenAPI document is generated from these classes.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.domain import OutcomeProbabilities, Stage

MatchId = Annotated[int, Field(strict=True, ge=1, le=2**53 - 1, description="Identifier of the match.", examples=[99])]
# Strict: a string or a boolean is not a number. Integers are accepted and become doubles, as LightGBM takes them.
FeatureValue = Annotated[float, Field(strict=True, allow_inf_nan=False)] | None
Features = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=200)], FeatureValue],
    Field(
        max_length=1_000,
        description="Feature values by name, as the model's signature lists them (`GET /predict/model/info`).",
        examples=[{"diff_win_5_mean": 0.3, "diff_goals_for_3_mean": 0.6, "home_elo_pre": 1520.0, "sex": 0}],
    ),
]
Probability = Annotated[float, Field(ge=0, le=1)]
OutcomeLabel = Literal["home", "draw", "away"]
MatchStatus = Literal["upcoming", "live", "finished"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class PredictRequest(_Frozen):
    """A match and its feature values."""

    match_id: MatchId
    features: Features


class AsyncPredictRequest(_Frozen):
    """A match, with its feature values or without: then they come from the current data release."""

    match_id: MatchId
    features: Features | None = None


class Probabilities(_Frozen):
    """Outcome probabilities by class: 0 home win, 1 draw, 2 away win."""

    home: Probability = Field(alias="0", description="Home win.")
    draw: Probability = Field(alias="1", description="Draw.")
    away: Probability = Field(alias="2", description="Away win.")

    model_config = ConfigDict(
        frozen=True, populate_by_name=True, json_schema_extra={"examples": [{"0": 0.58, "1": 0.27, "2": 0.15}]}
    )


class Contribution(_Frozen):
    """What one feature added to the raw scores (before softmax) of home win, draw and away win."""

    feature: str
    home: float
    draw: float
    away: float


class Prediction(_Frozen):
    """One prediction and the model it came from."""

    predicted_class: Literal[0, 1, 2] = Field(description="Most probable class: 0 home win, 1 draw, 2 away win.")
    probabilities: Probabilities
    model_version: Stage = Field(description="Alias the model was served under.")
    model_run_id: str = Field(description="MLflow run that produced the model.", examples=["3f7a1c9d2e4b"])
    features_computed_at: str | None = Field(
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


class PredictResponse(_Frozen):
    """The answer to a synchronous prediction."""

    match_id: int
    prediction: Prediction
    contributions: list[Contribution] | None = Field(
        default=None, description="With `explain=true` only: the largest contribution first."
    )


class AsyncPredictResponse(_Frozen):
    """An accepted task and where to poll for its result."""

    task_id: str = Field(examples=["0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11"])
    status: Literal["submitted"] = "submitted"
    status_url: str


class TaskError(_Frozen):
    """Why a task failed."""

    type: str
    message: str


class TaskStatus(_Frozen):
    """A task: pending, or ended once as success with its result or as failed with its error."""

    task_id: str
    status: Literal["pending", "success", "failed"]
    result: Prediction | None = None
    error: TaskError | None = None


class ModelFeature(_Frozen):
    """One input of the model's signature."""

    name: str
    type: str
    required: bool


class ModelInfoResponse(_Frozen):
    """Model metadata from the MLflow Model Registry."""

    model_name: str
    model_version: Stage
    model_run_id: str
    loaded: bool = Field(description="Whether the function that answered holds the model in memory.")
    registered_version: str
    metrics: dict[str, float]
    params: dict[str, str]
    features: list[ModelFeature]


class MatchRow(_Frozen):
    """An upcoming match available for prediction."""

    match_id: int
    home_team: str
    away_team: str
    match_date: str | None = Field(description="Kickoff, ISO-8601 UTC; null while unknown.")
    region: str
    league: str
    sex: int = Field(description="0 men, 1 women.")


class PredictionRow(_Frozen):
    """A precomputed prediction; the last three fields are null before the result is known."""

    match_id: int
    home_team: str
    away_team: str
    match_date: str | None
    region: str
    league: str
    proba_home: Probability
    proba_draw: Probability
    proba_away: Probability
    predicted_class: Literal[0, 1, 2]
    predicted_label: OutcomeLabel
    is_future: bool
    model_run_id: str
    model_stage: Stage
    outcome_1x2: OutcomeLabel | None = None
    home_score: int | None = None
    away_score: int | None = None


class OddsRow(_Frozen):
    """Decimal 1X2 odds of a match; suspended prices are null or last known."""

    match_id: int
    provider: str
    fonbet_event_id: str | None
    odds_home: float | None
    odds_draw: float | None
    odds_away: float | None
    margin: float | None = Field(description="Booksum minus one.")
    suspended: bool
    collected_at: str
    url: str | None


class CardRow(PredictionRow):
    """A prediction merged with its odds; odds, implied and edge fields are null without a market."""

    season: str | None = None
    sex: int | None = None
    home_elo: float | None = Field(default=None, description="Elo rating before kickoff.")
    away_elo: float | None = None
    home_form: str | None = Field(default=None, description="Last five results, oldest first, of W, D, L.")
    away_form: str | None = None
    in_sample: bool | None = Field(default=None, description="Whether the match lies in the model's training period.")
    odds_home: float | None = None
    odds_draw: float | None = None
    odds_away: float | None = None
    implied_home: float | None = Field(default=None, description="Market probability with the margin removed.")
    implied_draw: float | None = None
    implied_away: float | None = None
    edge_home: float | None = Field(default=None, description="Expected value per unit staked, p·odds - 1.")
    edge_draw: float | None = None
    edge_away: float | None = None
    value_bet: OutcomeLabel | None = Field(
        default=None, description="Outcome with the largest edge over the threshold."
    )
    kelly_quarter: float | None = Field(default=None, description="A quarter of the Kelly fraction of the value bet.")
    status: MatchStatus
    live_score: str | None = None
    region_roi: float | None = None
    is_correct: bool | None = None
    odds_collected_at: str | None = None
    fonbet_url: str | None = None


class RegionRoiRow(_Frozen):
    """Flat-stake return on the value bets of a region, with its 95 % bootstrap interval."""

    region: str
    bets: int
    turnover: float
    profit: float
    roi: float | None
    roi_ci_low: float | None
    roi_ci_high: float | None


class ErrorResponse(_Frozen):
    """Every error."""

    model_config = ConfigDict(populate_by_name=True)

    status_code: int = Field(alias="statusCode", examples=[404])
    message: str
    details: list[dict[str, Any]] | None = Field(default=None, description="Each fault with loc, msg and type.")


class Health(_Frozen):
    """Liveness and the state of each dependency."""

    status: Literal["ok", "degraded"]
    worker_id: str
    memory_usage_mb: float
    checks: dict[str, str]


class QueueState(_Frozen):
    """Counts of one queue."""

    name: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_age_seconds: float | None


class QueuesResponse(_Frozen):
    """The inference queue and its dead letters."""

    inference: QueueState
    dead_letters: QueueState
    pending_tasks: int | None = None


class WorkerState(_Frozen):
    """The inference function: configuration, event source mapping and whether it answers."""

    name: str
    state: str
    last_update: str
    concurrency: int | None
    event_source_mapping: str
    batch_size: int | None
    ping: Literal["ok", "failed"]


class WorkersResponse(_Frozen):
    """All inference functions."""

    workers: list[WorkerState]


class DriftResponse(BaseModel):
    """Latest feature-drift summary; `drift_score` is null while there is no report."""

    model_config = ConfigDict(extra="allow")

    drift_score: float | None
    dataset_drift: bool | None = None
    number_of_columns: int | None = None
    number_of_drifted_columns: int | None = None


class InferenceMessage(_Frozen):
    """A task on the inference queue.

    Later versions of the service must still read messages of this version: fields are added with defaults, never
    renamed or removed (tests/contract/messages).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    task_id: str
    match_id: MatchId
    stage: Stage
    features: Features
    features_computed_at: str | None = None
    submitted_at: datetime
