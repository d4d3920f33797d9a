"""Calls a function the way the gateway does."""

import base64
import gzip
import json
from typing import Any

import app
from tests.support.builders import Context, make_event


def call(function: str, **event: Any) -> tuple[int, Any, dict[str, str]]:
    """Status, parsed body and lower-cased headers of one call."""
    answer = getattr(app, function)(make_event(function, **event), Context())
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    body = answer["body"]
    if answer["isBase64Encoded"]:
        body = gzip.decompress(base64.b64decode(body)).decode()
    is_json = headers.get("content-type", "").startswith("application/json")
    return answer["statusCode"], json.loads(body) if body and is_json else body or None, headers
