"""The functions behind the queues: drain tasks, end what failed too often, send again what got lost."""

import contextlib
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from chalicelib import wiring
from chalicelib.errors import ServiceError, TaskStoreUnavailable
from chalicelib.models.predict import SUSPECT_FROM_DELIVERY, Drained, Ending, QueuedMessage, drain
from chalicelib.tasks import upkeep as task_upkeep
from chalicelib.tasks.monitor import PING
from chalicelib.tasks.store import TaskStore
from chalicelib.telemetry import gauges
from chalicelib.telemetry.observability import (
    DATA_RELEASE_AGE,
    DEAD_LETTERS,
    OF_SERVICE,
    OLDEST_TASK_AGE,
    PREDICTION_ERRORS,
    TASK_LATENCY,
    TASK_RETRIES,
    TASKS_SENT_AGAIN,
    bucket,
    cold_start_of,
    logger,
)

WRITERS: Final = 8
"""Conditional writes at the same time; they wait for the network, not for the processor."""

ANSWER_MARGIN_SECONDS: Final = 2.0
"""How long before its time limit a function stops working, so that it can say what must be delivered again."""


class _Time:
    """How much is left of an invocation; without a context, all of it."""

    def __init__(self, context: Any) -> None:
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        left = remaining() / 1_000 - ANSWER_MARGIN_SECONDS if remaining else math.inf
        self._end = time.monotonic() + left

    def left(self) -> float | None:
        """Seconds left for work; None for any number of them."""
        return None if math.isinf(self._end) else max(0.0, self._end - time.monotonic())

    def remains(self) -> bool:
        """Whether there is time for more work."""
        return self.left() != 0.0


def drain_event(event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Predict a batch of queued tasks; report the messages that must be delivered again.

    Args:
        event: SQS event, or a ping.
        context: Lambda context.

    Returns:
        Partial batch response, or the ping's answer.
    """
    _count_cold_start("inference")
    if event == PING:
        return {"pong": True}
    time_left = _Time(context)
    tasks = wiring.tasks()
    drained = drain(
        _queued(event),
        models=wiring.models(),
        write=lambda endings: _write(endings, tasks, time_left),
        in_time=time_left.remains,
    )
    _measure(drained)
    for one in drained:
        _log(one)
    _note_faults(drained, tasks, time_left)
    return _partial(one.receipt for one in drained if one.outcome == "retry")


def _queued(event: dict[str, Any]) -> list[QueuedMessage]:
    return [
        QueuedMessage(
            record["messageId"],
            record["body"],
            int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        )
        for record in event["Records"]
    ]


def _partial(receipts: Iterable[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": receipt} for receipt in receipts]}


def _write(endings: Sequence[Ending], tasks: TaskStore, time_left: _Time) -> list[Drained]:
    """All conditional writes; what is not done in time is left to redelivery, which then may find it done."""
    futures = [_writers().submit(lambda ending: ending.write(tasks, datetime.now(UTC)), ending) for ending in endings]
    wait(futures, timeout=time_left.left())
    return [
        ending.left("deadline_exceeded") if future.cancel() or not future.done() else future.result()
        for ending, future in zip(endings, futures, strict=True)
    ]


@cache
def _writers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WRITERS)


def _note_faults(drained: Iterable[Drained], tasks: TaskStore, time_left: _Time) -> None:
    """Write down why the late deliveries failed, so that the dead letter can say it; as far as that works."""
    for one in drained:
        late = one.outcome == "retry" and one.delivery >= SUSPECT_FROM_DELIVERY
        if late and one.task_id is not None and one.reason is not None and time_left.remains():
            with contextlib.suppress(TaskStoreUnavailable):
                tasks.note_fault(one.task_id, one.reason)


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
            "delivery": one.delivery,
        },
    )


def _measure(drained: list[Drained]) -> None:
    """Count the tasks that ended here; those that had ended already or come back are not counted (again)."""
    recorder = wiring.recorder()
    waited: dict[tuple[str, str], list[float]] = defaultdict(list)
    for one in drained:
        if one.outcome == "retry":
            recorder.count(TASK_RETRIES, {"reason": one.reason or "unknown"})
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


def end_dead_letters(event: dict[str, Any]) -> dict[str, Any]:
    """End the tasks of messages that failed too often as `failed`; report those that could not be.

    Args:
        event: SQS event.

    Returns:
        Partial batch response.
    """
    _count_cold_start("dead_letters")
    letters = _queued(event)
    deliveries = {letter.receipt: letter.delivery for letter in letters}
    ended = task_upkeep.end_dead_letters(letters, wiring.tasks(), datetime.now(UTC))
    recorder = wiring.recorder()
    for one in ended:
        if one.outcome != "retry":
            recorder.count(DEAD_LETTERS, OF_SERVICE)
        if one.outcome == "failed":
            recorder.count(PREDICTION_ERRORS, {"source": "async", "reason": task_upkeep.DEAD_LETTER})
        logger.error(
            "dead letter",
            extra={
                "task_id": one.task_id,
                "message_id": one.receipt,
                "outcome": one.outcome,
                "reason": one.reason,
                "receive_count": deliveries[one.receipt],
            },
        )
    bodies = {letter.receipt: letter.body for letter in letters}
    for one in ended:
        if one.outcome == "no_task":
            # The log is all that stays of it: there is no task to keep it with.
            logger.error("message of somebody else", extra={"message_id": one.receipt, "body": bodies[one.receipt]})
    return _partial(one.receipt for one in ended if one.outcome == "retry")


def sweep(context: Any = None) -> dict[str, Any]:
    """Send again what got lost, end what is too old, and measure what only time makes worse; answers how many."""
    _count_cold_start("sweep")
    now = datetime.now(UTC)
    # Measured first: a failing sweep must not silence the alarms on what it watches.
    _measure_ages(now)
    settings = wiring.settings()
    swept = task_upkeep.sweep(
        wiring.tasks(),
        wiring.inference_queue(),
        now,
        max_age=timedelta(seconds=min(settings.max_queue_age_seconds, settings.task_retention_seconds)),
        max_backlog=settings.max_backlog,
        in_time=_Time(context).remains,
    )
    recorder = wiring.recorder()
    for task_id in swept.sent:
        recorder.count(TASKS_SENT_AGAIN, OF_SERVICE)
        logger.warning("task sent again", extra={"task_id": task_id})
    for task_id in swept.expired:
        recorder.count(PREDICTION_ERRORS, {"source": "async", "reason": task_upkeep.EXPIRED})
        logger.error("task expired", extra={"task_id": task_id})
    if not swept.complete:
        logger.warning("sweep incomplete", extra={"sent": len(swept.sent), "expired": len(swept.expired)})
    if swept.fault is not None:
        # Lambda tries again, and counts it as an error of this function.
        raise swept.fault
    return {"sent": len(swept.sent), "expired": len(swept.expired), "complete": swept.complete}


def _measure_ages(now: datetime) -> None:
    """Age of the oldest task and of each data set, and the drift score; what cannot be read is left out and logged."""
    recorder = wiring.recorder()

    def oldest_task() -> None:
        oldest = wiring.tasks().oldest_pending(now)
        age = 0.0 if oldest is None else oldest.age_seconds(now)
        recorder.seconds(OLDEST_TASK_AGE, age, OF_SERVICE)

    def release() -> None:
        for dataset, age in gauges.release_ages(wiring.objects(), now).items():
            recorder.seconds(DATA_RELEASE_AGE, age, {"dataset": dataset})

    def drift() -> None:
        found = gauges.drift(wiring.objects())
        if found is not None and (measured := found.measurement) is not None:
            recorder.record(measured)

    for measure in (oldest_task, release, drift):
        try:
            measure()
        except (ServiceError, ValueError) as error:
            reason = getattr(error, "code", type(error).__name__)
            logger.warning("not measured", extra={"measure": measure.__name__, "reason": reason})
