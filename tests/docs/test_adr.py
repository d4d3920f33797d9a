"""The decisions' index is complete and true."""

import re

from infra.paths import ROOT

FOLDER = ROOT / "docs" / "adr"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


def test_the_index_names_every_record_in_order_with_its_title() -> None:
    index = re.findall(
        r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
    titles = [record.read_text("utf-8").splitlines()[0] for record in RECORDS]
    assert [(number, name) for number, name, _ in index] == [(record.name[:4], record.name) for record in RECORDS]
    assert [f"# {number} {title}" for number, _, title in index] == titles


def test_no_number_is_left_out() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))
