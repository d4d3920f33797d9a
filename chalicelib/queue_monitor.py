"""What an operator asks of the queues and of the functions that drain them."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.contracts import QueuesResponse, QueueState, WorkersResponse, WorkerState
from chalicelib.errors import WorkersUnavailable
from chalicelib.task_queue import SqsTaskQueue
from chalicelib.task_store import TaskStore

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

PING = {"ping": True}
"""Event that makes the inference function answer without draining anything."""


def queues(inference: SqsTaskQueue, dead_letters: SqsTaskQueue, tasks: TaskStore) -> QueuesResponse:
    """Counts of both queues, and the age of the oldest task that has not ended.

    SQS gives the age of its oldest message only to CloudWatch, minutes late; the task table knows it exactly.

    Raises:
        QueueUnavailable, TaskStoreUnavailable: one of them does not answer.
    """
    now = datetime.now(UTC)
    oldest = tasks.oldest_pending(now)
    waiting, dead = inference.counts(), dead_letters.counts()
    age = None if oldest is None else max(0.0, now.timestamp() - oldest.submitted_at)
    return QueuesResponse(
        inference=QueueState(
            name=inference.name,
            waiting=waiting.waiting,
            in_flight=waiting.in_flight,
            delayed=waiting.delayed,
            oldest_age_seconds=age,
        ),
        dead_letters=QueueState(
            name=dead_letters.name,
            waiting=dead.waiting,
            in_flight=dead.in_flight,
            delayed=dead.delayed,
            oldest_age_seconds=None,
        ),
    )


def workers(client: "LambdaClient", function: str) -> WorkersResponse:
    """State of the inference function, of its event source mapping, and whether it answers a ping.

    Raises:
        WorkersUnavailable: Lambda does not answer.
    """
    try:
        found = client.get_function(FunctionName=function)
        mappings = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        ping = _ping(client, function)
    except (ClientError, BotoCoreError) as error:
        raise WorkersUnavailable(f"Lambda does not answer: {type(error).__name__}") from error
    configuration = found["Configuration"]
    mapping: Any = mappings[0] if mappings else {}
    scaling = mapping.get("ScalingConfig") or {}
    reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions")
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
        ]
    )


def _ping(client: "LambdaClient", function: str) -> Literal["ok", "failed"]:
    answer = client.invoke(FunctionName=function, Payload=json.dumps(PING))
    if "FunctionError" in answer:
        return "failed"
    return "ok" if json.loads(answer["Payload"].read() or b"null") == {"pong": True} else "failed"
