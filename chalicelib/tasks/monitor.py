"""What an operator asks of the queues and of the functions that drain them."""

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
"""Event that makes the inference function answer without draining anything."""


COUNTED_AT_MOST: Final = 10_000
"""How far tasks are counted: beyond it the exact number changes nothing but the time it takes."""


def queues(inference: SqsTaskQueue, dead_letters: SqsTaskQueue, tasks: TaskStore) -> QueuesResponse:
    """Counts of both queues and of the tasks behind them, and the age of the oldest task that has not ended.

    SQS gives the age of its oldest message only to CloudWatch, minutes late; the task table knows it exactly. Dead
    letters leave their queue within seconds, when their tasks end as failed; what is kept of them for an operator is in
    the task table too.

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
    for number, task in enumerate(islice(tasks, COUNTED_AT_MOST), start=1):  # noqa: B007 - the count is the answer
        first = first or task
    return number, first


def _age(task: Task | None, now: datetime) -> float | None:
    return None if task is None else task.age_seconds(now)


def workers(client: "LambdaClient", function: str, queue: SqsTaskQueue) -> WorkersResponse:
    """State of the inference function, of its event source mapping, whether it answers a ping, and what waits for it.

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
    """The page is about the workers: a queue that does not answer leaves its counts null."""
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
        # It was called and does not answer: a worker that hangs.
        return "failed"
    if "FunctionError" in answer:
        return "failed"
    return "ok" if json.loads(answer["Payload"].read() or b"null") == {"pong": True} else "failed"
