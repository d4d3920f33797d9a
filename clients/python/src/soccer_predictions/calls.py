"""Each method's request, written once for both clients: a generated operation and its arguments."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import ModuleType
from typing import Any, Generic, Literal, TypedDict, TypeVar

from soccer_predictions._generated.api.lists import (
    cards,
    matches,
    odds,
    precomputed,
    predictions,
    region_roi,
)
from soccer_predictions._generated.api.operations import healthcheck
from soccer_predictions._generated.api.prediction import (
    features,
    model_info,
    predict,
    predict_async,
    predict_match,
    task_status,
)
from soccer_predictions._generated.models import (
    AsyncPredictRequest,
    AsyncPredictResponse,
    CardRow,
    FeaturesResponse,
    Health,
    MatchRow,
    ModelInfoResponse,
    OddsRow,
    PredictionRow,
    PredictRequest,
    PredictResponse,
    RegionRoiRow,
    TaskStatus,
)

T = TypeVar("T")

Stage = Literal["champion", "challenger"]
Status = Literal["upcoming", "live", "finished"]
Features = Mapping[str, float | None]


class RegionRoiFilters(TypedDict, total=False):
    """Filters of the returns.

    Args:
        region: Region.
        min_region_roi: Only regions whose ROI is at least this share.
        limit: Rows per page; the iterator fetches all pages.
    """

    region: str
    min_region_roi: float
    limit: int


class MatchFilters(TypedDict, total=False):
    """Filters of the matches.

    Args:
        region: Region.
        league: League.
        team: Part of a team's name.
        from_: Kickoff at or after.
        to: Kickoff before.
        limit: Rows per page; the iterator fetches all pages.
    """

    region: str
    league: str
    team: str
    from_: datetime
    to: datetime
    limit: int


class OddsFilters(MatchFilters, total=False):
    """Filters of the odds; `status` is `upcoming`, `live` or `finished`."""

    status: Status


class PredictionFilters(OddsFilters, total=False):
    """Filters of the predictions; `stage` chooses whose."""

    stage: Stage


class CardFilters(PredictionFilters, total=False):
    """Filters of the cards; `value_only` leaves those with a value bet."""

    min_region_roi: float
    value_only: bool


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request.

    Args:
        operation: Module of the generated client.
        arguments: Its arguments, besides the client.
        result: What a success is parsed into; of lists, each row.
    """

    operation: ModuleType
    arguments: Mapping[str, Any]
    result: type[T]

    def at(self, cursor: str) -> "Call[T]":
        """The same list, from a cursor on."""
        return replace(self, arguments={**self.arguments, "cursor": cursor})


def predict_call(match_id: int, values: Features, stage: Stage, *, explain: bool) -> Call[PredictResponse]:
    """`POST /predict/`."""
    body = PredictRequest.from_dict({"match_id": match_id, "features": dict(values)})
    return Call(predict, {"body": body, "stage": stage, "explain": explain}, PredictResponse)


def predict_match_call(match_id: int, stage: Stage, *, explain: bool) -> Call[PredictResponse]:
    """`GET /predict/{match_id}`."""
    return Call(predict_match, {"match_id": match_id, "stage": stage, "explain": explain}, PredictResponse)


def features_call(match_id: int) -> Call[FeaturesResponse]:
    """`GET /predict/features/{match_id}`."""
    return Call(features, {"match_id": match_id}, FeaturesResponse)


def submit_call(
    match_id: int, values: Features | None, stage: Stage, idempotency_key: str | None
) -> Call[AsyncPredictResponse]:
    """`POST /predict/async/`; always with a key, so that a repeated request makes no second task."""
    content = {"match_id": match_id} | ({} if values is None else {"features": dict(values)})
    body = AsyncPredictRequest.from_dict(content)
    key = idempotency_key or str(uuid.uuid4())
    return Call(predict_async, {"body": body, "stage": stage, "idempotency_key": key}, AsyncPredictResponse)


def task_call(task_id: str) -> Call[TaskStatus]:
    """`GET /monitoring/task_status/{task_id}`."""
    return Call(task_status, {"task_id": task_id}, TaskStatus)


def precomputed_call(match_id: int, stage: Stage) -> Call[PredictionRow]:
    """`GET /predict/precomputed/{match_id}`."""
    return Call(precomputed, {"match_id": match_id, "stage": stage}, PredictionRow)


def model_info_call(stage: Stage) -> Call[ModelInfoResponse]:
    """`GET /predict/model/info`."""
    return Call(model_info, {"stage": stage}, ModelInfoResponse)


def health_call(*, ready: bool) -> Call[Health]:
    """`GET /healthcheck/`."""
    return Call(healthcheck, {"ready": ready}, Health)


def list_call(operation: ModuleType, row: type[T], filters: Mapping[str, Any]) -> Call[T]:
    """A list with its filters."""
    return Call(operation, dict(filters), row)


LISTS: Mapping[str, tuple[ModuleType, type[Any]]] = {
    "predictions": (predictions, PredictionRow),
    "matches": (matches, MatchRow),
    "odds": (odds, OddsRow),
    "cards": (cards, CardRow),
    "region_roi": (region_roi, RegionRoiRow),
}
