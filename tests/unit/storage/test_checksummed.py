"""Documents that carry a checksum of themselves."""

import json

import pytest

from chalicelib.storage.checksummed import sealed, unsealed

DOCUMENT = {"score": 0.25, "name": "ä", "list": [1, None, True]}


def test_a_sealed_document_is_read_back() -> None:
    assert unsealed(sealed(DOCUMENT)) == DOCUMENT


def test_every_single_flipped_bit_is_noticed_or_means_the_same() -> None:
    body = sealed(DOCUMENT)
    for position in range(len(body)):
        for bit in range(8):
            damaged = body[:position] + bytes([body[position] ^ 1 << bit]) + body[position + 1 :]
            try:
                assert unsealed(damaged) == DOCUMENT
            except ValueError:
                continue


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_what_is_not_a_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        unsealed(body)


def test_a_document_without_a_checksum_is_one_of_an_earlier_version() -> None:
    assert unsealed(json.dumps(DOCUMENT).encode()) == DOCUMENT
