"""One system for all workers of a test run: `python -m tests.support.shared_stack HOME RUN`.

The first worker that needs it starts this program, which starts the system, keeps it until the run (process RUN) ends
or asks it to stop, and takes all of it down; also when a worker crashed or the run was killed.

A test that others would disturb, or that disturbs others, is marked `alone`: see `turn`.
"""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import psutil

from infra.local.processes import Daemon, write_whole
from infra.paths import ROOT
from tests.support.throwaway import RunningStack, running_stack, throwaway_stack

_START_SECONDS: Final = 600.0
_STOP_SECONDS: Final = 240.0
_TURN_SECONDS: Final = 900.0
"""Longer than pytest lets a test run."""
_POLL_SECONDS: Final = 0.5
_LOCK_POLL_SECONDS: Final = 0.05
_RECORD: Final = ".pid.json"
"""How the files end in which daemons are recorded."""


@contextmanager
def _locked(path: Path, *, alone: bool = True) -> Iterator[None]:
    """Hold a file's lock, alone or with others who do not want it alone.

    Raises:
        TimeoutError: Others hold it for longer than any test may take.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        deadline = time.monotonic() + _TURN_SECONDS
        while True:
            try:
                fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{path.name} is held by others for {_TURN_SECONDS:.0f} seconds") from None
                time.sleep(_LOCK_POLL_SECONDS)
        yield


def _keeper(home: Path) -> Daemon:
    """This program."""
    return Daemon("keeper", home, _STOP_SECONDS)


def _ready(home: Path) -> Path:
    """The file that says the system can be used."""
    return home / "ready"


def attach(home: Path, run: int, *, enforce_iam: bool) -> RunningStack:
    """The run's system, started if nobody did before.

    Args:
        home: The same folder for all workers of a run.
        run: Process at whose end the system is taken down.
        enforce_iam: Whether signatures and role policies are enforced.

    Raises:
        LocalSystemError: It cannot be started; with the end of its log.
    """
    keeper = _keeper(home)
    with _locked(home / "starting.lock"):
        if not _ready(home).exists():
            if not keeper.died():
                command = [sys.executable, "-m", "tests.support.shared_stack", str(home), str(run)]
                keeper.start(command, {**os.environ, "PYTHONPATH": str(ROOT), "ENFORCE_IAM": str(int(enforce_iam))})
            # One that died is not started again: every test that needs it fails with what it said.
            keeper.wait_ready(_ready(home).exists, _START_SECONDS)
    return running_stack(home / "system", enforce_iam=enforce_iam)


def stop(home: Path) -> None:
    """Take the run's system down, if there is one, and what tests of an interrupted run started beside it."""
    _keeper(home).stop()
    for folder, _, files in os.walk(home.parent):
        for name in files:
            if name.endswith(_RECORD):
                Daemon(name.removesuffix(_RECORD), Path(folder)).stop()


@contextmanager
def turn(home: Path, *, alone: bool) -> Iterator[None]:
    """Use the system while nobody uses it alone, or alone while nobody else uses it.

    Args:
        home: The same folder for all workers of a run.
        alone: Whether others have to wait.
    """
    # Whoever waits to be alone keeps the door shut, so that a sequence of others cannot keep them waiting for ever.
    with ExitStack() as inside:
        with _locked(home / "door.lock", alone=alone):
            inside.enter_context(_locked(home / "inside.lock", alone=alone))
        yield


def _asked_to_stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _runs(process: psutil.Process) -> bool:
    """Whether it has not ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def main(home: Path, run: psutil.Process) -> None:
    """Keep the system for as long as the run lasts."""
    signal.signal(signal.SIGTERM, _asked_to_stop)
    system = home / "system"
    system.mkdir()
    with throwaway_stack(system, parameters={"BulkRebuild": "true"}):
        # Tests stop and kill processes of the system, whose parent this is; nobody else would bury them.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        write_whole(_ready(home), "")
        while _runs(run):
            time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), psutil.Process(int(sys.argv[2])))
