"""Background processes of the local system: start, watch, stop, find a port's owner."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_KILL_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.1
_LOG_LINES: Final = 15


class LocalSystemError(Exception):
    """A problem for the user to solve; the message says how."""


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of this machine's loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int) -> int:
    """The preferred port, else the next free one above it.

    Raises:
        LocalSystemError: None of the hundred ports from there is free.
    """
    for port in range(preferred, preferred + 100):
        if is_free(port):
            return port
    raise LocalSystemError(f"no free port from {preferred} to {preferred + 99}")


def any_free_port() -> int:
    """A port that nothing listens on, chosen by the system."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_owner(port: int) -> str:
    """The process that listens on the port, if visible to this user."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "a process of another user"
    for connection in connections:
        if (
            connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr[1] == port
            and connection.pid
        ):
            try:
                process = psutil.Process(connection.pid)
                return f"process {process.pid} ({' '.join(process.cmdline())[:120] or process.name()})"
            except psutil.Error:
                break
    return "an unknown process"


def write_whole(path: Path, text: str) -> None:
    """Replace a file atomically, readable by this user only.

    Raises:
        OSError: it could not be written.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class Daemon:
    """A background process with its own session, so its children can be stopped with it.

    Args:
        name: Name in messages.
        folder: Where its pid file and log are.
        stop_seconds: Time to save its data and end when asked to stop.
    """

    name: str
    folder: Path
    stop_seconds: float = 15.0

    @property
    def _record(self) -> Path:
        return self.folder / f"{self.name}.pid.json"

    @property
    def log(self) -> Path:
        """Everything it printed since its last start."""
        return self.folder / f"{self.name}.log"

    def process(self) -> psutil.Process | None:
        """The running process; None if it is not running (or its pid belongs to another process now)."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            process = psutil.Process(record["pid"])
            alive = process.create_time() == record["created"] and process.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
            return None
        return process if alive else None

    def died(self) -> bool:
        """Whether it ended without being stopped."""
        return self._record.exists() and self.process() is None

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it, detached from this terminal; returns at once."""
        self.end_orphans()
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as log:
            started = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=self.folder,
                start_new_session=True,
                # its output may contain secrets, and others may use this machine
                umask=0o077,
            )
        created = psutil.Process(started.pid).create_time()
        write_whole(self._record, json.dumps({"pid": started.pid, "created": created}))
        # it outlives this object on purpose; without a return code Python would warn
        started.returncode = 0

    def wait_ready(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready()`.

        Raises:
            LocalSystemError: It died or did not become ready in time; with the end of its log.
        """
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self.process() is None:
                raise LocalSystemError(f"{self.name} stopped while starting; the end of {self.log}:\n{self.log_end()}")
            if time.monotonic() > deadline:
                raise LocalSystemError(
                    f"{self.name} was not ready within {seconds:.0f} s; the end of {self.log}:\n{self.log_end()}"
                )
            time.sleep(_POLL_SECONDS)

    def log_end(self) -> str:
        """The last lines it printed."""
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])
        except FileNotFoundError:
            return "(no log)"

    def ask_to_stop(self) -> bool:
        """Ask it to save its data and end; returns at once, whether it was running."""
        process = self.process()
        if process is None:
            return False
        process.send_signal(signal.SIGTERM)
        return True

    def stop(self) -> bool:
        """Stop it and every process of its session: asks first, so that it can save its data, then kills.

        Returns:
            Whether it was running.
        """
        process = self.process()
        if process is None:
            self.end_orphans()
            return False
        family = [process, *process.children(recursive=True)]
        process.send_signal(signal.SIGTERM)
        psutil.wait_procs([process], timeout=self.stop_seconds)
        for member in family:
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(family, timeout=_KILL_SECONDS)
        self.end_orphans()
        return True

    def end_orphans(self) -> None:
        """Kill the rest of its session after it died (workers hold its port), and delete its record."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            session, created = int(record["pid"]), float(record["created"])
        except (FileNotFoundError, ValueError, KeyError):
            return
        try:
            leader = psutil.Process(session)
            # A process with this pid but another start time is not ours, and then none of our session is left: a pid is
            # not reused while a session has its number.
            is_ours = leader.create_time() == created
        except psutil.NoSuchProcess:
            is_ours = True
        if is_ours:
            self._kill_session(session)
        self._record.unlink(missing_ok=True)

    def _kill_session(self, session: int) -> None:
        """Kill processes of the session that were started after it was listed, and orphans."""
        members = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == session:
                    process.kill()
                    members.append(process)
            except (ProcessLookupError, PermissionError, psutil.Error):
                continue
        psutil.wait_procs(members, timeout=_KILL_SECONDS)
