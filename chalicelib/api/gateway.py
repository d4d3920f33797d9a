"""What all HTTP functions share: access, the deadline, failures, the log line and the metrics."""

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
from chalicelib.api.conditional import not_modified
from chalicelib.api.failures import error_answer, error_response
from chalicelib.api.json_body import MAX_FAULTS, MAX_NAME_CHARACTERS, parse_object
from chalicelib.api.request import allowed_methods, check_path, deprecation_headers, source_address, validated_event
from chalicelib.api.response import (
    Answer,
    flattened,
    preflight,
    rate_limit_headers,
    shared_caching,
    with_common_headers,
    without_body,
)
from chalicelib.api.routes import router_of
from chalicelib.domain import Stage
from chalicelib.endpoints import BY_FUNCTION, Access
from chalicelib.errors import (
    Allowance,
    BacklogFull,
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    MissingKey,
    NotFound,
    ServiceError,
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

ANSWER_MARGIN_SECONDS: Final = 0.5
"""How long before its time limit a function gives up, so that the 504 comes from us and not from the gateway."""

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
    method = event.get("httpMethod")
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    error: ServiceError | None = None
    try:
        with _deadline(context):
            answer = _answer(function, event, headers, context)
            error = facts.take_error()
    except _TimeUp:
        error = DeadlineExceeded("no answer within the time limit")
        answer = error_answer(error)
    except ServiceError as known:
        error = known
        answer = error_answer(known)
    except Exception:  # noqa: BLE001 - the outermost place: whatever it is, the caller gets our 500
        logger.exception("unhandled error")
        error = InternalError("internal error")
        answer = error_answer(error)
    request_id = _request_id(event, context)
    if wiring.settings().cdn and BY_FUNCTION[function].access is Access.PUBLIC and "x-api-key" not in headers:
        shared_caching(answer, wiring.settings().release_check_seconds)
    allowed_origins = wiring.settings().allowed_origins
    answer = with_common_headers(answer, headers, request_id=request_id, allowed_origins=allowed_origins)
    answer["headers"] |= deprecation_headers(event, headers, BY_FUNCTION[function], wiring.settings().public_url)
    if method == "HEAD":
        answer = without_body(answer)
    _observe(function, event, request_id, answer=answer, error=error, seconds=time.perf_counter() - started)
    return answer


@cache
def _resolver(function: str) -> APIGatewayRestResolver:
    resolver = new_resolver()
    resolver.include_router(router_of(function))
    return resolver


@cache
def _query_parameters(function: str) -> frozenset[str] | None:
    """Names of the query parameters that a function's operations take; None where it serves pages."""
    resolver = _resolver(function)
    routes = [*resolver._static_routes, *resolver._dynamic_routes]  # noqa: SLF001 - Powertools has no other way
    if any("pages" in (route.tags or ()) for route in routes):
        return None
    return frozenset(parameter.alias for route in routes for parameter in route.dependant.query_params)


def new_resolver() -> APIGatewayRestResolver:
    """A resolver with the service's JSON and errors, and no routes yet."""
    resolver = APIGatewayRestResolver(
        enable_validation=True,
        serializer=_dumps,
        json_body_deserializer=parse_object,
    )

    @resolver.exception_handler(ServiceError)
    def _service_error(error: ServiceError) -> Response[str]:
        return _noted(error)

    @resolver.exception_handler(RequestValidationError)
    def _invalid(error: RequestValidationError) -> Response[str]:
        faults = [_fault(fault) for fault in error.errors()[:MAX_FAULTS]]
        return _noted(InvalidRequest(faults))

    @resolver.exception_handler(RequestUnsupportedContentType)
    def _not_json(_: RequestUnsupportedContentType) -> Response[str]:
        return _noted(UnsupportedMediaType("the body must be application/json"))

    @resolver.exception_handler(NotFoundError)
    def _no_route(_: NotFoundError) -> Response[str]:
        return _noted(NotFound("there is nothing at this path"))

    return resolver


def _noted(error: ServiceError) -> Response[str]:
    facts.note_error(error)
    return error_response(error)


def _fault(fault: Mapping[str, Any]) -> dict[str, Any]:
    loc = [part[:MAX_NAME_CHARACTERS] if isinstance(part, str) else part for part in fault["loc"]]
    # A rule about one key of a mapping names it: Pydantic knows only the mapping's place.
    loc += (fault.get("ctx") or {}).get("inside", [])
    return {"loc": loc, "msg": fault["msg"], "type": fault["type"]}


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _answer(function: str, event: dict[str, Any], headers: Mapping[str, str], context: Any) -> Answer:
    endpoint, settings = BY_FUNCTION[function], wiring.settings()
    check_path(event, endpoint)
    if event.get("httpMethod") == "OPTIONS":
        return _preflight(function, event, headers, context)
    parameters = _query_parameters(function)
    request = validated_event(event, headers, endpoint, settings.max_body_bytes, parameters)
    allowance = None
    if endpoint.access is Access.OPERATOR or (endpoint.access is Access.CLIENT and settings.client_key_required):
        allowance = _admit(event, headers.get("x-api-key"), endpoint.access)
    answer = not_modified(flattened(_resolver(function).resolve(request, context)), headers)
    if allowance is not None:
        answer["headers"] |= rate_limit_headers(allowance)
    return answer


def _preflight(function: str, event: dict[str, Any], headers: Mapping[str, str], context: Any) -> Answer:
    if "asset" in (event.get("pathParameters") or {}):
        # Which files there are, only their route knows.
        answer = flattened(_resolver(function).resolve({**event, "httpMethod": "GET"}, context))
        if answer["statusCode"] == HTTPStatus.NOT_FOUND:
            return answer
    return preflight(allowed_methods(BY_FUNCTION[function]), headers, wiring.settings().allowed_origins)


def _admit(event: dict[str, Any], key: str | None, needed: Access) -> Allowance | None:
    """Let the caller pass and count the request against its key's quota, or raise."""
    address = source_address(event, behind_cdn=wiring.settings().cdn)
    if key is not None:
        wiring.wrong_key_throttle().check(address)
    try:
        wiring.key_ring().admit(key, needed)
    except MissingKey:
        if key is not None:
            wiring.wrong_key_throttle().count(address)
        raise
    return wiring.key_throttle().take(key or "")


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
    # A preflight or a wrong method requests no prediction.
    is_prediction = event.get("httpMethod") == BY_FUNCTION[function].method
    if is_prediction and (source := _SOURCE.get(function)):
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
