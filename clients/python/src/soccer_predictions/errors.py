"""What can go wrong: one class per kind of answer, and `code` for the exact reason."""

import json
from collections.abc import Mapping
from typing import Any

import httpx


class ApiError(Exception):
    """The service answered with an error.

    Args:
        status: HTTP status code.
        code: Stable reason for programs, such as `match_not_found`.
        message: The reason for people.
        details: Each fault of a request that is not valid: `loc`, `msg`, `type`.
        request_id: Names the request in the service's logs.
        retry_after: Seconds after which the same request may succeed, if the service says so.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: list[dict[str, Any]],
        request_id: str | None,
        retry_after: float | None,
    ) -> None:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in details)
        super().__init__(f"{status} {code}: {message}" + (f" ({faults})" if faults else ""))
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.request_id = request_id
        self.retry_after = retry_after


class AccessDenied(ApiError):
    """401 or 403: no valid API key, or one of the wrong level."""


class NotFound(ApiError):
    """404 or 410: no such match, prediction or task, or a listing whose release has been deleted."""


class Conflict(ApiError):
    """409: the idempotency key was used with another request."""


class InvalidRequest(ApiError):
    """405, 413, 415 or 422: the request can never succeed as it is."""


class TooManyRequests(ApiError):
    """429, still after all retries."""


class ServiceUnavailable(ApiError):
    """5xx, still after all retries."""


class TaskFailed(Exception):
    """A queued prediction ended as failed.

    Args:
        task_id: The task.
        type: Why, for programs.
        message: Why, for people.
    """

    def __init__(self, task_id: str, type: str, message: str) -> None:  # noqa: A002 - the API's own name
        super().__init__(f"task {task_id} failed: {type}: {message}")
        self.task_id = task_id
        self.type = type
        self.message = message


class TaskTimeout(TimeoutError):
    """A queued prediction did not end in the time that the caller waits; it still will."""


_CLASSES: Mapping[int, type[ApiError]] = {
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    405: InvalidRequest,
    409: Conflict,
    410: NotFound,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
}


def error_of(status: int, content: bytes, headers: httpx.Headers) -> ApiError:
    """The error that an answer stands for; also where a proxy in between wrote its own page."""
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {"message": content[:200].decode("utf-8", "replace")}
    kind = _CLASSES.get(status, ServiceUnavailable if status >= 500 else ApiError)  # noqa: PLR2004 - RFC 9110's classes
    return kind(
        status,
        str(body.get("code", "unknown")),
        str(body.get("message", "")),
        body.get("details") or [],
        headers.get("x-request-id"),
        seconds(headers),
    )


def seconds(headers: httpx.Headers) -> float | None:
    """`Retry-After` in seconds, if there is one that says seconds."""
    text = headers.get("retry-after", "")
    return float(text) if text.isdigit() else None
