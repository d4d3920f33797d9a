"""What keeps the promise of a 202 when all else failed: the sweep, the dead letters, running them again."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from chalicelib.contracts import InferenceMessage
from chalicelib.errors import QueueUnavailable, ServiceError, TaskStoreUnavailable
from chalicelib.models.predict import QueuedMessage, reason_of
from chalicelib.tasks.queue import TaskQueue
from chalicelib.tasks.store import Task, TaskStore

DEAD_LETTER: Final = "dead_letter"
"""Error type of a task whose message failed too often."""
EXPIRED: Final = "expired"
"""Error type of a task that nothing worked on in time."""

SENDS_PER_SWEEP: Final = 1_000
"""Most messages that one sweep sends again, so that it ends in time and does not bury what works."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did.

    Args:
        sent: Ids of the tasks sent again.
        expired: Ids of the tasks ended as failed because their time was over.
        complete: Whether it looked at all pending tasks.
        fault: What ended it early; the rest is left to the next sweep.
    """

    sent: list[str]
    expired: list[str]
    complete: bool
    fault: ServiceError | None = None


def sweep(
    tasks: TaskStore,
    queue: TaskQueue,
    now: datetime,
    *,
    max_age: timedelta,
    max_backlog: int,
    in_time: Callable[[], bool] = lambda: True,
) -> Swept:
    """Send again what is due and end what nothing worked on in time.

    A task is due when its message can no longer be on its way by itself (see RESEND_AFTER_SECONDS), after that with
    waits twice as long each, so that a long backlog is not multiplied; at once when sending it is known to have failed.
    Whether the queue holds other messages does not matter. A duplicate is harmless: results are written once.

    Args:
        tasks: The tasks.
        queue: The inference queue.
        now: The time of the sweep.
        max_age: How old a pending task may become.
        max_backlog: Waiting messages beyond which nothing is sent again.
        in_time: Whether there is time for more work.

    Returns:
        What was done; never raises for a dependency out of reach.
    """
    sent: list[str] = []
    expired: list[str] = []
    full = queue.backlog() >= max_backlog
    try:
        for task in tasks.pending(now):
            if not in_time() or len(sent) >= SENDS_PER_SWEEP:
                return Swept(sent, expired, complete=False)
            if now.timestamp() - task.submitted_at > max_age.total_seconds():
                hours = max_age.total_seconds() / 3_600
                if tasks.fail(task.task_id, EXPIRED, f"no prediction within {hours:g} hours", now, keep=True):
                    expired.append(task.task_id)
            elif task.next_send_at <= now.timestamp() and not full and _send(task, tasks, queue, now):
                sent.append(task.task_id)
    except (TaskStoreUnavailable, QueueUnavailable) as fault:
        return Swept(sent, expired, complete=False, fault=fault)
    return Swept(sent, expired, complete=True)


def _send(task: Task, tasks: TaskStore, queue: TaskQueue, now: datetime) -> bool:
    message = tasks.claim_send(task, now)
    if message is None:
        return False
    _send_or_note(message, task.task_id, queue, tasks, now)
    return True


def _send_or_note(message: str, task_id: str, queue: TaskQueue, tasks: TaskStore, now: datetime) -> None:
    """Send the message of a pending task; where that fails, the task is due for the next sweep."""
    try:
        queue.send(message)
    except QueueUnavailable:
        tasks.not_sent(task_id, now)
        raise


class _TaskOfMessage(BaseModel):
    model_config = ConfigDict(extra="ignore")

    task_id: str


def task_id_of(body: str) -> str | None:
    """The task that a message of any version names; None if it names none."""
    try:
        return _TaskOfMessage.model_validate_json(body).task_id
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What became of one dead letter.

    Args:
        receipt: The queue's id of the message.
        outcome: `failed`: its task was ended so; `no_task`: it names none; `retry` asks the queue to deliver it again.
        task_id: The task, if the message names one.
        reason: Why it failed, as far as known; with `retry`, why it could not be ended.
    """

    receipt: str
    outcome: Literal["failed", "already_ended", "no_task", "retry"]
    task_id: str | None = None
    reason: str | None = None


def end_dead_letters(letters: Iterable[QueuedMessage], tasks: TaskStore, now: datetime) -> list[DeadLetter]:
    """End the tasks of messages that failed too often as failed, and keep what was asked for an operator.

    Returns:
        One entry per message; never raises.
    """
    return [_end(letter, tasks, now) for letter in letters]


def _end(letter: QueuedMessage, tasks: TaskStore, now: datetime) -> DeadLetter:
    task_id = task_id_of(letter.body)
    if task_id is None:
        # Not sent by this service, and nobody can be told.
        return DeadLetter(letter.receipt, "no_task", reason="unreadable_message")
    try:
        reason = _reason(task_id, letter, tasks)
        ended = tasks.fail(task_id, DEAD_LETTER, f"the prediction failed too often: {reason}", now, keep=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others must be ended and this one come back
        return DeadLetter(letter.receipt, "retry", task_id, reason_of(error))
    return DeadLetter(letter.receipt, "failed" if ended else "already_ended", task_id, reason)


def _reason(task_id: str, letter: QueuedMessage, tasks: TaskStore) -> str:
    try:
        InferenceMessage.model_validate_json(letter.body)
    except ValidationError:
        return "unreadable_message"
    return tasks.fault(task_id) or "no_answer"


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one kept dead letter: `new_id` is the task it runs as; None if its message cannot be read."""

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
    """Run a kept dead letter again: as a new task that the failed one names, or, reopened, as itself.

    Args:
        task: One of `TaskStore.dead_letters`.
        tasks: The tasks.
        queue: The inference queue.
        now: The time of it.
        reopen: Make the same task pending again, although its caller may have read that it failed.
        new_id: Makes ids.

    Returns:
        None if it is no dead letter any more.

    Raises:
        TaskStoreUnavailable: nothing happened.
        QueueUnavailable: it is pending, and due for the next sweep.
    """
    kept = tasks.dead_letter(task.task_id)
    if kept is None:
        return None
    error_type = (kept.error or {}).get("type", "")
    try:
        message = InferenceMessage.model_validate_json(kept.message or "")
    except ValidationError:
        return Redriven(task.task_id, None, error_type)
    runs_as = task.task_id if reopen else str(new_id())
    body = message.model_copy(update={"task_id": runs_as, "submitted_at": now}).model_dump_json()
    done = tasks.reopen(task.task_id, body, now) if reopen else tasks.resubmit(task.task_id, runs_as, body, now)
    if not done:
        return None
    _send_or_note(body, runs_as, queue, tasks, now)
    return Redriven(task.task_id, runs_as, error_type)
