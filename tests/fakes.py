"""In-memory stores; the contract tests hold them against the real ones."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.errors import IdempotencyConflict, TaskNotFound
from chalicelib.object_store import ConditionFailed, ObjectMissing, ObjectStoreUnavailable, StoredObject
from chalicelib.task_queue import QueueCounts
from chalicelib.task_store import IdempotencyKey, Task, TaskState


class InMemoryObjectStore:
    """Objects in a dict; `reachable = False` makes it fail like a bucket out of reach."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reachable = True
        self.reads: list[str] = []

    def _check(self) -> None:
        if not self.reachable:
            raise ObjectStoreUnavailable("the bucket does not answer: ConnectTimeoutError")

    @staticmethod
    def _etag(body: bytes) -> str:
        return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'

    def get(self, key: str, unless_etag: str | None = None) -> StoredObject | None:
        self._check()
        self.reads.append(key)
        if key not in self.objects:
            raise ObjectMissing(f"no object {key}")
        body = self.objects[key]
        etag = self._etag(body)
        return None if etag == unless_etag else StoredObject(body, etag)

    def put(self, key: str, body: bytes, *, only_if_etag: str | None = None, only_if_absent: bool = False) -> str:
        self._check()
        current = self.objects.get(key)
        if only_if_absent and current is not None:
            raise ConditionFailed(f"{key} was written by somebody else in between")
        if only_if_etag is not None and (current is None or self._etag(current) != only_if_etag):
            raise ConditionFailed(f"{key} was written by somebody else in between")
        self.objects[key] = body
        return self._etag(body)

    def delete(self, key: str) -> None:
        self._check()
        self.objects.pop(key, None)

    def keys(self, prefix: str) -> list[tuple[str, str]]:
        self._check()
        return sorted((key, self._etag(body)) for key, body in self.objects.items() if key.startswith(prefix))


class InMemoryTaskStore:
    """Tasks in a dict."""

    def __init__(self, retention_seconds: int = 86_400) -> None:
        self.tasks: dict[str, Task] = {}
        self.expires: dict[str, float] = {}
        self.keys: dict[str, tuple[str, str, float]] = {}
        self.retention = retention_seconds

    def submit(self, task_id: str, message: str, now: datetime, key: IdempotencyKey | None = None) -> str:
        if key is not None:
            used = self.keys.get(key.item_id)
            if used is not None and used[2] > now.timestamp():
                if used[0] != key.fingerprint:
                    raise IdempotencyConflict("this Idempotency-Key was used with another body")
                return used[1]
            self.keys[key.item_id] = (key.fingerprint, task_id, now.timestamp() + self.retention)
        self.tasks[task_id] = Task(task_id, TaskState.PENDING, message=message, submitted_at=now.timestamp())
        self.expires[task_id] = now.timestamp() + self.retention
        return task_id

    def get(self, task_id: str, now: datetime) -> Task:
        if task_id not in self.tasks or self.expires[task_id] <= now.timestamp():
            raise TaskNotFound(task_id)
        return self.tasks[task_id]

    def succeed(self, task_id: str, result: dict[str, Any], now: datetime) -> bool:
        return self._end(task_id, state=TaskState.SUCCESS, result=result)

    def fail(self, task_id: str, error_type: str, message: str, now: datetime) -> bool:
        return self._end(task_id, state=TaskState.FAILED, error={"type": error_type, "message": message})

    def _end(self, task_id: str, **end: Any) -> bool:
        task = self.tasks.get(task_id)
        if task is None or task.state is not TaskState.PENDING:
            return False
        self.tasks[task_id] = replace(task, message=None, **end)
        return True

    def oldest_pending(self, now: datetime) -> Task | None:
        return min(self.pending_since(now), key=lambda task: task.submitted_at, default=None)

    def pending_since(self, before: datetime) -> Iterator[Task]:
        for task in sorted(self.tasks.values(), key=lambda task: task.submitted_at):
            if task.state is TaskState.PENDING and task.submitted_at < before.timestamp():
                yield task


class InMemoryQueue:
    """Messages in a list."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def send(self, body: str) -> None:
        self.messages.append(body)

    def counts(self) -> QueueCounts:
        return QueueCounts(len(self.messages), 0, 0)
