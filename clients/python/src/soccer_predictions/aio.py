"""The asynchronous client: the same methods as `SoccerPredictions`, awaited."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx

from soccer_predictions import calls
from soccer_predictions._generated.client import Client
from soccer_predictions._generated.models import (
    AsyncPredictResponse,
    CardRow,
    ClubRow,
    DriftResponse,
    FeaturesResponse,
    Health,
    MatchRow,
    ModelInfoResponse,
    OddsRow,
    Prediction,
    PredictionRow,
    PredictResponse,
    PriceMovement,
    ProjectionRow,
    QueuesResponse,
    RegionRoiRow,
    RegionRow,
    TaskStatus,
    TrackRecord,
    WhatIfResponse,
    WorkersResponse,
)
from soccer_predictions.answers import araise_for_error, outcome_of
from soccer_predictions.calls import (
    CalendarFilters,
    Call,
    CardFilters,
    Features,
    MatchFilters,
    OddsFilters,
    PredictionFilters,
    RegionFilter,
    RegionRoiFilters,
    Stage,
    TableFilters,
)
from soccer_predictions.errors import TaskTimeout, seconds
from soccer_predictions.retries import AsyncRetryTransport, Retries

T = TypeVar("T")


class AsyncSoccerPredictions:
    """The API, with one method per operation.

    Args:
        base_url: Where the API is, with its stage: `https://api.example.org/prod`.
        api_key: A client key, where the deployment demands one, or an operator key.
        timeout: Seconds that one attempt may take.
        retries: How often and how patiently a request is repeated.
        transport: What sends requests; another only in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={} if api_key is None else {"X-API-Key": api_key},
            timeout=timeout,
            event_hooks={"response": [araise_for_error]},
            transport=AsyncRetryTransport(transport or httpx.AsyncHTTPTransport(), retries or Retries()),
        )
        self._core = Client(base_url=base_url).set_async_httpx_client(self._http)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def predict(
        self, match_id: int, features: Features, *, stage: Stage = "champion", explain: bool = False
    ) -> PredictResponse:
        """Predict a match from features of your own; `explain` adds what each contributed, and their base."""
        return await self._parsed(calls.predict_call(match_id, features, stage, explain=explain))

    async def predict_match(
        self, match_id: int, *, stage: Stage = "champion", explain: bool = False
    ) -> PredictResponse:
        """Predict a match live, from its features in the current data release."""
        return await self._parsed(calls.predict_match_call(match_id, stage, explain=explain))

    async def features(self, match_id: int) -> FeaturesResponse:
        """A match's features in the current data release, to change and send to `predict`."""
        return await self._parsed(calls.features_call(match_id))

    async def what_if(self, match_id: int, changes: Features, *, stage: Stage = "champion") -> WhatIfResponse:
        """Predict a match of the release with some of its features changed; what is derived from them follows."""
        return await self._parsed(calls.what_if_call(match_id, changes, stage))

    async def submit(
        self,
        match_id: int,
        features: Features | None = None,
        *,
        stage: Stage = "champion",
        idempotency_key: str | None = None,
    ) -> AsyncPredictResponse:
        """Queue a prediction; `wait` for it. Without features they come from the current data release."""
        return await self._parsed(calls.submit_call(match_id, features, stage, idempotency_key))

    async def task(self, task_id: str) -> TaskStatus:
        """The state of a queued prediction."""
        return await self._parsed(calls.task_call(task_id))

    async def wait(self, task: AsyncPredictResponse | str, *, timeout: float = 60.0) -> Prediction:  # noqa: ASYNC109 - as in the synchronous client
        """The result of a queued prediction, polled as often as the service asks for.

        Raises:
            TaskFailed: it ended as failed.
            TaskTimeout: it has not ended after `timeout` seconds.
        """
        task_id = task if isinstance(task, str) else task.task_id
        deadline = time.monotonic() + timeout
        while True:
            task_status, headers = await self._answer(calls.task_call(task_id))
            if (prediction := outcome_of(task_status)) is not None:
                return prediction
            pause = seconds(headers) or 1.0
            if time.monotonic() + pause > deadline:
                raise TaskTimeout(f"task {task_id} is still pending after {timeout} seconds")
            await asyncio.sleep(pause)

    async def precomputed(self, match_id: int, *, stage: Stage = "champion") -> PredictionRow:
        """A match's row of the current data release; no model is called."""
        return await self._parsed(calls.precomputed_call(match_id, stage))

    async def model_info(self, *, stage: Stage = "champion") -> ModelInfoResponse:
        """What the registry says of the model: run, metrics, parameters, signature."""
        return await self._parsed(calls.model_info_call(stage))

    async def health(self, *, ready: bool = False) -> Health:
        """Liveness, or with `ready` whether predictions can be made now.

        Raises:
            ServiceUnavailable: it is not alive, or not ready.
        """
        return await self._parsed(calls.health_call(ready=ready))

    def predictions(self, **filters: Unpack[PredictionFilters]) -> AsyncIterator[PredictionRow]:
        """Precomputed predictions, page by page; the pages are of one data release."""
        return self._rows("predictions", filters)

    def matches(self, **filters: Unpack[MatchFilters]) -> AsyncIterator[MatchRow]:
        """Upcoming matches."""
        return self._rows("matches", filters)

    def odds(self, **filters: Unpack[OddsFilters]) -> AsyncIterator[OddsRow]:
        """1X2 odds of the matches that have a market."""
        return self._rows("odds", filters)

    def cards(self, **filters: Unpack[CardFilters]) -> AsyncIterator[CardRow]:
        """Predictions beside their odds."""
        return self._rows("cards", filters)

    def region_roi(self, **filters: Unpack[RegionRoiFilters]) -> AsyncIterator[RegionRoiRow]:
        """Return of value bets per region."""
        return self._rows("region_roi", filters)

    def regions(self) -> AsyncIterator[RegionRow]:
        """Regions with their leagues and seasons: the values that filters take."""
        return self._rows("regions", {})

    def clubs(self, **filters: Unpack[RegionFilter]) -> AsyncIterator[ClubRow]:
        """Clubs and the other spellings that `team` finds them by."""
        return self._rows("clubs", filters)

    def projections(self, **filters: Unpack[TableFilters]) -> AsyncIterator[ProjectionRow]:
        """Projected final tables; filters choose whole tables."""
        return self._rows("projections", filters)

    async def prices(self, match_id: int) -> PriceMovement:
        """A match's odds as they were seen one after the other before kickoff, and the closing price."""
        return await self._parsed(calls.prices_call(match_id))

    async def track_record(self) -> TrackRecord:
        """How forecasts have done beside base rates and the market, and what bets on them returned."""
        return await self._parsed(calls.track_record_call())

    async def calendar(self, **filters: Unpack[CalendarFilters]) -> str:
        """Upcoming matches as an iCalendar object."""
        return await self._parsed(calls.calendar_call(filters))

    async def drift(self) -> DriftResponse:
        """The latest drift report; takes an operator key, as the following methods do."""
        return await self._parsed(calls.drift_call())

    async def queues(self) -> QueuesResponse:
        """Counts of the queues."""
        return await self._parsed(calls.queues_call())

    async def workers(self) -> WorkersResponse:
        """State of the inference functions."""
        return await self._parsed(calls.workers_call())

    async def metrics(self) -> str:
        """Metrics in Prometheus' text format."""
        return await self._parsed(calls.metrics_call())

    async def _rows(self, name: str, filters: Mapping[str, Any]) -> AsyncIterator[Any]:
        call: Call[Any] | None = calls.list_call(*calls.LISTS[name], filters)
        while call is not None:
            rows, headers = await self._answer(call)
            for row in rows:
                yield row
            cursor = headers.get("x-next-cursor")
            call = None if cursor is None else call.at(cursor)

    async def _parsed(self, call: Call[T]) -> T:
        parsed: T = (await self._answer(call))[0]
        return parsed

    async def _answer(self, call: Call[Any]) -> tuple[Any, httpx.Headers]:
        response = await call.operation.asyncio_detailed(client=self._core, **call.arguments)
        return response.parsed, response.headers
