"""What the service answered: an error is raised before the generated core parses it, whoever wrote it."""

import httpx

from soccer_predictions._generated.models import Prediction, TaskError, TaskStatus
from soccer_predictions.errors import TaskFailed, error_of


def raise_for_error(response: httpx.Response) -> None:
    """Raise the error that a response stands for.

    Raises:
        ApiError: the status says that the request did not succeed.
    """
    if response.is_error:
        raise error_of(response.status_code, response.read(), response.headers)


async def araise_for_error(response: httpx.Response) -> None:
    """The same for `async` code.

    Raises:
        ApiError: the status says that the request did not succeed.
    """
    if response.is_error:
        raise error_of(response.status_code, await response.aread(), response.headers)


def outcome_of(task: TaskStatus) -> Prediction | None:
    """The prediction of a task that succeeded; None while it is pending.

    Raises:
        TaskFailed: it ended as failed.
    """
    if task.status == "failed":
        error = task.error
        kind, message = (error.type_, error.message) if isinstance(error, TaskError) else ("unknown", "")
        raise TaskFailed(task.task_id, kind, message)
    return task.result if isinstance(task.result, Prediction) else None
