"""The operator's view of the queues and of the functions that drain them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from chalicelib.contracts.operations import DeadLetterState, QueuesResponse, QueueState, WorkersResponse, WorkerState
from chalicelib.errors import QueueUnavailable, WorkersUnavailable
from chalicelib.tasks.queue import QueueCounts, SqsTaskQueue
from chalicelib.tasks.store import Task, TaskStore

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

PING = {"ping": True}
"""Event that the inference function answers without draining anything."""


COUNTED_AT_MOST: Final = 10_000
"""Tasks are counted up to this number."""


def queues(inference: SqsTaskQueue, dead_letters: SqsTaskQueue, tasks: TaskStore) -> QueuesResponse:
    """Counts of both queues and of the tasks behind them, and the age of the oldest task that has not ended.

    SQS reports the age of its oldest message only to CloudWatch, minutes late; the task table has it exactly. Dead
    letters leave their queue within seconds, when their tasks end as failed; the task table keeps them for an operator.

    Raises:
        QueueUnavailable, TaskStoreUnavailable: one of them does not answer.
    """
    now = datetime.now(UTC)
    oldest = tasks.oldest_pending(now)
    n_kept, oldest_kept = _counted(tasks.dead_letters())
    waiting, dead = inference.counts(), dead_letters.counts()
    return QueuesResponse(
        inference=QueueState(
            name=inference.name,
            waiting=waiting.waiting,
            in_flight=waiting.in_flight,
            delayed=waiting.delayed,
            oldest_age_seconds=_age(oldest, now),
        ),
        dead_letters=DeadLetterState(
            name=dead_letters.name,
            waiting=dead.waiting,
            in_flight=dead.in_flight,
            delayed=dead.delayed,
            oldest_age_seconds=_age(oldest_kept, now),
            kept=n_kept,
        ),
        pending_tasks=_counted(tasks.pending(now))[0],
        **celery_counts(waiting),
    )


def celery_counts(counts: QueueCounts) -> dict[str, int]:
    """The inference queue's counts under Celery's names."""
    return {"active": counts.in_flight, "scheduled": counts.delayed, "reserved": 0}


def _counted(tasks: Iterable[Task]) -> tuple[int, Task | None]:
    first, number = None, 0
    for number, task in enumerate(islice(tasks, COUNTED_AT_MOST), start=1):  # noqa: B007 - only the count matters
        first = first or task
    return number, first


def _age(task: Task | None, now: datetime) -> float | None:
    return None if task is None else task.age_seconds(now)


def workers(client: "LambdaClient", function: str, queue: SqsTaskQueue) -> WorkersResponse:
    """State of the inference function and its event source mapping, its answer to a ping, and its queue's counts.

    Raises:
        WorkersUnavailable: Lambda does not answer.
    """
    try:
        mappings = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        description: Any = client.get_function(FunctionName=function)
        ping = _ping(client, function)
    except client.exceptions.ResourceNotFoundException:
        missing = WorkerState(
            name=function,
            state="Missing",
            last_update=None,
            concurrency=None,
            event_source_mapping="missing",
            batch_size=None,
            ping="failed",
        )
        return WorkersResponse(workers=[missing], **_counts_if_known(queue))
    except (ClientError, BotoCoreError) as error:
        raise WorkersUnavailable(f"Lambda does not answer: {type(error).__name__}") from error
    configuration = description["Configuration"]
    mapping: Any = mappings[0] if mappings else {}
    scaling = mapping.get("ScalingConfig") or {}
    reserved = description.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    return WorkersResponse(
        workers=[
            WorkerState(
                name=configuration["FunctionName"],
                state=configuration.get("State", "Active"),
                last_update=configuration["LastModified"],
                concurrency=scaling.get("MaximumConcurrency") or reserved,
                event_source_mapping=mapping.get("State", "missing"),
                batch_size=mapping.get("BatchSize"),
                ping=ping,
            )
        ],
        **_counts_if_known(queue),
    )


def _counts_if_known(queue: SqsTaskQueue) -> dict[str, int]:
    """The queue's counts; null if it does not answer, since the page is about workers."""
    try:
        return celery_counts(queue.counts())
    except QueueUnavailable:
        return {}


def _ping(client: "LambdaClient", function: str) -> Literal["ok", "failed", "throttled"]:
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(PING))
    except client.exceptions.TooManyRequestsException:
        return "throttled"
    except ReadTimeoutError:
        # it was invoked and does not answer: a worker hangs
        return "failed"
    if "FunctionError" in answer:
        return "failed"
    return "ok" if json.loads(answer["Payload"].read() or b"null") == {"pong": True} else "failed"
