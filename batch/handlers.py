"""The batch package's functions: run the job on the bucket, say once what happened.

Each imports its job when it is called: mirroring a model needs neither pandas nor pyarrow.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from batch.jobs.context import Event
from chalicelib import wiring
from chalicelib.errors import ServiceError
from chalicelib.observability import BATCH_FAILED, BATCH_RUNS, OF_SERVICE, Measurement, cold_start_of, logger

Step = Callable[[Event, Any], Event]


def step(function: Step) -> Step:
    """Log a run once, with its duration and outcome, and count it; failures are raised again for Lambda to retry."""

    @wraps(function)
    def run(event: Event, context: Any) -> Event:
        started = time.perf_counter()
        name = function.__name__
        request_id = getattr(context, "aws_request_id", "-")
        try:
            result = function(event or {}, context)
        except Exception as error:
            reason = error.code if isinstance(error, ServiceError) else type(error).__name__
            _count_run(name, reason)
            logger.exception("batch run failed", extra={"function": name, "request_id": request_id, "reason": reason})
            raise
        seconds = round(time.perf_counter() - started, 3)
        _count_run(name, "success")
        logger.info("batch run", extra={"function": name, "request_id": request_id, "seconds": seconds, **result})
        return {**result, "seconds": seconds}

    return run


def _count_run(function: str, outcome: str) -> None:
    of_function = {"function": function}
    wiring.recorder().record(
        Measurement(BATCH_RUNS, "Count", 1, ({**of_function, "outcome": outcome},)),
        Measurement(BATCH_FAILED, "None", int(outcome != "success"), (OF_SERVICE, of_function)),
        *cold_start_of(function),
    )


@step
def sync_models(event: Event, _context: Any) -> Event:
    """Mirror the registry's aliases into the bucket."""
    from batch.jobs import sync_models as job  # noqa: PLC0415

    return job.run(event)


@step
def rebuild(event: Event, _context: Any) -> Event:
    """Compute features and predictions from the raw matches and publish them as a release."""
    from batch.jobs import rebuild as job  # noqa: PLC0415

    return job.run(event)


@step
def refresh_odds(event: Event, _context: Any) -> Event:
    """Fetch odds, find our match for each, and replace odds and returns in the current release."""
    from batch.jobs import refresh_odds as job  # noqa: PLC0415

    return job.run(event)


@step
def monitor_drift(event: Event, _context: Any) -> Event:
    """Compare the features of recent and coming matches with those the champion was trained on."""
    from batch.jobs import monitor_drift as job  # noqa: PLC0415

    return job.run(event)


@step
def export_table(event: Event, _context: Any) -> Event:
    """Write the task table, or the table the event names, to a parquet file in the bucket."""
    from batch.jobs import export_table as job  # noqa: PLC0415

    return job.run(event)
