"""`make bench-batch`: seconds and peak memory of each step of a rebuild, over generated leagues of growing size.

Each size runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks import history
from benchmarks.timing import machine
from infra.paths import ROOT

SIZES: Final = (10_000, 100_000, 1_000_000)
SEED: Final = 20240501
HISTORY: Final = history.FOLDER / "batch.json"


class Stopwatch:
    """Seconds per step, and the peak memory at its end."""

    def __init__(self) -> None:
        self.steps: dict[str, dict[str, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        started = time.perf_counter()
        yield
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
        self.steps[name] = {"seconds": round(time.perf_counter() - started, 2), "peak_mb": round(peak)}


def measure(size: int, model: Path) -> dict[str, Any]:
    """Run one rebuild of `size` generated matches in this process."""
    from batch import synthetic  # noqa: PLC0415 - only the measured process pays for these imports
    from batch.features import build_features  # noqa: PLC0415
    from batch.matches import read_matches  # noqa: PLC0415
    from batch.rebuild import (  # noqa: PLC0415
        features_schema,
        identity_of,
        model_from_directory,
    )
    from batch.release import parquet_bytes  # noqa: PLC0415
    from batch.score import PREDICTIONS_SCHEMA, score  # noqa: PLC0415

    frame = synthetic.matches(size, SEED)
    content = parquet_bytes(frame)
    prices = synthetic.prices(synthetic.World(size, SEED), noise=0.03)
    as_of = frame["kickoff"].max().to_pydatetime()
    del frame
    watch = Stopwatch()
    with watch.step("imports and generated input"):
        loaded = model_from_directory(model)
    with watch.step("read and validate"):
        matches = read_matches({"matches.parquet": content})
    with watch.step("ratings and features"):
        table = build_features(matches.accepted, as_of, prices=prices)
    with watch.step("score"):
        predictions = score(table, loaded.rows, identity_of(loaded.info))
    with watch.step("write parquet"):
        bytes_written = len(parquet_bytes(table.features, features_schema(table)))
        bytes_written += len(parquet_bytes(predictions, PREDICTIONS_SCHEMA))
    total = sum(step["seconds"] for name, step in watch.steps.items() if name != "imports and generated input")
    peak = max(step["peak_mb"] for step in watch.steps.values())
    return {
        "matches": size,
        "steps": watch.steps,
        "seconds": round(total, 2),
        "peak_mb": peak,
        "release_mb": round(bytes_written / 1e6, 1),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure all sizes and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--record", action="store_true", help=f"append the figures to {HISTORY.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measure(options.one, options.model)))
        return 0
    facts = machine()
    with tempfile.TemporaryDirectory() as folder:
        train = [sys.executable, "-m", "batch.train", "--out", folder, "--matches", "batch/sample/matches.parquet"]
        dates = ["--validate-from", "2016-07-01", "--test-from", "2023-07-01"]
        subprocess.run([*train, *dates], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        results = [_run(size, Path(folder)) for size in options.sizes]
    print(f"\n{history.heading(facts)}")
    names = list(results[0]["steps"])
    print(f"{'matches':>10}" + "".join(f"{name:>30}" for name in names[1:]) + f"{'total s':>10}{'peak MB':>10}")
    for result in results:
        cells = "".join(f"{result['steps'][name]['seconds']:>30.2f}" for name in names[1:])
        print(f"{result['matches']:>10}{cells}{result['seconds']:>10.2f}{result['peak_mb']:>10.0f}")
    if options.record:
        history.append(HISTORY, {**facts, "results": results})
    return 0


def _run(size: int, model: Path) -> dict[str, Any]:
    print(f"{size:>10} matches …", flush=True)
    command = [sys.executable, "-m", "benchmarks.batch", "--one", str(size), "--model", str(model)]
    process = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    raise SystemExit(main())
