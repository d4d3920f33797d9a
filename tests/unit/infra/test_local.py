"""The local system's own parts: processes, ports, keys, the values it hands out."""

import json
import os
import socket
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from moto import mock_aws

from infra.as_of import parse_as_of
from infra.local.emulator import Emulator
from infra.local.mlflow_server import MlflowServer
from infra.local.processes import Daemon, LocalSystemError, any_free_port, free_port, is_free, port_owner
from infra.local.system import LocalSystem, known_system
from infra.ops.api_keys import ensure_keys, main, rotate_keys
from infra.packaging.training_native import install_gomp
from infra.stack.outputs import read_outputs

# These are about ports and processes of this machine.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost"])

# ── Processes ───────────────────────────────────────────────────────────────────────────────────────

PARENT_WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def start(daemon: Daemon, code: str) -> None:
    """Start a Python program as a daemon."""
    daemon.start([sys.executable, "-c", code], {"PATH": os.environ["PATH"]})


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is surely stopped afterwards."""
    started = Daemon("thing", tmp_path)
    yield started
    started.stop()


def child_of(daemon: Daemon) -> int:
    """The pid that the program above printed."""
    daemon.wait_ready(lambda: daemon.log.read_text(encoding="utf-8").strip().isdigit(), 30)
    return int(daemon.log.read_text(encoding="utf-8"))


def gone(pid: int) -> bool:
    """Whether a process no longer runs."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
def test_stopping_takes_the_children_along(daemon: Daemon) -> None:
    start(daemon, PARENT_WITH_CHILD)
    child = child_of(daemon)
    assert daemon.stop() is True
    assert daemon.process() is None
    assert gone(child)
    assert daemon.stop() is False


@pytest.mark.slow
def test_children_of_a_daemon_that_died_are_ended_before_the_next_start(daemon: Daemon) -> None:
    start(daemon, PARENT_WITH_CHILD)
    child = child_of(daemon)
    parent = daemon.process()
    assert parent is not None
    parent.kill()
    parent.wait()
    assert not gone(child)
    daemon.end_orphans()
    assert gone(child)


def test_a_pid_that_belongs_to_another_process_now_is_left_alone(daemon: Daemon) -> None:
    record = {"pid": os.getpid(), "created": psutil.Process().create_time() - 1_000}
    (daemon.folder / "thing.pid.json").write_text(json.dumps(record), encoding="utf-8")
    assert daemon.process() is None
    assert daemon.stop() is False


def test_a_daemon_that_dies_while_starting_is_reported_with_the_end_of_its_log(daemon: Daemon) -> None:
    start(daemon, "print('no room'); raise SystemExit(3)")
    with pytest.raises(LocalSystemError, match="no room"):
        daemon.wait_ready(lambda: False, 30)


def test_a_daemon_that_never_answers_times_out(daemon: Daemon) -> None:
    start(daemon, "import time; time.sleep(600)")
    with pytest.raises(LocalSystemError, match="not ready within 0 s"):
        daemon.wait_ready(lambda: False, 0)


# ── Ports ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_a_taken_port_is_seen_with_its_owner(taken: int) -> None:
    assert not is_free(taken)
    assert f"process {os.getpid()} " in port_owner(taken)


def test_the_next_free_port_replaces_a_taken_one(taken: int) -> None:
    assert free_port(taken) > taken


def test_a_port_that_was_chosen_by_the_system_is_free() -> None:
    assert is_free(any_free_port())


# ── The system ──────────────────────────────────────────────────────────────────────────────────────


def test_a_system_is_found_on_the_ports_it_had(tmp_path: Path) -> None:
    state = {"emulator_port": 14566, "mlflow_port": 15000, "as_of": "2024-04-01T00:00:00Z"}
    (tmp_path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    system = known_system(tmp_path)
    assert system.base_url == "http://localhost:14566/_aws/execute-api/soccer/local"
    assert system.mlflow.tracking_uri == "http://127.0.0.1:15000"
    assert system.deployment.parameters["ReplayAsOf"] == "2024-04-01T00:00:00Z"
    assert system.deployment.parameters["MlflowTrackingUri"] == "http://127.0.0.1:15000"


def test_a_fresh_clone_has_the_usual_ports(tmp_path: Path) -> None:
    system = known_system(tmp_path)
    assert (system.emulator.port, system.mlflow.port) == (4566, 5000)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-01", "2024-05-01T00:00:00Z"),
        ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z"),
        ("2024-05-01T12:00:00+02:00", "2024-05-01T10:00:00Z"),
    ],
)
def test_the_replay_clock_is_utc(text: str, moment: str) -> None:
    assert parse_as_of(text) == moment


def test_a_replay_clock_that_is_not_a_time_is_refused_with_an_example() -> None:
    with pytest.raises(ArgumentTypeError, match="such as 2024-05-01"):
        parse_as_of("spring")


class FakeCloudFormation:
    """Answers `describe_stacks` with one stack."""

    def __init__(self, status: str, **outputs: str) -> None:
        self._stack = {
            "StackStatus": status,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        }

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        """The stack."""
        return {"Stacks": [self._stack]}


OUTPUTS = {
    "ApiId": "soccer",
    "ApiStage": "local",
    "BaseUrl": "https://x",
    "Bucket": "data",
    "TasksTable": "tasks",
    "InferenceQueueUrl": "http://q",
    "DeadLetterQueueUrl": "http://d",
    "ApiKeysSecretId": "soccer-local/api-keys",
    "Build": "abc",
}


def test_everything_the_demo_promises_is_in_its_environment(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, 14566)
    system = LocalSystem(tmp_path, emulator, MlflowServer(tmp_path, 15000, emulator.endpoint_url))
    outputs = read_outputs(FakeCloudFormation("CREATE_COMPLETE", **OUTPUTS), "soccer-local")
    assert outputs is not None
    keys = ensure_keys(FakeSecrets({"client": ["c"], "operator": ["o"]}), "id")
    values = system.environment(outputs, keys)
    assert values["BASE_URL"] == "http://localhost:14566/_aws/execute-api/soccer/local"
    assert (values["CLIENT_KEY"], values["OPERATOR_KEY"]) == ("c", "o")
    assert (values["BUCKET"], values["TASKS_TABLE"], values["INFERENCE_QUEUE_URL"]) == ("data", "tasks", "http://q")
    assert values["AWS_ENDPOINT_URL"] == "http://localhost:14566"
    assert values["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:15000"
    assert values["STACK_NAME"] == "soccer-local"


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_IN_PROGRESS", "DELETE_COMPLETE"])
def test_a_stack_that_is_not_whole_has_no_outputs(status: str) -> None:
    assert read_outputs(FakeCloudFormation(status, **OUTPUTS), "soccer-local") is None


def test_a_stack_of_an_older_version_counts_as_not_deployed() -> None:
    assert read_outputs(FakeCloudFormation("CREATE_COMPLETE", ApiId="soccer"), "soccer-local") is None


# ── Keys ────────────────────────────────────────────────────────────────────────────────────────────


class FakeSecrets:
    """One secret of Secrets Manager."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.writes = 0

    def get_secret_value(self, **_: str) -> dict[str, str]:
        """The document as text."""
        return {"SecretString": json.dumps(self.document)}

    def put_secret_value(self, *, SecretString: str, **_: str) -> None:  # noqa: N803 - boto3's name
        """Replace the document."""
        self.document = json.loads(SecretString)
        self.writes += 1


def test_missing_keys_are_generated_once() -> None:
    secrets = FakeSecrets({"client": [], "operator": [], "unused": "x"})
    keys = ensure_keys(secrets, "id")
    assert secrets.document == {"client": [keys.client], "operator": [keys.operator]}
    assert keys.client != keys.operator
    assert len(keys.client) >= 43  # 32 random bytes in base64
    assert ensure_keys(secrets, "id") == keys
    assert secrets.writes == 1


def test_rotation_keeps_the_key_before_valid_and_drops_the_one_before_that() -> None:
    secrets = FakeSecrets({"client": ["old", "older"], "operator": ["op"]})
    keys = rotate_keys(secrets, "id")
    assert secrets.document == {"client": [keys.client, "old"], "operator": [keys.operator, "op"]}


def test_the_command_rotates_a_stacks_keys_and_prints_none_of_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("secretsmanager")
        client.create_secret(Name="soccer-prod/api-keys", SecretString='{"client": ["old"], "operator": ["op"]}')
        assert main(["soccer-prod/api-keys"]) == 0
        keys = json.loads(client.get_secret_value(SecretId="soccer-prod/api-keys")["SecretString"])
    assert (keys["client"][1], keys["operator"][1]) == ("old", "op")
    printed = capsys.readouterr().out
    assert "soccer-prod/api-keys" in printed
    assert not any(key in printed for key in (*keys["client"][:1], *keys["operator"][:1]))


@pytest.mark.parametrize("document", ['{"client": [], "operator": []}', "{}"])
def test_rotating_keys_that_were_never_made_makes_them(document: str) -> None:
    secrets = FakeSecrets(json.loads(document))
    keys = rotate_keys(secrets, "id")
    assert secrets.document == {"client": [keys.client], "operator": [keys.operator]}


# ── libgomp ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_machine_whose_scikit_learn_brings_no_libgomp_gets_advice_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="libgomp1"):
        install_gomp(tmp_path, Path("patchelf"))
