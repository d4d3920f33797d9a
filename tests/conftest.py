"""The system the end-to-end tests talk to: started once per worker, on free ports, gone afterwards."""

import os
from collections.abc import Iterator

import pytest

from tests.support.throwaway import RunningStack, throwaway_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses the stack."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.emulator)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The deployed stack with the sample, two trained models and a release as of 2024-04-01.

    Rights are enforced: each function works under its own role. ENFORCE_IAM=0 leaves that out.
    """
    enforce = os.environ.get("ENFORCE_IAM", "1") == "1"
    with throwaway_stack(tmp_path_factory.mktemp("stack"), enforce_iam=enforce) as running:
        yield running
