"""The table of faults and outcomes is kept: each row says what proves it, and that test is there."""

import re

import pytest

from infra.paths import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")


def rows_of(heading: str) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    section = PAGE.split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


QUEUED, DAMAGE = rows_of("Faults and outcomes"), rows_of("Damaged objects, disks and machines")
ROWS = QUEUED + DAMAGE
TESTS = {path.name for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_fault_names_the_tests_that_provoke_it(row: list[str]) -> None:
    assert len(row) == (4 if row in QUEUED else 5)
    proofs = re.findall(r"test_\w+\.py|chaos", row[-1])
    assert proofs
    assert set(proofs) <= TESTS | {"chaos"}
