"""The prediction use cases: synchronous, from the release's features, and asynchronous. They take what they need."""

import bisect
import hashlib
import json
import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from chalicelib.contracts import (
    AsyncPredictRequest,
    Contribution,
    InferenceMessage,
    Prediction,
    PredictRequest,
    PredictResponse,
)
from chalicelib.data_release import MATCH_FEATURES, ReleaseStore
from chalicelib.domain import Stage
from chalicelib.errors import BacklogFull, FeaturesRejected, MatchNotFound, QueueUnavailable, Rejected
from chalicelib.model_store import ModelStore, ServedModel
from chalicelib.task_queue import TaskQueue
from chalicelib.task_store import IdempotencyKey, TaskStore

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class MatchFeatures:
    """A match's features and the time of the release they come from."""

    values: Mapping[str, float | None]
    computed_at: str


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
    contributions = _contributions(model, row) if explain else None
    return PredictResponse.model_construct(match_id=match_id, prediction=prediction, contributions=contributions)


def _contributions(model: ServedModel, row: list[float]) -> list[Contribution]:
    names = [feature.name for feature in model.info.features]
    home, draw, away = model.contributions(row)
    rows = [
        Contribution(
            feature=name, value=None if math.isnan(row[i]) else row[i], home=home[i], draw=draw[i], away=away[i]
        )
        for i, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: -max(abs(row.home), abs(row.draw), abs(row.away)))


def match_features(match_id: int, releases: ReleaseStore) -> MatchFeatures:
    """A match's row of the current release's features.

    Raises:
        ReleaseUnavailable: no data release yet.
        DatasetUnavailable: it carries no features.
        MatchNotFound: the match is not in it.
    """
    entry = releases.entry(releases.pointer(), MATCH_FEATURES)
    table: pa.Table = releases.view("features", (entry,), lambda: releases.table(entry))
    ids = table.column("match_id")
    # The file is sorted by match_id: no index to build or keep for a million rows.
    position = bisect.bisect_left(range(table.num_rows), match_id, key=lambda i: ids[i].as_py())
    if position == table.num_rows or ids[position].as_py() != match_id:
        raise MatchNotFound(match_id)
    (row,) = table.slice(position, 1).to_pylist()
    del row["match_id"]
    return MatchFeatures(row, entry.computed_at)


def fingerprint(request: AsyncPredictRequest, stage: Stage) -> str:
    """Hash of what a request asks for; equal for equal bodies however they are written."""
    canonical = json.dumps([request.model_dump(mode="json"), stage], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def submit(
    request: AsyncPredictRequest,
    stage: Stage,
    idempotency_key: str | None,
    *,
    tasks: TaskStore,
    queue: TaskQueue,
    releases: ReleaseStore,
    max_backlog: int,
    now: datetime,
    new_id: Callable[[], uuid.UUID] = uuid.uuid4,
) -> str:
    """Accept a prediction to be made later, and return its task id.

    The task is recorded before its message is sent; a crash in between leaves a pending task that the sweep sends
    again (docs/adr/0006).

    Raises:
        MatchNotFound, ReleaseUnavailable: no features sent, and none in the release.
        IdempotencyConflict: the key was used for another body.
        BacklogFull: more messages wait than the configured backlog.
        TaskStoreUnavailable, QueueUnavailable: not accepted.
    """
    computed_at = None
    features: Mapping[str, float | None]
    if request.features is None:
        found = match_features(request.match_id, releases)
        features, computed_at = found.values, found.computed_at
    else:
        features = request.features
    if queue.counts().waiting >= max_backlog:
        raise BacklogFull(f"more than {max_backlog} predictions are waiting")
    task_id = str(new_id())
    message = InferenceMessage(
        task_id=task_id,
        match_id=request.match_id,
        stage=stage,
        features=dict(features),
        features_computed_at=computed_at,
        submitted_at=now,
    ).model_dump_json()
    key = IdempotencyKey(idempotency_key, fingerprint(request, stage)) if idempotency_key else None
    accepted = tasks.submit(task_id, message, now, key)
    if accepted == task_id:
        try:
            queue.send(message)
        except QueueUnavailable as error:
            # The caller is told that it was not accepted. With a key it comes back to this very task, which the
            # sweep sends in the meantime; without one nobody ever will, so it must not be worked on.
            if key is None:
                tasks.fail(task_id, error.code, error.message, now)
            raise
    return accepted


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message as the queue delivered it."""

    receipt: str
    body: str


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of one message of a batch.

    Args:
        receipt: The queue's id of the message.
        task_id: The task, if the message could be read.
        outcome: `success`, `failed`, `already_ended` or `retry`.
        reason: Error code where it is not a success.
        match_id: The match, if the message could be read.
        waited_seconds: From submission to the end.
    """

    receipt: str
    outcome: str
    task_id: str | None = None
    reason: str | None = None
    match_id: int | None = None
    stage: Stage | None = None
    waited_seconds: float | None = None


def drain(
    batch: Iterable[QueuedMessage],
    *,
    models: ModelStore,
    end: Callable[[list[Callable[[], Drained]]], list[Drained]],
    tasks: TaskStore,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Drained]:
    """Predict a batch of queued tasks, one native call per stage, and write each result once.

    A task whose features the model rejects ends as failed at once; a message that is not ours is left to the
    dead-letter queue; a dependency that is out of reach leaves its tasks to redelivery.

    Args:
        batch: The messages, in any order; duplicates change nothing.
        models: Current models.
        end: Runs the conditional writes, possibly at the same time.
        tasks: Where the tasks are.
        clock: Now.
    """
    drained: list[Drained] = []
    by_stage: dict[Stage, list[tuple[QueuedMessage, InferenceMessage]]] = {}
    for queued in batch:
        try:
            message = InferenceMessage.model_validate_json(queued.body)
        except ValidationError:
            drained.append(Drained(queued.receipt, "retry", reason="unreadable_message"))
            continue
        by_stage.setdefault(message.stage, []).append((queued, message))
    writes: list[Callable[[], Drained]] = []
    for stage, messages in by_stage.items():
        try:
            model = models.current(stage)
        except Exception as error:  # noqa: BLE001 - whatever keeps the model away, the messages must come back
            reason = getattr(error, "code", type(error).__name__)
            drained.extend(_left(queued, message, reason) for queued, message in messages)
            continue
        writes.extend(_predicted(model, messages, tasks, clock))
    return drained + end(writes)


def _predicted(
    model: ServedModel,
    messages: list[tuple[QueuedMessage, InferenceMessage]],
    tasks: TaskStore,
    clock: Callable[[], datetime],
) -> Iterable[Callable[[], Drained]]:
    good: list[tuple[QueuedMessage, InferenceMessage]] = []
    rows: list[list[float]] = []
    for queued, message in messages:
        try:
            rows.append(model.row(message.features))
            good.append((queued, message))
        except FeaturesRejected as error:
            yield _ending(queued, message, tasks, clock, error=error)
    for (queued, message), probabilities in zip(good, model.predict_many(rows), strict=True):
        prediction = Prediction.of(
            probabilities, model.info.stage, model.info.model_run_id, message.features_computed_at
        )
        yield _ending(queued, message, tasks, clock, result=prediction)


def _left(queued: QueuedMessage, message: InferenceMessage, reason: str) -> Drained:
    return Drained(queued.receipt, "retry", message.task_id, reason, message.match_id, message.stage)


def _ending(
    queued: QueuedMessage,
    message: InferenceMessage,
    tasks: TaskStore,
    clock: Callable[[], datetime],
    *,
    result: Prediction | None = None,
    error: Rejected | None = None,
) -> Callable[[], Drained]:
    def write() -> Drained:
        now = clock()
        try:
            if result is not None:
                written = tasks.succeed(message.task_id, result.model_dump(mode="json", by_alias=True), now)
            else:
                assert error is not None  # noqa: S101 - one of the two is given
                written = tasks.fail(message.task_id, error.code, error.message, now)
        except Exception as fault:  # noqa: BLE001 - any fault of the write means: deliver again
            return _left(queued, message, getattr(fault, "code", type(fault).__name__))
        outcome = ("success" if result is not None else "failed") if written else "already_ended"
        return Drained(
            queued.receipt,
            outcome,
            message.task_id,
            error.code if error else None,
            message.match_id,
            message.stage,
            (now - message.submitted_at).total_seconds(),
        )

    return write
