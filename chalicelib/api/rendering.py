"""How routes render: JSON of a model or of rows, their headers, and the documentation of responses."""

import hashlib
import json
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Final, get_args, get_origin

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel
from pydantic_core import to_json

from chalicelib.api.conditional import content_etag
from chalicelib.api.failures import DESCRIPTIONS
from chalicelib.api.negotiation import rows_csv
from chalicelib.contracts.errors import ErrorResponse
from chalicelib.releases.query import Page
from chalicelib.timestamps import iso_utc

JSON = "application/json"

POLL_SECONDS: Final = "1"
"""Seconds after which a pending task is worth polling."""

MAX_LIST_BYTES = 6_000_000
"""Largest list body as it leaves the function; Lambda stops at 6,291,556 bytes with the headers counted in."""
MAX_PLAIN_BYTES = 262_144
"""Largest list body to a caller that does not take gzip; about a tenth of it leaves compressed."""
_SMALL = 1_000_000


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


def cacheable_response(content: BaseModel, headers: dict[str, str] | None = None) -> Response[str]:
    """A model as JSON with an ETag of its content; the gateway answers 304 to callers that hold it."""
    response = json_response(content, headers=headers)
    response.headers |= {"ETag": content_etag(response.body or ""), "Cache-Control": "no-cache"}
    return response


def rows_body(row: type[BaseModel], page: Page, *, as_csv: bool, header: bool = True) -> str:
    """The rows of a page as JSON, or as CSV with the fields of their model as columns."""
    return rows_csv(list(row.model_fields), page.rows, header=header) if as_csv else to_json(page.rows).decode()


def is_too_large(body: str, *, compressed: bool) -> bool:
    """Whether a list's body would not fit into a function's response, or is more than leaves uncompressed.

    A response is JSON itself: its body is a string in it, with quotes and, at worst, all but ASCII escaped.
    """
    if not compressed and len(body.encode()) > MAX_PLAIN_BYTES:
        return True
    return len(body) > _SMALL and len(json.dumps(body)) > MAX_LIST_BYTES


def list_response(page: Page, body: str, variant: str, media_type: str = JSON) -> Response[str]:
    """A page of rows with the headers of the release it comes from.

    Args:
        page: The page.
        body: Its rows.
        variant: What besides the release decides the content: the path, the query and the form.
        media_type: What the body is.
    """
    headers = {
        "ETag": f'W/"{page.version}-{_short_hash(variant)}"',
        "Last-Modified": format_datetime(page.last_modified, usegmt=True),
        "Cache-Control": "no-cache",
        "Vary": "Accept, X-API-Key",
    }
    if page.predictions_computed_at is not None:
        headers["x-predictions-computed-at"] = iso_utc(page.predictions_computed_at)
    if page.now is not None:
        headers["x-clock"] = iso_utc(page.now)
    if page.next_cursor is not None:
        headers["x-next-cursor"] = page.next_cursor
    return Response(int(HTTPStatus.OK), media_type, body, headers=dict(headers))


def documented(
    model: Any, *errors: int, status: HTTPStatus = HTTPStatus.OK, conditional: bool = False, csv: bool = True
) -> dict[int, Any]:
    """The `responses` of a route for the OpenAPI document: its success and its errors.

    Args:
        model: The success's body.
        errors: Status codes of the errors.
        status: The success's status code.
        conditional: Whether callers that hold the content get 304; lists always do.
        csv: Whether a list can be had as CSV too.
    """
    responses: dict[int, Any] = {
        int(status): {"description": _describe(model), "content": {JSON: {"model": model}}},
    }
    if csv and get_origin(model) is list:
        responses[int(status)]["content"]["text/csv"] = {"schema": {"type": "string"}}
    if conditional or get_origin(model) is list:
        responses[int(HTTPStatus.NOT_MODIFIED)] = {"description": "The caller holds the current content."}
    for code in errors:
        responses[code] = {"description": DESCRIPTIONS[code], "content": {JSON: {"model": ErrorResponse}}}
    return responses


def _describe(model: Any) -> str:
    item = get_args(model)[0] if get_origin(model) is list else model
    return (item.__doc__ or "").strip().splitlines()[0] if item is not None else "OK"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
