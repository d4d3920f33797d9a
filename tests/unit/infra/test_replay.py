"""A day of batch run again, with a Lambda that notes its calls."""

import io
import json
from typing import Any

import pytest

from infra.ops.replay import ReplayFailed, main, replay

EVENT = {"as_of": "2024-03-20T00:00:00Z", "backwards": True}


class Lambda:
    """Answers `{}`, or fails for one function."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """One call."""
        self.calls.append((FunctionName, json.loads(Payload)))
        if FunctionName.endswith(self.failing or "nothing"):
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "InvalidMatches"}')}
        return {"Payload": io.BytesIO(b"{}")}


def test_a_day_is_rebuilt_then_its_odds_then_its_drift() -> None:
    client, lines = Lambda(), list[str]()
    replay(client, "soccer-prod", EVENT, lines.append)
    names = ["soccer-prod-rebuild", "soccer-prod-refresh_odds", "soccer-prod-monitor_drift"]
    assert client.calls == [(name, EVENT) for name in names]
    assert lines == ["rebuild: {}", "refresh_odds: {}", "monitor_drift: {}"]


def test_what_is_not_to_become_current_is_rebuilt_only() -> None:
    client = Lambda()
    replay(client, "soccer-prod", {**EVENT, "backwards": False}, lambda _: None)
    assert [name for name, _ in client.calls] == ["soccer-prod-rebuild"]


def test_nothing_runs_after_a_failure() -> None:
    client = Lambda(failing="refresh_odds")
    with pytest.raises(ReplayFailed, match=r"refresh_odds failed: .*InvalidMatches"):
        replay(client, "soccer-prod", EVENT, lambda _: None)
    assert len(client.calls) == 2


def test_a_day_that_is_none_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--as-of", "spring"])
    assert "not an ISO date" in capsys.readouterr().err
