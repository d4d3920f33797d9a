"""The OpenAPI document: committed, valid, complete, with examples that are what the service answers."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from chalicelib.endpoints import ENDPOINTS, Access
from infra.reference import openapi

DOCUMENT: dict[str, Any] = json.loads(openapi.page())
OPERATIONS = [
    pytest.param(path, operation, id=f"{method} {path}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the document's components beside it, so that its references resolve."""
    return {**schema, "components": DOCUMENT["components"]}


def test_the_committed_copy_is_the_one_the_code_generates() -> None:
    assert openapi.PAGE.read_text("utf-8") == openapi.page(), "stale: make openapi"


def test_it_is_a_valid_openapi_3_1_document() -> None:
    jsonschema.Draft202012Validator(OPENAPI_31).validate(DOCUMENT)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    used = set(references(DOCUMENT))
    for reference in used:
        target = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    assert {name.rsplit("/", 1)[-1] for name in used if "/schemas/" in name} == set(DOCUMENT["components"]["schemas"])


def test_every_path_of_every_endpoint_is_in_it() -> None:
    served = {(path, e.method.lower()) for e in ENDPOINTS for path in e.paths if "{asset+}" not in path}
    assert {(path, method) for path, item in DOCUMENT["paths"].items() for method in item} == served


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does_and_who_may_call(path: str, operation: dict[str, Any]) -> None:
    access = next(e.access for e in ENDPOINTS if path in e.paths and e.function in operation["operationId"] + "docs")
    assert operation["summary"]
    assert operation["description"].endswith(".")
    assert operation["x-access-level"] == access.name.lower()
    assert operation["security"] == ([] if access is Access.PUBLIC else [{"apiKey": []}])
    assert ("401" in operation["responses"]) == (access is not Access.PUBLIC)
    assert ("403" in operation["responses"]) == (access is Access.OPERATOR)


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_every_answer_has_its_headers_and_every_error_its_schema(path: str, operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        assert "x-request-id" in response["headers"], status
        assert ("Retry-After" in response["headers"]) or status not in {"429", "503"}
        if int(status) >= 400 and (path, status) != ("/healthcheck", "503"):
            assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorResponse"}
    for parameter in operation.get("parameters", []):
        assert parameter["description"], parameter["name"]
        assert "anyOf" not in parameter["schema"], parameter["name"]


@pytest.mark.parametrize("name", [name for name in DOCUMENT["components"]["schemas"] if name != "Stage"])
def test_every_schema_has_words_and_valid_examples(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    assert schema["description"]
    properties = schema.get("properties", {})
    examples = schema.get("examples", [])
    assert examples or any("examples" in kind for kind in properties.values()) or name in WITHOUT_EXAMPLE
    for example in examples:
        jsonschema.Draft202012Validator(resolved(schema)).validate(json.loads(json.dumps(example)))


# Their parts have examples.
WITHOUT_EXAMPLE = {
    "QueuesResponse",
    "WorkersResponse",
    "Fault",
    "DriftResponse",
    "Probabilities",
    "ForecastsScored",
    "MarketScored",
    "PoolScored",
    "RecordByThreshold",
    "AgainstThePick",
    "ProfitCurves",
}


def test_limits_are_in_the_words_of_json_schema() -> None:
    text = json.dumps(DOCUMENT)
    assert not [word for word in ("ge", "le", "gt", "lt", "max_length", "min_length") if f'"{word}":' in text]
