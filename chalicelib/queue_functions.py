"""The functions behind the queues: drain tasks, end what failed too often, send again what got lost."""

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from chalicelib import gauges, wiring
from chalicelib.errors import ServiceError
from chalicelib.observability import (
    DATA_RELEASE_AGE,
    DEAD_LETTERS,
    FEATURE_DRIFT_SCORE,
    OF_SERVICE,
    OLDEST_TASK_AGE,
    PREDICTION_ERRORS,
    TASK_LATENCY,
    Measurement,
    bucket,
    cold_start_of,
    logger,
)
from chalicelib.predictions import Drained, QueuedMessage, drain
from chalicelib.queue_monitor import PING
from chalicelib.task_queue import TaskQueue
from chalicelib.task_store import TaskStore

WRITERS: Final = 8
"""Conditional writes at the same time; they wait for the network, not for the processor."""

SWEEP_AFTER: Final = timedelta(minutes=10)
"""How long a task may be pending before the sweep looks at it; longer than redelivery usually takes."""


def drain_event(event: dict[str, Any]) -> dict[str, Any]:
    """Predict a batch of queued tasks; report the messages that must be delivered again.

    Args:
        event: SQS event, or a ping.

    Returns:
        Partial batch response, or the ping's answer.
    """
    _count_cold_start("inference")
    if event == PING:
        return {"pong": True}
    batch = [QueuedMessage(record["messageId"], record["body"]) for record in event["Records"]]
    drained = drain(batch, models=wiring.models(), tasks=wiring.tasks(), end=_in_parallel)
    for one in drained:
        _log(one)
    _measure(drained)
    return {
        "batchItemFailures": [{"itemIdentifier": one.receipt} for one in drained if one.outcome == "retry"],
    }


def _in_parallel(writes: list[Callable[[], Drained]]) -> list[Drained]:
    return list(_writers().map(lambda write: write(), writes))


@cache
def _writers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WRITERS)


def _log(one: Drained) -> None:
    level = logger.warning if one.outcome == "retry" else logger.info
    level(
        "task",
        extra={
            "task_id": one.task_id,
            "match_id": one.match_id,
            "stage": one.stage,
            "outcome": one.outcome,
            "reason": one.reason,
            "message_id": one.receipt,
        },
    )


def _measure(drained: list[Drained]) -> None:
    """Count the tasks that ended here; those that had ended already or come back are not counted (again)."""
    recorder = wiring.recorder()
    waited: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in drained:
        if one.outcome == "failed":
            recorder.count(PREDICTION_ERRORS, {"source": "async", "reason": one.reason or "unknown"})
        if one.outcome in ("success", "failed") and one.waited_seconds is not None:
            # Clocks of two sandboxes may differ by a little.
            seconds = max(0.0, one.waited_seconds)
            waited[str(one.stage), bucket(seconds)].append(seconds)
    source = {"source": "async"}
    for (stage, le), seconds_waited in waited.items():
        recorder.seconds(TASK_LATENCY, seconds_waited, source, {**source, "stage": stage}, {**source, "le": le})


def _count_cold_start(function: str) -> None:
    if started := cold_start_of(function):
        wiring.recorder().record(*started)


class _TaskOfMessage(BaseModel):
    model_config = ConfigDict(extra="ignore")

    task_id: str


def end_dead_letters(event: dict[str, Any]) -> None:
    """End the tasks of messages that failed too often as `failed`.

    Raises:
        TaskStoreUnavailable: delivered again later.
    """
    _count_cold_start("dead_letters")
    tasks, now = wiring.tasks(), datetime.now(UTC)
    for record in event["Records"]:
        wiring.recorder().count(DEAD_LETTERS, OF_SERVICE)
        try:
            task_id = _TaskOfMessage.model_validate_json(record["body"]).task_id
        except ValidationError:
            # Nobody can be told: the message names no task.
            logger.error("dead letter without a task", extra={"message_id": record["messageId"]})
            continue
        attempts = record.get("attributes", {}).get("ApproximateReceiveCount", "?")
        ended = tasks.fail(task_id, "dead_letter", "the prediction failed too often", now)
        logger.error(
            "dead letter", extra={"task_id": task_id, "message_id": record["messageId"], "ended": ended,
                                  "receive_count": attempts}
        )  # fmt: skip
        if ended:
            wiring.recorder().count(PREDICTION_ERRORS, {"source": "async", "reason": "dead_letter"})


def sweep() -> dict[str, Any]:
    """Send tasks again whose message never arrived, and measure what only time makes worse; answers how many."""
    _count_cold_start("sweep")
    now = datetime.now(UTC)
    # Measured first: a failing sweep must not silence the alarms on what it watches.
    _measure_ages(now)
    return {"sent": send_again(wiring.tasks(), wiring.inference_queue(), now)}


def _measure_ages(now: datetime) -> None:
    """Age of the oldest task and of each data set, and the drift score; what cannot be read is left out and logged."""
    recorder = wiring.recorder()

    def oldest_task() -> None:
        oldest = wiring.tasks().oldest_pending(now)
        age = 0.0 if oldest is None else max(0.0, now.timestamp() - oldest.submitted_at)
        recorder.seconds(OLDEST_TASK_AGE, age, OF_SERVICE)

    def release() -> None:
        for dataset, age in gauges.release_ages(wiring.objects(), now).items():
            recorder.seconds(DATA_RELEASE_AGE, age, {"dataset": dataset})

    def drift() -> None:
        if (score := gauges.drift_score(wiring.objects())) is not None:
            recorder.record(Measurement(FEATURE_DRIFT_SCORE, "None", score, (OF_SERVICE,)))

    for measure in (oldest_task, release, drift):
        try:
            measure()
        except (ServiceError, ValueError) as error:
            reason = getattr(error, "code", type(error).__name__)
            logger.warning("not measured", extra={"measure": measure.__name__, "reason": reason})


def send_again(tasks: TaskStore, queue: TaskQueue, now: datetime) -> int:
    """Send the messages of tasks that have been pending too long while the queue has none waiting.

    Such a task was recorded but its message never arrived, a crash in between for instance. A duplicate is harmless:
    results are written once.

    Returns:
        How many were sent.
    """
    if queue.counts().waiting > 0:
        # A backlog explains why tasks are pending; sending them again would only make it longer.
        return 0
    sent = 0
    for task in tasks.pending_since(now - SWEEP_AFTER):
        if task.message is not None:
            queue.send(task.message)
            sent += 1
            logger.warning("task sent again", extra={"task_id": task.task_id})
    return sent
