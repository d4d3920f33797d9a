"""What a run's log sends and how long it may take; tests/handlers/test_run_log.py has it with MLflow itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from batch.mlflow.run_log import BUDGET_SECONDS, BatchRun, InputFile, RunLog, inputs_sha256
from chalicelib.errors import RegistryUnavailable

STARTED = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Server:
    """Remembers what it was sent; every call takes a number of seconds."""

    def __init__(self, seconds: float = 0.0, artifact_uri: str = "mlflow-artifacts:/1/r/artifacts") -> None:
        self.now = 0.0
        self.sent: dict[str, Any] = {}
        self._seconds = seconds
        self._artifact_uri = artifact_uri

    def get(self, endpoint: str, query: dict[str, str]) -> Any:
        self._note(endpoint, query)

    def post(self, endpoint: str, body: dict[str, Any]) -> Any:
        self._note(endpoint, body)
        if endpoint == "experiments/create":
            return {"experiment_id": "1"}
        return {"run": {"info": {"run_id": "r", "artifact_uri": self._artifact_uri}}}

    def put_artifact(self, path: str, content: bytes) -> None:
        self._note(path, content)

    def _note(self, call: str, body: Any) -> None:
        self.now += self._seconds
        self.sent[call] = body


def logged(server: Server, run: BatchRun, failure: str | None = None) -> dict[str, Any]:
    log = RunLog(server, clock=lambda: server.now)
    log.open(run)
    log.close(run, STARTED + timedelta(seconds=1.5), failure)
    return server.sent


def test_a_run_is_opened_filled_and_ended() -> None:
    run = BatchRun("rebuild", STARTED, params={"as_of": "x", "none": None}, metrics={"rows": 3}, report={"a": 1})
    sent = logged(Server(), run)
    assert run.mlflow_run_id == "r"
    assert sent["runs/create"]["start_time"] == 1714564800000
    assert {"key": "as_of", "value": "x"} in sent["runs/log-batch"]["params"]
    assert "none" not in {entry["key"] for entry in sent["runs/log-batch"]["params"]}
    assert {entry["key"]: entry["value"] for entry in sent["runs/log-batch"]["metrics"]} == {
        "rows": 3.0,
        "seconds": 1.5,
    }
    assert sent["1/r/artifacts/run.json"] == b'{\n "a": 1\n}'
    assert sent["runs/update"] == {"run_id": "r", "status": "FINISHED", "end_time": 1714564801500}


def test_a_failure_is_its_status_and_outcome() -> None:
    sent = logged(Server(), BatchRun("rebuild", STARTED), "invalid_matches")
    assert sent["runs/update"]["status"] == "FAILED"
    assert {"key": "outcome", "value": "invalid_matches"} in sent["runs/log-batch"]["tags"]


def test_nothing_is_written_to_a_place_of_the_servers_own() -> None:
    sent = logged(Server(artifact_uri="s3://bucket/1/r"), BatchRun("rebuild", STARTED, report={"a": 1}))
    assert [call for call in sent if call.endswith("run.json")] == []


def test_a_slow_server_costs_no_more_than_the_budget_and_one_call() -> None:
    server = Server(seconds=2.5)
    with pytest.raises(RegistryUnavailable, match="longer than 6 s"):
        logged(server, BatchRun("rebuild", STARTED))
    assert server.now <= BUDGET_SECONDS + 2.5


def test_numbers_that_are_none_are_left_out_and_long_texts_cut() -> None:
    run = BatchRun("rebuild", STARTED, params={"long": "x" * 9000}, metrics={"nan": float("nan")})
    batch = logged(Server(), run)["runs/log-batch"]
    assert "nan" not in {entry["key"] for entry in batch["metrics"]}
    assert max(len(entry["value"]) for entry in batch["params"]) == 500


def test_the_checksum_of_all_inputs_depends_on_their_content_and_not_on_their_order() -> None:
    a, b = InputFile("a", "1"), InputFile("b", "2")
    assert inputs_sha256([a, b]) == inputs_sha256([b, a])
    assert inputs_sha256([a, b]) != inputs_sha256([a, InputFile("b", "3")])


def test_steps_are_timed_and_added_up() -> None:
    run = BatchRun("rebuild", STARTED)
    for _ in range(2):
        with run.timed("read"):
            pass
    assert run.metrics["seconds_read"] >= 0
