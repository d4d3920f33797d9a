"""How routes render: JSON of a model or of rows, list headers, 304, and the documentation of errors."""

import json
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, get_args, get_origin

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel
from pydantic_core import to_json

from chalicelib.contracts import ErrorResponse
from chalicelib.releases.lists import Page

JSON = "application/json"

MAX_LIST_BYTES = 6_000_000
"""Largest list body as it leaves the function; Lambda stops at 6,291,556 bytes with the headers counted in."""
_SMALL = 1_000_000

ERRORS = {
    401: "No valid API key.",
    403: "The key's level does not reach this route.",
    404: "The thing asked for does not exist.",
    409: "The idempotency key was used with another body.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The request is not valid; `details` lists each fault.",
    429: "Too much at once; see `Retry-After`.",
    500: "Unexpected failure; nothing of it is told, the logs have it under the request's id.",
    503: "Something this needs is not there yet; see `Retry-After`.",
    504: "No answer within the time limit.",
}


def json_response(
    content: BaseModel,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    headers: dict[str, str] | None = None,
    exclude: set[str] | None = None,
) -> Response[str]:
    """A model as JSON, serialised once by Pydantic's core; contract tests hold it against the documented schema."""
    body = content.model_dump_json(by_alias=True, exclude=exclude)
    return Response(int(status), JSON, body, headers=dict(headers or {}))


def rows_json(page: Page) -> str:
    """The rows as JSON."""
    return to_json(page.rows).decode()


def is_too_large(body: str) -> bool:
    """Whether a list's body would not fit into a function's response.

    A response is JSON itself: its body is a string in it, with quotes and, at worst, all but ASCII escaped.
    """
    return len(body) > _SMALL and len(json.dumps(body)) > MAX_LIST_BYTES


def list_response(page: Page, body: str, if_none_match: str | None, variant: str) -> Response[str]:
    """A page of rows with the headers of the release it comes from, or 304.

    Args:
        page: The page.
        body: Its rows as JSON.
        if_none_match: What the caller holds.
        variant: What besides the release decides the content: the path and the query.
    """
    etag = f'W/"{page.version}-{_short_hash(variant)}"'
    headers = {
        "ETag": etag,
        "Last-Modified": format_datetime(page.last_modified, usegmt=True),
        "Cache-Control": "no-cache",
    }
    if if_none_match is not None and (if_none_match.strip() == "*" or _opaque(etag) in _etags(if_none_match)):
        return Response(int(HTTPStatus.NOT_MODIFIED), JSON, "", headers=dict(headers))
    if page.next_cursor is not None:
        headers["x-next-cursor"] = page.next_cursor
    return Response(int(HTTPStatus.OK), JSON, body, headers=dict(headers))


def documented(model: Any, *errors: int, status: HTTPStatus = HTTPStatus.OK) -> dict[int, Any]:
    """The `responses` of a route for the OpenAPI document: its success and its errors."""
    responses: dict[int, Any] = {
        int(status): {"description": _describe(model), "content": {JSON: {"model": model}}},
    }
    if get_origin(model) is list:
        responses[int(HTTPStatus.NOT_MODIFIED)] = {"description": "The content is the one that `If-None-Match` names."}
    for code in errors:
        responses[code] = {"description": ERRORS[code], "content": {JSON: {"model": ErrorResponse}}}
    return responses


def _describe(model: Any) -> str:
    item = get_args(model)[0] if get_origin(model) is list else model
    return (item.__doc__ or "").strip().splitlines()[0] if item is not None else "OK"


def _etags(header: str) -> list[str]:
    return [_opaque(tag.strip()) for tag in header.split(",")]


def _opaque(etag: str) -> str:
    """If-None-Match compares weakly (RFC 9110, 8.8.3.2): with or without `W/` it is the same tag."""
    return etag.removeprefix("W/")


def _short_hash(text: str) -> str:
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(text.encode()).hexdigest()[:8]
