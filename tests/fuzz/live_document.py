"""The OpenAPI document, narrowed to one running stack: what no document can know in advance.

Which features the served model demands, which matches are in the release, and whether the stack demands client keys.
"""

import copy
from typing import Any

import requests

SECONDS = 30


def narrowed(document: dict[str, Any], base_url: str) -> dict[str, Any]:
    """The document as it holds for the stack at `base_url`."""
    live = copy.deepcopy(document)
    _state_features(live, base_url)
    _state_matches(live, base_url)
    _leave_out_cursors(live)
    if requests.get(f"{base_url}/predict/1", timeout=SECONDS).status_code != requests.codes.unauthorized:
        _open_client_operations(live)
    return live


def _state_features(live: dict[str, Any], base_url: str) -> None:
    """Valid requests carry what the model's signature demands."""
    features = requests.get(f"{base_url}/predict/model/info", timeout=SECONDS).json()["features"]
    properties: dict[str, Any] = {}
    for feature in features:
        number: dict[str, Any] = {"type": "integer" if feature["type"] in {"long", "integer"} else "number"}
        if feature["name"] == "sex":
            number["enum"] = [0, 1]
        properties[feature["name"]] = number if feature["required"] else {"anyOf": [number, {"type": "null"}]}
    example = {feature["name"]: 0 if feature["required"] else None for feature in features}
    for name in ("PredictRequest", "AsyncPredictRequest"):
        schema = live["components"]["schemas"][name]
        stated = {
            "type": "object",
            "properties": properties,
            "required": [feature["name"] for feature in features if feature["required"]],
            "additionalProperties": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "propertyNames": {"minLength": 1, "maxLength": 200},
        }
        optional = "features" not in schema["required"]
        schema["properties"]["features"] = {"anyOf": [stated, {"type": "null"}]} if optional else stated
        schema["examples"] = [{"match_id": 99, "features": example}]

    changes = live["components"]["schemas"]["WhatIfRequest"]["properties"]["changes"]
    changes |= {"type": "object", "properties": properties, "additionalProperties": False}


def _state_matches(live: dict[str, Any], base_url: str) -> None:
    """Half of the generated ids are of matches that exist."""
    rows = requests.get(f"{base_url}/predict/predictions/", params={"limit": 20}, timeout=SECONDS).json()
    match_ids = [row["match_id"] for row in rows]
    examples = {f"known{i}": {"value": match_id} for i, match_id in enumerate(match_ids)}
    for path, item in live["paths"].items():
        for parameter in _parameters(item, "match_id", "path"):
            if path in {"/predict/{match_id}", "/predict/precomputed/{match_id}"}:
                parameter["examples"] = examples
                parameter["schema"] = {"anyOf": [{"type": "integer", "enum": match_ids}, parameter["schema"]]}
            else:
                # JSON Schema takes 89.0 for an integer; a path does not.
                parameter["schema"] = {"type": "integer", "enum": [*match_ids, 1, 2**53 - 1]}


def _parameters(item: dict[str, Any], name: str, place: str) -> list[dict[str, Any]]:
    """The parameters of that name and place of a path's operations."""
    every = [parameter for operation in item.values() for parameter in operation.get("parameters", [])]
    return [parameter for parameter in every if (parameter["name"], parameter["in"]) == (name, place)]


def _leave_out_cursors(live: dict[str, Any]) -> None:
    """A cursor is valid only as the service issued it, for the same filters; tests/contract has those."""
    for item in live["paths"].values():
        for operation in item.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [parameter for parameter in parameters if parameter["name"] != "cursor"]


def _open_client_operations(live: dict[str, Any]) -> None:
    """A local stack demands no client key."""
    for item in live["paths"].values():
        for operation in item.values():
            if operation["x-access-level"] == "client":
                operation.pop("security", None)
