"""`make bench-bulk`: a rebuild in items against one run, over generated leagues on a local system of its own.

Starts the emulator with the stack and the nested stack of rebuilds in items, trains models on the sample, puts leagues
of the given size and odds of some of their matches into the bucket, and then

1. runs the rebuild function once, and the state machine once, and compares every file of the two releases by SHA-256;
2. runs each step again in a process of its own, for its seconds and its peak memory.

`docs/performance.md` says what follows for larger data.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks import history
from benchmarks.timing import machine
from infra.paths import ROOT
from tests.support.throwaway import RunningStack, throwaway_stack

SEED: Final = 20240501
ODDS_EVERY: Final = 50
"""One match of so many has odds."""
TO_COME: Final = timedelta(days=60)
"""As of so long before the last kickoff, so that matches to come are scored and tables projected."""
HISTORY: Final = history.FOLDER / "bulk.json"


def fill(stack: RunningStack, leagues: int, each: int) -> str:
    """Put generated matches and odds in the sample's place; the time of the rebuilds."""
    from batch import synthetic  # noqa: PLC0415 - only this process pays for these imports
    from batch.release import iso, parquet_bytes  # noqa: PLC0415

    frame = synthetic.side_by_side(leagues, each, SEED)
    priced = frame[frame["match_id"] % ODDS_EVERY == 0]
    prices = {"odds_home": 2.1, "odds_draw": 3.4, "odds_away": 3.6}
    odds = priced[["region", "league", "sex", "home_team", "away_team", "kickoff"]].assign(
        **prices, collected_at=priced["kickoff"] - timedelta(days=1)
    )
    s3, bucket = stack.client("s3"), stack.outputs.bucket
    for prefix, content in (("raw/matches/", parquet_bytes(frame)), ("raw/odds/", parquet_bytes(odds))):
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
        s3.put_object(Bucket=bucket, Key=f"{prefix}generated.parquet", Body=content)
    return iso(frame["kickoff"].max().to_pydatetime() - TO_COME)


def files(stack: RunningStack) -> dict[str, str]:
    """SHA-256 of every file of the current release."""
    s3, bucket = stack.client("s3"), stack.outputs.bucket
    pointer = json.loads(s3.get_object(Bucket=bucket, Key="releases/current.json")["Body"].read())
    return {name: entry["sha256"] for name, entry in pointer["datasets"].items()}


def execute(stack: RunningStack, event: Mapping[str, Any]) -> dict[str, Any]:
    """Run the state machine to its end; what publishing answered.

    Raises:
        RuntimeError: it did not succeed.
    """
    states = stack.client("stepfunctions")
    machine = f"arn:aws:states:us-east-1:000000000000:stateMachine:{stack.outputs.stack_name}-bulk-rebuild"
    arn = states.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
    while (execution := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.5)
    if execution["status"] != "SUCCEEDED":
        raise RuntimeError(f"{execution['status']}: {execution.get('cause')}")
    result: dict[str, Any] = json.loads(execution["output"])
    return result


def step(stack: RunningStack, function: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    """A function called with each of these events in one process of its own: seconds, peak memory, the last answer."""
    configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.function_name(function))
    environment = {**os.environ, **stack.environment, **configuration["Environment"]["Variables"]}
    command = [sys.executable, "-m", "benchmarks.bulk", "--step", function]
    done = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, env=environment, input=json.dumps(events)
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def run_step(function: str) -> None:
    """Run a function in this process with the events that standard input names."""
    from batch import handlers  # noqa: PLC0415 - only the measured process pays for these imports
    from tests.support.builders import Context  # noqa: PLC0415

    answer: dict[str, Any] = {}
    seconds = []
    for event in json.load(sys.stdin):
        started = time.perf_counter()
        answer = getattr(handlers, function)(event, Context())
        seconds.append(round(time.perf_counter() - started, 2))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(json.dumps({"seconds": seconds, "peak_mb": round(peak), "answer": answer}))


def measure(leagues: int, each: int) -> dict[str, Any]:
    """Both ways on a system of their own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        throwaway_stack(Path(folder), parameters={"BulkRebuild": "true"}, enforce_iam=False) as stack,
    ):
        event = {"as_of": fill(stack, leagues, each)}
        started = time.perf_counter()
        stack.invoke("rebuild", event)
        whole_seconds, whole = time.perf_counter() - started, files(stack)
        started = time.perf_counter()
        published = execute(stack, event)
        machine_seconds, in_items = time.perf_counter() - started, files(stack)
        steps = {"rebuild": step(stack, "rebuild", [event]), "bulk_plan": step(stack, "bulk_plan", [event])}
        plan = steps["bulk_plan"]["answer"]
        manifest = stack.client("s3").get_object(Bucket=stack.outputs.bucket, Key=plan["manifest"])["Body"].read()
        steps["bulk_score"] = step(stack, "bulk_score", json.loads(manifest))
        steps["bulk_publish"] = step(stack, "bulk_publish", [{"release_id": plan["release_id"]}])
    return {
        "matches": leagues * each,
        "items": published["items"],
        "equal": whole == in_items,
        "files": {name: {"one_run": whole[name], "items": in_items.get(name)} for name in sorted(whole)},
        "rebuild_seconds": round(whole_seconds, 1),
        "state_machine_seconds": round(machine_seconds, 1),
        "steps": {
            name: {
                "calls": len(one["seconds"]),
                "seconds": round(sum(one["seconds"]), 1),
                "longest": max(one["seconds"]),
                "peak_mb": one["peak_mb"],
            }
            for name, one in steps.items()
        },
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 where a file differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--leagues", type=int, default=100)
    parser.add_argument("--each", type=int, default=10_000, help="matches of each league")
    parser.add_argument("--record", action="store_true", help=f"append the figures to {HISTORY.relative_to(ROOT)}")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.step:
        run_step(options.step)
        return 0
    report = {**machine(), **measure(options.leagues, options.each)}
    print(json.dumps(report, indent=1))
    if options.record:
        history.append(HISTORY, report)
    return 0 if report["equal"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
