"""What the emulator knew is there again after a restart, or the command that stopped it says that it is not."""

import io
import json
import resource
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.local.emulator import Emulator, emulator_python
from infra.local.mlflow_server import MlflowServer
from infra.local.processes import LocalSystemError, any_free_port
from infra.local.system import LocalSystem, Steps, stop
from infra.paths import ROOT

pytestmark = pytest.mark.emulator


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LocalSystem]:
    """An emulator with nothing on it."""
    home = tmp_path / "a path with spaces"
    emulator = Emulator(home / "emulator", any_free_port())
    system = LocalSystem(home, emulator, MlflowServer(home / "mlflow", any_free_port(), emulator.endpoint_url))
    emulator.start()
    yield system
    for daemon in system.daemons:
        daemon.stop()


def queues(system: LocalSystem) -> list[str]:
    """Names of the queues there are."""
    return [url.rsplit("/", 1)[1] for url in system.client("sqs").list_queues().get("QueueUrls", [])]


def no_more_room(system: LocalSystem) -> None:
    """From now on, the emulator can write no file: what a full disk does to it, without filling one."""
    process = system.emulator.daemon.process()
    assert process is not None
    process.rlimit(psutil.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))


def test_a_state_that_cannot_be_saved_is_reported_and_the_one_before_is_kept(system: LocalSystem) -> None:
    system.client("sqs").create_queue(QueueName="before")
    stop(system, Steps())
    system.emulator.start()
    assert queues(system) == ["before"]
    system.client("sqs").create_queue(QueueName="lost")
    no_more_room(system)
    with pytest.raises(LocalSystemError, match=r"could not be saved .* is kept"):
        stop(system, Steps())
    system.emulator.start()
    assert queues(system) == ["before"]


def test_functions_answer_with_their_own_code_after_every_restart(system: LocalSystem) -> None:
    def archive(answer: int) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as file:
            file.writestr("code.py", f"def handler(event, context):\n    return {answer}\n")
        return content.getvalue()

    def answer() -> int:
        payload = system.client("lambda").invoke(FunctionName="answers")["Payload"]
        return int(json.loads(payload.read()))

    system.client("lambda").create_function(
        FunctionName="answers",
        Runtime="python3.11",
        Role="arn:aws:iam::000000000000:role/answers",
        Handler="code.handler",
        Code={"ZipFile": archive(1)},
    )
    for number in (1, 2):
        system.client("lambda").update_function_code(FunctionName="answers", ZipFile=archive(number))
        for _ in range(2):
            stop(system, Steps())
            system.emulator.start()
            assert answer() == number


def test_a_killed_emulator_is_not_a_saved_one(system: LocalSystem) -> None:
    process = system.emulator.daemon.process()
    assert process is not None
    stopped = process.children(recursive=True)
    process.suspend()
    process.kill()
    psutil.wait_procs([process, *stopped], timeout=10)
    assert system.emulator.saved_at() == 0


def test_a_save_that_was_interrupted_between_its_renames_is_finished(system: LocalSystem) -> None:
    system.client("sqs").create_queue(QueueName="mine")
    stop(system, Steps())
    state = system.emulator.home / "state"
    state.rename(state.with_name("state.new"))
    system.emulator.start()
    assert queues(system) == ["mine"]


def test_secrets_on_the_disk_are_readable_by_nobody_else(system: LocalSystem) -> None:
    system.client("secretsmanager").create_secret(Name="keys", SecretString="secret")
    stop(system, Steps())
    file = system.emulator.home / "state" / "secretsmanager.json"
    assert "c2VjcmV0" in file.read_text() or "secret" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((system.emulator.home / "emulator.log").stat().st_mode) == 0o600


def test_old_log_streams_are_dropped_before_the_state_is_saved(system: LocalSystem) -> None:
    logs = system.client("logs")
    logs.create_log_group(logGroupName="group")
    for number in range(12):
        logs.create_log_stream(logGroupName="group", logStreamName=f"stream-{number:02}")
    program = ROOT / "infra" / "local" / "emulator_program.py"
    stop(system, Steps())
    trim = (
        "import runpy, json, sys\n"
        f"program = runpy.run_path({str(program)!r})\n"
        "from ministack.core import persistence\n"
        "from ministack.services import cloudwatch_logs\n"
        "cloudwatch_logs.load_persisted_state(persistence.load_state('cloudwatch_logs'))\n"
        "program['trim_logs'](5)\n"
        "print(json.dumps([list(g['streams']) for _, g in cloudwatch_logs._log_groups.all_items()]))\n"
    )
    environment = {"PERSIST_STATE": "1", "STATE_DIR": str(system.emulator.home / "state")}
    result = subprocess.run(
        [str(emulator_python()), "-c", trim], check=True, capture_output=True, text=True, env=environment
    )
    assert json.loads(result.stdout.splitlines()[-1]) == [[f"stream-{number:02}" for number in range(7, 12)]]
