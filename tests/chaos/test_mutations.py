"""Random damage to every kind of stored object: never a dead process, a wrong answer or an error without a name.

A share of it runs with all tests; `make chaos` does 200 of each (CHAOS_MUTATIONS, CHAOS_SEED).
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from infra.paths import ROOT
from tests.chaos.mutants import OBJECTS, RAW, VERDICT

MUTATIONS: Final = int(os.environ.get("CHAOS_MUTATIONS", "3"))
SEED: Final = int(os.environ.get("CHAOS_SEED", "1"))
JOBS_EVERY: Final = 10
"""Jobs run, and what they heal is checked, on every tenth mutant: they take most of the time."""
NOT_HEALED_BY_JOBS: Final = ("drift_report", "kept_pointer", "confirmed_clubs")
"""The next drift run writes the report again; a kept pointer only serves listings that began in it; club ids are
settled again by matches to come."""


@pytest.fixture(scope="module")
def examiner() -> Iterator[subprocess.Popen[str]]:
    """The process that reads mutants, each run of them in a fork: what it imports takes longer than three mutants."""
    command = [sys.executable, "-m", "tests.chaos.mutants", str(SEED), str(JOBS_EVERY)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def run(examiner: subprocess.Popen[str], name: str, first: int, count: int) -> Iterator[dict[str, Any]]:
    """The verdicts of one fork, until it ends or is killed because it hangs."""
    assert examiner.stdin is not None
    assert examiner.stdout is not None
    examiner.stdin.write(f"{name} {first} {count}\n")
    examiner.stdin.flush()
    for line in examiner.stdout:
        if line.startswith(VERDICT):
            verdict = json.loads(line.removeprefix(VERDICT))
            yield verdict
            if "exit" in verdict:
                return
    raise AssertionError("the examiner itself ended")


@pytest.mark.slow
@pytest.mark.parametrize("name", OBJECTS)
def test_damage_never_kills_misleads_or_stays_without_a_name(examiner: subprocess.Popen[str], name: str) -> None:
    first, faults, healed, answered_with_errors = 0, [], [], 0
    started = time.monotonic()
    while first < MUTATIONS:
        reading = first
        for verdict in list(run(examiner, name, first, MUTATIONS - first)):
            if "unpublished" in verdict:
                pytest.skip(f"this version publishes no {name}")
            reading = verdict.get("start", reading)
            if "number" in verdict:
                faults += [f"mutant {verdict['number']}: {fault}" for fault in verdict["faults"]]
                answered_with_errors += bool(verdict.get("errors"))
                healed += [verdict["healed"]] if verdict.get("healed") is not None else []
                first = verdict["number"] + 1
            if verdict.get("exit"):
                faults.append(f"mutant {reading}: the process ended with {verdict['exit']}: {verdict['stderr']}")
                first = reading + 1
    seconds = time.monotonic() - started
    sys.stdout.write(
        f"{name}: {MUTATIONS} mutants, {answered_with_errors} answered with a named error somewhere, "
        f"{sum(healed)} of {len(healed)} healed by the next jobs, {len(faults)} faults, {seconds:.0f} s\n"
    )
    assert faults == []
    if name not in (*RAW, *NOT_HEALED_BY_JOBS):
        assert all(healed)
