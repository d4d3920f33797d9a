"""Pages of the board's origin may call; pages of any other may not."""

from collections.abc import Callable
from typing import Any

import pytest

import app
from chalicelib import wiring
from chalicelib.storage.objects import ObjectStore
from tests.support.builders import Context, make_event, publish

BOARD = "https://board.example.org"
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Calls of a stack that has a board elsewhere."""
    monkeypatch.setenv("BOARD_ORIGIN", BOARD)
    wiring.settings.cache_clear()
    publish(objects)

    def ask(function: str, method: str = "GET", **headers: str) -> dict[str, Any]:
        event = make_event(function, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer: dict[str, Any] = getattr(app, function)({**event, "httpMethod": method}, Context())
        return answer

    return ask


def test_the_boards_origin_is_echoed_exactly(ask: Ask) -> None:
    headers = ask("cards", origin=BOARD)["headers"]
    assert headers["Access-Control-Allow-Origin"] == BOARD
    assert "x-next-cursor" in headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize(
    "origin",
    ["https://board.example.org.evil.com", "http://board.example.org", "https://BOARD.example.org", "null", "*", ""],
)
def test_another_origin_is_not(ask: Ask, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in ask("cards", origin=origin)["headers"]


def test_answers_vary_by_origin_whoever_asks(ask: Ask) -> None:
    assert "Origin" in ask("cards")["headers"]["Vary"].split(", ")
    assert ask("healthcheck")["headers"]["Vary"].split(", ")[0] == "Origin"


def test_an_error_can_be_read_too(ask: Ask) -> None:
    answer = ask("queues", origin=BOARD)
    assert (answer["statusCode"], answer["headers"]["Access-Control-Allow-Origin"]) == (401, BOARD)


@pytest.mark.parametrize(("function", "method"), [("predict", "POST"), ("predict_async", "POST"), ("queues", "GET")])
def test_a_preflight_says_what_the_board_may_send_and_needs_no_key(ask: Ask, function: str, method: str) -> None:
    answer = ask(function, "OPTIONS", origin=BOARD, access_control_request_method=method)
    headers = answer["headers"]
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert headers["Access-Control-Allow-Origin"] == BOARD
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS" if method == "GET" else "POST, OPTIONS"
    assert set(headers["Access-Control-Allow-Headers"].split(", ")) >= {"X-API-Key", "Content-Type", "Idempotency-Key"}


def test_a_preflight_of_another_origin_allows_nothing(ask: Ask) -> None:
    headers = ask("predict", "OPTIONS", origin="https://evil.example")["headers"]
    assert not [name for name in headers if name.startswith("Access-Control")]
    assert headers["Allow"] == "POST, OPTIONS"


def test_without_a_board_elsewhere_no_origin_is_allowed(objects: ObjectStore) -> None:
    headers = app.healthcheck(make_event("healthcheck", headers={"origin": "null"}), Context())["headers"]
    assert not [name for name in headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("function", ["healthcheck", "cards", "predict", "docs"])
def test_every_answer_has_the_security_headers(ask: Ask, function: str) -> None:
    headers = ask(function)["headers"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
