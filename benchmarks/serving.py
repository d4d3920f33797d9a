"""`make bench-serving`: lists and single rows of releases of growing size, in processes as Lambda starts them.

For each size a rebuild of generated matches, all with past prices, is published into an emulator's bucket, a third of
them with odds. Each request is then made in a process of its own, from the built package: process start to first
answer, with a bucket that answers at once and with one as slow as S3; resident memory, reads of the bucket; and again
in the same process, warm. `--whole-mb` moves the limit up to which a file is fetched whole.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks import history
from benchmarks.bucket import LocalBucket, serve_copy
from benchmarks.cold import FLOOR_PROGRAM, run_bare
from benchmarks.timing import machine
from infra.local.emulator import Emulator
from infra.local.processes import any_free_port
from infra.packaging import dependencies
from infra.packaging.build import build_stage, output_folder
from infra.paths import ROOT
from infra.stack.functions import BY_NAME
from infra.stack.stages import LOCAL_STAGE, target_of
from tests.support.bare_call import unpack
from tests.support.builders import make_event

SIZES: Final = (7_000, 100_000, 1_000_000)
SEED: Final = 20240501
BUCKET: Final = "bench"
LATENCY_SECONDS: Final = 0.015
"""About what S3 takes to the first byte of a small object, in its own region."""
BYTES_PER_SECOND: Final = 85e6
"""Of one request to S3 (Best practices design patterns: optimizing Amazon S3 performance, 85 to 90 MB/s)."""
HISTORY: Final = history.FOLDER / "serving.json"

REQUESTS: Final[Mapping[str, tuple[str, dict[str, str]]]] = {
    "first page of cards": ("cards", {"limit": "100"}),
    "upcoming cards": ("cards", {"limit": "100", "status": "upcoming"}),
    "cards of one league": ("cards", {"limit": "100", "region": "Region 000", "league": "League 000"}),
    "cards of one club": ("cards", {"limit": "100", "region": "Region 000", "team": "Club 07"}),
    "cards of a name that many clubs share": ("cards", {"limit": "100", "team": "Club 07"}),
    "cards in the middle": ("cards", {"limit": "100", "from": "2014-03-01T00:00:00Z"}),
    "value bets": ("cards", {"limit": "100", "value_only": "true"}),
    "odds": ("odds", {"limit": "100"}),
    "one prediction": ("precomputed", {}),
}

_PROGRAM: Final = """
import importlib, json, sys, time
given = json.load(sys.stdin)
sys.path[:0] = given["paths"]
class Context:
    function_name = "bench"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"
    aws_request_id = "bench"
    def get_remaining_time_in_millis(self):
        return 25_000
import app
if given["whole_bytes"] is not None:
    from functools import cache
    from chalicelib import wiring
    from chalicelib.releases.store import ReleaseStore
    wiring.releases = cache(lambda: ReleaseStore(wiring.objects(), 60, whole_bytes=given["whole_bytes"]))
handler = getattr(app, given["function"])
answer = handler(given["event"], Context())
answered = time.time()
from chalicelib import wiring
reads = wiring.releases().range_reads
with open("/proc/self/statm") as statm:
    resident = int(statm.read().split()[1]) * 4096 / 1e6
warm = []
for _ in range(given["warm_calls"]):
    started = time.perf_counter()
    handler(given["event"], Context())
    warm.append(time.perf_counter() - started)
with open(given["result"], "w") as stream:
    json.dump({"status": answer["statusCode"], "answered": answered, "reads": reads, "warm": warm,
               "resident_mb": resident, "rows": answer["body"].count('"match_id"')}, stream)
"""


def prepare(size: int, model: Path) -> dict[str, Any]:
    """Rebuild and publish `size` generated matches in this process, and say what it took."""
    import boto3  # noqa: PLC0415 - only the process that prepares pays for these imports
    import numpy as np  # noqa: PLC0415

    from batch import synthetic  # noqa: PLC0415
    from batch.matches import read_matches  # noqa: PLC0415
    from batch.rebuild import model_from_directory, rebuild  # noqa: PLC0415
    from batch.release import ReleaseWriter, new_release_id, parquet_bytes, publish_release  # noqa: PLC0415
    from batch.rows import FrameRows  # noqa: PLC0415
    from batch.serving import temporary_file, write_odds, write_serving  # noqa: PLC0415
    from chalicelib.domain import Stage  # noqa: PLC0415
    from chalicelib.releases.pointer import SERVING, SERVING_ODDS, DatasetEntry  # noqa: PLC0415
    from chalicelib.storage.objects import S3ObjectStore  # noqa: PLC0415
    from tests.support.builders import make_odds, make_signal  # noqa: PLC0415

    frame = synthetic.matches(size, SEED)
    as_of = frame["kickoff"].max().to_pydatetime() - timedelta(days=14)
    content = parquet_bytes(frame)
    del frame
    prices = synthetic.prices(synthetic.World(size, SEED), noise=0.03)
    objects = S3ObjectStore(boto3.client("s3"), BUCKET)
    loaded = model_from_directory(model)
    started = time.perf_counter()
    rebuilt = rebuild(read_matches({"matches.parquet": content}), [loaded], as_of, prices)
    seconds = {"rebuild": time.perf_counter() - started}
    writer = ReleaseWriter(objects, new_release_id(datetime.now(UTC)), as_of, as_of)
    entries: dict[str, DatasetEntry] = {
        dataset.name: writer.write(dataset.file_name, dataset.content, dataset.rows, dataset.model)
        for dataset in rebuilt.datasets
    }
    started = time.perf_counter()
    with temporary_file("serving.sqlite") as path:
        stored = {stage: FrameRows(frame) for stage, frame in rebuilt.predictions.items()}
        write_serving(path, FrameRows(rebuilt.features), stored)
        seconds["serving.sqlite"] = time.perf_counter() - started
        entries[SERVING] = writer.write_file(path, size)
    ids = rebuilt.predictions[Stage.CHAMPION]["match_id"].to_numpy()
    priced = make_odds(np.sort(ids)[::3].tolist())
    entries["fonbet_odds"] = writer.write("fonbet_odds.parquet", parquet_bytes(priced), len(priced))
    signals = {stage: make_signal(frame, priced) for stage, frame in rebuilt.predictions.items()}
    started = time.perf_counter()
    with temporary_file("odds.sqlite") as path:
        write_odds(path, priced, rebuilt.predictions, signals, {"Region 000": -0.1})
        seconds["odds.sqlite"] = time.perf_counter() - started
        entries[SERVING_ODDS] = writer.write_file(path, len(priced))
    publish_release(objects, writer, entries, keep=frozenset(), backwards=True)
    return {
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024),
        "serving_mb": round(entries[SERVING].bytes / 1e6, 1),
        "odds_mb": round(entries[SERVING_ODDS].bytes / 1e6, 1),
        "as_of": f"{as_of:%Y-%m-%dT%H:%M:%SZ}",
        "a_match": int(ids[len(ids) // 2]),
    }


def measure(
    emulator: Emulator,
    bucket: LocalBucket,
    folder: Path,
    prepared: Mapping[str, Any],
    starts: int,
    whole_bytes: int | None = None,
) -> dict[str, Any]:
    """Figures of each request: medians of `starts` processes."""
    target = target_of(LOCAL_STAGE)
    interpreter = dependencies.interpreter(target.python)
    assert interpreter is not None
    code, _layers = unpack(output_folder(LOCAL_STAGE), BY_NAME["cards"], folder / "cards")
    paths = [str(code), str(dependencies.runtime_libraries(target))]
    environment = {
        **emulator.client_environment(),
        "AWS_ENDPOINT_URL": bucket.url,
        **dict.fromkeys(("TASKS_TABLE", "INFERENCE_QUEUE_URL", "DEAD_LETTER_QUEUE_URL"), "unused"),
        **dict.fromkeys(("INFERENCE_FUNCTION", "API_KEYS_SECRET_ID"), "unused"),
        "DATA_BUCKET": BUCKET,
        "CLIENT_KEY_REQUIRED": "false",
        "RELEASE_CHECK_SECONDS": "60",
        "REPLAY_AS_OF": prepared["as_of"],
        "POWERTOOLS_SERVICE_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
    }
    floor = statistics.median(
        run_bare(interpreter[0], FLOOR_PROGRAM, {"paths": [paths[1]]}, {}, folder)["cold_ms"] for _ in range(starts)
    )
    figures = {"a process that makes one boto3 client": {"cold_ms": round(floor, 1)}}
    for name, (function, query) in REQUESTS.items():
        parameters = {"match_id": prepared["a_match"]} if function == "precomputed" else {}
        event = make_event(function, query=query or None, **parameters)
        request = {
            "paths": paths,
            "function": function,
            "event": event,
            "warm_calls": 30,
            "whole_bytes": whole_bytes,
        }
        bucket.latency_seconds, bucket.bytes_per_second = LATENCY_SECONDS, BYTES_PER_SECOND
        slow = [
            run_bare(interpreter[0], _PROGRAM, {**request, "warm_calls": 0}, environment, folder) for _ in range(starts)
        ]
        bucket.latency_seconds, bucket.bytes_per_second = 0.0, float("inf")
        runs = [run_bare(interpreter[0], _PROGRAM, request, environment, folder) for _ in range(starts)]
        assert all(run["status"] == 200 for run in runs), name
        figures[name] = {
            "rows": runs[0]["rows"],
            "cold_ms": round(statistics.median(run["cold_ms"] for run in runs), 1),
            "cold_ratio": round(statistics.median(run["cold_ms"] for run in runs) / floor, 2),
            "cold_like_s3_ms": round(statistics.median(run["cold_ms"] for run in slow), 1),
            "warm_ms": round(1e3 * statistics.median(second for run in runs for second in run["warm"]), 2),
            "reads": runs[0]["reads"],
            "resident_mb": round(statistics.median(run["resident_mb"] for run in runs), 1),
        }
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all sizes and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--starts", type=int, default=5, help="processes started for each request")
    parser.add_argument("--whole-mb", type=float, help="largest file that is fetched whole; for choosing that limit")
    parser.add_argument("--prepare", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--record", action="store_true", help=f"append the figures to {HISTORY.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    if options.prepare:
        print(json.dumps(prepare(options.prepare, options.model)))
        return 0
    whole_bytes = None if options.whole_mb is None else int(options.whole_mb * 2**20)
    build_stage(LOCAL_STAGE)
    facts = machine()
    results = []
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        train = [sys.executable, "-m", "batch.train", "--out", str(folder / "model")]
        subprocess.run(train, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        emulator = Emulator(folder / "emulator", any_free_port())
        emulator.start()
        try:
            emulator.session().client("s3").create_bucket(Bucket=BUCKET)
            for size in options.sizes:
                prepared = _prepared(size, folder / "model", emulator)
                with (
                    tempfile.TemporaryDirectory() as copy,
                    serve_copy(emulator.session().client("s3"), BUCKET, Path(copy)) as bucket,
                ):
                    figures = measure(emulator, bucket, folder, prepared, options.starts, whole_bytes)
                results.append({"matches": size, "release": prepared, "requests": figures})
                _show(results[-1])
        finally:
            emulator.daemon.stop()
    print(f"\n{history.heading(facts)}; medians of {options.starts} processes")
    if options.record:
        history.append(HISTORY, {**facts, "results": results})
    return 0


def _prepared(size: int, model: Path, emulator: Emulator) -> dict[str, Any]:
    print(f"{size:>10} matches …", flush=True)
    command = [sys.executable, "-m", "benchmarks.serving", "--prepare", str(size), "--model", str(model)]
    environment = {**os.environ, **emulator.client_environment()}
    process = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env=environment)
    prepared: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return prepared


_WIDTHS: Final = {
    "rows": 6,
    "cold_ms": 9,
    "cold_ratio": 9,
    "cold_like_s3_ms": 9,
    "warm_ms": 9,
    "reads": 7,
    "resident_mb": 7,
}


def _show(result: Mapping[str, Any]) -> None:
    release = result["release"]
    took = ", ".join(f"{name} {seconds} s" for name, seconds in release["seconds"].items())
    sizes = f"files {release['serving_mb']} and {release['odds_mb']} MB"
    print(f"{took} (without storing them); peak {release['peak_mb']} MB; {sizes}")
    print(f"{'request':<40}{'rows':>6}{'cold ms':>9}{'x floor':>9}{'like S3':>9}{'warm ms':>9}{'reads':>7}{'MB':>7}")
    for name, figures in result["requests"].items():
        cells = "".join(f"{figures.get(key, ''):>{width}}" for key, width in _WIDTHS.items())
        print(f"{name:<40}{cells}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
