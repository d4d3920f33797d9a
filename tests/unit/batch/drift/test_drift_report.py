"""The drift report's page."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from batch.drift.measure import drift_report
from batch.drift.page import render

NOW = datetime(2024, 3, 30, 12, 0, tzinfo=UTC)


def samples(current_rows: int = 200) -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(1)
    reference = pd.DataFrame(
        {
            "home_elo_pre": generator.normal(1500, 100, 2000),
            "rest_days": generator.integers(2, 9, 2000),
            "<b>odd</b>": generator.normal(0, 1, 2000),
        }
    )
    current = pd.DataFrame(
        {
            "home_elo_pre": generator.normal(1600, 100, current_rows),
            "rest_days": generator.integers(2, 9, current_rows),
            "<b>odd</b>": generator.normal(0, 1, current_rows),
        }
    )
    return reference, current


def page(current_rows: int = 200) -> str:
    reference, current = samples(current_rows)
    return render(drift_report(reference, current, NOW), reference, current).decode()


class Reader(HTMLParser):
    """Tags in order, and every attribute that could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [f"{name}={value}" for name, value in attrs if name in {"src", "href", "xlink:href", "onload"}]
        if tag not in {"meta", "rect", "polyline"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone() -> None:
    reader = Reader()
    reader.feed(page())
    assert reader.open == []  # every tag is closed
    assert reader.loads == []
    assert "script" not in reader.tags
    assert "link" not in reader.tags
    assert "url(" not in page()
    assert reader.tags.count("svg") == 3


def test_drifted_columns_are_on_top_and_called_so() -> None:
    text = page()
    order = re.findall(r'<th scope="row">(.*?)</th>', text)
    assert order[0] == "home_elo_pre"
    assert "<dd>1 of 3</dd>" in text
    assert '<td class="bad">yes</td>' in text
    # one column of three is under half
    assert "1 of 3 features have moved beyond chance; the data set as a whole has not drifted." in text


def test_names_are_escaped() -> None:
    assert "<b>odd</b>" not in page()
    assert "&lt;b&gt;odd&lt;/b&gt;" in page()


@pytest.mark.parametrize(("rows", "words"), [(20, "only 20 matches"), (0, "Nothing could be compared.")])
def test_little_data_is_reported_as_little(rows: int, words: str) -> None:
    assert words in page(rows)


def test_the_same_input_gives_the_same_page() -> None:
    assert page() == page()


def test_columns_that_are_not_numbers_or_have_vanished_are_shown_without_harm() -> None:
    reference, current = samples()
    reference = reference.assign(form=["W"] * 2000, gone=1.0, only_here=1.0)
    current = current.assign(form=["L"] * 200, gone=np.nan)
    text = render(drift_report(reference, current, NOW), reference, current).decode()
    assert "all values missing" in text
    assert "100.0%" in text
    assert "Not compared" in text
    assert "only_here: not in both samples" in text
