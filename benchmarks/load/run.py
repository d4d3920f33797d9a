"""The load test and its report: `make load USERS=8 DURATION=120`.

Runs `locustfile.py` against BASE_URL, first for a short warm-up, and writes `docs/load/<date>.md` with plots: each
route's percentiles, errors, cold starts and the verdict on each service level.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.board import draw, scraping
from benchmarks.timing import Timing, machine
from infra.paths import ROOT

REPORTS: Final = ROOT / "docs" / "load"
SYNC: Final = ("POST /predict/", "GET /predict/{match_id}")
say = print


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the load."""

    at: float
    route: str
    milliseconds: float
    status: int
    failed: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """A service level: what it demands and what was measured."""

    level: str
    measured: str
    kept: bool


def read_samples(path: Path) -> list[Request]:
    """The requests that locust wrote, without those of its set-up."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row[1] != "(set-up)"]
    return [Request(float(at), name, float(ms), int(status), bool(problem)) for at, name, ms, status, problem in rows]


def by_route(samples: Iterable[Request]) -> dict[str, list[Request]]:
    """The requests of each route, routes in alphabetical order."""
    routes: dict[str, list[Request]] = defaultdict(list)
    for sample in samples:
        routes[sample.route].append(sample)
    return dict(sorted(routes.items()))


def verdicts(warm: Sequence[Request], everything: Sequence[Request]) -> list[Verdict]:
    """Each service level of the contract.

    Args:
        warm: After the warm-up.
        everything: With the warm-up and its cold starts.
    """
    sync = Timing.of([sample.milliseconds / 1_000 for sample in warm if sample.route in SYNC])
    with_cold = Timing.of([sample.milliseconds / 1_000 for sample in everything if sample.route in SYNC])
    requests = [sample for sample in everything if not sample.route.startswith("(")]
    available = 1 - sum(sample.status >= 500 or sample.status == 0 for sample in requests) / len(requests)
    tasks = [sample for sample in everything if sample.route.startswith("(task")]
    succeeded = sum(not sample.failed for sample in tasks)
    return [
        Verdict("sync p50 ≤ 50 ms", f"{sync.p50:.1f} ms", sync.p50 <= 50),
        Verdict("sync p99 ≤ 200 ms", f"{sync.p99:.1f} ms", sync.p99 <= 200),
        Verdict("sync p95 < 500 ms, cold starts counted", f"{with_cold.p95:.1f} ms", with_cold.p95 < 500),
        Verdict("availability ≥ 99 %", f"{100 * available:.3f} % of {len(requests)}", available >= 0.99),
        Verdict("every accepted task ends with a result", f"{succeeded} of {len(tasks)}", succeeded == len(tasks)),
    ]


def cold_starts(base_url: str, key: str) -> Mapping[str, float]:
    """Sandboxes started so far, by function."""
    text = requests.get(f"{base_url}/metrics", headers={"X-API-Key": key}, timeout=30).text
    return {
        sample.labels["function"]: sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "cold_starts"
        for sample in family.samples
    }


def settled_cold_starts(base_url: str, key: str) -> Mapping[str, float]:
    """The same once it has not changed for ten seconds: metrics come a moment later than what they count."""
    latest, unchanged = cold_starts(base_url, key), 0
    while unchanged < 5:
        time.sleep(2)
        current = cold_starts(base_url, key)
        unchanged = unchanged + 1 if current == latest else 0
        latest = current
    return latest


def load(base_url: str, users: int, seconds: int, samples: Path) -> None:
    """Run locust.

    Raises:
        RuntimeError: it could not run.
    """
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "benchmarks" / "load" / "locustfile.py"), "--headless"]
    command += ["--host", base_url, "-u", str(users), "-r", str(users), "-t", f"{seconds}s", "--only-summary"]
    # locust's own exit code tells of failed requests too; the report judges those
    process = subprocess.run(
        [*command, "--exit-code-on-error", "0", "--stop-timeout", "35"],
        check=False,
        env={**os.environ, "LOAD_SAMPLES": str(samples), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    if process.returncode != 0:
        raise RuntimeError(f"locust failed:\n{process.stderr[-2_000:]}")


def plot(samples: Sequence[Request], folder: Path, stem: str) -> list[str]:
    """Percentiles by route, and latency and rate over time; returns the files' names."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    routes = {
        name: Timing.of([sample.milliseconds / 1_000 for sample in route_samples])
        for name, route_samples in by_route(samples).items()
    }
    figure, axes = plt.subplots(figsize=(10, 0.45 * len(routes) + 1.5))
    for shift, (share, colour) in enumerate([("p50", "#4c78a8"), ("p95", "#f58518"), ("p99", "#e45756")]):
        heights = [index + 0.26 * (1 - shift) for index in range(len(routes))]
        axes.barh(heights, [getattr(t, share) for t in routes.values()], 0.24, label=share, color=colour)
    axes.set_yticks(range(len(routes)), list(routes))
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds, logarithmic")
    axes.axvline(50, color="grey", linewidth=0.8, linestyle=":")
    axes.axvline(200, color="grey", linewidth=0.8, linestyle="--")
    axes.legend()
    axes.set_title("Latency by route; dotted 50 ms and dashed 200 ms are the sync levels for p50 and p99", fontsize=9)
    figure.tight_layout()
    figure.savefig(folder / f"{stem}-routes.png", dpi=110)
    plt.close(figure)

    start = min(sample.at for sample in samples)
    slots: dict[int, list[Request]] = defaultdict(list)
    for sample in samples:
        if not sample.route.startswith("("):
            slots[int((sample.at - start) // 5) * 5].append(sample)
    times = sorted(slots)[:-1] or sorted(slots)
    timings = [Timing.of([sample.milliseconds / 1_000 for sample in slots[moment]]) for moment in times]
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(10, 5), sharex=True)
    for share, colour in [("p50", "#4c78a8"), ("p95", "#f58518"), ("p99", "#e45756")]:
        upper.plot(times, [getattr(sample, share) for sample in timings], label=share, color=colour)
    upper.set_yscale("log")
    upper.set_ylabel("milliseconds")
    upper.legend()
    lower.plot(times, [len(slots[moment]) / 5 for moment in times], color="#54a24b")
    lower.set_ylabel("requests/s")
    lower.set_xlabel("seconds")
    lower.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(folder / f"{stem}-time.png", dpi=110)
    plt.close(figure)
    return [f"{stem}-routes.png", f"{stem}-time.png"]


def report(
    facts: Mapping[str, Any],
    parameters: str,
    warm: Sequence[Request],
    judged: Sequence[Verdict],
    cold: Mapping[str, float],
    plots: Sequence[str],
) -> str:
    """The report in Markdown."""
    seconds = max(sample.at for sample in warm) - min(sample.at for sample in warm)
    lines = [f"# Load test, {facts['date']}", "", parameters, "", "| machine | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts.items()]
    lines += ["", "| service level | measured | |", "|---|---|---|"]
    lines += [
        f"| {sample.level} | {sample.measured} | {'kept' if sample.kept else '**missed**'} |" for sample in judged
    ]
    lines += ["", "After the warm-up, in milliseconds:", ""]
    lines += ["| route | requests | per second | p50 | p95 | p99 | failed |", "|---|---|---|---|---|---|---|"]
    for name, route_samples in by_route(warm).items():
        timing = Timing.of([sample.milliseconds / 1_000 for sample in route_samples])
        failed = sum(sample.failed for sample in route_samples)
        rate = len(route_samples) / seconds
        lines.append(
            f"| `{name}` | {len(route_samples)} | {rate:.1f} | {timing.p50:.1f} | {timing.p95:.1f} | {timing.p99:.1f} "
            f"| {failed} |"
        )
    started = {name: int(count) for name, count in cold.items() if count}
    started_text = ", ".join(f"{name} {count}" for name, count in sorted(started.items())) or "none"
    lines += ["", f"Cold starts, warm-up included: {sum(started.values())} ({started_text}).", ""]
    lines += [f"![{name}]({name})" for name in plots]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Warm up, load, report; 1 if a service level was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.run", description=__doc__)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--duration", type=int, default=120, help="seconds, after the warm-up")
    parser.add_argument("--warm-up", type=int, default=15, help="seconds; 0 for none")
    parser.add_argument("--out", type=Path, default=REPORTS)
    options = parser.parse_args(arguments)
    base_url, key = os.environ.get("BASE_URL", ""), os.environ.get("OPERATOR_KEY", "")
    if not base_url:
        say("BASE_URL is not set: `make demo` or `make up` first, or BASE_URL=https://… CLIENT_KEY=… OPERATOR_KEY=…")
        return 2
    facts = machine()
    before = cold_starts(base_url, key)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "warm-up.csv", Path(folder) / "load.csv"
        cold_samples: list[Request] = []
        if options.warm_up:  # locust takes 0 s for ever
            load(base_url, options.users, options.warm_up, first)
            cold_samples = read_samples(first)
        with scraping(base_url, key, every_seconds=5) as scrapes:
            load(base_url, options.users, options.duration, second)
        warm = read_samples(second)
    after = settled_cold_starts(base_url, key)
    facts["load_1m_at_end"] = round(os.getloadavg()[0], 2)
    judged = verdicts(warm, [*cold_samples, *warm])
    options.out.mkdir(parents=True, exist_ok=True)
    stem = str(facts["date"]).replace(":", "")
    parameters = (
        f"{options.users} users for {options.duration} s after {options.warm_up} s of warm-up, against `{base_url}`; "
        f"`make load USERS={options.users} DURATION={options.duration}`."
    )
    started = {name: after[name] - before.get(name, 0) for name in after}
    plots = plot(warm, options.out, stem)
    draw(scrapes, options.out / f"{stem}-dashboard.png")
    text = report(facts, parameters, warm, judged, started, [*plots, f"{stem}-dashboard.png"])
    path = options.out / f"{stem}.md"
    path.write_text(text, encoding="utf-8")
    say(text)
    return 0 if all(verdict.kept for verdict in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
