"""A message of the inference queue: as delivered, its task, and how it is resent."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from chalicelib.errors import QueueUnavailable, ServiceError
from chalicelib.tasks.queue import TaskQueue
from chalicelib.tasks.store import TaskStore


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message as the queue delivered it.

    Args:
        receipt: The queue's id of the message.
        body: What was sent.
        delivery: Delivery attempt, from 1.
    """

    receipt: str
    body: str
    delivery: int = 1


def reason_of(error: Exception) -> str:
    """A failure's code in logs and metrics."""
    return error.code if isinstance(error, ServiceError) else type(error).__name__


def send_or_reschedule(message: str, task_id: str, queue: TaskQueue, tasks: TaskStore, now: datetime) -> None:
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
