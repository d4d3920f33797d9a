"""Which tests need what, and the system the end-to-end tests talk to."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chromium import left_out
from tests.support.throwaway import RunningStack, throwaway_stack

BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs the emulator or a browser; leave the browser out on request."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.emulator)
        if BROWSER_TESTS in item.path.parents:
            item.add_marker(pytest.mark.browser)
    if left_out():
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("browser")])
        items[:] = [item for item in items if not item.get_closest_marker("browser")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this run did not test."""
    if left_out():
        terminalreporter.write_line("BROWSER=0: the tests of the match board in a browser were LEFT OUT", red=True)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The deployed stack with the sample, two trained models and a release as of 2024-04-01.

    Rights are enforced: each function works under its own role. ENFORCE_IAM=0 leaves that out.
    """
    enforce = os.environ.get("ENFORCE_IAM", "1") == "1"
    with throwaway_stack(tmp_path_factory.mktemp("stack"), enforce_iam=enforce) as running:
        yield running
