"""The functions behind the queues: drain tasks, end dead letters, resend lost messages."""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from chalicelib import wiring
from chalicelib.errors import ServiceError
from chalicelib.tasks import dead_letters
from chalicelib.tasks import sweep as sweeping
from chalicelib.tasks.deadline import Deadline
from chalicelib.tasks.drain import MessageResult, drain, record_faults
from chalicelib.tasks.messages import QueuedMessage
from chalicelib.tasks.monitor import PING
from chalicelib.telemetry import gauges, integrity
from chalicelib.telemetry.cold_start import cold_start_of
from chalicelib.telemetry.log import logger
from chalicelib.telemetry.names import (
    DAMAGED_OBJECTS,
    DATA_RELEASE_AGE,
    DEAD_LETTERS,
    OF_SERVICE,
    OLDEST_TASK_AGE,
    PREDICTION_ERRORS,
    TASK_LATENCY,
    TASK_RETRIES,
    TASKS_SENT_AGAIN,
    bucket,
)

ANSWER_MARGIN_SECONDS: Final = 2.0
"""How long before its time limit a function stops, to report what must be delivered again."""


def _deadline(context: Any) -> Deadline:
    """The end of an invocation's working time; none without a context."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return Deadline(remaining() / 1_000 - ANSWER_MARGIN_SECONDS if remaining else math.inf)


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
    deadline, tasks = _deadline(context), wiring.tasks()
    results = drain(_queued(event), models=wiring.models(), tasks=tasks, clock=wiring.real_now, deadline=deadline)
    _measure(results)
    for result in results:
        _log(result)
    record_faults(results, tasks, deadline)
    return _retry(result.receipt for result in results if result.outcome == "retry")


def _queued(event: dict[str, Any]) -> list[QueuedMessage]:
    return [
        QueuedMessage(
            record["messageId"],
            record["body"],
            int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        )
        for record in event["Records"]
    ]


def _retry(receipts: Iterable[str]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": receipt} for receipt in receipts]}


def _log(result: MessageResult) -> None:
    level = logger.warning if result.outcome == "retry" else logger.info
    level(
        "task",
        extra={
            "task_id": result.task_id,
            "match_id": result.match_id,
            "stage": result.stage,
            "outcome": result.outcome,
            "reason": result.reason,
            "message_id": result.receipt,
            "delivery": result.delivery,
        },
    )


def _measure(results: list[MessageResult]) -> None:
    """Count the tasks that ended here, not those that had ended before or will be retried."""
    recorder = wiring.recorder()
    waited: dict[tuple[str, str], list[float]] = defaultdict(list)
    for result in results:
        if result.outcome == "retry":
            recorder.count(TASK_RETRIES, {"reason": result.reason or "unknown"})
        if result.outcome == "failed":
            recorder.count(PREDICTION_ERRORS, {"source": "async", "reason": result.reason or "unknown"})
        if result.outcome in ("success", "failed") and result.waited_seconds is not None:
            # clocks of two sandboxes may differ slightly
            seconds = max(0.0, result.waited_seconds)
            waited[str(result.stage), bucket(seconds)].append(seconds)
    source = {"source": "async"}
    for (stage, le), seconds_waited in waited.items():
        recorder.seconds(TASK_LATENCY, seconds_waited, source, {**source, "stage": stage}, {**source, "le": le})


def _count_cold_start(function: str) -> None:
    if started := cold_start_of(function):
        wiring.recorder().record(*started)


def end_dead_letters(event: dict[str, Any]) -> dict[str, Any]:
    """End the tasks of messages that failed too often; report the messages that could not be processed.

    Args:
        event: SQS event.

    Returns:
        Partial batch response.
    """
    _count_cold_start("dead_letters")
    letters = _queued(event)
    deliveries = {letter.receipt: letter.delivery for letter in letters}
    ended = dead_letters.end_dead_letters(letters, wiring.tasks(), wiring.real_now())
    recorder = wiring.recorder()
    for ended_letter in ended:
        if ended_letter.outcome != "retry":
            recorder.count(DEAD_LETTERS, OF_SERVICE)
        if ended_letter.outcome == "failed":
            recorder.count(PREDICTION_ERRORS, {"source": "async", "reason": dead_letters.DEAD_LETTER})
        logger.error(
            "dead letter",
            extra={
                "task_id": ended_letter.task_id,
                "message_id": ended_letter.receipt,
                "outcome": ended_letter.outcome,
                "reason": ended_letter.reason,
                "receive_count": deliveries[ended_letter.receipt],
            },
        )
    bodies = {letter.receipt: letter.body for letter in letters}
    for ended_letter in ended:
        if ended_letter.outcome == "no_task":
            # without a task the log is all that remains of it
            logger.error(
                "unrecognised message", extra={"message_id": ended_letter.receipt, "body": bodies[ended_letter.receipt]}
            )
    return _retry(ended_letter.receipt for ended_letter in ended if ended_letter.outcome == "retry")


def sweep(context: Any = None) -> dict[str, Any]:
    """Resend lost messages, end old tasks, and measure ages; returns the counts."""
    _count_cold_start("sweep")
    now = wiring.real_now()
    _repair_objects()
    # measured first: a failing sweep must not silence its alarms
    _measure_ages(now)
    settings = wiring.settings()
    swept = sweeping.sweep(
        wiring.tasks(),
        wiring.inference_queue(),
        now,
        max_age=timedelta(seconds=min(settings.max_queue_age_seconds, settings.task_retention_seconds)),
        max_backlog=settings.max_backlog,
        most_sends=settings.sends_per_sweep,
        deadline=_deadline(context),
    )
    recorder = wiring.recorder()
    for task_id in swept.sent:
        recorder.count(TASKS_SENT_AGAIN, OF_SERVICE)
        logger.warning("task sent again", extra={"task_id": task_id})
    for task_id in swept.expired:
        recorder.count(PREDICTION_ERRORS, {"source": "async", "reason": sweeping.EXPIRED})
        logger.error("task expired", extra={"task_id": task_id})
    if not swept.complete:
        logger.warning("sweep incomplete", extra={"sent": len(swept.sent), "expired": len(swept.expired)})
    if swept.fault is not None:
        # Lambda retries, and counts an error of this function
        raise swept.fault
    return {"sent": len(swept.sent), "expired": len(swept.expired), "complete": swept.complete}


def _repair_objects() -> None:
    """Check the stored objects and repair what can be repaired; each damaged one is logged and counted."""
    try:
        damage = integrity.examine(wiring.objects(), wiring.versioned_bucket(), repair=True)
    except ServiceError as error:
        logger.warning("objects not checked", extra={"reason": error.code})
        return
    for damaged in damage:
        wiring.recorder().count(DAMAGED_OBJECTS, OF_SERVICE)
        logger.error(
            "damaged object",
            extra={"key": damaged.key, "problem": damaged.problem, "repair": damaged.repair, "remedy": damaged.remedy},
        )


def _measure_ages(now: datetime) -> None:
    """Measure the age of the oldest task and of each data set, and the drift score; log what cannot be read."""
    recorder = wiring.recorder()

    def oldest_task() -> None:
        oldest = wiring.tasks().oldest_pending(now)
        age = 0.0 if oldest is None else oldest.age_seconds(now)
        recorder.seconds(OLDEST_TASK_AGE, age, OF_SERVICE)

    def release() -> None:
        for dataset, age in gauges.release_ages(wiring.objects(), now).items():
            recorder.seconds(DATA_RELEASE_AGE, age, {"dataset": dataset})

    def drift() -> None:
        summary = gauges.drift(wiring.objects())
        if summary is not None and (measurement := gauges.drift_measurement(summary)) is not None:
            recorder.record(measurement)

    for measure in (oldest_task, release, drift):
        try:
            measure()
        except (ServiceError, ValueError) as error:
            reason = getattr(error, "code", type(error).__name__)
            logger.warning("not measured", extra={"measure": measure.__name__, "reason": reason})
