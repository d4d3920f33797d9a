"""The decisions' index is complete and true, and each record has its parts."""

import re
from pathlib import Path

import pytest

from infra.paths import ROOT

FOLDER = ROOT / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
PARTS = ("Status", "Context", "Decision", "Consequences", "Rejected")


def test_the_index_names_every_record_in_order_with_its_title() -> None:
    index = re.findall(
        r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
    titles = [record.read_text("utf-8").splitlines()[0] for record in RECORDS]
    assert [(number, name) for number, name, _ in index] == [(record.name[:4], record.name) for record in RECORDS]
    assert [f"# {number} {title}" for number, _, title in index] == titles


def test_no_number_is_left_out() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_record_has_its_parts_in_order(record: Path) -> None:
    text = record.read_text("utf-8")
    places = [text.find(f"**{part}") for part in PARTS]
    assert -1 not in places, dict(zip(PARTS, places, strict=True))
    assert places == sorted(places)
