"""The state of a queued prediction."""

from collections import defaultdict
from typing import Annotated, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Path

from chalicelib import wiring
from chalicelib.api.rendering import POLL_SECONDS, documented, json_response
from chalicelib.contracts.tasks import TaskStatus
from chalicelib.errors import TaskNotFound
from chalicelib.tasks.store import TaskState
from chalicelib.telemetry.log import facts

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)

_UUID_LENGTH: Final = 36


@ROUTERS["task_status"].get(
    "/monitoring/task_status/<task_id>/",
    tags=["prediction"],
    responses=documented(TaskStatus, 404, 422, 503),
)
def task_status(
    task_id: Annotated[str, Path(max_length=200, description="Id from `POST /predict/async/`.")],
) -> Response[str]:
    """The state of an asynchronous prediction, and its result once it has ended."""
    # Whatever is not a task id we issue is not looked up: idempotency items live in the same table.
    if len(task_id) != _UUID_LENGTH or not task_id.replace("-", "").isalnum():
        raise TaskNotFound(task_id[:64])
    facts.note(task_id=task_id)
    task = wiring.tasks().get(task_id, wiring.real_now())
    content = TaskStatus.model_validate(
        {"task_id": task_id, "status": task.state, "result": task.result, "error": task.error}
    )
    headers = {"Retry-After": POLL_SECONDS} if task.state is TaskState.PENDING else {}
    return json_response(content, headers=headers, exclude=_absent(content))


def _absent(content: TaskStatus) -> set[str]:
    """A task carries its result or its error or neither, never a null one."""
    return {name for name in ("result", "error") if getattr(content, name) is None}
