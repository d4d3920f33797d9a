"""The OpenAPI 3.1 document of the whole API, generated from the routes.

`make openapi` writes the committed copy, docs/openapi.json.

Powertools generates parameters, bodies and answers from the routes' types; what holds for all routes alike (access,
gateway errors, headers) is added here.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import VERSION
from chalicelib.api.failures import DESCRIPTIONS
from chalicelib.api.openapi_texts import DESCRIPTION, SUMMARY, TAGS, TITLE
from chalicelib.endpoints import ENDPOINTS, Access, Endpoint

_METHODS: Final = frozenset({"get", "post"})
_REF: Final = "#/components"

# What any operation can answer: a wrong method, the gateway's throttle, an unexpected failure, a function's deadline.
_ALWAYS: Final = (405, 429, 500, 504)

HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "x-request-id": ("Names this request in the logs; quote it in support requests.", {"type": "string"}),
    "Allow": ("The methods of the path.", {"type": "string"}),
    "Retry-After": ("Seconds after which the same request may succeed.", {"type": "string", "pattern": "^[0-9]+$"}),
    "WWW-Authenticate": ("What kind of credential is missing.", {"type": "string", "const": "ApiKey"}),
    "RateLimit-Policy": (
        "The API key's quota: `q` requests in `w` seconds (draft-ietf-httpapi-ratelimit-headers-11).",
        {"type": "string"},
    ),
    "RateLimit": ("What is left of it: `r` requests now, `t` seconds until the quota is whole.", {"type": "string"}),
    "Location": ("Where to poll for the result.", {"type": "string", "format": "uri-reference"}),
    "ETag": ("Names this content; send it back as `If-None-Match`.", {"type": "string"}),
    "Last-Modified": ("When the content last changed; send it back as `If-Modified-Since`.", {"type": "string"}),
    "x-clock": (
        "The service's time that decided each match's status; a replay has its own.",
        {"type": "string", "format": "date-time"},
    ),
    "x-predictions-computed-at": (
        "When the predictions were computed; `Last-Modified` is the newest data set's, which may be the odds'.",
        {"type": "string", "format": "date-time"},
    ),
    "x-next-cursor": ("Cursor of the next page; absent on the last.", {"type": "string"}),
    "Link": (
        'The page of the run in MLflow as `<URL>; rel="describedby"`, where the operator has set one; at a deprecated '
        'path the path to ask instead as `<URL>; rel="successor-version"`.',
        {"type": "string"},
    ),
    "Deprecation": ("Since when the path is deprecated (RFC 9745).", {"type": "string", "pattern": "^@[0-9]+$"}),
    "x-ignored-features": ("Names in `features` that the model does not know, comma-separated.", {"type": "string"}),
    "Content-Encoding": ("For callers that accept it, where the body is over 1 KiB.", {"const": "gzip"}),
}  # fmt: skip

_REQUEST_HEADERS: Final = {"idempotency-key": "Idempotency-Key"}
_CONDITIONS: Final = (
    {
        "name": "If-None-Match",
        "in": "header",
        "description": "ETag of the content that the caller holds; 304 while it is current.",
        "schema": {"type": "string"},
    },
    {
        "name": "If-Modified-Since",
        "in": "header",
        "description": "`Last-Modified` of the content that the caller holds; 304 while nothing is newer.",
        "schema": {"type": "string"},
    },
)


def document(routers: Iterable[Router]) -> dict[str, Any]:
    """The document of the routes, as plain JSON values with sorted paths."""
    resolver = APIGatewayRestResolver(enable_validation=True)
    for router in routers:
        resolver.include_router(router)
    schema: dict[str, Any] = json.loads(resolver.get_openapi_json_schema(title=TITLE, version=VERSION))
    endpoints = {(e.method.lower(), path): e for e in ENDPOINTS for path in e.paths}
    for path, item in schema["paths"].items():
        for method in sorted(_METHODS & item.keys()):
            _complete(item[method], endpoints[method, path], path)
    components = schema["components"]
    for unused in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        components["schemas"].pop(unused, None)
    components["headers"] = {
        name: {"description": description, "schema": kind} for name, (description, kind) in HEADERS.items()
    }
    components["securitySchemes"] = {
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "A client key, or an operator key, which opens client operations too.",
        }
    }
    untitled: dict[str, Any] = _without_titles(components["schemas"])
    _whole_limits(schema["paths"])
    _whole_limits(untitled)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "summary": SUMMARY,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        # Relative to the document's own address: the API lives below a stage's prefix.
        "servers": [{"url": ".", "description": "Where this document is."}],
        "tags": [{"name": name, "description": description} for name, description in TAGS],
        "paths": dict(sorted(schema["paths"].items())),
        "components": {**components, "schemas": dict(sorted(untitled.items()))},
    }


def _complete(operation: dict[str, Any], endpoint: Endpoint, path: str) -> None:
    texts = endpoint.operations[path]
    if path in endpoint.deprecated_paths:
        operation["deprecated"] = True
    operation["operationId"] = texts.operation_id
    operation["summary"], operation["description"] = texts.summary, texts.description
    operation["x-access-level"] = endpoint.access.name.lower()
    operation["security"] = [] if endpoint.access is Access.PUBLIC else [{"apiKey": []}]
    for parameter in operation.get("parameters", []):
        _simplify(parameter)
    if "304" in operation["responses"]:
        conditions = _CONDITIONS if _is_list(operation) else _CONDITIONS[:1]
        operation["parameters"] = [*operation.get("parameters", []), *map(dict, conditions)]
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    _complete_responses(operation, is_page="pages" in operation["tags"])


def _simplify(parameter: dict[str, Any]) -> None:
    """A parameter as it can be sent: text has no null, and the description stands once."""
    if parameter["in"] == "header":
        parameter["name"] = _REQUEST_HEADERS[parameter["name"]]
    kind = parameter["schema"]
    kind.pop("title", None)
    kind.pop("description", None)
    present = [option for option in kind.pop("anyOf", []) if option != {"type": "null"}]
    for option in present:
        kind.update(option)
    # Powertools leaves limits in Pydantic's words where a parameter has a validator of its own.
    for name, keyword in (
        ("ge", "minimum"),
        ("le", "maximum"),
        ("max_length", "maxLength"),
        ("min_length", "minLength"),
    ):
        if name in kind:
            kind[keyword] = kind.pop(name)


def _is_list(operation: dict[str, Any]) -> bool:
    content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    return bool(content.get("schema", {}).get("type") == "array")


def _is_paged(operation: dict[str, Any]) -> bool:
    return any(parameter["name"] == "limit" for parameter in operation.get("parameters", []))


def _whole_limits(value: Any) -> None:
    """Limits of integers as integers: Pydantic writes them as the numbers they were compared with."""
    if isinstance(value, dict):
        if value.get("type") == "integer":
            for name in ("minimum", "maximum"):
                if name in value:
                    value[name] = int(value[name])
        for item in value.values():
            _whole_limits(item)
    elif isinstance(value, list):
        for item in value:
            _whole_limits(item)


def _complete_responses(operation: dict[str, Any], *, is_page: bool) -> None:
    responses = operation["responses"]
    generated = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if generated.get("$ref", "").endswith("/HTTPValidationError"):
        # Powertools documents its own form on every route; ours is ErrorResponse.
        responses.pop("422")
    if not is_page:
        # Any query parameter that an operation does not take is refused.
        responses.setdefault("422", _error(422))
    for status in _ALWAYS:
        responses.setdefault(str(status), _error(status))
    for status, response in responses.items():
        _complete_response(status, response, operation)
    operation["responses"] = dict(sorted(responses.items()))


_CLOCKED: Final = ["x-clock", "x-predictions-computed-at"]
_OWN_HEADERS: Final = {
    "predict": ["x-ignored-features"],
    "task_status": ["Retry-After"],
    "model_info": ["Link"],
    "odds": ["x-clock"],
    "predictions": _CLOCKED,
    "matches": _CLOCKED,
    "cards": _CLOCKED,
}


_HEADERS_OF_STATUS: Final[dict[str, list[str]]] = {
    "202": ["Location", "Retry-After", "x-ignored-features"],
    "401": ["WWW-Authenticate"],
    "405": ["Allow"],
    "429": ["Retry-After"],
    "503": ["Retry-After"],
}


def _headers(status: str, operation: dict[str, Any]) -> list[str]:
    names = ["x-request-id", *_HEADERS_OF_STATUS.get(status, [])]
    names += ["Deprecation", "Link"] if operation.get("deprecated") else []
    if operation["security"] and status not in {"401", "403"}:
        names += ["RateLimit-Policy", "RateLimit"]
    is_list = _is_list(operation)
    if status in {"200", "304"} and "304" in operation["responses"]:
        names += ["ETag", "Last-Modified"] if is_list else ["ETag"]
    if status == "200":
        names += ["x-next-cursor"] if _is_paged(operation) else []
        names += [*_OWN_HEADERS.get(operation["operationId"], []), "Content-Encoding"]
    return names


def _complete_response(status: str, response: dict[str, Any], operation: dict[str, Any]) -> None:
    if status == "304":
        response.pop("content", None)
    response["headers"] = {name: {"$ref": f"{_REF}/headers/{name}"} for name in _headers(status, operation)}
    for media in response.get("content", {}).values():
        # Beside a $ref the title would say the same again.
        media.get("schema", {}).pop("title", None)
    if status == "202":
        response["links"] = {
            "task": {
                "operationId": "task_status",
                "parameters": {"task_id": "$response.body#/task_id"},
                "description": "Poll for the result.",
            }
        }


def _error(status: int) -> dict[str, Any]:
    return {
        "description": DESCRIPTIONS[status],
        "content": {"application/json": {"schema": {"$ref": f"{_REF}/schemas/ErrorResponse"}}},
    }


def _without_titles(value: Any, *, names: bool = True) -> Any:
    """The same without the titles that only repeat a property's name; `names`: the keys are names, not keywords."""
    if isinstance(value, dict):
        return {
            key: item if key in {"examples", "default", "const", "enum"} and not names
            else _without_titles(item, names=not names and key in {"properties", "$defs"})
            for key, item in value.items()
            if names or key != "title"
        }  # fmt: skip
    return [_without_titles(item, names=False) for item in value] if isinstance(value, list) else value
