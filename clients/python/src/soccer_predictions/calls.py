"""Each method's request, written once for both clients: a generated operation and its arguments."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import ModuleType
from typing import Any, Generic, Literal, TypedDict, TypeVar

from soccer_predictions._generated.api.lists import (
    calendar,
    cards,
    clubs,
    matches,
    odds,
    precomputed,
    predictions,
    prices,
    projections,
    region_roi,
    regions,
    track_record,
)
from soccer_predictions._generated.api.operations import drift, healthcheck, metrics, queues, workers
from soccer_predictions._generated.api.prediction import (
    features,
    model_info,
    predict,
    predict_async,
    predict_match,
    task_status,
    what_if,
)
from soccer_predictions._generated.models import (
    AsyncPredictRequest,
    AsyncPredictResponse,
    CardRow,
    ClubRow,
    DriftResponse,
    FeaturesResponse,
    Health,
    MatchRow,
    ModelInfoResponse,
    OddsRow,
    PredictionRow,
    PredictRequest,
    PredictResponse,
    PriceMovement,
    ProjectionRow,
    QueuesResponse,
    RegionRoiRow,
    RegionRow,
    TaskStatus,
    TrackRecord,
    WhatIfRequest,
    WhatIfResponse,
    WorkersResponse,
)

T = TypeVar("T")

Stage = Literal["champion", "challenger"]
Status = Literal["upcoming", "live", "finished"]
Sort = Literal["kickoff", "-kickoff"]
CardSort = Literal["kickoff", "-kickoff", "edge"]
Features = Mapping[str, float | None]

# A filter may be None: it is then left out, so that callers can pass on what they were given themselves.


class RegionFilter(TypedDict, total=False):
    """One region, whatever its case and accents."""

    region: str | None


class TableFilters(RegionFilter, total=False):
    """A league, and a part of a team's name or of a known spelling of it."""

    league: str | None
    team: str | None


class CalendarFilters(TableFilters, total=False):
    """What the calendar holds; `match_id`: one match, upcoming or not."""

    match_id: int | None


class RegionRoiFilters(RegionFilter, total=False):
    """Regions whose ROI is at least a share; `limit` is the size of a page, of which the iterator fetches all."""

    min_region_roi: float | None
    limit: int | None


class KickoffFilters(TableFilters, total=False):
    """Kickoff from a time on and before another, and matches by id (up to 200)."""

    from_: datetime | None
    to: datetime | None
    match_ids: Iterable[int] | None
    limit: int | None


class MatchFilters(KickoffFilters, total=False):
    """Filters and order of the matches; `-kickoff` is the latest first."""

    sort: Sort | None


class OddsFilters(KickoffFilters, total=False):
    """Filters of the odds, which are in order of match id."""

    status: Status | None
    match_id: int | None


class PredictionFilters(MatchFilters, total=False):
    """Filters of the predictions; `stage` chooses whose."""

    status: Status | None
    stage: Stage | None


class CardFilters(KickoffFilters, total=False):
    """Filters and order of the cards; `value_only` leaves those with a value bet, `edge` is the largest edge first."""

    status: Status | None
    stage: Stage | None
    match_id: int | None
    min_region_roi: float | None
    value_only: bool | None
    sort: CardSort | None


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


def what_if_call(match_id: int, changes: Features, stage: Stage) -> Call[WhatIfResponse]:
    """`POST /predict/what-if/{match_id}`."""
    body = WhatIfRequest.from_dict({"changes": dict(changes)})
    return Call(what_if, {"match_id": match_id, "body": body, "stage": stage}, WhatIfResponse)


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


def prices_call(match_id: int) -> Call[PriceMovement]:
    """`GET /predict/prices/{match_id}`."""
    return Call(prices, {"match_id": match_id}, PriceMovement)


def track_record_call() -> Call[TrackRecord]:
    """`GET /predict/track-record/`."""
    return Call(track_record, {}, TrackRecord)


def calendar_call(filters: Mapping[str, Any]) -> Call[str]:
    """`GET /predict/calendar/`."""
    return Call(calendar, _given(filters), str)


def drift_call() -> Call[DriftResponse]:
    """`GET /monitoring/drift`."""
    return Call(drift, {}, DriftResponse)


def queues_call() -> Call[QueuesResponse]:
    """`GET /monitoring/queues`."""
    return Call(queues, {}, QueuesResponse)


def workers_call() -> Call[WorkersResponse]:
    """`GET /monitoring/workers`."""
    return Call(workers, {}, WorkersResponse)


def metrics_call() -> Call[str]:
    """`GET /metrics`."""
    return Call(metrics, {}, str)


def list_call(operation: ModuleType, row: type[T], filters: Mapping[str, Any]) -> Call[T]:
    """A list with its filters."""
    return Call(operation, _given(filters), row)


def _given(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters that are given, ids as the API reads them."""
    given = {name: value for name, value in filters.items() if value is not None}
    if "match_ids" in given:
        given["match_ids"] = ",".join(map(str, given["match_ids"]))
    return given


LISTS: Mapping[str, tuple[ModuleType, type[Any]]] = {
    "predictions": (predictions, PredictionRow),
    "matches": (matches, MatchRow),
    "odds": (odds, OddsRow),
    "cards": (cards, CardRow),
    "region_roi": (region_roi, RegionRoiRow),
    "regions": (regions, RegionRow),
    "clubs": (clubs, ClubRow),
    "projections": (projections, ProjectionRow),
}
