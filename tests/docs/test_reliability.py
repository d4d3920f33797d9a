"""The table of faults and outcomes is kept: each row says what proves it, and that test is there."""

import re

import pytest

from infra.paths import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
SECTION = PAGE.split("## Faults and outcomes")[1].split("\n## ")[0]
ROWS = [line.strip("| ").split(" | ") for line in SECTION.splitlines() if line.startswith("| ")][1:]
TESTS = {path.name for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_fault_names_the_tests_that_provoke_it(row: list[str]) -> None:
    assert len(row) == 4
    proofs = re.findall(r"test_\w+\.py|chaos", row[3])
    assert proofs
    assert set(proofs) <= TESTS | {"chaos"}
