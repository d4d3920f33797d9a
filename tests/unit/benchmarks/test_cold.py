"""What the cold-start benchmark calls functions with, and how it times a new process."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.cold import _PROGRAM, FLOOR_PROGRAM, _event, run_bare
from chalicelib.endpoints import ENDPOINTS
from infra.stack.functions import BY_NAME, FUNCTIONS

STACK: Any = SimpleNamespace(keys=SimpleNamespace(operator="key"), system=SimpleNamespace(as_of="2024-04-01T00:00:00Z"))
HANDLER = """
calls = []
def predict(event, context):
    calls.append(event)
    return {"statusCode": 200 if event["body"] else 422, "body": str(len(calls))}
"""


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.function)
def test_a_function_behind_the_gateway_gets_an_event_of_one_of_its_paths(endpoint: Any) -> None:
    event = _event(BY_NAME[endpoint.function], STACK, 7, {"sex": 0})
    assert (event["resource"], event["httpMethod"]) == (endpoint.paths[-1], endpoint.method)
    assert "{" not in event["path"]
    assert event["headers"]["x-api-key"] == "key"
    assert (event["body"] is None) == (endpoint.method == "GET")


def test_the_other_functions_get_records_or_the_replay_clock() -> None:
    http = {endpoint.function for endpoint in ENDPOINTS}
    events = {function.name: _event(function, STACK, 7, {}) for function in FUNCTIONS if function.name not in http}
    (record,) = events.pop("inference")["Records"]
    assert json.loads(record["body"])["match_id"] == 7
    assert len(events.pop("dead_letters")["Records"]) == 1
    assert set(events) == {"sweep", "rebuild", "refresh_odds", "sync_models", "monitor_drift", "export_table"}
    assert all(event == {"as_of": "2024-04-01T00:00:00Z"} for event in events.values())


def given(folder: Path, source: str) -> dict[str, Any]:
    (folder / "app.py").write_text(source, encoding="utf-8")
    return {"paths": [str(folder)], "handler": "app.predict", "event": {"body": "{}"}, "warm_calls": 3}


def test_a_cold_start_is_a_new_process_up_to_its_first_answer_and_warm_calls_follow_in_it(tmp_path: Path) -> None:
    answer = run_bare(sys.executable, _PROGRAM, given(tmp_path, HANDLER), {}, tmp_path)
    assert answer["status"] == 200
    assert len(answer["warm"]) == 3
    assert answer["cold_ms"] > answer["import_ms"] > 0


def test_a_function_that_raises_is_not_timed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no model"):
        run_bare(
            sys.executable, _PROGRAM, given(tmp_path, "def predict(e, c): raise OSError('no model')"), {}, tmp_path
        )


def test_the_floor_has_no_libraries_but_those_it_is_given(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="boto3"):
        run_bare(sys.executable, FLOOR_PROGRAM, {"paths": [str(tmp_path)]}, {}, tmp_path)
