"""JSON documents that carry a checksum of themselves, so that a damaged one is never mistaken for another one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

CHECKSUM: Final = "sha256"
"""Name of the checksum inside the document."""


def sealed(document: Mapping[str, Any]) -> bytes:
    """The document as canonical JSON with its checksum."""
    return _canonical({**document, CHECKSUM: _digest(document)})


def unsealed(body: bytes) -> dict[str, Any]:
    """The document, without its checksum; one that carries none is taken as it is (written by an earlier version).

    Raises:
        ValueError: it is not a JSON object, or not the one that was written.
    """
    try:
        document = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for every document that cannot be used
    recorded = document.pop(CHECKSUM, None)
    if recorded is not None and recorded != _digest(document):
        raise ValueError("it does not have the recorded checksum")
    return document


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(document)).hexdigest()


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1).encode()
