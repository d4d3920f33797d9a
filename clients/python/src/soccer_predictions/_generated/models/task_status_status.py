from typing import Literal

TaskStatusStatus = Literal["failed", "pending", "success"]

TASK_STATUS_STATUS_VALUES: set[TaskStatusStatus] = {
    "failed",
    "pending",
    "success",
}


def check_task_status_status(value: str) -> TaskStatusStatus:
    if value in TASK_STATUS_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {TASK_STATUS_STATUS_VALUES!r}")
