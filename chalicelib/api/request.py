"""What a request must be before any route sees it: its method, its media type, its size, its text.

API Gateway hands bodies over as base64, because the API declares every type as binary (gzipped answers need it).
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from chalicelib.endpoints import Endpoint
from chalicelib.errors import BodyTooLarge, MethodNotAllowed, NotFound, Rejected, UnsupportedMediaType

JSON_TYPE: Final = "application/json"
UTF_8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
QUERY_PARAMETERS: Final = frozenset(
    {"stage", "explain", "region", "league", "status", "from", "to", "team", "min_region_roi", "value_only", "limit",
     "cursor"}
)  # fmt: skip
NEVER_SERVED: Final = frozenset({"/predict/batch"})
"""Paths that the gateway takes for another's path parameter; there is no batch over HTTP (docs/adr/0005)."""

Event = dict[str, Any]


def prepared(event: Event, headers: Mapping[str, str], endpoint: Endpoint, max_body_bytes: int) -> Event:
    """The same event with its body as text, ready for the routes.

    Args:
        event: REST API proxy event.
        headers: Its headers, names in lower case.
        endpoint: What the function serves.
        max_body_bytes: Largest body taken.

    Raises:
        NotFound: no such path.
        MethodNotAllowed: the path has no such method.
        UnsupportedMediaType: the body is not JSON in UTF-8.
        BodyTooLarge: it is too large.
        Rejected: it is not text, or a query parameter is repeated.
    """
    _check_method(event, endpoint)
    _check_query(event)
    if endpoint.method == "GET":
        # A body of a GET means nothing (RFC 9110, 9.3.1).
        return {**event, "body": None, "isBase64Encoded": False}
    content = _content(event, max_body_bytes)
    _check_type(headers)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        fault = {"loc": ["body", error.start], "msg": "not valid UTF-8", "type": "unicode_invalid"}
        raise Rejected("the body is not UTF-8", [fault]) from None
    # One spelling, so that the routes' own check of the type agrees with this one.
    sent = {**{name: value for name, value in headers.items() if name != "content-type"}, "content-type": JSON_TYPE}
    return {**event, "headers": sent, "body": text or None, "isBase64Encoded": False}


def parse_json(text: str) -> dict[str, Any]:
    """A JSON object as the service accepts it: no NaN or Infinity, no duplicate keys, no absurd depth or number.

    Raises:
        json.JSONDecodeError: it is not.
    """
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text[:100], 0) from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise json.JSONDecodeError(str(error)[:200], text[:100], 0) from None
    if not isinstance(found, dict):
        # Powertools would take the first element of a list for the body.
        raise json.JSONDecodeError("not an object", text[:100], 0)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key in an object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _check_method(event: Event, endpoint: Endpoint) -> None:
    if str(event.get("path") or "").rstrip("/") in NEVER_SERVED:
        raise NotFound("there is nothing at this path")
    if event.get("httpMethod") == endpoint.method:
        return
    match_id = (event.get("pathParameters") or {}).get("match_id", "0")
    if not match_id.isdigit():
        # With another method than GET a word in the id's place is no match that was misspelt but another path.
        raise NotFound("there is nothing at this path")
    raise MethodNotAllowed(f"{endpoint.method}, OPTIONS")


def _check_query(event: Event) -> None:
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    repeated = [name for name, values in given.items() if len(values) > 1 and name in QUERY_PARAMETERS]
    if repeated:
        # Which of them would count is a guess; the gateway takes the last, other programs the first.
        faults = [{"loc": ["query", name], "msg": "given more than once", "type": "repeated"} for name in repeated]
        raise Rejected("the request is not valid", list(faults))


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
            raise Rejected("the body cannot be decoded", [fault]) from None
    else:
        content = body.encode("utf-8", "surrogatepass")
    if len(content) > max_body_bytes:
        raise too_large
    return content


def _check_type(headers: Mapping[str, str]) -> None:
    media, _, parameters = headers.get("content-type", JSON_TYPE).partition(";")
    charset = next(
        (value for name, _, value in (p.partition("=") for p in parameters.split(";")) if name.strip() == "charset"),
        "utf-8",
    )
    packed = headers.get("content-encoding", "identity").strip().lower()
    if media.strip().lower() != JSON_TYPE or charset.strip(' "').lower() not in UTF_8 or packed != "identity":
        raise UnsupportedMediaType("the body must be application/json in UTF-8, not compressed")
