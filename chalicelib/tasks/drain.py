"""Predicting a batch of queued tasks, and writing each result once."""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal

from pydantic import ValidationError

from chalicelib.contracts.predictions import Prediction
from chalicelib.contracts.tasks import InferenceMessage
from chalicelib.domain import OutcomeProbabilities, Stage
from chalicelib.errors import FeaturesRejected, Rejected, TaskStoreUnavailable
from chalicelib.models.store import ModelStore, ServedModel
from chalicelib.tasks.deadline import Deadline
from chalicelib.tasks.messages import QueuedMessage, reason_of
from chalicelib.tasks.store import TaskStore
from chalicelib.timestamps import as_utc

SUSPECT_FROM_DELIVERY: Final = 3
"""From this delivery attempt on a message is processed alone: it may have crashed whole batches before."""

WRITERS: Final = 8
"""Concurrent conditional writes; they wait for the network, not for the processor."""


@dataclass(frozen=True, slots=True)
class MessageResult:
    """The outcome of one message of a batch.

    Args:
        receipt: The queue's id of the message.
        outcome: `retry` asks the queue to deliver it again; all others are final.
        task_id: The task, if the message could be read.
        reason: Error code where it is not a success.
        match_id: The match, if the message could be read.
        stage: The stage, if the message could be read.
        delivery: Delivery attempt, from 1.
        waited_seconds: From submission to outcome.
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
class TaskOutcome:
    """The outcome of a task, to be written: its result or its error."""

    queued: QueuedMessage
    message: InferenceMessage
    result: Prediction | None = None
    error: Rejected | None = None

    def write(self, tasks: TaskStore, now: datetime) -> MessageResult:
        """Write it once; failed writes are retried by another delivery."""
        task_id = self.message.task_id
        try:
            if self.error is not None:
                result_written = tasks.fail(task_id, self.error.code, self.error.message, now)
            else:
                result_written = tasks.succeed(task_id, self._result(), now)
        except Exception as error:  # noqa: BLE001 - any failure of the write
            return self.retry_later(reason_of(error))
        if not result_written:
            return replace(self.retry_later(None), outcome="already_ended")
        return replace(
            self.retry_later(self.error.code if self.error else None),
            outcome="failed" if self.error else "success",
            waited_seconds=(now - as_utc(self.message.submitted_at)).total_seconds(),
        )

    def _result(self) -> dict[str, Any]:
        assert self.result is not None  # noqa: S101 - one of the two is set
        return self.result.model_dump(mode="json", by_alias=True)

    def retry_later(self, reason: str | None) -> MessageResult:
        """The message's result if the outcome is not written."""
        return _retry_later(self.queued, self.message, reason)


def drain(
    batch: Sequence[QueuedMessage],
    *,
    models: ModelStore,
    tasks: TaskStore,
    clock: Callable[[], datetime],
    deadline: Deadline | None = None,
) -> list[MessageResult]:
    """Predict a batch of queued tasks, one native call per stage, and write each result once.

    A task whose features the model rejects ends as failed at once; an unreadable message is left to the
    dead-letter queue; while a dependency is unreachable its tasks are left to redelivery. Healthy messages go before
    suspects: messages delivered often are processed last and one at a time, so that one that crashes the process does
    not delay others for long.

    Args:
        batch: The messages, in any order; duplicates change nothing.
        models: Current models.
        tasks: The tasks.
        clock: The time at which an outcome is written.
        deadline: When to stop; the rest is retried later. Default: never.

    Returns:
        One entry per message, in any order; never raises.
    """
    deadline = deadline or Deadline()
    suspects = [queued for queued in batch if queued.delivery >= SUSPECT_FROM_DELIVERY]
    # in a new order each time: a message behind the one that crashes the process is soon in front of it
    suspects.sort(key=lambda queued: hashlib.sha256(f"{queued.receipt} {queued.delivery}".encode()).digest())
    healthy = [queued for queued in batch if queued.delivery < SUSPECT_FROM_DELIVERY]
    results: list[MessageResult] = []
    for group in ([healthy] if healthy else []) + [[suspect] for suspect in suspects]:
        if deadline.passed():
            results.extend(MessageResult(queued.receipt, "retry", reason="deadline_exceeded") for queued in group)
        else:
            results.extend(_drain_group(group, models, tasks, clock, deadline))
    return results


def record_faults(results: Iterable[MessageResult], tasks: TaskStore, deadline: Deadline) -> None:
    """Record why late delivery attempts failed, for its dead letter; best effort."""
    for result in results:
        is_late = result.outcome == "retry" and result.delivery >= SUSPECT_FROM_DELIVERY
        if is_late and result.task_id is not None and result.reason is not None and not deadline.passed():
            with contextlib.suppress(TaskStoreUnavailable):
                tasks.note_fault(result.task_id, result.reason)


def _drain_group(
    group: Sequence[QueuedMessage],
    models: ModelStore,
    tasks: TaskStore,
    clock: Callable[[], datetime],
    deadline: Deadline,
) -> list[MessageResult]:
    results: list[MessageResult] = []
    first_of_task: dict[str, tuple[QueuedMessage, InferenceMessage]] = {}
    duplicates: list[tuple[QueuedMessage, InferenceMessage]] = []
    for queued in group:
        try:
            message = InferenceMessage.model_validate_json(queued.body)
        except ValidationError:
            unreadable = MessageResult(queued.receipt, "retry", reason="unreadable_message", delivery=queued.delivery)
            results.append(unreadable)
            continue
        if message.task_id in first_of_task:
            duplicates.append((queued, message))
        else:
            first_of_task[message.task_id] = queued, message
    outcomes: list[TaskOutcome] = []
    for stage in Stage:
        messages = [pair for pair in first_of_task.values() if pair[1].stage is stage]
        if not messages:
            continue
        try:
            model = models.current(stage)
        except Exception as error:  # noqa: BLE001 - whatever the cause, the messages must be retried
            results.extend(_retry_later(queued, message, reason_of(error)) for queued, message in messages)
        else:
            results.extend(_predict_into(outcomes, model, messages))
    results.extend(_write(outcomes, tasks, clock, deadline))
    result_of_task = {result.task_id: result for result in results}
    for queued, message in duplicates:
        first = result_of_task[message.task_id]
        outcome: Literal["retry", "already_ended"] = "retry" if first.outcome == "retry" else "already_ended"
        results.append(replace(_retry_later(queued, message, first.reason), outcome=outcome))
    return results


def _write(
    outcomes: Sequence[TaskOutcome], tasks: TaskStore, clock: Callable[[], datetime], deadline: Deadline
) -> list[MessageResult]:
    """Do all conditional writes; those not done in time are left to redelivery."""
    futures = [_writers().submit(lambda outcome: outcome.write(tasks, clock()), outcome) for outcome in outcomes]
    wait(futures, timeout=deadline.remaining())
    return [
        outcome.retry_later("deadline_exceeded") if future.cancel() or not future.done() else future.result()
        for outcome, future in zip(outcomes, futures, strict=True)
    ]


@cache
def _writers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WRITERS)


def _predict_into(
    outcomes: list[TaskOutcome], model: ServedModel, messages: Sequence[tuple[QueuedMessage, InferenceMessage]]
) -> list[MessageResult]:
    """Add the outcomes of the tasks that could be decided; return those that must be retried later."""
    undecided: list[MessageResult] = []
    valid: list[tuple[QueuedMessage, InferenceMessage]] = []
    rows: list[list[float]] = []
    for queued, message in messages:
        try:
            rows.append(model.row(message.features))
            valid.append((queued, message))
        except FeaturesRejected as error:
            outcomes.append(TaskOutcome(queued, message, error=error))
        except Exception as error:  # noqa: BLE001 - one bad message must not fail the others
            undecided.append(_retry_later(queued, message, reason_of(error)))
    for (queued, message), predicted in zip(valid, _predict_many(model, rows), strict=True):
        if isinstance(predicted, Exception):
            undecided.append(_retry_later(queued, message, reason_of(predicted)))
        else:
            result = Prediction.of(predicted, model.info.stage, model.info.model_run_id, message.features_computed_at)
            outcomes.append(TaskOutcome(queued, message, result=result))
    return undecided


def _predict_many(model: ServedModel, rows: list[list[float]]) -> Sequence[OutcomeProbabilities | Exception]:
    try:
        return model.predict_many(rows)
    except Exception as error:  # noqa: BLE001 - one bad row must not fail the others
        return [error] if len(rows) == 1 else [_predict_many(model, [row])[0] for row in rows]


def _retry_later(queued: QueuedMessage, message: InferenceMessage, reason: str | None) -> MessageResult:
    return MessageResult(
        queued.receipt, "retry", message.task_id, reason, message.match_id, message.stage, queued.delivery
    )
