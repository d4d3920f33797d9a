"""A task's life in DynamoDB: pending, then success or failed, exactly once.

Items of the one table, all with a TTL attribute `expires_at`:
- a task: `task_id`, `status`, `message` (what was queued, until the task ends), `result` or `error`;
  while pending also `pending_shard` and `submitted_at`, keys of the sparse index `pending` that the sweep reads;
- an idempotency key: `task_id` = `key#<hash>`, with the fingerprint of the body and the id of its task.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import IdempotencyConflict, TaskNotFound, TaskStoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

PENDING_INDEX: Final = "pending"
# One partition per shard of the sparse index: writes spread, the sweep reads them all.
PENDING_SHARDS: Final = 4


class TaskState(StrEnum):
    """Where a task is in its life."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """A task as stored.

    Args:
        task_id: Its id, unguessable.
        state: Where it is in its life.
        result: The prediction object when it succeeded.
        error: Type and message when it failed.
        message: The queued message while it is pending.
        submitted_at: When it was accepted, epoch seconds.
    """

    task_id: str
    state: TaskState
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    message: str | None = None
    submitted_at: float = 0.0


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key and the fingerprint of the body it came with."""

    key: str
    fingerprint: str

    @property
    def item_id(self) -> str:
        """Id of its item; hashed, so that no caller's text becomes a key."""
        return "key#" + hashlib.sha256(self.key.encode()).hexdigest()


class TaskStore(Protocol):
    """Tasks and idempotency keys."""

    def submit(self, task_id: str, message: str, now: datetime, key: IdempotencyKey | None = None) -> str:
        """Record a pending task; with a key used before for the same body, answer that task's id instead.

        Raises:
            IdempotencyConflict: the key was used for another body.
            TaskStoreUnavailable: nothing was recorded.
        """
        ...

    def get(self, task_id: str, now: datetime) -> Task:
        """The task, strongly consistent.

        Raises:
            TaskNotFound: never issued, or past its retention.
            TaskStoreUnavailable: the table does not answer.
        """
        ...

    def succeed(self, task_id: str, result: dict[str, Any], now: datetime) -> bool:
        """End a pending task with its result; False if it had ended already or is gone.

        Raises:
            TaskStoreUnavailable: the table does not answer.
        """
        ...

    def fail(self, task_id: str, error_type: str, message: str, now: datetime) -> bool:
        """End a pending task with an error; False if it had ended already or is gone.

        Raises:
            TaskStoreUnavailable: the table does not answer.
        """
        ...

    def oldest_pending(self, now: datetime) -> Task | None:
        """The pending task that has waited longest, or None.

        Raises:
            TaskStoreUnavailable: the table does not answer.
        """
        ...

    def pending_since(self, before: datetime) -> Iterator[Task]:
        """Pending tasks submitted before that time, oldest first within a shard.

        Raises:
            TaskStoreUnavailable: the table does not answer.
        """
        ...


class DynamoTaskStore:
    """Tasks in a DynamoDB table.

    Args:
        client: DynamoDB client.
        table: Table name.
        retention_seconds: How long tasks and keys are kept.
    """

    def __init__(self, client: "DynamoDBClient", table: str, retention_seconds: int) -> None:
        self._client = client
        self._table = table
        self._retention = retention_seconds

    def submit(self, task_id: str, message: str, now: datetime, key: IdempotencyKey | None = None) -> str:
        """See `TaskStore.submit`."""
        expires = {"N": str(int(now.timestamp()) + self._retention)}
        shard = int(hashlib.sha256(task_id.encode()).hexdigest(), 16) % PENDING_SHARDS
        task: dict[str, Any] = {
            "task_id": {"S": task_id},
            "status": {"S": TaskState.PENDING},
            "message": {"S": message},
            "submitted_at": {"N": repr(now.timestamp())},
            "pending_shard": {"S": str(shard)},
            "expires_at": expires,
        }
        try:
            if key is None:
                self._client.put_item(
                    TableName=self._table, Item=task, ConditionExpression="attribute_not_exists(task_id)"
                )
                return task_id
            used: dict[str, Any] = {
                "task_id": {"S": key.item_id},
                "fingerprint": {"S": key.fingerprint},
                "used_for": {"S": task_id},
                "expires_at": expires,
            }
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": used,
                            # TTL deletes late: an expired key counts as unused from its second on.
                            "ConditionExpression": "attribute_not_exists(task_id) OR expires_at <= :now",
                            "ExpressionAttributeValues": {":now": {"N": str(int(now.timestamp()))}},
                        }
                    },
                    {"Put": {"TableName": self._table, "Item": task}},
                ],
                ClientRequestToken=task_id,
            )
        except ClientError as error:
            if key is not None and error.response["Error"]["Code"] == "TransactionCanceledException":
                return self._earlier(key, error)
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        return task_id

    def _earlier(self, key: IdempotencyKey, cause: ClientError) -> str:
        item = self._item(key.item_id)
        if item is None:
            # Cancelled for another reason than our condition, a conflicting transaction for instance.
            raise _unavailable(cause) from cause
        if item["fingerprint"]["S"] != key.fingerprint:
            raise IdempotencyConflict("this Idempotency-Key was used with another body") from cause
        return str(item["used_for"]["S"])

    def get(self, task_id: str, now: datetime) -> Task:
        """See `TaskStore.get`."""
        item = self._item(task_id)
        # TTL deletes up to days late: past its retention a task is gone all the same.
        if item is None or "status" not in item or int(item["expires_at"]["N"]) <= now.timestamp():
            raise TaskNotFound(task_id)
        return _task(item)

    def _item(self, item_id: str) -> dict[str, Any] | None:
        try:
            found = self._client.get_item(TableName=self._table, Key={"task_id": {"S": item_id}}, ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return found.get("Item")

    def succeed(self, task_id: str, result: dict[str, Any], now: datetime) -> bool:
        """See `TaskStore.succeed`."""
        return self._end(task_id, TaskState.SUCCESS, "result", json.dumps(result), now)

    def fail(self, task_id: str, error_type: str, message: str, now: datetime) -> bool:
        """See `TaskStore.fail`."""
        return self._end(task_id, TaskState.FAILED, "error", json.dumps({"type": error_type, "message": message}), now)

    def _end(self, task_id: str, state: TaskState, name: str, value: str, now: datetime) -> bool:
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"task_id": {"S": task_id}},
                UpdateExpression=(
                    "SET #status = :state, #outcome = :value, ended_at = :now REMOVE message, pending_shard"
                ),
                ConditionExpression="#status = :pending",
                ExpressionAttributeNames={"#status": "status", "#outcome": name},
                ExpressionAttributeValues={
                    ":state": {"S": state},
                    ":value": {"S": value},
                    ":pending": {"S": TaskState.PENDING},
                    ":now": {"N": repr(now.timestamp())},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        return True

    def oldest_pending(self, now: datetime) -> Task | None:
        """See `TaskStore.oldest_pending`."""
        firsts = [next(self._pending(shard, now, limit=1), None) for shard in range(PENDING_SHARDS)]
        return min((task for task in firsts if task is not None), key=lambda task: task.submitted_at, default=None)

    def pending_since(self, before: datetime) -> Iterator[Task]:
        """See `TaskStore.pending_since`."""
        for shard in range(PENDING_SHARDS):
            yield from self._pending(shard, before)

    def _pending(self, shard: int, before: datetime, limit: int = 1_000) -> Iterator[Task]:
        try:
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=PENDING_INDEX,
                KeyConditionExpression="pending_shard = :shard AND submitted_at < :before",
                ExpressionAttributeValues={
                    ":shard": {"S": str(shard)},
                    ":before": {"N": repr(before.timestamp())},
                },
                PaginationConfig={"PageSize": limit},
            )
            for page in pages:
                yield from map(_task, page["Items"])
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error


def _task(item: dict[str, Any]) -> Task:
    return Task(
        task_id=item["task_id"]["S"],
        state=TaskState(item["status"]["S"]),
        result=json.loads(item["result"]["S"]) if "result" in item else None,
        error=json.loads(item["error"]["S"]) if "error" in item else None,
        message=item["message"]["S"] if "message" in item else None,
        submitted_at=float(item["submitted_at"]["N"]),
    )


def _unavailable(error: Exception) -> TaskStoreUnavailable:
    return TaskStoreUnavailable(f"the task table does not answer: {type(error).__name__}")
