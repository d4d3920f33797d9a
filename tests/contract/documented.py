"""Answers held against the OpenAPI document: its schema, strictly, and its headers."""

import copy
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from chalicelib.api.openapi import document
from chalicelib.api.routes import all_routers

# Objects whose further fields the contract leaves open.
OPEN = {"DriftResponse"}


@cache
def strict_document() -> dict[str, Any]:
    """The document, in which an object has no field besides the stated ones."""
    found = copy.deepcopy(document(all_routers()))
    for name, schema in found["components"]["schemas"].items():
        if "properties" in schema and name not in OPEN:
            schema["additionalProperties"] = False
    return found


def operation(name: str) -> dict[str, Any]:
    """The operation with that id."""
    paths = strict_document()["paths"].values()
    return next(found for item in paths for found in item.values() if found["operationId"] == name)


def check(name: str, status: int, body: Any, headers: dict[str, str]) -> None:
    """Assert that an answer is one the document describes.

    Args:
        name: The operation's id.
        status: The answer's status.
        body: Its parsed body, None without one.
        headers: Its headers, names in lower case.
    """
    response = operation(name)["responses"][str(status)]
    optional = {"x-next-cursor", "x-ignored-features", "link", "content-encoding", "ratelimit", "ratelimit-policy"} | (
        {"retry-after"} if status == 200 else set()
    )
    missing = {header.lower() for header in response["headers"]} - headers.keys() - optional
    assert not missing
    content = response.get("content", {}).get("application/json")
    if content is None:
        assert body is None
        return
    schema = {**content["schema"], "components": strict_document()["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)
    if status >= 400 and "statusCode" in body:
        assert body["statusCode"] == status
        assert list(body)[:2] == ["statusCode", "message"]
