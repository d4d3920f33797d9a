"""How quick the match board is in a real browser, on the running system: `make bench-board`.

First content: from the navigation to the first match row in the document, in a browser that has nothing yet and in one
that has been there before. Filter change: from the event to the frame after the one that shows its outcome, over all
matches of the sample. Prints a table with the machine's facts and writes `docs/benchmarks/board.json`.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.history import FOLDER
from benchmarks.timing import Timing, machine
from tests.browser.board import Board
from tests.support import chromium

say = print
REPORT: Final = FOLDER / "board.json"
FIRST_CONTENT_MS: Final = 400
FILTER_CHANGE_MS: Final = 50

# Runs before the page's own scripts: notes when the first match is in the document.
WATCH: Final = """
new MutationObserver((_, observer) => {
  if (document.querySelector(".match")) {
    performance.mark("first-match");
    observer.disconnect();
  }
}).observe(document, { childList: true, subtree: true });
"""
# The frame that shows the outcome has been drawn when the one after it begins.
CHANGE: Final = """
async ([selector, value, event]) => {
  const control = document.querySelector(selector);
  const started = performance.now();
  if (control.type === "checkbox" || control.type === "radio") control.click();
  else { control.value = value; control.dispatchEvent(new Event(event, { bubbles: true })); }
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return (performance.now() - started) / 1000;
}
"""
CHANGES: Final = (
    ("#filter-region", "England", "change"),
    ("#filter-region", "", "change"),
    ("#filter-team", "ar", "input"),
    ("#filter-team", "arsenal", "input"),
    ("#filter-team", "", "input"),
    ("#filter-status input[value=finished]", "", "change"),
    ("#filter-status input[value=all]", "", "change"),
    ("#filter-value", "", "change"),
    ("#filter-value", "", "change"),
)


def first_content(context: BrowserContext, base_url: str) -> tuple[float, float]:
    """Seconds to the first paint and to the first match, of one navigation."""
    page = context.new_page()
    page.add_init_script(WATCH)
    board = Board(page, base_url)
    board.open()
    paint, match = page.evaluate(
        """() => [performance.getEntriesByName("first-contentful-paint")[0].startTime,
                  performance.getEntriesByName("first-match")[0].startTime]"""
    )
    page.close()
    return paint / 1_000, match / 1_000


def opened(browser: Browser) -> BrowserContext:
    """A desktop that has never been there."""
    return browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Europe/London", locale="en-GB")


def filter_changes(page: Page, rounds: int) -> dict[str, list[float]]:
    """Seconds of each change, by control."""
    spent: dict[str, list[float]] = {}
    for _ in range(rounds):
        for selector, value, event in CHANGES:
            name = selector.split(" ")[0]
            spent.setdefault(name, []).append(page.evaluate(CHANGE, [selector, value, event]))
    return spent


def main() -> int:
    """Measure and report; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    base_url = os.environ.get("BASE_URL", "")
    if not base_url:
        sys.exit("BASE_URL is not set and no system runs here: make demo first")
    program = chromium.installed()
    if program is None:
        sys.exit(chromium.ADVICE)
    rows: list[tuple[str, Timing, float | None]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
        with opened(browser) as context:
            first_content(context, base_url)  # functions are warm from here on
        empty = [measured(browser, lambda context: first_content(context, base_url)) for _ in range(arguments.rounds)]
        rows.append(("first paint, nothing cached", Timing.of([paint for paint, _ in empty]), None))
        rows.append(("first match, nothing cached", Timing.of([match for _, match in empty]), FIRST_CONTENT_MS))
        with opened(browser) as context:
            first_content(context, base_url)
            repeat_visits = [first_content(context, base_url) for _ in range(arguments.rounds)]
            rows.append(
                ("first match, files cached", Timing.of([match for _, match in repeat_visits]), FIRST_CONTENT_MS)
            )
            page = context.new_page()
            board = Board(page, base_url)
            board.open("?status=all")
            board.load_older()
            matches = board.results
            for name, seconds in filter_changes(page, arguments.rounds).items():
                rows.append((f"change of {name}", Timing.of(seconds), FILTER_CHANGE_MS))
        browser.close()
    facts = machine()
    say(json.dumps(facts))
    say(f"{'':34}{'p50 ms':>9}{'p95 ms':>9}   ({matches} matches)")
    for name, timing, target in rows:
        verdict = "" if target is None else f"p95 ≤ {target}: {'ok' if timing.p95 <= target else 'MISSED'}"
        say(f"{name:34}{timing.p50:9.1f}{timing.p95:9.1f}   {verdict}")
    report: dict[str, Any] = {
        "machine": facts,
        "matches": matches,
        "milliseconds": {
            name: {"p50": timing.p50, "p95": timing.p95, "target": target} for name, timing, target in rows
        },
    }
    REPORT.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return int(any(target is not None and timing.p95 > target for _, timing, target in rows))


def measured(browser: Browser, run: Callable[[BrowserContext], tuple[float, float]]) -> tuple[float, float]:
    """Run in a context of its own."""
    with opened(browser) as context:
        return run(context)


if __name__ == "__main__":
    sys.exit(main())
