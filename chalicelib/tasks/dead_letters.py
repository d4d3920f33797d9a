"""Messages that failed too often: end their tasks, and run them again on an operator's request."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import ValidationError

from chalicelib.contracts.tasks import InferenceMessage
from chalicelib.tasks.messages import QueuedMessage, reason_of, send_or_reschedule, task_id_of
from chalicelib.tasks.queue import TaskQueue
from chalicelib.tasks.store import Task, TaskStore

DEAD_LETTER: Final = "dead_letter"
"""Error type of a task whose message failed too often."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The outcome of one dead letter.

    Args:
        receipt: The queue's id of the message.
        outcome: `failed`: its task ended; `no_task`: it names none; `retry` asks the queue to deliver it again.
        task_id: The task, if the message names one.
        reason: Why it failed, as far as known; with `retry`, why it could not be ended.
    """

    receipt: str
    outcome: Literal["failed", "already_ended", "no_task", "retry"]
    task_id: str | None = None
    reason: str | None = None


def end_dead_letters(letters: Iterable[QueuedMessage], tasks: TaskStore, now: datetime) -> list[DeadLetter]:
    """End the tasks of messages that failed too often, and keep their messages for an operator.

    Returns:
        One entry per message; never raises.
    """
    return [_end(letter, tasks, now) for letter in letters]


def _end(letter: QueuedMessage, tasks: TaskStore, now: datetime) -> DeadLetter:
    task_id = task_id_of(letter.body)
    if task_id is None:
        # not sent by this service: there is no caller to inform
        return DeadLetter(letter.receipt, "no_task", reason="unreadable_message")
    try:
        reason = _reason(task_id, letter, tasks)
        newly_failed = tasks.fail(task_id, DEAD_LETTER, f"the prediction failed too often: {reason}", now, keep=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others must end and this one be retried
        return DeadLetter(letter.receipt, "retry", task_id, reason_of(error))
    return DeadLetter(letter.receipt, "failed" if newly_failed else "already_ended", task_id, reason)


def _reason(task_id: str, letter: QueuedMessage, tasks: TaskStore) -> str:
    try:
        InferenceMessage.model_validate_json(letter.body)
    except ValidationError:
        return "unreadable_message"
    return tasks.fault(task_id) or "no_answer"


@dataclass(frozen=True, slots=True)
class Redriven:
    """The outcome of one kept dead letter: `new_id` is the task it runs as; None if its message cannot be read."""

    task_id: str
    new_id: str | None
    error_type: str


def redrive(
    task: Task,
    tasks: TaskStore,
    queue: TaskQueue,
    now: datetime,
    *,
    reopen: bool,
    new_id: Callable[[], uuid.UUID] = uuid.uuid4,
) -> Redriven | None:
    """Run a kept dead letter again: as a new task named by the failed one, or reopened as the same task.

    Args:
        task: One of `TaskStore.dead_letters`.
        tasks: The tasks.
        queue: The inference queue.
        now: The current time.
        reopen: Make the same task pending again, although its caller may have read that it failed.
        new_id: Generates ids.

    Returns:
        None if it is no longer a dead letter.

    Raises:
        TaskStoreUnavailable: nothing happened.
        QueueUnavailable: it is pending, and due for the next sweep.
    """
    dead_letter = tasks.dead_letter(task.task_id)
    if dead_letter is None:
        return None
    error_type = (dead_letter.error or {}).get("type", "")
    try:
        message = InferenceMessage.model_validate_json(dead_letter.message or "")
    except ValidationError:
        return Redriven(task.task_id, None, error_type)
    runs_as = task.task_id if reopen else str(new_id())
    body = message.model_copy(update={"task_id": runs_as, "submitted_at": now}).model_dump_json()
    changed = tasks.reopen(task.task_id, body, now) if reopen else tasks.resubmit(task.task_id, runs_as, body, now)
    if not changed:
        return None
    send_or_reschedule(body, runs_as, queue, tasks, now)
    return Redriven(task.task_id, runs_as, error_type)
