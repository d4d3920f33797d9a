"""The block on sockets is in force where unit tests run."""

import socket

import pytest
from pytest_socket import SocketBlockedError


def test_a_unit_test_cannot_open_a_socket() -> None:
    with pytest.warns(UserWarning, match="tried to use"), pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_one_that_names_its_own_machine_can() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        assert opened.fileno() > 0
