"""`python -m benchmarks.export`: peak memory of exporting a table by a scan, by number of rows.

Each size runs in a process of its own; the items are made one at a time, as pages bring them, with the size of a
finished task of ours.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from infra.paths import ROOT

SIZES: Final = (2_000, 20_000, 200_000)


def tasks(count: int) -> Iterator[dict[str, dict[str, Any]]]:
    """Ended tasks in DynamoDB's typed form, each with its prediction."""
    result = json.dumps({"probabilities": {"0": 0.58, "1": 0.27, "2": 0.15}, "model_run_id": "3f7a1c9d2e4b" * 3})
    for number in range(count):
        moment = {"N": f"{1_714_564_800 + number}.25"}
        yield {
            "task_id": {"S": f"{number:032x}"},
            "status": {"S": "success"},
            "submitted_at": moment,
            "ended_at": moment,
            "expires_at": {"N": str(1_714_651_200 + number)},
            "sends": {"N": "0"},
            "result": {"S": result},
        }


def measure(count: int) -> dict[str, float]:
    """Export so many tasks in this process."""
    from batch.export import write_parquet  # noqa: PLC0415 - only the measured process pays for these imports

    imported = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        rows = write_parquet(tasks(count), path)
        size = path.stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    return {"rows": rows, "imported_mb": round(imported), "peak_mb": round(peak), "file_mb": round(size, 1)}


def main(arguments: list[str] | None = None) -> int:
    """Measure all sizes and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.export", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(measure(options.one)))
        return 0
    print(f"{'rows':>10}{'imports MB':>12}{'peak MB':>10}{'file MB':>10}")
    for size in options.sizes:
        command = [sys.executable, "-m", "benchmarks.export", "--one", str(size)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        result = json.loads(done.stdout)
        print(f"{result['rows']:>10}{result['imported_mb']:>12}{result['peak_mb']:>10}{result['file_mb']:>10}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
