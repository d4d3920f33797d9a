"""The limit of workers that the local emulator runs with, in the emulator's own interpreter."""

import json
import subprocess
from typing import Final

import pytest

from infra.local.emulator import emulator_python
from infra.paths import ROOT

# In the emulator's own pool. Every tenth invocation ends as one whose process died: the emulator drops all workers of
# the function and releases none.
PROGRAM: Final = """
import json, runpy, sys, threading, time
program = runpy.run_path(sys.argv[1])
runtime = sys.modules["ministack.core.lambda_runtime"]
workers = program["LimitedWorkers"](4)
lock, at_once, most = threading.Lock(), 0, 0
# A place that is not given back is waited for beyond the test's own limit.
config = {"Timeout": 600, "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:function"}

def invoke():
    global at_once, most
    for number in range(50):
        worker, _ = workers.acquire("function", config, b"")
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.0005)
        with lock:
            at_once -= 1
        if dies and number % 10 == 9:
            runtime.invalidate_worker("function")
            worker = None
        workers.release(worker)

def invoke_at_once():
    threads = [threading.Thread(target=invoke) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

dies = False
invoke_at_once()
most_alive = most
dies = True
invoke_at_once()
print(json.dumps({"most": most_alive, "in_use": program["_in_use"]("function")}))
"""


@pytest.mark.emulator
def test_no_worker_counts_as_used_after_invocations_that_ended_or_died() -> None:
    program = ROOT / "infra" / "local" / "emulator_program.py"
    command = [str(emulator_python()), "-c", PROGRAM, str(program)]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert json.loads(result.stdout.splitlines()[-1]) == {"most": 4, "in_use": 0}
