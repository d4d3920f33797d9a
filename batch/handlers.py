"""The batch package's functions: run the job, log one summary line, and log the run in MLflow.

Jobs are imported when they are called, because mirroring a model needs neither pandas nor pyarrow.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Final

from batch.jobs.context import Event, run_log, settings
from batch.mlflow.run_log import BatchRun, RunLog
from chalicelib import wiring
from chalicelib.errors import ServiceError
from chalicelib.telemetry.cold_start import cold_start_of
from chalicelib.telemetry.emf import Measurement
from chalicelib.telemetry.log import logger
from chalicelib.telemetry.names import BATCH_FAILED, BATCH_RUNS, OF_SERVICE, RUNS_NOT_LOGGED

UNLOGGED: Final = frozenset({"sync_models", "bulk_plan", "bulk_score"})
"""Functions whose runs are logged in MLflow only if they say so: they do little, or are a piece of a run."""

Step = Callable[[Event, BatchRun], Event]
Handler = Callable[[Event, Any], Event]


def step(function: Step) -> Handler:
    """Log a run once, with its duration and outcome, and count it; failures are re-raised for Lambda to retry."""

    @wraps(function)
    def run(event: Event, context: Any) -> Event:
        started = time.perf_counter()
        name = function.__name__
        request_id = getattr(context, "aws_request_id", "-")
        batch_run = BatchRun(name, datetime.now(UTC), worth_logging=name not in UNLOGGED)
        log = _MlflowLog(batch_run)
        log.open()
        try:
            result = function(event or {}, batch_run)
        except Exception as error:
            reason = _reason(error)
            _count_run(name, reason)
            logger.exception("batch run failed", extra={"function": name, "request_id": request_id, "reason": reason})
            log.close(reason)
            raise
        seconds = round(time.perf_counter() - started, 3)
        _count_run(name, "success")
        logger.info("batch run", extra={"function": name, "request_id": request_id, "seconds": seconds, **result})
        log.close()
        return {**result, "seconds": seconds}

    return run


class _MlflowLog:
    """One run's log in MLflow. It never fails the run: errors are logged and counted once."""

    def __init__(self, run: BatchRun) -> None:
        self._run = run
        self._log: RunLog | None = None
        self._given_up = False

    def open(self) -> None:
        """Create the run in MLflow, unless it may turn out not to be worth logging (then `close` creates it)."""
        if self._run.worth_logging and settings().mlflow_tracking_uri:
            self._attempt(self._open)

    def close(self, failure: str | None = None) -> None:
        """Log the run's data and end it."""
        # A stack that gets its models by `batch.promote --bucket` has no server to log to.
        if not self._run.worth_logging or not settings().mlflow_tracking_uri:
            return
        if self._log is None:
            self._attempt(self._open)
        if self._log is not None:
            log = self._log
            self._attempt(lambda: log.close(self._run, datetime.now(UTC), failure))

    def _open(self) -> None:
        log = run_log()
        log.open(self._run)
        self._log = log

    def _attempt(self, call: Callable[[], None]) -> None:
        if self._given_up:
            return
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the run continues without its log, whatever the cause
            self._given_up = True
            function = self._run.function
            logger.warning(
                "run not logged in MLflow",
                extra={"function": function, "reason": _reason(error), "detail": str(error)[:200]},
            )
            wiring.recorder().count(RUNS_NOT_LOGGED, {"function": function})


def _reason(error: Exception) -> str:
    return error.code if isinstance(error, ServiceError) else type(error).__name__


def _count_run(function: str, outcome: str) -> None:
    of_function = {"function": function}
    wiring.recorder().record(
        Measurement(BATCH_RUNS, "Count", 1, ({**of_function, "outcome": outcome},)),
        Measurement(BATCH_FAILED, "None", int(outcome != "success"), (OF_SERVICE, of_function)),
        *cold_start_of(function),
    )


@step
def sync_models(event: Event, batch_run: BatchRun) -> Event:
    """Mirror the registry's aliases into the bucket."""
    from batch.jobs import sync_models as job  # noqa: PLC0415

    return job.run(event, batch_run)


@step
def rebuild(event: Event, batch_run: BatchRun) -> Event:
    """Compute features and predictions from the raw matches and publish them as a release."""
    from batch.jobs import rebuild as job  # noqa: PLC0415

    return job.run(event, batch_run)


@step
def refresh_odds(event: Event, batch_run: BatchRun) -> Event:
    """Fetch odds, find our match for each, and replace odds and returns in the current release."""
    from batch.jobs import refresh_odds as job  # noqa: PLC0415

    return job.run(event, batch_run)


@step
def monitor_drift(event: Event, batch_run: BatchRun) -> Event:
    """Compare the features of recent and coming matches with those the champion was trained on."""
    from batch.jobs import monitor_drift as job  # noqa: PLC0415

    return job.run(event, batch_run)


@step
def export_table(event: Event, batch_run: BatchRun) -> Event:
    """Write the task table, or the table the event names, to a parquet file in the bucket."""
    from batch.jobs import export_table as job  # noqa: PLC0415

    return job.run(event, batch_run)


@step
def bulk_plan(event: Event, batch_run: BatchRun) -> Event:
    """Cut a rebuild into items that can be computed side by side."""
    from batch.jobs import bulk as job  # noqa: PLC0415

    return job.plan(event, batch_run)


@step
def bulk_score(event: Event, batch_run: BatchRun) -> Event:
    """Compute one item of a bulk rebuild."""
    from batch.jobs import bulk as job  # noqa: PLC0415

    return job.score(event, batch_run)


@step
def bulk_publish(event: Event, batch_run: BatchRun) -> Event:
    """Put the items of a bulk rebuild together and publish them as a release."""
    from batch.jobs import bulk as job  # noqa: PLC0415

    return job.publish(event, batch_run)
