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
from chalicelib.api.openapi_texts import DESCRIPTION, SUMMARY, TAGS, TITLE
from chalicelib.api.rendering import ERRORS
from chalicelib.endpoints import ENDPOINTS, Access, Endpoint

_METHODS: Final = frozenset({"get", "post"})
_REF: Final = "#/components"

# What any operation can answer: the gateway's throttle, an unexpected failure, a function's deadline.
_ALWAYS: Final = (429, 500, 504)

HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "x-request-id": ("Names this request in the logs; tell it when you ask for help.", {"type": "string"}),
    "Retry-After": ("Seconds after which the same request may succeed.", {"type": "string", "pattern": "^[0-9]+$"}),
    "WWW-Authenticate": ("What kind of credential is missing.", {"type": "string", "const": "ApiKey"}),
    "ETag": ("Names this content; send it back as `If-None-Match`.", {"type": "string"}),
    "Last-Modified": ("When the newest data set of the list was computed.", {"type": "string"}),
    "x-next-cursor": ("Cursor of the next page; absent on the last.", {"type": "string"}),
    "Link": (
        'The page of the run in MLflow as `<URL>; rel="describedby"`, where the operator has set one.',
        {"type": "string"},
    ),
    "x-ignored-features": ("Names in `features` that the model does not know, with commas.", {"type": "string"}),
    "Content-Encoding": ("For callers that accept it, where the body is over 1 KiB.", {"const": "gzip"}),
}  # fmt: skip

_REQUEST_HEADERS: Final = {"if-none-match": "If-None-Match", "idempotency-key": "Idempotency-Key"}


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
    if endpoint.access is not Access.PUBLIC:
        operation["security"] = [{"apiKey": []}]
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        _simplify(parameter)
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    _complete_responses(operation, described=bool(parameters or "requestBody" in operation))


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


def _complete_responses(operation: dict[str, Any], *, described: bool) -> None:
    responses = operation["responses"]
    generated = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if generated.get("$ref", "").endswith("/HTTPValidationError"):
        # Powertools documents its own form on every route; ours is ErrorResponse, where anything can be invalid.
        responses.pop("422")
        if described:
            responses["422"] = _error(422)
    for status in _ALWAYS:
        responses.setdefault(str(status), _error(status))
    for status, response in responses.items():
        _complete_response(status, response, operation)
    operation["responses"] = dict(sorted(responses.items()))


_OWN_HEADERS: Final = {"predict": ["x-ignored-features"], "task_status": ["Retry-After"], "model_info": ["Link"]}


def _complete_response(status: str, response: dict[str, Any], operation: dict[str, Any]) -> None:
    if status == "304":
        response.pop("content", None)
    names = ["x-request-id"]
    if status in {"429", "503"}:
        names.append("Retry-After")
    if status == "401":
        names.append("WWW-Authenticate")
    is_list = any(parameter["name"] == "If-None-Match" for parameter in operation.get("parameters", []))
    if status in {"200", "304"} and is_list:
        names += ["ETag", "Last-Modified"]
    if status == "200":
        names += ["x-next-cursor"] if is_list else []
        names += _OWN_HEADERS.get(operation["operationId"], [])
        names.append("Content-Encoding")
    response["headers"] = {name: {"$ref": f"{_REF}/headers/{name}"} for name in names}
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
        "description": ERRORS[status],
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
