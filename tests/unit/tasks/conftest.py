"""Fixtures of the tests of the sweep and of dead letters."""

import pytest

from tests.support.fakes import InMemoryQueue
from tests.unit.tasks.pending import Tasks


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


@pytest.fixture
def queue() -> InMemoryQueue:
    return InMemoryQueue()
