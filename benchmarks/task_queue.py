"""`make bench-async`: the queue beside one request at a time, on a running system (`.local/demo.env`).

Three measurements of the same work, predictions from features that come with the request:
- queued: submitted and drained at the same time; each task's time from its submission to its success;
- backlog: submitted while the queue's consumer is switched off, then drained: the rate of draining alone;
- one by one: the same sent to `POST /predict/`.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any, Final

import boto3
import requests

from benchmarks import history
from benchmarks.timing import machine
from infra.paths import ROOT

HISTORY: Final = history.FOLDER / "async.json"
TASKS: Final = 3_000
CLIENTS: Final = 4
WARM_UP_TASKS: Final = 300
GIVE_UP_SECONDS: Final = 300.0
_KEYS_PER_READ: Final = 100


class Bench:
    """The system under test.

    Args:
        environment: `BASE_URL`, `CLIENT_KEY`, `TASKS_TABLE`, `STACK_NAME` and what boto3 reads.
        clients: Callers at the same time.
    """

    def __init__(self, environment: Mapping[str, str], clients: int) -> None:
        self._url = environment["BASE_URL"]
        self._key = environment["CLIENT_KEY"]
        self._table = environment["TASKS_TABLE"]
        self._function = f"{environment['STACK_NAME']}-inference"
        self._clients = clients
        self._dynamodb = boto3.client("dynamodb")
        self._lambda = boto3.client("lambda")

    def bodies(self, count: int) -> list[dict[str, Any]]:
        """As many requests, each with features of its own."""
        info = requests.get(f"{self._url}/predict/model/info", timeout=30).json()
        names = [feature["name"] for feature in info["features"]]
        integer_features = {feature["name"] for feature in info["features"] if feature["type"] in {"long", "integer"}}
        return [
            {
                "match_id": i + 1,
                "features": {
                    n: i % 2 if n in integer_features else (i * 7 + j) % 100 / 10 for j, n in enumerate(names)
                },
            }
            for i in range(count)
        ]

    def post_all(self, path: str, bodies: Sequence[dict[str, Any]]) -> tuple[float, list[float], list[dict[str, Any]]]:
        """Send all bodies; the seconds it took in all and of each request, and the answers.

        Raises:
            RuntimeError: One was answered with an error.
        """
        shares = [bodies[start :: self._clients] for start in range(self._clients)]
        started = time.perf_counter()
        with ThreadPoolExecutor(self._clients) as pool:
            parts = list(pool.map(self._post_share, repeat(path), shares))
        seconds = time.perf_counter() - started
        return seconds, [s for part in parts for s, _ in part], [answer for part in parts for _, answer in part]

    def _post_share(self, path: str, bodies: Sequence[dict[str, Any]]) -> list[tuple[float, dict[str, Any]]]:
        answers = []
        with requests.Session() as session:
            session.headers["X-API-Key"] = self._key
            for body in bodies:
                started = time.perf_counter()
                answer = session.post(f"{self._url}{path}", json=body, timeout=60)
                if not answer.ok:
                    raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
                answers.append((time.perf_counter() - started, answer.json()))
        return answers

    def items(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The tasks' items."""
        items: list[dict[str, Any]] = []
        for start in range(0, len(ids), _KEYS_PER_READ):
            keys = [{"task_id": {"S": task_id}} for task_id in ids[start : start + _KEYS_PER_READ]]
            answer = self._dynamodb.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            items += answer["Responses"][self._table]
        return items

    def ended(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The tasks' items once all of them have ended; asks only for one task of the last, to disturb little.

        Raises:
            RuntimeError: They do not end, or not all as success.
        """
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            # From the back, where the tasks are that end last: most looks read one page.
            all_ended = all(
                item["status"]["S"] != "pending"
                for start in range(len(ids), 0, -_KEYS_PER_READ)
                for item in self.items(ids[max(0, start - _KEYS_PER_READ) : start])
            )
            if all_ended:
                break
            if time.monotonic() > deadline:
                raise RuntimeError(f"the tasks did not end within {GIVE_UP_SECONDS:.0f} s")
            time.sleep(0.5)
        items = self.items(ids)
        if any(item["status"]["S"] != "success" for item in items):
            raise RuntimeError("a task failed")
        return items

    @contextmanager
    def consumer_off(self) -> Iterator[None]:
        """Switch the queue's consumer off for the time inside."""
        (mapping,) = self._lambda.list_event_source_mappings(FunctionName=self._function)["EventSourceMappings"]
        self._lambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            self._lambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def measure(bench: Bench, count: int) -> dict[str, Any]:
    """All three measurements of `count` predictions."""
    bodies = bench.bodies(count)
    warm = bench.post_all("/predict/async/", bodies[:WARM_UP_TASKS])[2]
    bench.post_all("/predict/", bodies[:WARM_UP_TASKS])
    bench.ended([answer["task_id"] for answer in warm])

    seconds, requests_, answers = bench.post_all("/predict/async/", bodies)
    items = bench.ended([answer["task_id"] for answer in answers])
    queued = {
        "submitted_per_second": round(count / seconds),
        "submit_ms": _percentiles(requests_, 1_000),
        "done_per_second": round(count / (_last(items) - _first(items))),
        "submit_to_success_seconds": _percentiles([_number(i, "ended_at") - _number(i, "submitted_at") for i in items]),
    }

    with bench.consumer_off():
        # A poller that is already waiting still takes what comes first.
        time.sleep(2)
        answers = bench.post_all("/predict/async/", bodies)[2]
    items = bench.ended([answer["task_id"] for answer in answers])
    ends = sorted(_number(item, "ended_at") for item in items)
    backlog = {"drained_per_second": round((count - 1) / (ends[-1] - ends[0]))}

    seconds, requests_, _ = bench.post_all("/predict/", bodies)
    one_by_one = {"done_per_second": round(count / seconds), "request_ms": _percentiles(requests_, 1_000)}
    return {"tasks": count, "queued": queued, "backlog": backlog, "one_by_one": one_by_one}


def _number(item: Mapping[str, Any], name: str) -> float:
    return float(item[name]["N"])


def _first(items: Sequence[Mapping[str, Any]]) -> float:
    return min(_number(item, "submitted_at") for item in items)


def _last(items: Sequence[Mapping[str, Any]]) -> float:
    return max(_number(item, "ended_at") for item in items)


def _percentiles(values: Sequence[float], scale: float = 1.0) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49] * scale, 3), "p99": round(cuts[98] * scale, 3)}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the figures and the machine, and write them as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.task_queue", description=__doc__)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--out", type=Path, help="file to write the figures to")
    parser.add_argument("--record", action="store_true", help=f"append the figures to {HISTORY.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    if "BASE_URL" not in os.environ:
        print("nothing to measure: start the local system with `make demo` or `make up` first", file=sys.stderr)
        return 2
    report = {
        **machine(),
        "clients": options.clients,
        **measure(Bench(os.environ, options.clients), options.tasks),
    }
    _show(report)
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    if options.record:
        history.append(HISTORY, report)
    return 0


def _show(report: Mapping[str, Any]) -> None:
    queued, one_by_one = report["queued"], report["one_by_one"]
    waits, submits, single = queued["submit_to_success_seconds"], queued["submit_ms"], one_by_one["request_ms"]
    print(history.heading(report))
    print(f"{report['tasks']} predictions, {report['clients']} clients at the same time")
    print(
        f"queued      submitted {queued['submitted_per_second']}/s (p50 {submits['p50']} ms, p99 {submits['p99']} ms), "
        f"done {queued['done_per_second']}/s, submit to success p50 {waits['p50']} s, p99 {waits['p99']} s"
    )
    print(f"backlog     drained {report['backlog']['drained_per_second']}/s")
    print(f"one by one  done {one_by_one['done_per_second']}/s (p50 {single['p50']} ms, p99 {single['p99']} ms)")


if __name__ == "__main__":
    raise SystemExit(main())
