"""A task's life in DynamoDB: pending, then success or failed, exactly once.

Items of the one table, all with a TTL attribute `expires_at`:
- a task: `task_id`, `status`, `submitted_at`, `message` (what was queued), and `result` or `error` with `ended_at` once
  it has ended; while pending also `pending_shard` (key of the sparse index `pending`), `sends` (how often it was sent
  again) and `next_send_at` (when that is due next);
- a task that ended as `failed` without having been predicted keeps its message and stays in the index, in the shard
  `dead`, until an operator runs it again or its retention ends;
- an idempotency key: `task_id` = `key#<hash>`, with the fingerprint of the body and the id of its task.

Reasons: docs/adr/0006-task-durability.md.
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
PENDING_SHARDS: Final = 4
"""Shards of the sparse index that new tasks are spread over, unless the deployment says otherwise. Each is a partition
key, of which DynamoDB takes 1,000 writes a second; a task is written there when it is submitted and when it ends."""
MOST_PENDING_SHARDS: Final = 16
"""All of these are read, whatever the deployment's number is: a task stays in its shard when that number changes."""
DEAD_SHARD: Final = "dead"
DEAD_LETTER_SECONDS: Final = 14 * 86_400
"""How long the message of a dead letter is kept for an operator; SQS's longest retention."""
RESEND_AFTER_SECONDS: Final = 1_200.0
"""How long after its submission a pending task is sent again: longer than redelivery takes (maximum receive count x
visibility timeout = 15 min). Each further wait is twice as long."""


class TaskState(StrEnum):
    """The state of a task."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """A task as stored.

    Args:
        task_id: Its id, unguessable.
        state: Its state.
        result: The prediction object when it succeeded.
        error: Type and message when it failed.
        message: The queued message while it is pending or kept as a dead letter; the index does not carry it.
        submitted_at: When it was accepted, epoch seconds.
        sends: How often its message was sent again.
        next_send_at: When its message may be sent again, epoch seconds.
        fault: Why a late delivery of it failed, if recorded.
    """

    task_id: str
    state: TaskState
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    message: str | None = None
    submitted_at: float = 0.0
    sends: int = 0
    next_send_at: float = 0.0
    fault: str | None = None

    def age_seconds(self, now: datetime) -> float:
        """Seconds since it was submitted; at least 0, since clocks differ slightly."""
        return max(0.0, now.timestamp() - self.submitted_at)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key and the fingerprint of the request it came with."""

    key: str
    fingerprint: str

    @property
    def item_id(self) -> str:
        """Id of its item; hashed, so callers' text never becomes a key."""
        return "key#" + hashlib.sha256(self.key.encode()).hexdigest()


class TaskStore(Protocol):
    """Tasks and idempotency keys. Every method raises TaskStoreUnavailable while the table does not answer."""

    def submit(self, task_id: str, message: str, now: datetime, key: IdempotencyKey | None = None) -> str:
        """Record a pending task; for a key used before with the same body, return that task's id instead.

        Raises:
            IdempotencyConflict: the key was used for another body.
        """
        ...

    def find(self, key: IdempotencyKey, now: datetime) -> str | None:
        """The task that the key was used for, or None.

        Raises:
            IdempotencyConflict: the key was used for another body.
        """
        ...

    def get(self, task_id: str, now: datetime) -> Task:
        """The task, strongly consistent.

        Raises:
            TaskNotFound: never issued, or past its retention.
        """
        ...

    def succeed(self, task_id: str, result: dict[str, Any], now: datetime) -> bool:
        """End a pending task with its result; False if it had ended already or is gone."""
        ...

    def fail(self, task_id: str, error_type: str, message: str, now: datetime, *, keep: bool = False) -> bool:
        """End a pending task with an error; False if it had ended already or is gone.

        Args:
            task_id: The task.
            error_type: For programs.
            message: For people.
            now: When it ended.
            keep: Whether its message is kept, as a dead letter that an operator can run again.
        """
        ...

    def note_fault(self, task_id: str, fault: str) -> None:
        """Record why a delivery failed, if the task is pending."""
        ...

    def fault(self, task_id: str) -> str | None:
        """The fault recorded last; None without one."""
        ...

    def claim_send(self, task: Task, now: datetime) -> str | None:
        """Take the right to send a pending task's message again, which pushes the next time back.

        Args:
            task: The task as read; None is returned if another sweep has claimed it since.
            now: The time of the claim.

        Returns:
            The message to send; None if it has ended or was claimed by another sweep.
        """
        ...

    def not_sent(self, task_id: str, now: datetime) -> None:
        """Make a pending task due to be sent at once, because sending it failed; of an ended one, nothing."""
        ...

    def pending(self, before: datetime) -> Iterator[Task]:
        """Pending tasks submitted before that time, oldest first within a shard, without their messages."""
        ...

    def oldest_pending(self, now: datetime) -> Task | None:
        """The pending task that has waited longest, or None."""
        ...

    def dead_letters(self) -> Iterator[Task]:
        """Ended tasks whose message is kept, oldest first, without their messages."""
        ...

    def dead_letter(self, task_id: str) -> Task | None:
        """A kept dead letter with its message, also past its task's retention; None if it is not one (any more)."""
        ...

    def resubmit(self, task_id: str, new_id: str, message: str, now: datetime) -> bool:
        """Record a new pending task in a dead letter's place; the failed one says which and is kept no longer.

        Returns:
            False if it is not a dead letter (any more).
        """
        ...

    def reopen(self, task_id: str, message: str, now: datetime) -> bool:
        """Make a dead letter's task pending again with this message; False if it is not a dead letter (any more).

        Its caller may have read `failed` already: only an operator may decide this.
        """
        ...


class DynamoTaskStore:
    """Tasks in a DynamoDB table.

    Args:
        client: DynamoDB client.
        table: Table name.
        retention_seconds: How long tasks can be read after they ended, and keys after their use.
        resend_after_seconds: How long after its submission a pending task is due to be sent again.
        pending_shards: Shards of the index that new tasks are spread over, at most MOST_PENDING_SHARDS.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention_seconds: int,
        resend_after_seconds: float = RESEND_AFTER_SECONDS,
        pending_shards: int = PENDING_SHARDS,
    ) -> None:
        self._client = client
        self._table = table
        self._retention = retention_seconds
        self._resend_after = resend_after_seconds
        self._pending_shards = pending_shards

    def submit(self, task_id: str, message: str, now: datetime, key: IdempotencyKey | None = None) -> str:
        """See `TaskStore.submit`."""
        put_task = {"TableName": self._table, "Item": self._new(task_id, message, now)}
        unused = {"ConditionExpression": "attribute_not_exists(task_id)"}
        try:
            if key is None:
                self._client.put_item(**put_task, **unused)  # type: ignore[arg-type]
            else:
                self._client.transact_write_items(
                    TransactItems=[{"Put": self._use(key, task_id, now)}, {"Put": {**put_task, **unused}}],  # type: ignore[typeddict-item]
                    ClientRequestToken=task_id,
                )
        except ClientError as error:
            if key is not None and _condition_failed(error, item=0):
                return self._earlier(key, now, error)
            # Ids are random: one that exists is this very call's, tried again by the client after a lost answer.
            if not _condition_failed(error, item=1):
                raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        return task_id

    def _new(self, task_id: str, message: str, now: datetime) -> dict[str, Any]:
        return {
            "task_id": {"S": task_id},
            "status": {"S": TaskState.PENDING},
            "message": {"S": message},
            "submitted_at": _seconds(now),
            "sends": {"N": "0"},
            "next_send_at": _seconds(now, self._resend_after),
            "pending_shard": {"S": self._shard_of(task_id)},
            # Only the backstop: the sweep ends what is pending for too long, and every end sets it again.
            "expires_at": _whole_seconds(now, 2 * self._retention),
        }

    def _use(self, key: IdempotencyKey, task_id: str, now: datetime) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": {
                "task_id": {"S": key.item_id},
                "fingerprint": {"S": key.fingerprint},
                "used_for": {"S": task_id},
                "expires_at": _whole_seconds(now, self._retention),
            },
            # TTL deletes late: an expired key counts as unused from its second on.
            "ConditionExpression": "attribute_not_exists(task_id) OR expires_at <= :now OR used_for = :mine",
            "ExpressionAttributeValues": {":now": _whole_seconds(now), ":mine": {"S": task_id}},
        }

    def _earlier(self, key: IdempotencyKey, now: datetime, cause: ClientError) -> str:
        earlier = self.find(key, now)
        if earlier is None:
            # It expired between the two calls; the same call again succeeds.
            raise _unavailable(cause) from cause
        return earlier

    def find(self, key: IdempotencyKey, now: datetime) -> str | None:
        """See `TaskStore.find`."""
        item = self._item(key.item_id)
        if item is None or int(item["expires_at"]["N"]) <= int(now.timestamp()):
            return None
        if item["fingerprint"]["S"] != key.fingerprint:
            raise IdempotencyConflict(
                "this Idempotency-Key was used with another request: another body or another stage"
            )
        return str(item["used_for"]["S"])

    def get(self, task_id: str, now: datetime) -> Task:
        """See `TaskStore.get`."""
        item = self._item(task_id)
        if item is None or "status" not in item or self._readable_until(item) <= now.timestamp():
            raise TaskNotFound(task_id)
        return _task(item)

    def _readable_until(self, item: dict[str, Any]) -> float:
        # TTL deletes up to days late, and dead letters are kept longer than their tasks can be read.
        if "ended_at" in item:
            return float(item["ended_at"]["N"]) + self._retention
        return float(item["expires_at"]["N"])

    def _item(self, item_id: str) -> dict[str, Any] | None:
        try:
            answer = self._client.get_item(TableName=self._table, Key={"task_id": {"S": item_id}}, ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return answer.get("Item")

    def succeed(self, task_id: str, result: dict[str, Any], now: datetime) -> bool:
        """See `TaskStore.succeed`."""
        return self._end(task_id, TaskState.SUCCESS, "result", json.dumps(result), now, keep=False)

    def fail(self, task_id: str, error_type: str, message: str, now: datetime, *, keep: bool = False) -> bool:
        """See `TaskStore.fail`."""
        error = json.dumps({"type": error_type, "message": message})
        return self._end(task_id, TaskState.FAILED, "error", error, now, keep=keep)

    def _end(self, task_id: str, state: TaskState, name: str, value: str, now: datetime, *, keep: bool) -> bool:
        kept_seconds = max(self._retention, DEAD_LETTER_SECONDS) if keep else self._retention
        then = ", pending_shard = :dead REMOVE next_send_at" if keep else " REMOVE message, pending_shard, next_send_at"
        failed = self._update(
            task_id,
            f"SET #status = :state, #outcome = :value, ended_at = :now, expires_at = :expires{then}",
            "#status = :pending",
            {
                ":state": {"S": state},
                ":value": {"S": value},
                ":pending": {"S": TaskState.PENDING},
                ":now": _seconds(now),
                ":expires": _whole_seconds(now, kept_seconds),
                **({":dead": {"S": DEAD_SHARD}} if keep else {}),
            },
            {"#outcome": name},
        )
        if failed is None:
            return True
        # Ended by this very call, tried again by the client after a lost answer?
        return failed.get(name) == {"S": value} and float(failed["ended_at"]["N"]) == now.timestamp()

    def _update(
        self,
        task_id: str,
        update: str,
        condition: str,
        values: dict[str, Any],
        names: dict[str, str] | None = None,
    ) -> dict[str, Any] | None:
        """Change an item under a condition; None if it was changed, else the item as it is (empty if missing)."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"task_id": {"S": task_id}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeNames={"#status": "status", **(names or {})},
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if _condition_failed(error):
                item: Any = error.response.get("Item")
                return item or {}
            raise _unavailable(error) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error
        return None

    def note_fault(self, task_id: str, fault: str) -> None:
        """See `TaskStore.note_fault`."""
        values = {":fault": {"S": fault}, ":pending": {"S": TaskState.PENDING}}
        self._update(task_id, "SET fault = :fault", "#status = :pending", values)

    def fault(self, task_id: str) -> str | None:
        """See `TaskStore.fault`."""
        item = self._item(task_id)
        return None if item is None or "fault" not in item else str(item["fault"]["S"])

    def claim_send(self, task: Task, now: datetime) -> str | None:
        """See `TaskStore.claim_send`."""
        refused = self._update(
            task.task_id,
            "SET sends = :sends, next_send_at = :next",
            "#status = :pending AND sends = :seen",
            {
                ":pending": {"S": TaskState.PENDING},
                ":seen": {"N": str(task.sends)},
                ":sends": {"N": str(task.sends + 1)},
                ":next": _seconds(now, self._resend_after * 2 ** (task.sends + 1)),
            },
        )
        if refused is not None:
            return None
        item = self._item(task.task_id)
        return item["message"]["S"] if item is not None and "message" in item else None

    def not_sent(self, task_id: str, now: datetime) -> None:
        """See `TaskStore.not_sent`."""
        values = {":now": _seconds(now), ":pending": {"S": TaskState.PENDING}}
        self._update(task_id, "SET next_send_at = :now", "#status = :pending", values)

    def pending(self, before: datetime) -> Iterator[Task]:
        """See `TaskStore.pending`."""
        for shard in range(MOST_PENDING_SHARDS):
            yield from self._shard(str(shard), before)

    def oldest_pending(self, now: datetime) -> Task | None:
        """See `TaskStore.oldest_pending`."""
        firsts = [next(self._shard(str(shard), now, page_size=1), None) for shard in range(MOST_PENDING_SHARDS)]
        return min((task for task in firsts if task is not None), key=lambda task: task.submitted_at, default=None)

    def _shard_of(self, task_id: str) -> str:
        """The shard that a task enters when it becomes pending."""
        return str(int(hashlib.sha256(task_id.encode()).hexdigest(), 16) % self._pending_shards)

    def dead_letters(self) -> Iterator[Task]:
        """See `TaskStore.dead_letters`."""
        yield from self._shard(DEAD_SHARD)

    def _shard(self, shard: str, before: datetime | None = None, page_size: int = 1_000) -> Iterator[Task]:
        condition, values = "pending_shard = :shard", {":shard": {"S": shard}}
        if before is not None:
            condition += " AND submitted_at < :before"
            values[":before"] = _seconds(before)
        try:
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=PENDING_INDEX,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                PaginationConfig={"PageSize": page_size},
            )
            for page in pages:
                yield from map(_task, page["Items"])
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error

    def dead_letter(self, task_id: str) -> Task | None:
        """See `TaskStore.dead_letter`."""
        item = self._item(task_id)
        return None if item is None or item.get("pending_shard") != {"S": DEAD_SHARD} else _task(item)

    def resubmit(self, task_id: str, new_id: str, message: str, now: datetime) -> bool:
        """See `TaskStore.resubmit`."""
        old = self.dead_letter(task_id)
        if old is None or old.error is None:
            return False
        error = {**old.error, "message": f"{old.error['message']}; run again as task {new_id}"}
        settle = {
            "TableName": self._table,
            "Key": {"task_id": {"S": task_id}},
            "UpdateExpression": "SET #error = :error REMOVE message, pending_shard",
            "ConditionExpression": "pending_shard = :dead",
            "ExpressionAttributeNames": {"#error": "error"},
            "ExpressionAttributeValues": {":error": {"S": json.dumps(error)}, ":dead": {"S": DEAD_SHARD}},
        }
        put_task = {"TableName": self._table, "Item": self._new(new_id, message, now)}
        try:
            self._client.transact_write_items(
                TransactItems=[{"Update": settle}, {"Put": put_task}],  # type: ignore[typeddict-item]
                ClientRequestToken=new_id,
            )
        except ClientError as error_:
            if _condition_failed(error_, item=0):
                return False
            raise _unavailable(error_) from error_
        except BotoCoreError as error_:
            raise _unavailable(error_) from error_
        return True

    def reopen(self, task_id: str, message: str, now: datetime) -> bool:
        """See `TaskStore.reopen`."""
        values = {
            ":pending": {"S": TaskState.PENDING},
            ":shard": {"S": self._shard_of(task_id)},
            ":now": _seconds(now),
            ":next": _seconds(now, self._resend_after),
            ":expires": _whole_seconds(now, 2 * self._retention),
            ":none": {"N": "0"},
            ":message": {"S": message},
            ":dead": {"S": DEAD_SHARD},
        }
        refused = self._update(
            task_id,
            # Submitted again: its time in the queue starts again.
            "SET #status = :pending, message = :message, pending_shard = :shard, submitted_at = :now, "
            "next_send_at = :next, sends = :none, expires_at = :expires REMOVE #error, ended_at, fault",
            "pending_shard = :dead",
            values,
            {"#error": "error"},
        )
        return refused is None


def _seconds(now: datetime, later: float = 0.0) -> dict[str, str]:
    return {"N": repr(now.timestamp() + later)}


def _whole_seconds(now: datetime, later: int = 0) -> dict[str, str]:
    return {"N": str(int(now.timestamp()) + later)}


def _task(item: dict[str, Any]) -> Task:
    return Task(
        task_id=item["task_id"]["S"],
        state=TaskState(item["status"]["S"]),
        result=json.loads(item["result"]["S"]) if "result" in item else None,
        error=json.loads(item["error"]["S"]) if "error" in item else None,
        message=item["message"]["S"] if "message" in item else None,
        submitted_at=float(item["submitted_at"]["N"]),
        sends=int(item["sends"]["N"]) if "sends" in item else 0,
        next_send_at=float(item["next_send_at"]["N"]) if "next_send_at" in item else 0.0,
        fault=item["fault"]["S"] if "fault" in item else None,
    )


def _condition_failed(error: ClientError, item: int | None = None) -> bool:
    """Whether a write failed on its condition; in a transaction, on that item's condition."""
    if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
        return True
    reasons: Any = error.response.get("CancellationReasons") or []
    return item is not None and len(reasons) > item and reasons[item].get("Code") == "ConditionalCheckFailed"


def _unavailable(error: Exception) -> TaskStoreUnavailable:
    return TaskStoreUnavailable(f"the task table does not answer: {type(error).__name__}")
