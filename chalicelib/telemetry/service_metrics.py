"""The families of `GET /metrics`, from totals and gauges."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from chalicelib.domain import Stage
from chalicelib.endpoints import ENDPOINTS
from chalicelib.errors import ServiceError
from chalicelib.models.mirror import ModelInfo
from chalicelib.releases.drift_report import DriftSummary
from chalicelib.releases.pointer import MATCH_FEATURES, ODDS, PREDICTIONS, REGION_ROI, TRACK_RECORD
from chalicelib.storage.objects import ObjectStore
from chalicelib.tasks.queue import QueueCounts, TaskQueue
from chalicelib.tasks.store import Task, TaskStore
from chalicelib.telemetry import gauges
from chalicelib.telemetry.cloudwatch import CloudWatchCounters, Series, Total
from chalicelib.telemetry.names import (
    BATCH_RUNS,
    BUCKET_LABELS,
    COLD_STARTS,
    DEAD_LETTERS,
    PREDICTION_ERRORS,
    PREDICTION_TIMEOUTS,
    REQUEST_LATENCY,
    SERVICE,
    TASK_LATENCY,
    UNKNOWN_STAGE,
)
from chalicelib.telemetry.prometheus import Family, Sample, histogram_samples

logger = logging.getLogger(__name__)

SOURCES: Final = {"sync": REQUEST_LATENCY, "async": TASK_LATENCY}
"""Kind of prediction to the metric that holds its latency."""
STAGES: Final = (*(stage.value for stage in Stage), UNKNOWN_STAGE)
BATCH_FUNCTIONS: Final = ("rebuild", "refresh_odds", "sync_models", "monitor_drift", "export_table")
FUNCTIONS: Final = (*(e.function for e in ENDPOINTS), "inference", "dead_letters", "sweep", *BATCH_FUNCTIONS)
DATASETS: Final = (MATCH_FEATURES, PREDICTIONS, ODDS, REGION_ROI, TRACK_RECORD)
"""Data sets of every complete release."""

_EVERY_PREDICTION: Final = (
    *(
        "invalid_request",
        "features_rejected",
        "match_not_found",
        "not_found",
        "body_too_large",
        "unsupported_media_type",
    ),
    *("missing_key", "keys_unavailable", "release_unavailable", "dataset_unavailable"),
    *("key_throttled", "too_many_wrong_keys", "deadline_exceeded", "internal_error"),
)
REASONS: Final[Mapping[str, Sequence[str]]] = {
    "sync": (*_EVERY_PREDICTION, "model_unavailable"),
    "async": (
        *_EVERY_PREDICTION,
        *("idempotency_conflict", "backlog_full", "task_store_unavailable", "queue_unavailable", "dead_letter"),
    ),
}
"""Reasons shown at 0 from the start: a counter that first appears with an error hides it from `increase()`. Others are
added as CloudWatch lists them."""

ANSWER_WITHIN_SECONDS: Final = 8.0
"""Time limit of a source; Prometheus' own default is 10 s."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of the figures.

    Args:
        counters: Totals of all functions.
        objects: The data bucket.
        queue: The inference queue.
        dead_letters: The queue of messages that failed too often.
        tasks: The queued predictions.
    """

    counters: CloudWatchCounters
    objects: ObjectStore
    queue: TaskQueue
    dead_letters: TaskQueue
    tasks: TaskStore


def families(sources: Sources, now: datetime) -> list[Family]:
    """Every family, read from all sources concurrently; families of a failed or slow source are left out.

    `scrape_source_up` says which answered.
    """
    reads: dict[str, Callable[[], list[Family]]] = {
        "cloudwatch": lambda: counter_families(sources.counters, now),
        "queues": lambda: _queue_families(sources.queue.counts(), sources.dead_letters.counts()),
        "tasks": lambda: [_task_age_family(sources.tasks.oldest_pending(now), now)],
        "model_mirror": lambda: [_model_family(gauges.served_models(sources.objects))],
        "data_release": lambda: [_age_family(gauges.release_ages(sources.objects, now))],
        "drift_report": lambda: _drift_families(gauges.drift(sources.objects)),
    }
    running = {name: _pool().submit(read) for name, read in reads.items()}
    wait(running.values(), timeout=ANSWER_WITHIN_SECONDS)
    all_families: list[Family] = []
    up: dict[str, bool] = {}
    for name, future in running.items():
        try:
            all_families += future.result(timeout=0)
            up[name] = True
        except (ServiceError, ValueError, TimeoutError) as error:
            up[name] = False
            logger.warning("metrics source failed: %s: %s", name, getattr(error, "code", type(error).__name__))
    samples = [Sample(float(source_up), {"source": name}) for name, source_up in up.items()]
    return [*all_families, Family("scrape_source_up", "gauge", "Whether a source of this page answered.", samples)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=6)


# ── Counters ────────────────────────────────────────────────────────────────────────────────────────


def counter_families(counters: CloudWatchCounters, now: datetime) -> list[Family]:
    """The families of counters.

    Raises:
        CountersUnavailable: CloudWatch does not answer.
    """
    known_totals: list[Total] = [*_known_totals()]
    # Series with known label values are requested even if unlisted: CloudWatch lists a new one after up to 15
    # minutes and drops one after two silent weeks, and a total must not fall because of that.
    requested = dict.fromkeys(known_totals) | {
        (series, "SampleCount"): None for series in counters.listed() if _shown(series)
    }
    totals = counters.totals(requested, now)

    def samples(metric: str, *labels: str) -> list[Sample]:
        """The totals of all series of a metric that have exactly these dimensions."""
        series_samples = [
            (tuple(series.labels[label] for label in labels), value)
            for (series, statistic), value in totals.items()
            if series.metric == metric and statistic == "SampleCount" and series.labels.keys() == set(labels)
        ]
        return [Sample(value, dict(zip(labels, texts, strict=True))) for texts, value in sorted(series_samples)]

    timeouts = sum(sample.value for sample in samples(PREDICTION_TIMEOUTS, "source"))
    dead = sum(sample.value for sample in samples(DEAD_LETTERS, "service"))
    return [
        Family(
            "prediction_requests_total",
            "counter",
            "Prediction requests answered, failed ones included; async: every POST to the queue's route.",
            samples(REQUEST_LATENCY, "source", "stage"),
        ),
        Family(
            "prediction_errors_total",
            "counter",
            "Prediction requests answered with an error and queued tasks that ended as failed, by error code.",
            samples(PREDICTION_ERRORS, "source", "reason"),
        ),
        Family(
            "prediction_timeouts_total",
            "counter",
            "Predictions stopped shortly before the function's time limit.",
            [Sample(timeouts)],
        ),
        Family(
            "prediction_latency_seconds",
            "histogram",
            "sync: time inside the function; async: from submission to the end of the task.",
            [line for source, metric in SOURCES.items() for line in _histogram(totals, source, metric)],
        ),
        Family("cold_starts_total", "counter", "Sandboxes started.", samples(COLD_STARTS, "function")),
        Family("dead_letters_total", "counter", "Messages that failed too often.", [Sample(dead)]),
        Family(
            "http_requests_total",
            "counter",
            "Requests answered by the functions, by function and status code.",
            samples(REQUEST_LATENCY, "function", "status"),
        ),
        Family(
            "batch_runs_total",
            "counter",
            "Scheduled runs by function and outcome.",
            samples(BATCH_RUNS, "function", "outcome"),
        ),
    ]


def _known_totals() -> Iterator[Total]:
    # requests of both kinds are counted where they are answered, so async ones are REQUEST_LATENCY too
    for source, latency in SOURCES.items():
        for stage in STAGES:
            yield Series.of(REQUEST_LATENCY, source=source, stage=stage), "SampleCount"
        for bound in BUCKET_LABELS:
            yield Series.of(latency, source=source, le=bound), "SampleCount"
        yield Series.of(latency, source=source), "Sum"
        for reason in REASONS[source]:
            yield Series.of(PREDICTION_ERRORS, source=source, reason=reason), "SampleCount"
        yield Series.of(PREDICTION_TIMEOUTS, source=source), "SampleCount"
    for function in FUNCTIONS:
        yield Series.of(COLD_STARTS, function=function), "SampleCount"
    yield Series.of(DEAD_LETTERS, service=SERVICE), "SampleCount"


_SHOWN: Final = {
    (REQUEST_LATENCY, frozenset({"function", "status"})),
    (PREDICTION_ERRORS, frozenset({"source", "reason"})),
    (COLD_STARTS, frozenset({"function"})),
    (BATCH_RUNS, frozenset({"function", "outcome"})),
}


def _shown(series: Series) -> bool:
    """Whether a listed series belongs to a family whose label values are not all known."""
    return (series.metric, frozenset(series.labels)) in _SHOWN


def _histogram(totals: Mapping[Total, float], source: str, metric: str) -> list[Sample]:
    buckets = {bound: totals[Series.of(metric, source=source, le=bound), "SampleCount"] for bound in BUCKET_LABELS}
    return histogram_samples({"source": source}, buckets, totals[Series.of(metric, source=source), "Sum"])


# ── Gauges ──────────────────────────────────────────────────────────────────────────────────────────


def _queue_families(waiting: QueueCounts, dead: QueueCounts) -> list[Family]:
    states = {"waiting": waiting.waiting, "in_flight": waiting.in_flight, "delayed": waiting.delayed}
    return [
        Family(
            "inference_queue_messages",
            "gauge",
            "Messages of the inference queue (SQS' approximate counts).",
            [Sample(count, {"state": state}) for state, count in states.items()],
        ),
        Family(
            "inference_dead_letters",
            "gauge",
            "Messages in the dead-letter queue, until the dead-letter function has ended their tasks.",
            [Sample(dead.waiting + dead.in_flight + dead.delayed)],
        ),
    ]


def _task_age_family(oldest: Task | None, now: datetime) -> Family:
    age = 0.0 if oldest is None else oldest.age_seconds(now)
    text = "Time since the oldest unfinished task was submitted; 0 without one."
    return Family("inference_oldest_task_age_seconds", "gauge", text, [Sample(age)])


def _model_family(models: Sequence[ModelInfo]) -> Family:
    samples = [
        Sample(
            1,
            {
                "stage": info.stage.value,
                "registered_version": info.registered_version,
                "model_run_id": info.model_run_id,
            },
        )
        for info in models
    ]
    return Family("model_version_info", "gauge", "The mirrored model of each stage; the value is always 1.", samples)


def _age_family(ages: Mapping[str, float]) -> Family:
    # NaN, not 0: a data set that was never published is not fresh
    age_by_dataset: dict[str, Any] = dict.fromkeys(DATASETS, math.nan) | dict(ages)
    return Family(
        "data_release_age_seconds",
        "gauge",
        "Time since a data set of the current release was computed; NaN while it was never published.",
        [Sample(age, {"dataset": name}) for name, age in sorted(age_by_dataset.items())],
    )


def _drift_families(drift: DriftSummary | None) -> list[Family]:
    score = math.nan if drift is None or drift.score is None else drift.score
    return [
        Family(
            "feature_drift_score",
            "gauge",
            "Share of drifted features in the latest report, 0 to 1; NaN while there is none.",
            [Sample(score)],
        ),
        Family(
            "feature_drift_sample_sufficient",
            "gauge",
            "Whether that report compared enough matches: 1 or 0; NaN while there is none.",
            [Sample(math.nan if drift is None else int(drift.sufficient_sample))],
        ),
    ]
