"""The prediction use cases: synchronous, from the release's features, and asynchronous. They take what they need."""

import bisect
import contextlib
import hashlib
import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import ValidationError

from chalicelib.contracts import (
    AsyncPredictRequest,
    Contribution,
    InferenceMessage,
    Prediction,
    PredictRequest,
    PredictResponse,
)
from chalicelib.domain import OutcomeProbabilities, Stage
from chalicelib.errors import (
    BacklogFull,
    BodyTooLarge,
    FeaturesRejected,
    MatchNotFound,
    QueueUnavailable,
    Rejected,
    ServiceError,
    TaskNotFound,
    TaskStoreUnavailable,
)
from chalicelib.models.store import ModelStore, ServedModel
from chalicelib.releases.store import MATCH_FEATURES, ReleaseStore
from chalicelib.tasks.queue import TaskQueue
from chalicelib.tasks.store import IdempotencyKey, TaskState, TaskStore

if TYPE_CHECKING:
    import pyarrow as pa

MAX_MESSAGE_BYTES: Final = 256 * 1024
"""Largest message that every SQS queue takes; a task's item in DynamoDB may be 400 KB."""

RESEND_ON_RETRY_SECONDS: Final = 30.0
"""How long after a submission the same submission again sends the message again, in case it never left."""

SUSPECT_FROM_DELIVERY: Final = 3
"""From this delivery on a message is worked on by itself: it may be what ended the whole batches before."""


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

    The task is recorded before its message is sent; a crash in between leaves a pending task that the sweep, or the
    same submission again with its key, sends (docs/adr/0006).

    Raises:
        MatchNotFound, ReleaseUnavailable: no features sent, and none in the release.
        IdempotencyConflict: the key was used for another body.
        BodyTooLarge: the message would be larger than a queue takes.
        BacklogFull: more messages wait than the configured backlog.
        TaskStoreUnavailable, QueueUnavailable: not accepted.
    """
    key = IdempotencyKey(idempotency_key, fingerprint(request, stage)) if idempotency_key else None
    task_id = str(new_id())
    try:
        if queue.backlog() >= max_backlog:
            raise BacklogFull(f"more than {max_backlog} predictions are waiting")
        message = _message(task_id, request, stage, releases, now)
    except ServiceError:
        # What was accepted once stays accepted, also when the same could not be accepted now.
        if key is None or (known := tasks.find(key, now)) is None:
            raise
        return known
    accepted = tasks.submit(task_id, message, now, key)
    if accepted != task_id:
        _send_if_unsent(accepted, tasks, queue, now)
        return accepted
    try:
        queue.send(message)
    except QueueUnavailable as error:
        # The caller is told that it was not accepted. With a key it comes back to this very task, which is due at
        # once; without one nobody ever will, so it must not be worked on. If neither can be written down, the sweep
        # finds a pending task: worked on once too often, never once too few.
        with contextlib.suppress(TaskStoreUnavailable):
            if key is None:
                tasks.fail(task_id, error.code, error.message, now)
            else:
                tasks.not_sent(task_id, now)
        raise
    return accepted


def _message(task_id: str, request: AsyncPredictRequest, stage: Stage, releases: ReleaseStore, now: datetime) -> str:
    features, computed_at = request.features, None
    if features is None:
        found = match_features(request.match_id, releases)
        features, computed_at = dict(found.values), found.computed_at
    # Not validated again: the request was, and the release's values are checked against the model's signature.
    message = InferenceMessage.model_construct(
        task_id=task_id,
        match_id=request.match_id,
        stage=stage,
        features=features,
        features_computed_at=computed_at,
        submitted_at=now,
    ).model_dump_json()
    # The two characters that JSON may hold as they are and SQS refuses; they can only stand in strings.
    message = message.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    if len(message.encode()) > MAX_MESSAGE_BYTES:
        raise BodyTooLarge(f"the features are larger than {MAX_MESSAGE_BYTES} bytes")
    return message


def _send_if_unsent(task_id: str, tasks: TaskStore, queue: TaskQueue, now: datetime) -> None:
    """Send an accepted task's message again if it may never have been sent; a duplicate is harmless, a storm is not."""
    with contextlib.suppress(TaskNotFound):
        task = tasks.get(task_id, now)
        old = task.sends == 0 and now.timestamp() - task.submitted_at >= RESEND_ON_RETRY_SECONDS
        if task.state is not TaskState.PENDING or not (old or task.next_send_at <= now.timestamp()):
            return
        if (message := tasks.claim_send(task, now)) is None:
            return
        try:
            queue.send(message)
        except QueueUnavailable:
            with contextlib.suppress(TaskStoreUnavailable):
                tasks.not_sent(task_id, now)
            raise


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message as the queue delivered it.

    Args:
        receipt: The queue's id of the message.
        body: What was sent.
        delivery: The how manieth delivery this is, from 1.
    """

    receipt: str
    body: str
    delivery: int = 1


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of one message of a batch.

    Args:
        receipt: The queue's id of the message.
        outcome: `retry` asks the queue to deliver it again; all others are final.
        task_id: The task, if the message could be read.
        reason: Error code where it is not a success.
        match_id: The match, if the message could be read.
        stage: The stage, if the message could be read.
        delivery: The how manieth delivery this was.
        waited_seconds: From submission to the end.
    """

    receipt: str
    outcome: Literal["success", "failed", "already_ended", "retry"]
    task_id: str | None = None
    reason: str | None = None
    match_id: int | None = None
    stage: Stage | None = None
    delivery: int = 1
    waited_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """A task's end, to be written: with a result or with an error."""

    queued: QueuedMessage
    message: InferenceMessage
    result: Prediction | None = None
    error: Rejected | None = None

    def write(self, tasks: TaskStore, now: datetime) -> Drained:
        """Write it, once; whatever fails means: deliver again."""
        task_id = self.message.task_id
        try:
            if self.error is not None:
                written = tasks.fail(task_id, self.error.code, self.error.message, now)
            else:
                written = tasks.succeed(task_id, self._result(), now)
        except Exception as fault:  # noqa: BLE001 - any fault of the write
            return self.left(reason_of(fault))
        if not written:
            return replace(self.left(None), outcome="already_ended")
        submitted = self.message.submitted_at
        waited = now - (submitted if submitted.tzinfo else submitted.replace(tzinfo=UTC))
        return replace(
            self.left(self.error.code if self.error else None),
            outcome="failed" if self.error else "success",
            waited_seconds=waited.total_seconds(),
        )

    def _result(self) -> dict[str, Any]:
        assert self.result is not None  # noqa: S101 - one of the two is given
        return self.result.model_dump(mode="json", by_alias=True)

    def left(self, reason: str | None) -> Drained:
        """What becomes of it if it is not written."""
        return _left(self.queued, self.message, reason)


def drain(
    batch: Sequence[QueuedMessage],
    *,
    models: ModelStore,
    write: Callable[[Sequence[Ending]], list[Drained]],
    in_time: Callable[[], bool] = lambda: True,
) -> list[Drained]:
    """Predict a batch of queued tasks, one native call per stage, and write each result once.

    A task whose features the model rejects ends as failed at once; a message that is not ours is left to the
    dead-letter queue; a dependency that is out of reach leaves its tasks to redelivery. Messages that came back often
    are worked on last and one at a time, so that one that ends the process takes no other along for long.

    Args:
        batch: The messages, in any order; duplicates change nothing.
        models: Current models.
        write: Writes the ends, possibly at the same time.
        in_time: Whether there is time for more work.

    Returns:
        One entry per message, in any order; never raises.
    """
    suspects = [queued for queued in batch if queued.delivery >= SUSPECT_FROM_DELIVERY]
    # In another order each time: whatever stands behind the one that ends the process is in front of it soon.
    suspects.sort(key=lambda queued: hashlib.sha256(f"{queued.receipt} {queued.delivery}".encode()).digest())
    fresh = [queued for queued in batch if queued.delivery < SUSPECT_FROM_DELIVERY]
    drained: list[Drained] = []
    for group in ([fresh] if fresh else []) + [[suspect] for suspect in suspects]:
        if in_time():
            drained.extend(_drained(group, models, write))
        else:
            drained.extend(Drained(queued.receipt, "retry", reason="deadline_exceeded") for queued in group)
    return drained


def _drained(
    group: Sequence[QueuedMessage], models: ModelStore, write: Callable[[Sequence[Ending]], list[Drained]]
) -> list[Drained]:
    drained: list[Drained] = []
    firsts: dict[str, tuple[QueuedMessage, InferenceMessage]] = {}
    again: list[tuple[QueuedMessage, InferenceMessage]] = []
    for queued in group:
        try:
            message = InferenceMessage.model_validate_json(queued.body)
        except ValidationError:
            drained.append(Drained(queued.receipt, "retry", reason="unreadable_message", delivery=queued.delivery))
            continue
        if message.task_id in firsts:
            again.append((queued, message))
        else:
            firsts[message.task_id] = queued, message
    endings: list[Ending] = []
    for stage in Stage:
        messages = [pair for pair in firsts.values() if pair[1].stage is stage]
        if not messages:
            continue
        try:
            model = models.current(stage)
        except Exception as error:  # noqa: BLE001 - whatever keeps the model away, the messages must come back
            drained.extend(_left(queued, message, reason_of(error)) for queued, message in messages)
        else:
            drained.extend(_predict_into(endings, model, messages))
    drained.extend(write(endings))
    outcomes = {one.task_id: one for one in drained}
    for queued, message in again:
        first = outcomes[message.task_id]
        outcome: Literal["retry", "already_ended"] = "retry" if first.outcome == "retry" else "already_ended"
        drained.append(replace(_left(queued, message, first.reason), outcome=outcome))
    return drained


def _predict_into(
    endings: list[Ending], model: ServedModel, messages: Sequence[tuple[QueuedMessage, InferenceMessage]]
) -> list[Drained]:
    """Add the ends of the tasks that could be decided; return those that could not."""
    left: list[Drained] = []
    good: list[tuple[QueuedMessage, InferenceMessage]] = []
    rows: list[list[float]] = []
    for queued, message in messages:
        try:
            rows.append(model.row(message.features))
            good.append((queued, message))
        except FeaturesRejected as error:
            endings.append(Ending(queued, message, error=error))
        except Exception as error:  # noqa: BLE001 - one bad message must not keep the others from their results
            left.append(_left(queued, message, reason_of(error)))
    for (queued, message), predicted in zip(good, _predict_many(model, rows), strict=True):
        if isinstance(predicted, Exception):
            left.append(_left(queued, message, reason_of(predicted)))
        else:
            result = Prediction.of(predicted, model.info.stage, model.info.model_run_id, message.features_computed_at)
            endings.append(Ending(queued, message, result=result))
    return left


def _predict_many(model: ServedModel, rows: list[list[float]]) -> Sequence[OutcomeProbabilities | Exception]:
    try:
        return model.predict_many(rows)
    except Exception as error:  # noqa: BLE001 - one bad row must not keep the others from their results
        return [error] if len(rows) == 1 else [_predict_many(model, [row])[0] for row in rows]


def _left(queued: QueuedMessage, message: InferenceMessage, reason: str | None) -> Drained:
    return Drained(queued.receipt, "retry", message.task_id, reason, message.match_id, message.stage, queued.delivery)


def reason_of(error: Exception) -> str:
    """A failure's code, as logs and metrics name it."""
    return error.code if isinstance(error, ServiceError) else type(error).__name__
