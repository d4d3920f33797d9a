"""What all HTTP functions share: access, errors to status codes, the deadline, the log line and the metrics.

The only module that knows status codes.
"""

import json
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)

from chalicelib import wiring
from chalicelib.api.request import parse_json, prepared
from chalicelib.api.response import finished, preflight
from chalicelib.api.routes import router_of
from chalicelib.domain import Stage
from chalicelib.endpoints import BY_FUNCTION, Access
from chalicelib.errors import (
    AccessDenied,
    BacklogFull,
    BodyTooLarge,
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
    UnsupportedMediaType,
)
from chalicelib.telemetry.cold_start import cold_start, cold_start_of
from chalicelib.telemetry.emf import Measurement
from chalicelib.telemetry.log import facts, logger
from chalicelib.telemetry.names import (
    OF_SERVICE,
    PREDICTION_ERRORS,
    PREDICTION_TIMEOUTS,
    REQUEST_FAILED,
    REQUEST_LATENCY,
    REQUESTS_REFUSED,
    UNKNOWN_STAGE,
    bucket,
)

# The first matching class decides.
STATUS_OF: Final[tuple[tuple[type[ServiceError], HTTPStatus], ...]] = (
    (DeadlineExceeded, HTTPStatus.GATEWAY_TIMEOUT),
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

RETRY_AFTER_SECONDS: Final = "5"
ANSWER_MARGIN_SECONDS: Final = 0.5
"""How long before its time limit a function gives up, so that the 504 is ours."""

MAX_FAULTS: Final = 100
MAX_LOC_CHARACTERS: Final = 200
"""How much of the caller's own words an error repeats."""

_STAGES: Final = frozenset(stage.value for stage in Stage)
# Which kind of prediction a function serves; the others are not counted as predictions.
_SOURCE: Final = {"predict": "sync", "predict_match": "sync", "predict_async": "async"}


class _TimeUp(BaseException):
    """The deadline's alarm; not an `Exception`, so that no library's retry or wrapper catches it."""


def handle(function: str, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway proxy event with the routes of one function; never raises.

    Args:
        function: Name in `endpoints.ENDPOINTS`.
        event: REST API proxy event.
        context: Lambda context.

    Returns:
        A proxy integration response.
    """
    started = time.perf_counter()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    error: ServiceError | None = None
    try:
        with _deadline(context):
            answer = _answer(function, event, headers, context)
            error = facts.take_error()
    except _TimeUp:
        error = DeadlineExceeded("no answer within the time limit")
        answer = _rendered(error)
    except ServiceError as known:
        error = known
        answer = _rendered(known)
    except Exception:  # noqa: BLE001 - the outermost place: whatever it is, the caller gets our 500
        logger.exception("unhandled error")
        error = ServiceError("internal error")
        answer = _rendered(error)
    request_id = _request_id(event, context)
    answer = finished(answer, headers, request_id=request_id, board_origin=wiring.settings().board_origin)
    _observe(function, event, request_id, answer=answer, error=error, seconds=time.perf_counter() - started)
    return answer


def status_of(error: ServiceError) -> HTTPStatus:
    """The status code of a failure."""
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def error_body(status: int, message: str, details: list[Any] | None = None) -> str:
    """The JSON of an error."""
    body: dict[str, Any] = {"statusCode": int(status), "message": message}
    if details:
        body["details"] = details
    return json.dumps(body)


@cache
def _resolver(function: str) -> APIGatewayRestResolver:
    resolver = new_resolver()
    resolver.include_router(router_of(function))
    return resolver


def new_resolver() -> APIGatewayRestResolver:
    """A resolver with the service's JSON and errors, and no routes yet."""
    resolver = APIGatewayRestResolver(
        enable_validation=True,
        serializer=_dumps,
        json_body_deserializer=parse_json,
    )

    @resolver.exception_handler(ServiceError)
    def _service_error(error: ServiceError) -> Response[str]:
        facts.note_error(error)
        return _response(error)

    @resolver.exception_handler(RequestValidationError)
    def _invalid(error: RequestValidationError) -> Response[str]:
        details: list[Mapping[str, Any]] = [
            {"loc": [_shortened(part) for part in e["loc"]], "msg": e["msg"], "type": e["type"]}
            for e in error.errors()[:MAX_FAULTS]
        ]
        rejected = Rejected("the request is not valid", details)
        facts.note_error(rejected)
        return _response(rejected)

    @resolver.exception_handler(RequestUnsupportedContentType)
    def _not_json(_: RequestUnsupportedContentType) -> Response[str]:
        unsupported = UnsupportedMediaType("the body must be application/json")
        facts.note_error(unsupported)
        return _response(unsupported)

    @resolver.exception_handler(NotFoundError)
    def _no_route(_: NotFoundError) -> Response[str]:
        missing = NotFound("there is nothing at this path")
        facts.note_error(missing)
        return _response(missing)

    return resolver


def _shortened(part: object) -> object:
    return part[:MAX_LOC_CHARACTERS] if isinstance(part, str) else part


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _response(error: ServiceError) -> Response[str]:
    answer = _rendered(error)
    return Response(answer["statusCode"], "application/json", answer["body"], headers=answer["headers"])


def _rendered(error: ServiceError) -> dict[str, Any]:
    status = status_of(error)
    headers = {"Content-Type": "application/json"}
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    if isinstance(error, KeyThrottled):
        headers["Retry-After"] = str(error.seconds)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "ApiKey"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    body = error_body(status, error.message, error.details)
    return {"statusCode": int(status), "headers": headers, "body": body, "isBase64Encoded": False}


def _answer(function: str, event: dict[str, Any], headers: Mapping[str, str], context: Any) -> dict[str, Any]:
    endpoint, settings = BY_FUNCTION[function], wiring.settings()
    if event.get("httpMethod") == "OPTIONS":
        return preflight(f"{endpoint.method}, OPTIONS", headers, settings.board_origin)
    request = prepared(event, headers, endpoint, settings.max_body_bytes)
    needed = endpoint.access
    if needed is Access.OPERATOR or (needed is Access.CLIENT and settings.client_key_required):
        key = headers.get("x-api-key")
        wiring.key_ring().admit(key, needed)
        wiring.key_throttle().take(key or "")
    return _resolver(function).resolve(request, context)


@contextmanager
def _deadline(context: Any) -> Iterator[None]:
    """Interrupt the work shortly before Lambda's own limit would end the whole process."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    seconds = remaining() / 1_000 - ANSWER_MARGIN_SECONDS if remaining else 0
    if seconds <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGALRM, _time_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _time_up(_signal_number: int, _frame: Any) -> None:
    raise _TimeUp


def _request_id(event: dict[str, Any], context: Any) -> str:
    return str((event.get("requestContext") or {}).get("requestId") or getattr(context, "aws_request_id", "") or "-")


def _observe(
    function: str,
    event: dict[str, Any],
    request_id: str,
    *,
    answer: dict[str, Any],
    error: ServiceError | None,
    seconds: float,
) -> None:
    status = answer["statusCode"]
    noted = facts.take()
    reason = None if error is None else error.code
    wiring.recorder().log(
        logging.WARNING if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO,
        "request",
        {
            "function": function,
            "method": event.get("httpMethod"),
            "resource": event.get("resource"),
            "duration_ms": round(seconds * 1_000, 3),
            "request_id": request_id,
            "cold_start": cold_start.pending,
            "reason": reason,
            **noted,
        },
        *_measurements(function, event, status, error, seconds),
        *cold_start_of(function),
    )


def _measurements(
    function: str, event: dict[str, Any], status: int, error: ServiceError | None, seconds: float
) -> list[Measurement]:
    failed = int(status >= HTTPStatus.INTERNAL_SERVER_ERROR)
    counted: list[Mapping[str, str]] = [{"function": function, "status": str(status)}]
    others = [Measurement(REQUEST_FAILED, "None", failed, (OF_SERVICE,))]
    if isinstance(error, BacklogFull):
        others.append(Measurement(REQUESTS_REFUSED, "Count", 1, (OF_SERVICE,)))
    # A preflight or a wrong method asked for no prediction.
    asked = event.get("httpMethod") == BY_FUNCTION[function].method
    if asked and (source := _SOURCE.get(function)):
        counted.append({"source": source, "stage": _stage(event)})
        if source == "sync":
            counted += [{"source": source}, {"source": source, "le": bucket(seconds)}]
        if error is not None:
            others.append(Measurement(PREDICTION_ERRORS, "Count", 1, ({"source": source, "reason": error.code},)))
        if isinstance(error, DeadlineExceeded):
            others.append(Measurement(PREDICTION_TIMEOUTS, "Count", 1, ({"source": source},)))
    return [Measurement(REQUEST_LATENCY, "Seconds", seconds, counted), *others]


def _stage(event: dict[str, Any]) -> str:
    """The stage a prediction was asked of, also where the request failed before its route saw it."""
    asked = (event.get("queryStringParameters") or {}).get("stage", Stage.CHAMPION.value)
    # One label for whatever else callers write: labels must stay few.
    return asked if asked in _STAGES else UNKNOWN_STAGE
