"""What is checked of a request before any route sees it: path, method, query names, media type, size, encoding.

API Gateway sends bodies as base64, because the API declares every type as binary (gzipped answers need it).
"""

import base64
import binascii
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from chalicelib.endpoints import Endpoint
from chalicelib.errors import BodyTooLarge, InvalidRequest, MethodNotAllowed, NotFound, UnsupportedMediaType

JSON_TYPE: Final = "application/json"
UTF_8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
NEVER_SERVED: Final = frozenset({"/predict/batch"})
"""Paths that would match another route's path parameter; there is no batch over HTTP (docs/adr/0005)."""

DEPRECATED_SINCE: Final = f"@{int(datetime(2026, 11, 21, tzinfo=UTC).timestamp())}"
"""Date of the first version, in which the original system's paths of its queues became aliases."""

Event = dict[str, Any]


def allowed_methods(endpoint: Endpoint) -> str:
    """The methods of an endpoint as `Allow` lists them."""
    return "GET, HEAD, OPTIONS" if endpoint.method == "GET" else f"{endpoint.method}, OPTIONS"


def check_path(event: Event, endpoint: Endpoint) -> None:
    """Refuse paths that only look like one of ours.

    Raises:
        NotFound: no such path.
    """
    if str(event.get("path") or "").rstrip("/") in NEVER_SERVED:
        raise NotFound("there is nothing at this path")
    match_id = str((event.get("pathParameters") or {}).get("match_id", "0"))
    if event.get("httpMethod") not in _methods(endpoint) and not match_id.isdigit():
        # Where the id would be, another method's caller wrote a word: another path, not a misspelt id.
        raise NotFound("there is nothing at this path")


def validated_event(
    event: Event,
    headers: Mapping[str, str],
    endpoint: Endpoint,
    max_body_bytes: int,
    parameters: Collection[str] | None,
) -> Event:
    """The same event with its body as text, ready for the routes.

    Args:
        event: REST API proxy event.
        headers: Its headers, names in lower case.
        endpoint: What the function serves.
        max_body_bytes: Largest body accepted.
        parameters: Names of the query parameters it takes; None for pages, whose query is the browser's business.

    Raises:
        MethodNotAllowed: the path has no such method.
        UnsupportedMediaType: the body is not JSON in UTF-8.
        BodyTooLarge: it is too large.
        InvalidRequest: it is not text, or a query parameter is unknown or repeated.
    """
    if event.get("httpMethod") not in _methods(endpoint):
        raise MethodNotAllowed(allowed_methods(endpoint))
    if parameters is not None:
        _check_query(event, parameters)
    if endpoint.method == "GET":
        # A body of a GET means nothing (RFC 9110, 9.3.1). HEAD is GET without the answer's body.
        return {**event, "httpMethod": "GET", "body": None, "isBase64Encoded": False}
    content = _content(event, max_body_bytes)
    _check_type(headers)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            [{"loc": ["body", error.start], "msg": "not valid UTF-8", "type": "unicode_invalid"}]
        ) from None
    # One spelling, so that the routes' own check of the type agrees with this one.
    normalised = {
        **{name: value for name, value in headers.items() if name != "content-type"},
        "content-type": JSON_TYPE,
    }
    return {**event, "headers": normalised, "body": text or None, "isBase64Encoded": False}


def source_address(event: Mapping[str, Any], *, behind_cdn: bool) -> str:
    """The caller's address as the gateway saw it; empty where it does not say.

    Args:
        event: REST API proxy event.
        behind_cdn: Whether the gateway sees CloudFront's addresses only. CloudFront's function then writes the caller's
            into a header (infra/stack/edge.yaml), and the web ACL refuses whoever comes past CloudFront.
    """
    if behind_cdn:
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        return str(headers.get("x-caller-address") or "")
    return str(((event.get("requestContext") or {}).get("identity") or {}).get("sourceIp") or "")


def public_url(event: Event, headers: Mapping[str, str], configured: str) -> str:
    """Where callers reach this API, without trailing slash: for absolute links.

    Args:
        event: REST API proxy event; its context knows the domain and the path with its stage.
        headers: Its headers, names in lower case.
        configured: The operator's setting, which wins.
    """
    if configured:
        return configured.rstrip("/")
    context: Mapping[str, Any] = event.get("requestContext") or {}
    host = context.get("domainName") or headers.get("host") or ""
    path, full_path = (str(found.get("path") or "").rstrip("/") for found in (event, context))
    prefix = full_path.removesuffix(path) if full_path.endswith(path) else ""
    return f"{headers.get('x-forwarded-proto', 'https')}://{host}{prefix}" if host else prefix


def deprecation_headers(
    event: Event, headers: Mapping[str, str], endpoint: Endpoint, configured_url: str
) -> dict[str, str]:
    """What answers at a deprecated path say of it: since when (RFC 9745), and which path to ask instead (RFC 8288)."""
    if str(event.get("path") or "").rstrip("/") not in endpoint.deprecated_paths:
        return {}
    successor = public_url(event, headers, configured_url) + endpoint.path
    return {"Deprecation": DEPRECATED_SINCE, "Link": f'<{successor}>; rel="successor-version"'}


def _methods(endpoint: Endpoint) -> tuple[str, ...]:
    return ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,)


def _check_query(event: Event, parameters: Collection[str]) -> None:
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    faults: list[dict[str, Any]] = []
    for name in {**given, **(event.get("queryStringParameters") or {})}:
        if name not in parameters:
            fault = {"loc": ["query", name[:200]], "msg": _advice(name, parameters), "type": "unknown_parameter"}
            faults.append(fault)
        elif len(given.get(name, ())) > 1:
            # Which of them would count is a guess: the gateway takes the last, other programs the first.
            faults.append({"loc": ["query", name], "msg": "given more than once", "type": "repeated"})
    if faults:
        raise InvalidRequest(faults[:100])


def _advice(name: str, parameters: Collection[str]) -> str:
    if not parameters:
        return "this operation takes no query parameters"
    from difflib import get_close_matches  # noqa: PLC0415 - only refused requests pay for it

    nearest = get_close_matches(name[:200].lower(), parameters, 1)
    advice = f"did you mean {nearest[0]}?" if nearest else f"it takes {', '.join(sorted(parameters))}"
    return f"this operation takes no such parameter; {advice}"


def _content(event: Event, max_body_bytes: int) -> bytes:
    body: str = event.get("body") or ""
    too_large = BodyTooLarge(f"the body is larger than {max_body_bytes} bytes")
    # Before any work on it: base64 is a third longer than what it stands for.
    if len(body) > max_body_bytes * 4 // 3 + 4:
        raise too_large
    if event.get("isBase64Encoded"):
        try:
            content = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            fault = {"loc": ["body"], "msg": "not valid base64", "type": "base64_invalid"}
            raise InvalidRequest([fault]) from None
    else:
        content = body.encode("utf-8", "surrogatepass")
    if len(content) > max_body_bytes:
        raise too_large
    return content


def _check_type(headers: Mapping[str, str]) -> None:
    media, _, parameters = headers.get("content-type", JSON_TYPE).partition(";")
    charset = next(
        (
            value
            for name, _, value in (parameter.partition("=") for parameter in parameters.split(";"))
            if name.strip().lower() == "charset"
        ),
        "utf-8",
    )
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if media.strip().lower() != JSON_TYPE or charset.strip(' "').lower() not in UTF_8 or encoding != "identity":
        raise UnsupportedMediaType("the body must be application/json in UTF-8, not compressed")
