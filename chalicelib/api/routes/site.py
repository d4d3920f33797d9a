"""What a browser requests: the OpenAPI document and its page, and the match board."""

import hashlib
import json
from collections import defaultdict
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib.api.conditional import content_etag
from chalicelib.api.openapi import document
from chalicelib.api.routes import all_routers
from chalicelib.errors import NotFound

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)

_ROOT: Final = Path(__file__).parents[2]
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _page(description: str) -> dict[int, Any]:
    return {200: {"description": description, "content": {"text/html": {"schema": {"type": "string"}}}}}


@ROUTERS["docs"].get(
    "/openapi.json",
    tags=["pages"],
    responses={
        200: {"description": "OpenAPI 3.1 document.", "content": {"application/json": {"schema": {"type": "object"}}}},
        304: {"description": "The caller holds the current content."},
    },
)
def openapi_document() -> Response[str]:
    """The OpenAPI document of this API."""
    headers = {"ETag": content_etag(_openapi()), "Cache-Control": "no-cache"}
    return Response(int(HTTPStatus.OK), "application/json", _openapi(), headers=dict(headers))


@cache
def _openapi() -> str:
    return json.dumps(document(all_routers()))


@ROUTERS["docs"].get(
    "/docs/",
    tags=["pages"],
    responses=_page("The page."),
)
def docs() -> Response[str]:
    """The browsable page of the OpenAPI document."""
    return _index("docs_page", "docs", ROUTERS["docs"].current_event.path)


@ROUTERS["docs"].get("/docs/<asset>", include_in_schema=False)
def docs_asset(asset: str) -> Response[str]:
    """A file of the API page."""
    return _file("docs_page", asset)


@ROUTERS["ui"].get(
    "/ui/",
    tags=["pages"],
    responses=_page("The match board."),
)
def board() -> Response[str]:
    """The match board."""
    page = _file("ui", "index.html")
    page.body = str(page.body).replace('="ui/', f'="ui/{_version("ui")}/')
    return page


# The page names its files as "ui/…", which from /ui/ is one level deeper: it works with and without the slash, whatever
# the gateway in front says of the path it was asked for. Files may lie in folders, hence one route for all of them.
@ROUTERS["ui"].get("/ui/.+", include_in_schema=False)
def board_asset() -> Response[str]:
    """A file of the match board; under the version of its content a browser that has it need not ask again."""
    path = ROUTERS["ui"].current_event.path
    name = path[path.index("/ui/") + len("/ui/") :].removeprefix("ui/").rstrip("/")
    version, _, rest = name.partition("/")
    if name in _files("ui"):
        return _file("ui", name)
    answer = _file("ui", rest)
    if version == _version("ui"):
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


@cache
def _files(folder: str) -> dict[str, str]:
    """Every file that may be served, read once: nothing outside this list can be asked for."""
    root = _ROOT / folder
    return {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for path in sorted(root.rglob("*"))
        if path.suffix in _TYPES
    }


def _index(folder: str, name: str, path: str) -> Response[str]:
    """The page of a folder, its links made relative to the path that was asked for: with or without trailing slash."""
    page = _file(folder, "index.html")
    page.body = (page.body or "").replace("{{here}}", "" if path.endswith("/") else f"{name}/")
    return page


@cache
def _version(folder: str) -> str:
    """Names the content of all files together: modules import one another, so none may be newer than the rest."""
    return hashlib.sha256(json.dumps(_files(folder)).encode()).hexdigest()[:12]


def _file(folder: str, name: str) -> Response[str]:
    content = _files(folder).get(name)
    if content is None:
        raise NotFound("there is nothing at this path")
    headers = {
        "Content-Security-Policy": _PAGE_POLICY,
        "Cache-Control": "no-cache",
        "ETag": content_etag(f"{_version(folder)} {name}"),
    }
    return Response(int(HTTPStatus.OK), _TYPES[Path(name).suffix], content, headers=headers)
