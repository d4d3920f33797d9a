"""Timing that compares fairly: the compared things take turns in one process, so that noise meets all of them."""

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Timing:
    """Percentiles of durations, in milliseconds."""

    p50: float
    p95: float
    p99: float
    low: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Timing":
        """The percentiles of these durations."""
        ordered = sorted(1_000 * duration for duration in seconds)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

        return cls(statistics.median(ordered), at(0.95), at(0.99), ordered[0], len(ordered))


def take_turns(
    subjects: Mapping[str, Callable[[], object]],
    calls: int,
    rounds: int,
    warm_up: int = 50,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time each subject `calls` times in each of `rounds` rounds, one after the other.

    Args:
        subjects: What to call.
        calls: How often in a round.
        rounds: How often they take turns.
        warm_up: Calls before the first that counts.
        clock: Wall clock, or `time.thread_time`, which other processes on the machine do not lengthen.
    """
    for run in subjects.values():
        for _ in range(warm_up):
            run()
    spent: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, run in subjects.items():
            for _ in range(calls):
                started = clock()
                run()
                spent[name].append(clock() - started)
    return {name: Timing.of(seconds) for name, seconds in spent.items()}


@dataclass(frozen=True, slots=True)
class Start:
    """How long whole processes ran: wall clock and processor time, in milliseconds."""

    wall: Timing
    cpu: Timing


def starts(commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], rounds: int) -> dict[str, Start]:
    """Run each command to its end, in turns; the first round, which fills the disk cache, is not counted.

    Raises:
        RuntimeError: a command failed.
    """
    wall: dict[str, list[float]] = {name: [] for name in commands}
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    for index in range(rounds + 1):
        for name, command in commands.items():
            started = time.perf_counter()
            process = subprocess.Popen(
                list(command), env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            assert process.stderr is not None
            problem = process.stderr.read().decode()
            process.stderr.close()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise RuntimeError(f"{name} failed:\n{problem[-2_000:]}")
            if index:
                wall[name].append(seconds)
                cpu[name].append(usage.ru_utime + usage.ru_stime)
    return {name: Start(Timing.of(wall[name]), Timing.of(cpu[name])) for name in commands}


def machine() -> dict[str, Any]:
    """What the figures were measured on, and how busy it was."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], check=False, capture_output=True, text=True)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "commit": commit.stdout.strip(),
        "cpu": model,
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "load_1m_at_start": round(os.getloadavg()[0], 2),
    }
