"""The limit of workers that the local emulator runs with, in the emulator's own interpreter."""

import json
import subprocess
from typing import Final

import pytest

from infra.local.emulator import emulator_python
from infra.paths import ROOT

# A pool like the emulator's, whose release lets other threads run as soon as the worker is free.
PROGRAM: Final = """
import json, runpy, sys, threading, time
program = runpy.run_path(sys.argv[1])
runtime = sys.modules["ministack.core.lambda_runtime"]
pool, lock, at_once, most = [], threading.Lock(), 0, 0

class Worker:
    in_use = True

def acquire(name, config):
    global at_once, most
    if config.get("fails"):
        raise RuntimeError("cannot start")
    with lock:
        at_once += 1
        most = max(most, at_once)
        worker = next((one for one in pool if not one.in_use), None) or Worker()
        worker.in_use = True
        pool[:] = [*(one for one in pool if one is not worker), worker]
        return worker, "reused"

def release(worker):
    global at_once
    with lock:
        at_once -= 1
        worker.in_use = False
    time.sleep(0.001)

runtime.acquire_worker, runtime.release_worker = acquire, release
workers = program["LimitedWorkers"](4)

def invoke():
    for number in range(50):
        try:
            worker, _ = workers.acquire("function", {"Timeout": 30, "fails": number % 10 == 9})
        except RuntimeError:
            continue
        time.sleep(0.0005)
        workers.release(worker)

threads = [threading.Thread(target=invoke) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"free": workers._places["function"]._value, "most": most}))
"""


@pytest.mark.emulator
def test_every_place_is_free_again_after_many_invocations_at_once() -> None:
    program = ROOT / "infra" / "local" / "emulator_program.py"
    command = [str(emulator_python()), "-c", PROGRAM, str(program)]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert json.loads(result.stdout.splitlines()[-1]) == {"free": 4, "most": 4}
