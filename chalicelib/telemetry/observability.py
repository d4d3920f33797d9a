"""Logs and metrics of every function: their names, units and dimensions, and the objects that write them.

Metrics leave a function as lines in CloudWatch's embedded metric format (EMF): nothing is called while a request
waits. docs/metrics.md lists them for the people who are paged.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aws_lambda_powertools import Logger

from chalicelib.errors import ServiceError

SERVICE: Final = "soccer-predictions"
DEFAULT_NAMESPACE: Final = "SoccerPredictions"

REQUEST_LATENCY: Final = "RequestLatency"
"""Seconds that an HTTP function took; its sample count is the number of requests.

Dimension sets: (function, status); of prediction routes also (source, stage) and, of synchronous ones, (source) and
(source, le).
"""
REQUEST_FAILED: Final = "RequestFailed"
"""1 for an HTTP request answered 5xx, 0 for any other: its average is the share of failures; dimension service."""
REQUESTS_REFUSED: Final = "RequestsRefused"
"""Count of requests refused because the backlog is full; dimension service. A caller over its own rate is none."""
TASK_LATENCY: Final = "TaskLatency"
"""Seconds from the submission of a task to its end by the inference function; its sample count is the number of ended
tasks. Dimension sets: (source), (source, stage) and (source, le)."""
PREDICTION_ERRORS: Final = "PredictionErrors"
"""Count of prediction requests and tasks that failed; dimensions source, reason."""
PREDICTION_TIMEOUTS: Final = "PredictionTimeouts"
"""Count of predictions given up for lack of time; dimension source."""
DEAD_LETTERS: Final = "DeadLetters"
"""Count of messages that failed too often; dimension service."""
TASK_RETRIES: Final = "TaskRetries"
"""Count of messages left to redelivery by the inference function; dimension reason."""
TASKS_SENT_AGAIN: Final = "TasksSentAgain"
"""Count of tasks whose message the sweep sent again; dimension service."""
COLD_STARTS: Final = "ColdStarts"
"""Count of sandboxes that served a first event; dimension function."""
BATCH_RUNS: Final = "BatchRuns"
"""Count of scheduled runs; dimensions function, outcome."""
BATCH_FAILED: Final = "BatchFailed"
"""1 for a scheduled run that failed, 0 for one that did not; dimension sets (service) and (function)."""
RUNS_NOT_LOGGED: Final = "RunsNotLogged"
"""Count of scheduled runs that MLflow got no or only a partial log of; dimension function."""
OLDEST_TASK_AGE: Final = "OldestTaskAge"
"""Seconds that the oldest unfinished task has waited, 0 when there is none; dimension service; from the sweep."""
DATA_RELEASE_AGE: Final = "DataReleaseAge"
"""Seconds since a data set of the current release was computed; dimension dataset; from the sweep."""
FEATURE_DRIFT_SCORE: Final = "FeatureDriftScore"
"""Drift score of the latest report, if it compared enough matches; dimension service; from the sweep."""

LATENCY_BUCKETS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    # only tasks wait this long
    *(60.0, 300.0),
)
"""Upper bounds, in seconds, of the latency histogram of `GET /metrics`; the service levels' bounds are among them."""

INFINITE: Final = "+Inf"
BUCKET_LABELS: Final = (*(str(bound) for bound in LATENCY_BUCKETS), INFINITE)
"""Every value of the dimension `le`."""

UNKNOWN_STAGE: Final = "unknown"
"""Value of the dimension `stage` where a request named none of ours."""

# EMF takes at most this many values in one metric of one line.
_VALUES_PER_LINE: Final = 100

Unit = Literal["Seconds", "Count", "None"]
Dimensions = Mapping[str, str]

OF_SERVICE: Final[Dimensions] = {"service": SERVICE}

logger: Final = Logger(service=SERVICE, use_rfc3339=True)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric's value or values, counted under each of the dimension sets.

    Args:
        name: One of this module's metric names.
        unit: CloudWatch unit.
        values: At most 100 of them.
        dimension_sets: What they are counted under; a dimension has one value in all measurements of a line.
    """

    name: str
    unit: Unit
    values: float | Sequence[float]
    dimension_sets: Sequence[Dimensions]


class Recorder:
    """Writes metrics as log lines (EMF).

    By hand, because Powertools' metrics write a line for each set of metrics whose dimensions differ, 26 µs each
    (measured), and none that is a log line too. Format: the CloudWatch embedded metric format specification, version 0.

    Args:
        namespace: CloudWatch namespace.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def fields(self, *measurements: Measurement) -> dict[str, Any]:
        """The members that make a JSON log line these measurements too: `_aws`, dimensions and values.

        Raises:
            ValueError: two measurements give one dimension different values, which a line cannot say.
        """
        line: dict[str, Any] = {}
        directives = []
        for measured in measurements:
            for dimensions in measured.dimension_sets:
                for key, text in dimensions.items():
                    if line.setdefault(key, text) != text:
                        raise ValueError(f"dimension {key} cannot be {line[key]!r} and {text!r} in one line")
            line[measured.name] = measured.values
            directives.append(
                {
                    "Namespace": self._namespace,
                    "Dimensions": [list(dimensions) for dimensions in measured.dimension_sets],
                    "Metrics": [{"Name": measured.name, "Unit": measured.unit}],
                }
            )
        return {"_aws": {"Timestamp": int(time.time() * 1_000), "CloudWatchMetrics": directives}, **line}

    def record(self, *measurements: Measurement) -> None:
        """Write one line.

        Raises:
            ValueError: as `fields`.
        """
        print(json.dumps(self.fields(*measurements), separators=(",", ":")))  # noqa: T201 - EMF is standard output

    def log(self, level: int, message: str, facts: Mapping[str, Any], *measurements: Measurement) -> None:
        """Write one log line that is the measurements too; where the level is switched off, only those.

        One line, not two: each costs time here and money in CloudWatch Logs.

        Args:
            level: `logging.INFO` or `logging.WARNING`.
            message: What happened.
            facts: Further members of the line; of a name that a dimension has, the dimension's text stands.
            measurements: What is counted.

        Raises:
            ValueError: as `fields`.
        """
        if level >= logger.log_level:
            write = logger.warning if level >= logging.WARNING else logger.info
            write(message, extra={**facts, **self.fields(*measurements)}, stacklevel=3)
        else:
            self.record(*measurements)

    def count(self, name: str, dimensions: Dimensions) -> None:
        """Add one to a counter."""
        self.record(Measurement(name, "Count", 1, (dimensions,)))

    def seconds(self, name: str, values: float | Sequence[float], *dimension_sets: Dimensions) -> None:
        """One measured duration, or many of the same kind."""
        if not isinstance(values, Sequence):
            values = (values,)
        for start in range(0, len(values), _VALUES_PER_LINE):
            self.record(Measurement(name, "Seconds", values[start : start + _VALUES_PER_LINE], dimension_sets))


def bucket(seconds: float) -> str:
    """Upper bound of the histogram bucket that a latency falls into, as Prometheus writes it."""
    return next((str(bound) for bound in LATENCY_BUCKETS if seconds <= bound), INFINITE)


class ColdStart:
    """Whether a sandbox has yet to see its first event."""

    def __init__(self) -> None:
        self.pending = True

    def take(self) -> bool:
        """True the first time, False ever after."""
        first, self.pending = self.pending, False
        return first


cold_start: Final = ColdStart()
"""One per sandbox, like the sandbox's cold start."""


def cold_start_of(function: str) -> tuple[Measurement, ...]:
    """The measurement of this sandbox's start, the first time it is asked for; nothing ever after."""
    return (Measurement(COLD_STARTS, "Count", 1, ({"function": function},)),) if cold_start.take() else ()


class Facts:
    """What a request turned out to be about; its one log line carries it."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}
        self._error: ServiceError | None = None

    def note_error(self, error: ServiceError) -> None:
        """Remember the failure that became the answer."""
        self._error = error

    def take_error(self) -> ServiceError | None:
        """The failure noted since the last call, if any."""
        error, self._error = self._error, None
        return error

    def note(self, **facts: Any) -> None:
        """Remember ids: match_id, task_id, model_run_id, registered_version, stage."""
        self._facts.update(facts)

    def take(self) -> dict[str, Any]:
        """All facts noted since the last call."""
        facts, self._facts = self._facts, {}
        return facts


facts: Final = Facts()
"""A sandbox works on one request at a time, so one collector is enough."""
