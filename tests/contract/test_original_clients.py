"""A client of the original system finds everything as described, but for what CHANGELOG.md names: no more, no less."""

import re
from collections.abc import Iterator
from itertools import product

import pytest

from chalicelib import wiring
from infra.paths import ROOT
from tests.contract.original import ROWS, Row, Stack
from tests.handlers.conftest import function_environment, moto_stores
from tests.support.builders import make_features, make_odds, make_predictions, make_signal, mirror_model, publish

MATCHES = 120
ROI = "region,bets,turnover,profit,roi,roi_ci_low,roi_ci_high,clv\n" + "".join(
    f"{region},2,2.0,0.4,{roi},-1.0,1.4,\n"
    for region, roi in [("England", 0.2), ("Spain", -0.1), *((f"Region {i}", 0.0) for i in range(1, MATCHES))]
)


def named_differences() -> set[tuple[str, str]]:
    """Endpoint and part of each row of the changelog's tables of differences; a cell may name several endpoints."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    named: set[tuple[str, str]] = set()
    for table in re.findall(r"^\| Endpoint \| Part \|.*\n\|[-|]+\n((?:\|.*\n?)+)", changelog, re.MULTILINE):
        for line in table.splitlines():
            endpoints, part, *_ = (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|")))
            named |= set(product(re.findall(r"`([^`]+)`", endpoints) or [endpoints], [part]))
    return named


DIFFERENCES = named_differences()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a champion, a release of 120 matches of which no price is worth a bet, and no challenger."""
    with (
        pytest.MonkeyPatch.context() as patch,
        function_environment(patch, tmp_path_factory.mktemp("tmp")),
        moto_stores(patch),
    ):
        objects = wiring.objects()
        mirror_model(objects)
        publish(
            objects,
            predictions=make_predictions(MATCHES),
            features=make_features(MATCHES),
            odds=make_odds(list(range(1, MATCHES))),
            region_roi=ROI,
            signal=lambda predictions, odds: make_signal(predictions, odds).assign(value_bet=None, stake=None),
        )
        yield Stack(objects, patch)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.endpoint}: {row.part}" for row in ROWS])
def test_a_row_of_the_description_holds_or_is_named_as_a_difference(stack: Stack, row: Row) -> None:
    if (row.endpoint, row.part) in DIFFERENCES:
        with pytest.raises(AssertionError):
            row.holds(stack)
    else:
        row.holds(stack)


def test_every_named_difference_is_a_row_of_the_description() -> None:
    assert DIFFERENCES
    assert {(row.endpoint, row.part) for row in ROWS} >= DIFFERENCES
