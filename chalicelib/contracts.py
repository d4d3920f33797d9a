"""Pydantic models of requests, responses and queue messages: the public promise of the service.

Field meanings are in docs/api.md; the OpenAPI document is generated from these classes.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from chalicelib.domain import OutcomeProbabilities, Stage


def _integral(value: Any) -> Any:
    """1.0 is an integer in JSON (and in JSON Schema), 1.5 is not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


MatchId = Annotated[
    int,
    Field(strict=True, ge=1, le=2**53 - 1, description="Identifier of the match.", examples=[99]),
    # Last, so that the limits above are in the schema in its own words.
    BeforeValidator(_integral),
]
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


def _in_range(features: dict[str, float | None]) -> dict[str, float | None]:
    if features.get("sex") not in {None, 0, 1}:
        raise PydanticCustomError("sex_range", "should be 0 (men) or 1 (women)", {"inside": ["sex"]})
    return features


# Checked where callers send them; a message that was queued once stays readable.
RequestFeatures = Annotated[Features, AfterValidator(_in_range)]
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""ISO-8601 in UTC, with `Z`."""
Probability = Annotated[float, Field(ge=0, le=1)]
OutcomeLabel = Literal["home", "draw", "away"]
MatchStatus = Literal["upcoming", "live", "finished"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


def _shown(**example: Any) -> ConfigDict:
    """The settings of a model with an example of it for the OpenAPI document."""
    return ConfigDict(frozen=True, protected_namespaces=(), json_schema_extra={"examples": [example]})


_FEATURES: dict[str, float | int] = {
    "diff_win_5_mean": 0.3, "diff_goals_for_3_mean": 0.6, "home_elo_pre": 1520.0, "sex": 0
}  # fmt: skip
_PREDICTION: dict[str, Any] = {
    "predicted_class": 0,
    "probabilities": {"0": 0.58, "1": 0.27, "2": 0.15},
    "model_version": "champion",
    "model_run_id": "3f7a1c9d2e4b",
    "features_computed_at": None,
}
_MATCH: dict[str, Any] = {
    "match_id": 99,
    "home_team": "Ajax",
    "away_team": "Feyenoord",
    "match_date": "2024-04-07T12:30:00Z",
    "region": "Netherlands",
    "league": "Eredivisie",
}
_ROW: dict[str, Any] = {
    **_MATCH,
    "proba_home": 0.58,
    "proba_draw": 0.27,
    "proba_away": 0.15,
    "predicted_class": 0,
    "predicted_label": "home",
    "is_future": False,
    "model_run_id": "3f7a1c9d2e4b",
    "model_stage": "champion",
    "outcome_1x2": "home",
    "home_score": 6,
    "away_score": 0,
}
_TASK = "0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11"


class PredictRequest(_Frozen):
    """A match and its feature values."""

    model_config = _shown(match_id=99, features=_FEATURES)

    match_id: MatchId
    features: RequestFeatures

    def __repr__(self) -> str:
        """Short: Powertools formats a route's arguments for a debug line on each request, shown or not (16 µs)."""
        return f"PredictRequest(match_id={self.match_id}, {len(self.features)} features)"


class WhatIfRequest(_Frozen):
    """Features of a match to be changed; the rest stay what they are in the current data release."""

    model_config = _shown(changes={"home_elo_pre": 1700.0})

    changes: RequestFeatures

    def __repr__(self) -> str:
        """Short, as `PredictRequest`'s."""
        return f"WhatIfRequest({len(self.changes)} changes)"


class AsyncPredictRequest(_Frozen):
    """A match, with its feature values or without: then they come from the current data release."""

    model_config = _shown(match_id=99)

    match_id: MatchId
    features: RequestFeatures | None = None


class FeaturesResponse(_Frozen):
    """A match's features in the current data release; `match_id` and `features` are a body of `POST /predict`."""

    model_config = _shown(match_id=99, features=_FEATURES, features_computed_at="2024-04-07T06:00:00Z")

    match_id: int
    features: dict[str, float | None]
    features_computed_at: Timestamp = Field(description="Time of the data release they come from.")


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

    model_config = _shown(feature="diff_elo", value=88.4, home=0.31, draw=-0.02, away=-0.29)

    feature: str
    value: float | None = Field(description="What the feature was; null where it was missing.")
    home: float
    draw: float
    away: float


class BaseScores(_Frozen):
    """The raw scores (before softmax) that the model starts from; the contributions are added to them."""

    model_config = _shown(home=-0.78, draw=-1.35, away=-1.19)

    home: float
    draw: float
    away: float


class Prediction(_Frozen):
    """One prediction and the model it came from."""

    model_config = _shown(**_PREDICTION)

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


class PredictResponse(_Frozen):
    """The answer to a synchronous prediction."""

    model_config = _shown(match_id=99, prediction=_PREDICTION)

    match_id: int
    prediction: Prediction
    base: BaseScores | None = Field(
        default=None,
        description="With `explain=true` only. Base plus all contributions, through softmax, is the prediction.",
    )
    contributions: list[Contribution] | None = Field(
        default=None, description="With `explain=true` only: the largest contribution first."
    )


class WhatIfResponse(_Frozen):
    """A prediction with changed features."""

    model_config = _shown(
        match_id=99,
        prediction=_PREDICTION,
        features={"home_elo_pre": 1700.0, "away_elo_pre": 1611.6, "diff_elo": 88.4},
        followed=["diff_elo"],
    )

    match_id: int
    prediction: Prediction
    features: dict[str, float | None] = Field(description="Every feature of the match as it was used.")
    followed: list[str] = Field(description="Features that were not changed by the caller but followed.")


class AsyncPredictResponse(_Frozen):
    """An accepted task and where to poll for its result."""

    model_config = _shown(task_id=_TASK, status="submitted", status_url=f"/monitoring/task_status/{_TASK}")

    task_id: str = Field(examples=[_TASK])
    status: Literal["submitted"] = "submitted"
    status_url: str = Field(description="Path below the API's URL; the header `Location` has the whole URL.")


class TaskError(_Frozen):
    """Why a task failed."""

    model_config = _shown(type="features_rejected", message="required feature diff_elo is missing")

    type: str
    message: str


class TaskStatus(_Frozen):
    """A task: pending, or ended once as success with its result or as failed with its error."""

    model_config = _shown(task_id=_TASK, status="success", result=_PREDICTION)

    task_id: str
    status: Literal["pending", "success", "failed"]
    result: Prediction | None = None
    error: TaskError | None = None


class ModelFeature(_Frozen):
    """One input of the model's signature."""

    model_config = _shown(name="diff_win_5_mean", type="double", required=True)

    name: str
    type: str
    required: bool


class ModelInfoResponse(_Frozen):
    """Model metadata from the MLflow Model Registry."""

    model_config = _shown(
        model_name="soccer_model",
        model_version="champion",
        model_run_id="3f7a1c9d2e4b",
        loaded=True,
        registered_version="7",
        metrics={"log_loss": 0.99},
        params={},
        features=[{"name": "diff_win_5_mean", "type": "double", "required": True}],
    )

    model_name: str
    model_version: Stage
    model_run_id: str
    loaded: bool = Field(
        description="Whether the model is in place, whole: every serving function loads it at its first prediction. "
        "While it is false, functions that hold the version before go on with that, and others answer 503."
    )
    registered_version: str
    metrics: dict[str, float]
    params: dict[str, str]
    features: list[ModelFeature]


class MatchRow(_Frozen):
    """An upcoming match available for prediction."""

    model_config = _shown(**_MATCH, sex=0)

    match_id: int
    home_team: str
    away_team: str
    match_date: Timestamp | None = Field(description="Kickoff, ISO-8601 UTC; null while unknown.")
    region: str
    league: str
    sex: int = Field(description="0 men, 1 women.")


class PredictionRow(_Frozen):
    """A precomputed prediction; the last three fields are null until the result is known."""

    model_config = _shown(**_ROW)

    match_id: int
    home_team: str
    away_team: str
    match_date: Timestamp | None = Field(description="Kickoff, ISO-8601 UTC; null while unknown.")
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

    model_config = _shown(
        match_id=99,
        provider="fonbet",
        fonbet_event_id="46121234",
        odds_home=1.9,
        odds_draw=3.9,
        odds_away=4.1,
        margin=0.0266,
        suspended=False,
        collected_at="2024-04-07T09:00:00Z",
        url="https://fon.bet/sports/football/12973/46121234",
    )

    match_id: int
    provider: str
    fonbet_event_id: str | None
    odds_home: float | None
    odds_draw: float | None
    odds_away: float | None
    margin: float | None = Field(description="Booksum minus one.")
    suspended: bool
    collected_at: Timestamp
    url: str | None


class CardRow(PredictionRow):
    """A prediction merged with its odds; odds, implied and edge fields are null without a market."""

    model_config = _shown(
        **_ROW,
        season="2023/24",
        sex=0,
        home_elo=1741.2,
        away_elo=1702.9,
        home_form="WDLWW",
        away_form="WWWDW",
        in_sample=False,
        odds_home=1.9,
        odds_draw=3.9,
        odds_away=4.1,
        implied_home=0.5127,
        implied_draw=0.2498,
        implied_away=0.2376,
        edge_home=0.102,
        edge_draw=0.053,
        edge_away=-0.385,
        pooled_home=0.521,
        pooled_draw=0.247,
        pooled_away=0.232,
        pooled_edge_home=-0.01,
        pooled_edge_draw=-0.037,
        pooled_edge_away=-0.049,
        value_bet=None,
        kelly_quarter=None,
        status="finished",
        live_score=None,
        region_roi=0.012,
        is_correct=True,
        odds_collected_at="2024-04-07T09:00:00Z",
        price_age_seconds=108000,
        fonbet_url="https://fon.bet/sports/football/12973/46121234",
    )

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
    edge_home: float | None = Field(
        default=None,
        description="What the model alone expects per unit staked, p·odds - 1. Large ones usually mean that the market "
        "knows more.",
    )
    edge_draw: float | None = None
    edge_away: float | None = None
    pooled_home: float | None = Field(
        default=None,
        description="Price and model combined, as past matches weigh them; the market alone while they are few.",
    )
    pooled_draw: float | None = None
    pooled_away: float | None = None
    pooled_edge_home: float | None = Field(
        default=None, description="Expected value per unit staked by the pooled one."
    )
    pooled_edge_draw: float | None = None
    pooled_edge_away: float | None = None
    value_bet: OutcomeLabel | None = Field(
        default=None,
        description="Outcome whose pooled edge is the largest over the threshold; only while the closing-line value of "
        "such bets here lies above zero beyond doubt.",
    )
    kelly_quarter: float | None = Field(
        default=None,
        description="Stake on the value bet: a quarter of Kelly's share of the bankroll; a day's together at most 5 %.",
    )
    status: MatchStatus
    live_score: str | None = None
    region_roi: float | None = None
    is_correct: bool | None = None
    odds_collected_at: Timestamp | None = None
    price_age_seconds: int | None = Field(
        default=None, description="Age of the odds now, or at kickoff once it is past."
    )
    fonbet_url: str | None = None


class RegionRoiRow(_Frozen):
    """Flat-stake return where the model's own edge exceeds the threshold, by region, with 95 % intervals."""

    model_config = _shown(
        region="Netherlands",
        bets=41,
        turnover=41.0,
        profit=0.5,
        roi=0.0122,
        roi_ci_low=-0.31,
        roi_ci_high=0.34,
        clv=-0.021,
        clv_ci_low=-0.034,
        clv_ci_high=-0.008,
    )

    region: str
    bets: int
    turnover: float
    profit: float
    roi: float | None
    roi_ci_low: float | None
    roi_ci_high: float | None
    clv: float | None = Field(description="Mean closing-line value: price taken times closing probability, minus one.")
    clv_ci_low: float | None
    clv_ci_high: float | None


class ClubRow(_Frozen):
    """A club and the other spellings of its name."""

    model_config = _shown(
        region="England", sex=0, club="Tottenham Hotspur", matches=228, spellings=["tottenham hotspur", "spurs"]
    )

    region: str
    sex: int
    club: str
    matches: int = Field(description="Matches in the release.")
    spellings: list[str] = Field(description="Lower case, without accents; the name itself is one of them.")


class ProjectionRow(_Frozen):
    """A team in the projected final table of its season."""

    model_config = _shown(
        region="England",
        league="Premier League",
        sex=0,
        season="2023/24",
        team="Arsenal",
        projected_position=1,
        position=2,
        played=29,
        won=20,
        drawn=5,
        lost=4,
        goals_for=70,
        goals_against=24,
        points=65,
        remaining=9,
        expected_points=82.4,
        points_low=78,
        points_high=87,
        title=0.34,
        top_four=1.0,
        relegation=0.0,
        matches_missing=0,
    )

    region: str
    league: str
    sex: int
    season: str
    team: str
    projected_position: int = Field(description="Place by expected points.")
    position: int = Field(description="Place so far: points, then goal difference, then goals scored.")
    played: int
    won: int
    drawn: int
    lost: int
    goals_for: int
    goals_against: int
    points: int
    remaining: int = Field(description="Scheduled matches left.")
    expected_points: float = Field(description="Mean final points.")
    points_low: int = Field(description="10th percentile of the final points.")
    points_high: int = Field(description="90th percentile of the final points.")
    title: float = Field(description="Chance of the first place.")
    top_four: float = Field(description="Chance of a place among the first four.")
    relegation: float = Field(description="Chance of a place among the last three.")
    matches_missing: int = Field(
        description="Matches of a double round robin that the schedule does not hold yet; they are not simulated."
    )


class SeasonCount(_Frozen):
    """A season of a league."""

    model_config = _shown(season="2023/24", matches=306)

    season: str
    matches: int


class LeagueCount(_Frozen):
    """A league of a region."""

    model_config = _shown(league="Eredivisie", matches=306, seasons=[{"season": "2023/24", "matches": 306}])

    league: str
    matches: int
    seasons: list[SeasonCount]


class RegionRow(_Frozen):
    """A region that the data release covers, with its leagues and seasons."""

    model_config = _shown(
        region="Netherlands",
        matches=306,
        leagues=[{"league": "Eredivisie", "matches": 306, "seasons": [{"season": "2023/24", "matches": 306}]}],
    )

    region: str
    matches: int
    leagues: list[LeagueCount]


class Fault(_Frozen):
    """What is wrong at one place of the request, as Pydantic gives it."""

    loc: list[str | int] = Field(description="Where: `body`, `query`, `path` or `header`, then the way to the value.")
    msg: str
    type: str


_FAULT: dict[str, Any] = {"loc": ["body", "match_id"], "msg": "Field required", "type": "missing"}


class ErrorResponse(_Frozen):
    """Every error."""

    model_config = ConfigDict(
        frozen=True,
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "statusCode": 422,
                    "message": "the request is not valid",
                    "code": "invalid_request",
                    "detail": [_FAULT],
                    "details": [_FAULT],
                }
            ]
        },
    )

    status_code: int = Field(alias="statusCode", examples=[404])
    message: str = Field(description="For people; its words may change.")
    code: str = Field(description="For programs; docs/api.md lists the codes.", examples=["match_not_found"])
    detail: str | list[Fault] = Field(
        description="`details` where there are any, else `message`: where clients of the original system look."
    )
    details: list[Fault] = Field(
        default=[], description="Each fault of a request that is not valid; otherwise left out."
    )


class Health(_Frozen):
    """Liveness or readiness, and the state of each dependency: `ok` or the code of its error."""

    model_config = _shown(
        status="ok",
        worker_id="2024/04/07/[$LATEST]6f1c",
        memory_usage_mb=92.4,
        checks={"task_store": "ok", "data_release": "ok", "model": "ok", "inference_queue": "ok"},
    )

    status: Literal["ok", "degraded"]
    worker_id: str
    memory_usage_mb: float = Field(description="Resident memory of the answering process.")
    checks: dict[str, str]


class CeleryCounts(_Frozen):
    """The inference queue's counts under the names of the original system."""

    active: int | None = Field(default=None, description="Messages that a worker has received, as `in_flight`.")
    scheduled: int | None = Field(default=None, description="Messages not due yet, as `delayed`.")
    reserved: int | None = Field(
        default=None, description="Always 0: nothing is reserved before it is worked on. Null while counts are missing."
    )


class QueueState(_Frozen):
    """Counts of one queue."""

    model_config = _shown(name="inference", waiting=3, in_flight=1, delayed=0, oldest_age_seconds=0.8)

    name: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_age_seconds: float | None


class DeadLetterState(QueueState):
    """Counts of the dead-letter queue, and of the failed tasks kept for `make redrive`."""

    model_config = _shown(name="dead-letters", waiting=0, in_flight=0, delayed=0, oldest_age_seconds=None, kept=0)

    kept: int = Field(
        description="Tasks that ended as failed without having been predicted and wait for `make redrive`; at most "
        "10,000 are counted. `oldest_age_seconds` is that of the oldest of them."
    )


class QueuesResponse(CeleryCounts):
    """The inference queue and its dead letters."""

    inference: QueueState
    dead_letters: DeadLetterState
    pending_tasks: int | None = Field(
        default=None, description="Accepted tasks that have not ended; at most 10,000 are counted."
    )


class WorkerState(_Frozen):
    """The inference function: configuration, event source mapping and whether it answers."""

    model_config = _shown(
        name="soccer-prod-inference",
        state="Active",
        last_update="2024-04-07T08:00:00.000+0000",
        concurrency=10,
        event_source_mapping="Enabled",
        batch_size=100,
        ping="ok",
    )

    name: str
    state: str = Field(description="As Lambda gives it (`Active`, `Pending`, `Failed`, ...); `Missing` without one.")
    last_update: str | None
    concurrency: int | None
    event_source_mapping: str = Field(description="As Lambda gives it (`Enabled`, `Disabled`, ...); else `missing`.")
    batch_size: int | None
    ping: Literal["ok", "failed", "throttled"] = Field(description="`throttled`: all of its concurrency is in use.")


class WorkersResponse(CeleryCounts):
    """All inference functions."""

    workers: list[WorkerState]


class DriftResponse(BaseModel):
    """Latest feature-drift summary; `drift_score` is null while there is no report."""

    model_config = ConfigDict(extra="allow")

    number_of_columns_beyond_noise: int | None = Field(
        default=None,
        description="Features that moved farther than chance moves a sample of this size: read this first.",
    )
    sufficient_sample: bool | None = Field(
        default=None, description="Whether enough matches were compared; if not, `drift_score` proves nothing."
    )
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
