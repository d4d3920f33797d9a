"""How failures become answers: status codes, error bodies and the headers that come with them.

Failures are mapped to status codes here only; routes name the status codes of their successes.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response

from chalicelib.api.response import Answer, rate_limit_headers
from chalicelib.errors import (
    AccessDenied,
    BodyTooLarge,
    CursorExpired,
    DeadlineExceeded,
    IdempotencyConflict,
    KeyThrottled,
    MethodNotAllowed,
    MissingKey,
    NotFound,
    Rejected,
    Retryable,
    ServiceError,
    Throttled,
    TooManyWrongKeys,
    UnsupportedMediaType,
)

# The first matching class decides.
STATUS_OF: Final[tuple[tuple[type[ServiceError], HTTPStatus], ...]] = (
    (DeadlineExceeded, HTTPStatus.GATEWAY_TIMEOUT),
    (CursorExpired, HTTPStatus.GONE),
    (NotFound, HTTPStatus.NOT_FOUND),
    (MethodNotAllowed, HTTPStatus.METHOD_NOT_ALLOWED),
    (IdempotencyConflict, HTTPStatus.CONFLICT),
    (BodyTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (UnsupportedMediaType, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (Rejected, HTTPStatus.UNPROCESSABLE_ENTITY),
    (MissingKey, HTTPStatus.UNAUTHORIZED),
    (AccessDenied, HTTPStatus.FORBIDDEN),
    (Throttled, HTTPStatus.TOO_MANY_REQUESTS),
    (Retryable, HTTPStatus.SERVICE_UNAVAILABLE),
)

DESCRIPTIONS: Final = {
    401: "No valid API key.",
    403: "The key's level does not allow this operation.",
    404: "The requested resource does not exist.",
    405: "The path has no such method; see `Allow`.",
    409: "The idempotency key was used with another request.",
    410: "The data release that the listing began in has been deleted; start again without `cursor`.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The request is not valid; `details` lists each fault.",
    429: "Too many requests; see `Retry-After`.",
    500: "Unexpected failure. Details are only in the logs, under the request id.",
    503: "Something this operation depends on is not available yet; see `Retry-After`.",
    504: "No answer within the time limit.",
}
"""Status code to what it means, for the OpenAPI document."""

RETRY_AFTER_SECONDS: Final = "5"


def status_of(error: ServiceError) -> HTTPStatus:
    """The status code of a failure."""
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def error_body(status: int, code: str, message: str, details: list[Mapping[str, Any]] | None = None) -> str:
    """The JSON of an error.

    `detail` says the same as `message` and `details` in the place where clients of the original system look for it.
    """
    body: dict[str, Any] = {
        "statusCode": int(status), "message": message, "code": code, "detail": details or message
    }  # fmt: skip
    if details:
        body["details"] = details
    return json.dumps(body)


def error_answer(error: ServiceError) -> Answer:
    """The proxy integration response to a failure."""
    status = status_of(error)
    headers = {"Content-Type": "application/json"}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    if isinstance(error, TooManyWrongKeys):
        headers["Retry-After"] = str(error.seconds)
    if isinstance(error, KeyThrottled):
        headers["Retry-After"] = str(error.allowance.reset_seconds)
        headers |= rate_limit_headers(error.allowance)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "ApiKey"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    body = error_body(status, error.code, error.message, error.details)
    return {"statusCode": int(status), "headers": headers, "body": body, "isBase64Encoded": False}


def error_response(error: ServiceError) -> Response[str]:
    """The same for Powertools' resolver."""
    answer = error_answer(error)
    return Response(answer["statusCode"], "application/json", answer["body"], headers=answer["headers"])
