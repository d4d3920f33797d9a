"""A real browser on the real board. Whatever a page writes to its console as an error fails the test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from infra.paths import ROOT
from tests.browser.board import PATIENCE_MS, Board
from tests.support import chromium
from tests.support.throwaway import RunningStack


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it; `make test` sees to it that it has one.

    It is closed after this folder's last test, not at the session's end: while Playwright's synchronous API is open,
    its event loop runs in this thread, and `asyncio.run` in any other test fails.
    """
    program = chromium.installed()
    assert program is not None, chromium.ADVICE
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
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
