from typing import Literal

WorkerStatePing = Literal["failed", "ok", "throttled"]

WORKER_STATE_PING_VALUES: set[WorkerStatePing] = {
    "failed",
    "ok",
    "throttled",
}


def check_worker_state_ping(value: str) -> WorkerStatePing:
    if value in WORKER_STATE_PING_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {WORKER_STATE_PING_VALUES!r}")
