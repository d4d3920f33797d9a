"""Microseconds of processor time of a `POST /predict/` request line by our EMF writer and by Powertools' metrics.

`python -m benchmarks.metric_writers`: both write to /dev/null what CloudWatch has to learn from one such request, which
is latency under four dimension sets and a failure flag under a fifth. Ours is the log line as well; Powertools' is the
same log line and its metrics after it.
"""

import logging
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from chalicelib.telemetry import log
from chalicelib.telemetry.emf import Measurement, Recorder
from chalicelib.telemetry.names import OF_SERVICE, REQUEST_FAILED, REQUEST_LATENCY

ROUNDS: Final = 15
CALLS: Final = 2_000
FACTS: Final[dict[str, Any]] = {
    "function": "predict",
    "method": "POST",
    "resource": "/predict",
    "duration_ms": 1.234,
    "request_id": "8f1c6f1e-52a1-4b38-9a63-0d2f2f0f7a55",
    "cold_start": False,
    "reason": None,
}
SETS: Final[Sequence[dict[str, str]]] = (
    {"function": "predict", "status": "200"},
    {"source": "sync", "stage": "champion"},
    {"source": "sync"},
    {"source": "sync", "le": "0.0025"},
)
SECONDS: Final = 0.001234


def ours() -> Callable[[], None]:
    """Our writer: one line that is the log and the metrics."""
    recorder = Recorder("bench")

    def write() -> None:
        recorder.log(
            logging.INFO,
            "request",
            FACTS,
            Measurement(REQUEST_LATENCY, "Seconds", SECONDS, SETS),
            Measurement(REQUEST_FAILED, "None", 0, (OF_SERVICE,)),
        )

    return write


def powertools(logger: Logger | None) -> Callable[[], None]:
    """Powertools' metrics, with several dimension sets in a line; a second line for what has other sets than the first.

    Args:
        logger: Writes the log line before; None leaves it out.
    """
    metrics = Metrics(namespace="bench")

    def write() -> None:
        if logger is not None:
            logger.info("request", extra=FACTS)
        # Without a set of its own the line would also count the metric under no dimension at all.
        for key, value in SETS[0].items():
            metrics.add_dimension(key, value)
        for dimensions in SETS[1:]:
            metrics.add_dimensions(**dimensions)
        metrics.add_metric(REQUEST_LATENCY, MetricUnit.Seconds, SECONDS)
        metrics.flush_metrics()
        for key, value in OF_SERVICE.items():
            metrics.add_dimension(key, value)
        metrics.add_metric(REQUEST_FAILED, MetricUnit.NoUnit, 0)
        metrics.flush_metrics()

    return write


def microseconds(write: Callable[[], None]) -> float:
    """Of processor time a call: the mean of a round."""
    started = time.process_time()
    for _ in range(CALLS):
        write()
    return 1e6 * (time.process_time() - started) / CALLS


def main() -> int:
    """Measure the writers in turns and print their medians."""
    say = sys.stderr.write
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        logger = Logger(service="bench", use_rfc3339=True, stream=nowhere)
        for handler in log.logger.handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(nowhere)
        writers = {
            "our log line with metrics": ours(),
            "Powertools' log line and metrics": powertools(logger),
            "Powertools' metrics alone": powertools(None),
        }
        rounds: dict[str, list[float]] = {name: [] for name in writers}
        for _ in range(ROUNDS):
            for name, write in writers.items():
                rounds[name].append(microseconds(write))
    for name, figures in rounds.items():
        say(f"{name:34} {statistics.median(figures):6.1f} µs (least {min(figures):.1f})\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
