"""In-memory stores; contract tests compare them with the real ones."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.errors import IdempotencyConflict, QueueUnavailable, TaskNotFound, TaskStoreUnavailable
from chalicelib.storage.objects import ConditionFailed, ObjectMissing, ObjectStoreUnavailable, StoredObject
from chalicelib.tasks.queue import QueueCounts
from chalicelib.tasks.store import RESEND_AFTER_SECONDS, IdempotencyKey, Task, TaskState


class InMemoryObjectStore:
    """Objects in a dict; `reachable = False` makes it fail like an unreachable bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reachable = True
        self.reads: list[str] = []
        self.bodies_read: list[str] = []

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
        if etag == unless_etag:
            return None
        self.bodies_read.append(key)
        return StoredObject(body, etag)

    def get_range(self, key: str, start: int, length: int, only_if_etag: str | None) -> bytes:
        self._check()
        self.reads.append(key)
        if key not in self.objects or start >= len(self.objects[key]):
            raise ObjectMissing(f"no object {key}")
        if only_if_etag not in (None, self._etag(self.objects[key])):
            raise ConditionFailed(f"{key} was written by another process meanwhile")
        return self.objects[key][start : start + length]

    def put(self, key: str, body: bytes, *, only_if_etag: str | None = None, only_if_absent: bool = False) -> str:
        self._check()
        current = self.objects.get(key)
        if only_if_absent and current is not None:
            raise ConditionFailed(f"{key} was written by another process meanwhile")
        if only_if_etag is not None and (current is None or self._etag(current) != only_if_etag):
            raise ConditionFailed(f"{key} was written by another process meanwhile")
        # last in order, as the newest
        self.objects.pop(key, None)
        self.objects[key] = body
        return self._etag(body)

    def put_file(self, key: str, path: Path) -> str:
        return self.put(key, path.read_bytes())

    def delete(self, key: str) -> None:
        self._check()
        self.objects.pop(key, None)

    def keys(self, prefix: str) -> list[tuple[str, str]]:
        self._check()
        return sorted((key, self._etag(body)) for key, body in self.objects.items() if key.startswith(prefix))

    def newest(self, prefix: str, count: int) -> list[str]:
        self._check()
        return [key for key in reversed(self.objects) if key.startswith(prefix)][:count]


class InMemoryTaskStore:
    """Tasks in a dict; `reachable = False` makes it fail like an unreachable table."""

    def __init__(self, retention_seconds: int = 86_400, resend_after_seconds: float = RESEND_AFTER_SECONDS) -> None:
        self.tasks: dict[str, Task] = {}
        self.readable_until: dict[str, float] = {}
        self.keys: dict[str, tuple[str, str, float]] = {}
        self.kept: set[str] = set()
        self.retention = retention_seconds
        self.resend_after = resend_after_seconds
        self.reachable = True

    def _check(self) -> None:
        if not self.reachable:
            raise TaskStoreUnavailable("the task table does not answer: ConnectTimeoutError")

    def submit(self, task_id: str, message: str, now: datetime, key: IdempotencyKey | None = None) -> str:
        if key is not None:
            if (earlier := self.find(key, now)) is not None:
                return earlier
            self.keys[key.item_id] = (key.fingerprint, task_id, now.timestamp() + self.retention)
        self._check()
        self._record(task_id, message, now)
        return task_id

    def _record(self, task_id: str, message: str, now: datetime) -> None:
        at = now.timestamp()
        self.tasks[task_id] = Task(
            task_id, TaskState.PENDING, message=message, submitted_at=at, next_send_at=at + self.resend_after
        )
        self.readable_until[task_id] = at + 2 * self.retention

    def find(self, key: IdempotencyKey, now: datetime) -> str | None:
        self._check()
        used = self.keys.get(key.item_id)
        if used is None or used[2] <= now.timestamp():
            return None
        if used[0] != key.fingerprint:
            raise IdempotencyConflict("this Idempotency-Key was used with another body")
        return used[1]

    def get(self, task_id: str, now: datetime) -> Task:
        self._check()
        if task_id not in self.tasks or self.readable_until[task_id] <= now.timestamp():
            raise TaskNotFound(task_id)
        return self.tasks[task_id]

    def succeed(self, task_id: str, result: dict[str, Any], now: datetime) -> bool:
        return self._end(task_id, now, state=TaskState.SUCCESS, result=result, message=None)

    def fail(self, task_id: str, error_type: str, message: str, now: datetime, *, keep: bool = False) -> bool:
        task = self.tasks.get(task_id)
        kept_message = task.message if keep and task is not None else None
        error = {"type": error_type, "message": message}
        newly_failed = self._end(task_id, now, state=TaskState.FAILED, error=error, message=kept_message)
        if newly_failed and keep:
            self.kept.add(task_id)
        return newly_failed

    def _end(self, task_id: str, now: datetime, **end: Any) -> bool:
        self._check()
        task = self.tasks.get(task_id)
        if task is None or task.state is not TaskState.PENDING:
            return False
        self.tasks[task_id] = replace(task, next_send_at=0.0, **end)
        self.readable_until[task_id] = now.timestamp() + self.retention
        return True

    def note_fault(self, task_id: str, fault: str) -> None:
        self._change_pending(task_id, fault=fault)

    def fault(self, task_id: str) -> str | None:
        self._check()
        task = self.tasks.get(task_id)
        return None if task is None else task.fault

    def claim_send(self, task: Task, now: datetime) -> str | None:
        self._check()
        current = self.tasks[task.task_id]
        if current.state is not TaskState.PENDING or current.sends != task.sends:
            return None
        sends = task.sends + 1
        self._change_pending(task.task_id, sends=sends, next_send_at=now.timestamp() + self.resend_after * 2**sends)
        return current.message

    def not_sent(self, task_id: str, now: datetime) -> None:
        self._change_pending(task_id, next_send_at=now.timestamp())

    def _change_pending(self, task_id: str, **changes: Any) -> None:
        self._check()
        task = self.tasks.get(task_id)
        if task is not None and task.state is TaskState.PENDING:
            self.tasks[task_id] = replace(task, **changes)

    def pending(self, before: datetime) -> Iterator[Task]:
        self._check()
        for task in sorted(self.tasks.values(), key=lambda task: task.submitted_at):
            if task.state is TaskState.PENDING and task.submitted_at < before.timestamp():
                yield replace(task, message=None, fault=None)

    def oldest_pending(self, now: datetime) -> Task | None:
        return min(self.pending(now), key=lambda task: task.submitted_at, default=None)

    def dead_letters(self) -> Iterator[Task]:
        self._check()
        for task in sorted((self.tasks[task_id] for task_id in self.kept), key=lambda task: task.submitted_at):
            yield replace(task, message=None, error=None, fault=None)

    def dead_letter(self, task_id: str) -> Task | None:
        self._check()
        return self.tasks[task_id] if task_id in self.kept else None

    def resubmit(self, task_id: str, new_id: str, message: str, now: datetime) -> bool:
        old = self.dead_letter(task_id)
        if old is None or old.error is None:
            return False
        error = {**old.error, "message": f"{old.error['message']}; run again as task {new_id}"}
        self.tasks[task_id] = replace(old, error=error, message=None)
        self.kept.remove(task_id)
        self._record(new_id, message, now)
        return True

    def reopen(self, task_id: str, message: str, now: datetime) -> bool:
        if self.dead_letter(task_id) is None:
            return False
        self.kept.remove(task_id)
        self._record(task_id, message, now)
        return True


class InMemoryQueue:
    """Messages in a list; `reachable = False` makes it fail like an unreachable queue."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.reachable = True

    def send(self, body: str) -> None:
        if not self.reachable:
            raise QueueUnavailable("the inference queue does not answer: ConnectTimeoutError")
        self.messages.append(body)

    def counts(self) -> QueueCounts:
        if not self.reachable:
            raise QueueUnavailable("the inference queue does not answer: ConnectTimeoutError")
        return QueueCounts(len(self.messages), 0, 0)

    def backlog(self) -> int:
        return len(self.messages)
