"""Unit tests reach no network; those with a server of their own say so: `pytest.mark.allow_hosts(["127.0.0.1"])`."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Block sockets in every test below this folder that does not name the hosts it may reach."""
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents and item.get_closest_marker("allow_hosts") is None:
            item.add_marker(pytest.mark.disable_socket)
