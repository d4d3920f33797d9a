"""Preconditions of a start: valid variables, memory, disk, and no other command in the folder."""

import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from infra.local.processes import LocalSystemError

MIN_FREE_MB: Final = 2_048
"""Memory that must be free."""
MIN_FREE_DISK_MB: Final = 1_024
"""Disk that must be free where the state is: for state, logs and unpacked functions of a demo."""
HIGHEST_PORT: Final = 65_535


def number_from_environment(name: str, default: int | None, highest: int | None = None) -> int | None:
    """A whole number from 1 that a variable sets; the default where it is not set or empty.

    Raises:
        LocalSystemError: it is not such a number.
    """
    text = os.environ.get(name)
    if not text:
        return default
    if text.isascii() and text.isdigit() and int(text) >= 1 and (highest is None or int(text) <= highest):
        return int(text)
    allowed = "from 1" if highest is None else f"from 1 to {highest}"
    raise LocalSystemError(f"{name}={text} is not a whole number {allowed}")


def check_memory() -> None:
    """Check that there is enough memory.

    Raises:
        LocalSystemError: there is too little.
    """
    needed_mb = number_from_environment("MIN_FREE_MB", MIN_FREE_MB) or 0
    free = free_memory_mb()
    if free < needed_mb:
        raise LocalSystemError(
            f"only {free} MB of memory are free and the system needs about {needed_mb} (emulator and functions 1,000, "
            f"MLflow 500, training 500). Close something, or try with MIN_FREE_MB={max(free - 100, 1)}"
        )


def check_disk(folder: Path) -> None:
    """Check that there is enough disk space.

    Raises:
        LocalSystemError: there is too little.
    """
    needed_mb = number_from_environment("MIN_FREE_DISK_MB", MIN_FREE_DISK_MB) or 0
    free = free_disk_mb(folder)
    if free < needed_mb:
        raise LocalSystemError(
            f"only {free} MB are free on the disk of {folder} and the system needs about {needed_mb}. Make room there, "
            f"choose another folder with LOCAL_DIR=..., or try with MIN_FREE_DISK_MB={max(free - 100, 1)}"
        )


def free_memory_mb() -> int:
    """Memory that new processes could take without swapping, in MB."""
    return int(psutil.virtual_memory().available // (1024 * 1024))


def free_disk_mb(folder: Path) -> int:
    """Free disk space of a folder that may not exist yet, in MB."""
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(existing).free // (1024 * 1024)


def make_private(folder: Path) -> None:
    """Create the folder of a system's state, private because it holds secrets.

    Raises:
        LocalSystemError: it cannot be created or written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise LocalSystemError(
            f"cannot write to {folder} ({error.strerror}). Choose a folder for the state with LOCAL_DIR=..."
        ) from error


@contextmanager
def only_command_in(folder: Path) -> Iterator[None]:
    """Lock a folder against other commands until this one ends.

    Raises:
        LocalSystemError: another one holds the lock; the message names it.
    """
    with (folder / "lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalSystemError(
                f"{_holder(lock.name)} is at work in {folder}; wait until it has ended, or stop it"
            ) from None
        lock.truncate(0)
        command = " ".join(argument for argument in sys.argv[1:] if not argument.startswith("-")) or "another command"
        json.dump({"command": command, "pid": os.getpid(), "since": time.strftime("%H:%M:%S")}, lock)
        lock.flush()
        yield


def _holder(path: str) -> str:
    try:
        holder = json.loads(Path(path).read_text(encoding="utf-8"))
        return f"`{holder['command']}` (process {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError, OSError):
        return "another command"
