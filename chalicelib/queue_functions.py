"""The functions behind the queues: drain tasks, end what failed too often, send again what got lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from chalicelib import wiring
from chalicelib.observability import COLD_STARTS, PREDICTION_ERRORS, TASK_LATENCY, bucket, logger
from chalicelib.predictions import Drained, QueuedMessage, drain
from chalicelib.queue_monitor import PING
from chalicelib.task_queue import TaskQueue
from chalicelib.task_store import TaskStore

WRITERS: Final = 8
"""Conditional writes at the same time; they wait for the network, not for the processor."""

SWEEP_AFTER: Final = timedelta(minutes=10)
"""How long a task may be pending before the sweep looks at it; longer than redelivery usually takes."""

_cold = True


def drain_event(event: dict[str, Any]) -> dict[str, Any]:
    """Predict a batch of queued tasks; report the messages that must be delivered again.

    Args:
        event: SQS event, or a ping.

    Returns:
        Partial batch response, or the ping's answer.
    """
    if event == PING:
        return {"pong": True}
    _count_cold_start()
    batch = [QueuedMessage(record["messageId"], record["body"]) for record in event["Records"]]
    drained = drain(batch, models=wiring.models(), tasks=wiring.tasks(), end=_in_parallel)
    for one in drained:
        _observe(one)
    return {
        "batchItemFailures": [{"itemIdentifier": one.receipt} for one in drained if one.outcome == "retry"],
    }


def _in_parallel(writes: list[Callable[[], Drained]]) -> list[Drained]:
    return list(_writers().map(lambda write: write(), writes))


@cache
def _writers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(WRITERS)


def _observe(one: Drained) -> None:
    recorder = wiring.recorder()
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
    if one.outcome == "failed":
        recorder.count(PREDICTION_ERRORS, {"source": "async", "reason": one.reason or "unknown"})
    if one.outcome == "success" and one.waited_seconds is not None:
        recorder.seconds(
            TASK_LATENCY,
            one.waited_seconds,
            {"source": "async", "stage": str(one.stage)},
            {"source": "async", "le": bucket(one.waited_seconds)},
        )


def _count_cold_start() -> None:
    global _cold  # noqa: PLW0603 - one per sandbox by definition
    if _cold:
        wiring.recorder().count(COLD_STARTS, {"function": "inference"})
        _cold = False


class _TaskOfMessage(BaseModel):
    model_config = ConfigDict(extra="ignore")

    task_id: str


def end_dead_letters(event: dict[str, Any]) -> None:
    """End the tasks of messages that failed too often as `failed`.

    Raises:
        TaskStoreUnavailable: delivered again later.
    """
    tasks, now = wiring.tasks(), datetime.now(UTC)
    for record in event["Records"]:
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
    """Send tasks again whose message never arrived; answers how many."""
    return {"sent": send_again(wiring.tasks(), wiring.inference_queue(), datetime.now(UTC))}


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
