"""What a visit to the board costs. Bytes, origin, policy and layout shift are held; times are reported."""

import gzip
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from statistics import median

import pytest
from playwright.sync_api import Browser

from benchmarks.page import CHANGE, CHANGES, WATCH
from infra.paths import ROOT
from tests.browser.board import Board
from tests.support.throwaway import RunningStack

BUDGET_BYTES = 60_000
UI = ROOT / "chalicelib" / "ui"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGES = {
    "matches": "",
    "tables": "?view=tables",
    "record": "?view=record",
    "value": "?view=value",
    "model": "?view=model",
    "team": "?club=Arsenal&country=England",
    "match": "?match={match}",
}

Note = Callable[[str, object], None]


def packed(name: str) -> int:
    """Bytes of a file of the board as gzip sends it."""
    return len(gzip.compress((UI / name).read_bytes(), 9))


@pytest.fixture(scope="module")
def match_id(browser: Browser, stack: RunningStack) -> str:
    page = browser.new_page()
    board = Board(page, stack.base_url)
    board.open()
    found = str(board.matches.first.get_attribute("data-match"))
    page.close()
    return found


@pytest.mark.parametrize("view", PAGES)
def test_a_page_opened_cold_stays_within_its_bytes(
    board: Board, match_id: str, view: str, record_property: Note
) -> None:
    files: set[str] = set()
    others: list[str] = []
    origin = board.base_url.split("/_aws")[0]

    def note(url: str) -> None:
        if not url.startswith((origin, "data:", "blob:")):
            others.append(url)
        elif found := re.search(r"/ui/[0-9a-f]{12}/([^?]+)$", url):
            files.add(found[1])

    board.page.on("request", lambda request: note(request.url))
    board.open(PAGES[view].format(match=match_id))
    assert {"main.js", "board.css", "early.js"} <= files
    sizes = {name: packed(name) for name in {*files, "index.html"}}
    total = sum(sizes.values())
    record_property("figure", f"board, {view}: {total / 1000:.1f} KB gzipped in {len(sizes)} files (budget 60)")
    assert total <= BUDGET_BYTES
    assert others == []


def test_all_files_together_are_reported(record_property: Note) -> None:
    names = [path.relative_to(UI) for path in UI.rglob("*") if path.suffix in {".html", ".css", ".js", ".svg"}]
    total = sum(packed(str(PurePosixPath(name))) for name in names)
    record_property("figure", f"board, every page's files together: {total / 1000:.1f} KB gzipped, {len(names)} files")
    # No visit needs all of them; still, none is let grow unseen.
    assert total <= 80_000


def test_the_policy_is_what_it_was(board: Board) -> None:
    answer = board.page.goto(f"{board.base_url}/ui/")
    assert answer is not None
    assert answer.headers["content-security-policy"] == POLICY


def test_the_first_matches_are_asked_for_once_and_before_the_modules_have_arrived(
    board: Board, record_property: Note
) -> None:
    asked: list[str] = []
    board.page.on("request", lambda request: asked.append(request.url))
    board.page.add_init_script(WATCH)
    board.open()
    first = [url for url in asked if "/predict/cards/" in url and "status=upcoming" in url]
    assert len(first) == 1
    times = board.page.evaluate(
        """() => {
          const of = (part) => performance.getEntriesByType("resource").filter((e) => e.name.includes(part));
          return [of("status=upcoming")[0].fetchStart, Math.max(...of("/ui/").map((e) => e.responseEnd)),
                  performance.getEntriesByName("first-match")[0].startTime];
        }"""
    )
    began, modules, match = times
    assert began < modules
    record_property("figure", f"board, first match: {match:.0f} ms in this run (budget 400)")


def test_a_filter_over_every_match_is_timed(board: Board, record_property: Note) -> None:
    board.open("?status=all")
    board.load_older()
    matches = board.results
    spent = [1_000 * board.page.evaluate(CHANGE, list(change)) for _ in range(3) for change in CHANGES]
    assert matches > 7_000
    record_property(
        "figure", f"board, a filter over {matches:,} matches: median {median(spent):.0f} ms in this run (budget 50)"
    )
