"""JSON documents that carry a checksum of themselves, so that a damaged one is never mistaken for another one."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

CHECKSUM: Final = "sha256"
"""Name of the checksum inside the document."""
SEALED: Final = "sealed"
"""Name of the mark that there must be a checksum: otherwise damage to the checksum's own name would go unnoticed."""


def sealed(document: Mapping[str, Any]) -> bytes:
    """The document as canonical JSON with its checksum."""
    marked = {**document, SEALED: True}
    return _canonical({**marked, CHECKSUM: _digest(marked)})


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
    if (recorded is not None or SEALED in document) and recorded != _digest(document):
        raise ValueError("it does not have the recorded checksum")
    document.pop(SEALED, None)
    return document


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(document)).hexdigest()


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1).encode()
