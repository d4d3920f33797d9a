"""The OpenAPI 3.1 document of the whole API, generated from the routes."""

import json
from typing import Any, Final

from chalicelib.endpoints import ENDPOINTS, Access
from chalicelib.gateway import new_resolver
from chalicelib.routes import router_of

TITLE: Final = "Soccer predictions"
VERSION: Final = "1.0.0"
DESCRIPTION: Final = (
    "1X2 match-outcome predictions (home win, draw, away win). For research; betting is not advised. "
    "Every path answers with and without its trailing slash."
)

_METHODS: Final = frozenset({"get", "post", "put", "delete", "patch", "head", "options"})


def document() -> dict[str, Any]:
    """The document, as plain JSON values with sorted paths."""
    resolver = new_resolver()
    for endpoint in ENDPOINTS:
        resolver.include_router(router_of(endpoint.function))
    schema: dict[str, Any] = json.loads(
        resolver.get_openapi_json_schema(title=TITLE, version=VERSION, description=DESCRIPTION)
    )
    _secure(schema)
    schema["paths"] = dict(sorted(schema["paths"].items()))
    return schema


def _secure(schema: dict[str, Any]) -> None:
    """State on every operation who may call it."""
    schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["apiKey"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    levels = {(e.method.lower(), path): e.access for e in ENDPOINTS for path in e.paths}
    for path, item in schema["paths"].items():
        for method in _METHODS & item.keys():
            access = levels.get((method, path.rstrip("/") or "/"), Access.PUBLIC)
            item[method]["x-access-level"] = access.name.lower()
            if access is not Access.PUBLIC:
                item[method]["security"] = [{"apiKey": []}]
