"""axe-core on every view, light and dark, at three widths; `make screenshots` keeps a picture of each."""

import os
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.paths import ROOT
from tests.browser.board import PATIENCE_MS, Board
from tests.browser.conftest import watch
from tests.support.throwaway import RunningStack

PICTURES = ROOT / "build" / "screenshots"
PICTURES_ARE_WANTED = os.environ.get("PICTURES") == "1"
# Two days of matches have all there is in a row; sixty rows more would take axe half a minute.
ALIKE = ".day ~ .day ~ .day"
SIZES = {"phone": (390, 844, 2), "desktop": (1280, 900, 1), "wide": (1920, 1080, 1)}
PRICES = {
    "match_id": 1,
    "match_date": None,
    "provider": "made-up",
    "snapshots": [
        {
            "collected_at": f"2024-03-{day}T09:00:00Z",
            "odds_home": home,
            "odds_draw": 3.4,
            "odds_away": away,
            "bookmaker": None,
        }
        for day, home, away in ((28, 2.0, 3.6), (29, 1.9, 3.9), (30, 1.85, 4.1), (31, 1.95, 3.8))
    ],
    "closing": {"collected_at": None, "odds_home": 1.8, "odds_draw": 3.5, "odds_away": 4.3, "bookmaker": None},
}
LONG = ("matches", "finished")
VIEWS = {
    "matches": "",
    "finished": "?status=finished",
    "record": "?view=record",
    "value": "?view=value",
    "model": "?view=model",
    "tables": "?view=tables",
    "match": "",
    "movement": "",
    "team": "?club=Arsenal&country=England",
    "empty": "?team=nobody",
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious(size: str, view: str, browser: Browser, stack: RunningStack, axe: str) -> None:
    width, height, scale = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        color_scheme="dark",
        has_touch=size == "phone",
        timezone_id="Europe/London",
        locale="en-GB",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    faults = watch(page)
    board = Board(page, stack.base_url)
    if view == "movement":
        # The sample has one price of each match.
        board.answer("/predict/prices/", 200, PRICES)
    board.open(VIEWS[view])
    if view in {"match", "movement"}:
        board.open_first()
    if view == "match":
        page.locator("#advanced summary").click()
        expect(page.locator(".feature-row").first).to_be_visible()
    if view == "model":
        page.get_by_text("Features", exact=True).click()
    page.evaluate(axe)
    serious = []
    # As the system prefers it, then as the reader chooses.
    for theme in ("dark", "light"):
        if theme == "light":
            page.locator("#theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        if PICTURES_ARE_WANTED:
            picture(page, f"{view}-{size}-{theme}", whole=view not in LONG)
        serious += serious_faults(page)
    page_is_wider_than_the_screen = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    context.close()
    assert faults == []
    assert not page_is_wider_than_the_screen
    assert serious == []


def serious_faults(page: Page) -> list[str]:
    """What axe finds on the page as it is."""
    # What passes is described in a word, not element by element.
    options = {"resultTypes": ["violations"]}
    arguments = [{"exclude": [ALIKE]}, options]
    found: dict[str, Any] = page.evaluate("([what, options]) => axe.run(what, options)", arguments)
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical", "moderate"}
        for node in fault["nodes"]
    ]


def picture(page: Page, name: str, *, whole: bool) -> None:
    """Keep a picture of the page, or of what fits the screen."""
    path = PICTURES / f"board-{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=whole)
    assert path.stat().st_size > 0
