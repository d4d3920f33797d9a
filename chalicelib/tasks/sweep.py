"""The sweep: resend lost messages, end tasks that were not processed in time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chalicelib.errors import QueueUnavailable, ServiceError, TaskStoreUnavailable
from chalicelib.tasks.deadline import Deadline
from chalicelib.tasks.messages import send_or_reschedule
from chalicelib.tasks.queue import TaskQueue
from chalicelib.tasks.store import Task, TaskStore

EXPIRED: Final = "expired"
"""Error type of a task that was not processed in time."""


@dataclass(frozen=True, slots=True)
class Swept:
    """The result of a sweep.

    Args:
        sent: Ids of the tasks sent again.
        expired: Ids of the tasks ended as failed because of their age.
        complete: Whether it examined all pending tasks.
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
    most_sends: int,
    deadline: Deadline | None = None,
) -> Swept:
    """Resend the messages of due tasks and end tasks that were not processed in time.

    A task is due when its message can no longer be in delivery (see RESEND_AFTER_SECONDS), then with waits twice as
    long each, so that a long backlog is not multiplied; at once when sending is known to have failed. A duplicate is
    harmless: results are written once.

    Args:
        tasks: The tasks.
        queue: The inference queue.
        now: The time of the sweep.
        max_age: Maximum age of a pending task.
        max_backlog: Waiting messages beyond which nothing is sent again.
        most_sends: Maximum number of messages resent, so that the sweep ends in time and does not flood the queue.
        deadline: When to stop. Default: never.

    Returns:
        What was done; never raises for an unreachable dependency.
    """
    deadline = deadline or Deadline()
    sent: list[str] = []
    expired: list[str] = []
    full = queue.backlog() >= max_backlog
    try:
        for task in tasks.pending(now):
            if deadline.passed() or len(sent) >= most_sends:
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
    send_or_reschedule(message, task.task_id, queue, tasks, now)
    return True
