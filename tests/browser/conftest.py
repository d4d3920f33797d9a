"""A real browser on the real board. Whatever a page writes to its console as an error fails the test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from infra.paths import ROOT
from tests.browser.board import PATIENCE_MS, Board
from tests.support.throwaway import RunningStack

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """The path of the machine's Chromium, if it has one."""
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here need a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it."""
    found = chromium()
    if found is None:
        pytest.skip("no Chromium is installed (make setup-browser)")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(CHROMIUM_ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A desktop, in London."""
    opened = browser.new_context(
        viewport={"width": 1280, "height": 900}, timezone_id="Europe/London", locale="en-GB", accept_downloads=True
    )
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def failing_calls() -> None:
    """The test provokes calls that fail: the browser reports them, and that is no fault of the page."""


@pytest.fixture
def board(request: pytest.FixtureRequest, context: BrowserContext, stack: RunningStack) -> Iterator[Board]:
    """The board on the stack."""
    page = context.new_page()
    faults = watch(page, failing_calls="failing_calls" in request.fixturenames)
    yield Board(page, stack.base_url)
    assert faults == []


def watch(page: Page, *, failing_calls: bool = False) -> list[str]:
    """Errors of a page from now on: its console's, and exceptions nobody caught."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        known = failing_calls and message.text.startswith("Failed to load resource")
        if message.type in {"error", "warning"} and not known:
            faults.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return faults


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, as the lock file of the JavaScript tools pins it."""
    source = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.fail("axe-core is not installed: make lint-js")
    return source.read_text("utf-8")
