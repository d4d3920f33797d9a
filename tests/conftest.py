"""Which tests need what, in which order they run, and the system the end-to-end tests talk to."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support import shared_stack
from tests.support.both_ends import FromBothEnds
from tests.support.chromium import left_out
from tests.support.throwaway import RunningStack

TESTS = Path(__file__).parent
BROWSER_TESTS = TESTS / "browser"
MEASURED = tuple(TESTS / name for name in ("unit", "handlers", "model", "security"))
"""Tests whose coverage is measured: others run little that these do not, and tracing makes a test a third slower."""


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of several that run tests for another."""
    return hasattr(config, "workerinput")


def stack_home(config: pytest.Config) -> Path:
    """The stack's folder, the same for all workers of this run."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # public for fixtures only
    return (base.parent if is_worker(config) else base) / "stack"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs the emulator or a browser; leave the browser out on request."""
    for item in items:
        if uses_stack(item):
            item.add_marker(pytest.mark.emulator)
        if BROWSER_TESTS in item.path.parents:
            item.add_marker(pytest.mark.browser)
        if not any(item.path.is_relative_to(folder) for folder in MEASURED):
            item.add_marker(pytest.mark.no_cover)
    if left_out():
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("browser")])
        items[:] = [item for item in items if not item.get_closest_marker("browser")]
    if is_worker(config):
        in_order(items)


def uses_stack(item: pytest.Item) -> bool:
    """Whether a test uses the run's running stack."""
    return "stack" in getattr(item, "fixturenames", ())


def in_order(items: list[pytest.Item]) -> None:
    """Files first whose tests use the stack alone, then those that start something, then those that share the stack."""
    rank: dict[Path, int] = {}
    for item in items:
        wanted = 0 if item.get_closest_marker("alone") else 2 if uses_stack(item) else 1
        of_item = wanted if item.get_closest_marker("emulator") else 3
        rank[item.path] = min(of_item, rank.get(item.path, of_item))
    items.sort(key=lambda item: rank[item.path])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FromBothEnds:
    """How files are dealt out to workers."""
    return FromBothEnds(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Wait for the stack's turn."""
    if not uses_stack(item):
        return (yield)
    with shared_stack.turn(stack_home(item.config), alone=item.get_closest_marker("alone") is not None):
        return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take down what workers started."""
    if not is_worker(config):
        shared_stack.stop(stack_home(config))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this run did not test, and the figures that tests have noted (`record_property("figure", TEXT)`)."""
    if left_out():
        terminalreporter.write_line("BROWSER=0: the tests of the match board in a browser were LEFT OUT", red=True)
    passed = terminalreporter.stats.get("passed", [])
    for figure in [text for report in passed for name, text in report.user_properties if name == "figure"]:
        terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> RunningStack:
    """The deployed stack with the sample, two trained models and a release as of 2024-04-01, shared by all workers.

    It can rebuild in items too (`BulkRebuild`). Rights are enforced: each function works under its own role.
    ENFORCE_IAM=0 leaves that out.
    """
    run = os.getppid() if is_worker(pytestconfig) else os.getpid()
    return shared_stack.attach(stack_home(pytestconfig), run, enforce_iam=os.environ.get("ENFORCE_IAM", "1") == "1")
