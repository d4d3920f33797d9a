"""What a person did wrong is one line that says so, before anything starts."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.preconditions import check_disk, check_memory, make_private, only_command_in
from infra.local.processes import Daemon, LocalSystemError, write_whole
from infra.local.system import main
from infra.paths import ROOT


@pytest.mark.allow_hosts(["127.0.0.1"])  # the port of the other server is looked at first
@pytest.mark.parametrize("port", ["abc", "99999", "0", "-1", "4566.0", "٤٥٦٦"])
@pytest.mark.parametrize("variable", ["PORT", "MLFLOW_PORT"])
def test_a_port_that_is_none_is_one_line(
    variable: str, port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, port)
    assert main(["--home", str(tmp_path), "up"]) == 1
    assert capsys.readouterr().err == f"error: {variable}={port} is not a whole number from 1 to 65535\n"


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--home", str(tmp_path / "file" / "local"), "up"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(tmp_path / "file" / "local") in error


def test_too_little_disk_is_reported_with_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIN_FREE_DISK_MB", "1000000000")
    with pytest.raises(LocalSystemError) as caught:
        check_disk(tmp_path / "not" / "there")
    assert str(tmp_path / "not" / "there") in str(caught.value)
    monkeypatch.setenv("MIN_FREE_DISK_MB", "1")
    check_disk(tmp_path)


def test_too_little_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIN_FREE_MB", "1000000000")
    with pytest.raises(LocalSystemError):
        check_memory()


def test_the_folder_of_the_state_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "local"
    folder.mkdir(mode=0o755)
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_second_command_in_the_same_folder_is_refused_with_who_is_at_work(tmp_path: Path) -> None:
    second = [sys.executable, "-m", "infra.local", "--home", str(tmp_path), "up"]
    with only_command_in(tmp_path):
        result = subprocess.run(second, check=False, capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 1
    assert f"process {os.getpid()}" in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_lock_of_a_command_that_was_killed_is_free(tmp_path: Path) -> None:
    program = "import sys, os, signal; from pathlib import Path\n"
    program += "from infra.local.preconditions import only_command_in\n"
    program += "with only_command_in(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)\n"
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, cwd=ROOT)
    with only_command_in(tmp_path):
        pass


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_whole(path, "before")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    program = "import resource, sys; from pathlib import Path; from infra.local.processes import write_whole\n"
    program += "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
    program += "write_whole(Path(sys.argv[1]), 'x' * 100_000)\n"
    result = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert "File too large" in result.stderr
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_status_says_which_daemon_died(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relay = Daemon("metrics-relay", tmp_path / "metrics-relay")
    relay.start([sys.executable, "-c", "print('alive')"], {})
    relay.wait_ready(lambda: relay.process() is None, 10)
    assert main(["--home", str(tmp_path), "status"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "died after 2" in lines["metrics-relay"]
    assert "stopped" in lines["emulator"]
    assert "MB free" in lines["disk"]


def test_a_relay_whose_log_takes_nothing_continues() -> None:
    program = (
        "import sys; from infra.local.metrics_relay import log\nlog('lost'); log('lost'); sys.stderr.write('goes on')"
    )
    with Path("/dev/full").open("wb", buffering=0) as full:
        result = subprocess.run(
            [sys.executable, "-c", program], check=False, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
    assert result.stderr.startswith("goes on")


def test_the_lock_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["infra.local", "demo", "--as-of", "2024-05-01"])
    with only_command_in(tmp_path):
        assert json.loads((tmp_path / "lock").read_text(encoding="utf-8"))["command"] == "demo 2024-05-01"
