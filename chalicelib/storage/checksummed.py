"""JSON documents with a checksum of themselves, so that damage is always detected."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

CHECKSUM: Final = "sha256"
"""Name of the checksum inside the document."""
SEALED: Final = "sealed"
"""Marks that there must be a checksum: otherwise damage to the checksum's name would go unnoticed."""


def sealed(document: Mapping[str, Any]) -> bytes:
    """The document as canonical JSON with its checksum."""
    marked = {**document, SEALED: True}
    return _canonical({**marked, CHECKSUM: _digest(marked)})


def unsealed(body: bytes) -> dict[str, Any]:
    """The document without its checksum; a document of an earlier version, which has none, is accepted.

    Raises:
        ValueError: it is not a JSON object, or is damaged.
    """
    try:
        document = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error type for every unusable document
    recorded = document.pop(CHECKSUM, None)
    if (recorded is not None or SEALED in document) and recorded != _digest(document):
        raise ValueError("it does not have the recorded checksum")
    document.pop(SEALED, None)
    return document


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(document)).hexdigest()


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1).encode()
