"""The project's own benchmark, all in one run and as ratios: `make bench`.

Starts a throwaway system with the sample and its champion, compares, prints a table with the machine's facts, and
writes `docs/benchmarks/<date>.json` and a line of `docs/benchmarks/history.csv`.
"""

import argparse
import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks import subjects
from benchmarks.history import FOLDER
from benchmarks.timing import Timing, machine, starts, take_turns
from infra.local.emulator import answers, emulator_python
from infra.local.processes import any_free_port
from infra.packaging.build import output_folder
from infra.packaging.package_checks import MEGABYTE, sizes
from infra.paths import ROOT
from tests.support.builders import make_event
from tests.support.throwaway import RunningStack, throwaway_stack

say = print


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Args:
        name: What was measured.
        value: The figure.
        unit: Its unit.
        target: What it should not exceed; None where there is none.
        note: What it consists of.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the target was reached."""
        return "" if self.target is None else "ok" if self.value <= self.target else "MISSED"


def timing_rows(name: str, timing: Timing, p50: float | None = None, p99: float | None = None) -> list[Row]:
    """Median and 99th percentile of a timing."""
    return [
        Row(f"{name}, p50", timing.p50, "ms", p50, f"{timing.count} calls"),
        Row(f"{name}, p99", timing.p99, "ms", p99),
    ]


def in_function(stack: RunningStack, features: Mapping[str, float | None], rounds: int) -> list[Row]:
    """The handler and other ways to call the same model in the same process."""
    objects, info = subjects.mirror_in_memory(stack)
    subjects.in_function(stack, objects)
    ways = subjects.predictors(stack, objects, info, features)
    with subjects.quiet():
        timings = take_turns(ways, calls=200, rounds=rounds)
        handler = {"handler": ways["handler POST /predict/"]}
        alone = take_turns(handler, calls=200, rounds=rounds, clock=time.thread_time)["handler"]
    handler_timing = timings["handler POST /predict/"]
    rows = timing_rows(f"in function: handler POST /predict/, {len(features)} features", handler_timing, 0.25, 1.0)
    rows += timing_rows("in function: the same in processor time of its thread", alone, 0.25, 1.0)
    for name, timing in timings.items():
        if timing is not handler_timing:
            rows += timing_rows(f"in process: {name}", timing)
            rows.append(Row(f"handler ÷ {name}", handler_timing.p50 / timing.p50, "x"))
    page = subjects.cards_page(objects)
    with subjects.quiet():
        cards = take_turns({"cards": page}, calls=20, rounds=max(2, rounds // 4), warm_up=5)["cards"]
    return rows + timing_rows("in function: GET /predict/cards/, 100 of 100,000", cards, 20.0)


@contextmanager
def server(command: list[str], environment: Mapping[str, str], health: str) -> Iterator[None]:
    """A server as a child process, from its first answer on."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            end = time.monotonic() + 120
            while not answers(health):
                if process.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    raise RuntimeError(f"{command[:4]} did not start:\n{log.read().decode()[-2_000:]}")
                time.sleep(0.2)
            yield
        finally:
            # mlflow's server is a child of the command: the whole session goes
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def caller(url: str, body: Any, key: str = "") -> Callable[[], object]:
    """A keep-alive client of one URL."""
    session, text = requests.Session(), json.dumps(body)
    session.headers.update({"Content-Type": "application/json", "X-API-Key": key})
    session.trust_env = False

    def call() -> None:
        answer = session.post(url, data=text, timeout=60)
        assert answer.status_code == 200, answer.text[:500]

    return call


def through_servers(stack: RunningStack, features: Mapping[str, float | None], rounds: int) -> list[Row]:
    """The gateway, a one-line function on it, FastAPI, and mlflow's own server; one keep-alive client each."""
    body = {"match_id": 99, "features": dict(features)}
    objects, info = subjects.mirror_in_memory(stack)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.lgb"
        model.write_bytes(objects.objects[info.model_key])
        ports = any_free_port(), any_free_port()
        uvicorn = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.fastapi_service:from_environment"]
        uvicorn += ["--port", str(ports[0]), "--log-level", "info"]
        serve = [str(Path(sys.executable).parent / "mlflow"), "models", "serve", "-m", "models:/soccer_model@champion"]
        serve += ["--port", str(ports[1]), "--env-manager", "local", "--workers", "1"]
        variables = {
            "BENCH_MODEL": str(model),
            "PYTHONPATH": str(ROOT),
            # mlflow starts uvicorn by its name
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": stack.mlflow_tracking_uri,
            **stack.system.emulator.client_environment(),
        }
        fastapi, scoring = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
        with (
            server(uvicorn, variables, f"{fastapi}/docs"),
            server(serve, variables, f"{scoring}/health"),
        ):
            one_line = subjects.one_line_function(stack)
            split = {"dataframe_split": {"columns": list(features), "data": [list(features.values())]}}
            ways = {
                "gateway: POST /predict/": caller(f"{stack.base_url}/predict/", body, stack.keys.client),
                "gateway: one-line function": caller(one_line, body),
                "FastAPI + Booster (uvicorn)": caller(f"{fastapi}/predict/", body),
                "mlflow models serve": caller(f"{scoring}/invocations", split),
            }
            timings = take_turns(ways, calls=40, rounds=rounds, warm_up=10)
            crowd = under_clients(
                {
                    "gateway: POST /predict/": lambda: caller(f"{stack.base_url}/predict/", body, stack.keys.client),
                    "gateway: one-line function": lambda: caller(one_line, body),
                }
            )
    predict, line = timings["gateway: POST /predict/"], timings["gateway: one-line function"]
    rows = [row for name, timing in timings.items() for row in timing_rows(f"HTTP {name}", timing)]
    rows.append(Row("gateway: POST /predict/ ÷ one-line function, p50", predict.p50 / line.p50, "x", 1.3))
    for name, timing in crowd.items():
        limit = 200.0 if "predict" in name else None
        rows += timing_rows(f"8 clients, {name}", timing, p99=limit)
    return rows


def under_clients(makers: Mapping[str, Callable[[], Callable[[], object]]], clients: int = 8) -> dict[str, Timing]:
    """Each subject under several clients at once, after a warm-up that starts their sandboxes."""
    timings = {}
    for name, make in makers.items():
        calls = [make() for _ in range(clients)]

        def work(call: Callable[[], object]) -> list[float]:
            spent = []
            for _ in range(60):
                started = time.perf_counter()
                call()
                spent.append(time.perf_counter() - started)
            return spent[10:]

        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(work, calls))
            timings[name] = Timing.of([seconds for spent in pool.map(work, calls) for seconds in spent])
    return timings


def cold_start(stack: RunningStack, features: Mapping[str, float | None], rounds: int) -> list[Row]:
    """From a process's start to its first prediction, in the emulator's interpreter with the built package."""
    with tempfile.TemporaryDirectory() as folder:
        home, out = Path(folder), output_folder("local")
        for archive, place in (("deployment.zip", home / "package"), ("lightgbm-native.zip", home / "layer")):
            with zipfile.ZipFile(out / archive) as packed:
                packed.extractall(place)
        event = home / "event.json"
        body = {"match_id": 99, "features": dict(features)}
        event.write_text(
            json.dumps(make_event("predict", body=body, headers={"x-api-key": stack.keys.client})), encoding="utf-8"
        )
        configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.function_name("predict"))
        library = next((home / "layer").rglob("lib_lightgbm.so"))
        environment = {
            "PATH": os.environ["PATH"],
            "LIGHTGBM_LIB": str(library),
            "LD_LIBRARY_PATH": str(library.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            **configuration["Environment"]["Variables"],
            **stack.system.emulator.client_environment(),
        }
        python = str(emulator_python())
        script = str(ROOT / "benchmarks" / "cold_predict.py")
        with_key = {**environment, "CLIENT_KEY_REQUIRED": "true"}
        predict_command = [python, script, str(home / "package"), str(event)]
        sdk = [python, "-c", "import boto3; boto3.client('s3')"]
        timings = starts({"ours": predict_command, "boto3": sdk}, environment, rounds)
        keyed = starts({"ours": predict_command}, with_key, max(3, rounds // 2))["ours"]
    predict_timing, boto3_timing = timings["ours"], timings["boto3"]
    return [
        Row(
            "cold start: first prediction, median",
            predict_timing.wall.p50,
            "ms",
            450.0,
            f"{predict_timing.wall.count} processes",
        ),
        Row("cold start: first prediction, fastest", predict_timing.wall.low, "ms", 450.0),
        Row("cold start: first prediction, processor time", predict_timing.cpu.p50, "ms"),
        Row("cold start: the same with an API key to check, median", keyed.wall.p50, "ms", 450.0),
        Row("cold start: process that makes a boto3 S3 client, median", boto3_timing.wall.p50, "ms"),
        Row("cold start: process that makes a boto3 S3 client, processor time", boto3_timing.cpu.p50, "ms"),
        Row("cold start: ours ÷ boto3, wall clock", predict_timing.wall.p50 / boto3_timing.wall.p50, "x", 2.5),
        Row("cold start: ours ÷ boto3, processor time", predict_timing.cpu.p50 / boto3_timing.cpu.p50, "x", 2.5),
    ]


def package_sizes() -> list[Row]:
    """Unzipped code and layers of each function."""
    return [
        Row(f"size: {size.function}", size.unzipped / MEGABYTE, "MB", 30.0 if size.function == "predict" else 250.0)
        for size in sizes(output_folder("local"))
    ]


def some_features(stack: RunningStack) -> dict[str, float | None]:
    """The features of one match of the release, as `POST /predict/` takes them."""
    info = requests.get(f"{stack.base_url}/predict/model/info", timeout=30).json()
    # Values of the sample's middle would do as well: LightGBM walks the same number of trees.
    return {feature["name"]: 0 if feature["type"] == "long" else 0.5 for feature in info["features"]}


def show(facts: Mapping[str, Any], rows: list[Row]) -> None:
    """Print the table."""
    for name, value in facts.items():
        say(f"{name:<18}{value}")
    say()
    for row in rows:
        limit = "" if row.target is None else f"≤ {row.target:g}"
        say(f"{row.name:<72}{row.value:>10.3f} {row.unit:<3}{limit:>9}  {row.verdict:<7}{row.note}")


def record(facts: Mapping[str, Any], rows: list[Row]) -> Path:
    """Write the run's JSON file and add it to the history."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{str(facts['date']).replace(':', '')}.json"
    content = {"machine": dict(facts), "figures": [asdict(row) | {"verdict": row.verdict} for row in rows]}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    history = FOLDER / "history.csv"
    new = not history.exists()
    with history.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(["date", "commit", "cpu", "load_1m_at_start", "figure", "value", "unit", "target"])
        for row in rows:
            if not row.name.startswith("size:") or row.name == "size: predict":
                values = [facts["date"], facts["commit"], facts["cpu"], facts["load_1m_at_start"]]
                writer.writerow([*values, row.name, f"{row.value:.4g}", row.unit, row.target or ""])
    return path


def main(arguments: list[str] | None = None) -> int:
    """Run every comparison once."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how often the compared things take turns")
    parser.add_argument("--dry", action="store_true", help="print only, write no file")
    options = parser.parse_args(arguments)
    facts = machine()
    with tempfile.TemporaryDirectory(prefix="soccer-bench-") as home, throwaway_stack(Path(home)) as stack:
        features = some_features(stack)
        rows = cold_start(stack, features, options.rounds)
        rows += through_servers(stack, features, options.rounds)
        rows += in_function(stack, features, options.rounds * 2)
    rows += package_sizes()
    facts["load_1m_at_end"] = round(os.getloadavg()[0], 2)
    show(facts, rows)
    if not options.dry:
        say(f"\n{record(facts, rows).relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
