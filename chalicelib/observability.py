"""Logs and metrics of every function: their names, units and dimensions, and the objects that write them.

Metrics leave a function as lines in CloudWatch's embedded metric format (EMF): nothing is called while a request
waits. docs/operations.md lists them for the people who are paged.
"""

from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from chalicelib.errors import ServiceError

SERVICE: Final = "soccer-predictions"
DEFAULT_NAMESPACE: Final = "SoccerPredictions"

REQUEST_LATENCY: Final = "RequestLatency"
"""Seconds that an HTTP function took; its sample count is the number of requests.

Dimension sets: (function, status); of prediction routes also (source, stage) and, of synchronous ones, (source, le).
"""
TASK_LATENCY: Final = "TaskLatency"
"""Seconds from the submission of a task to its success; dimension sets (source, stage) and (source, le)."""
PREDICTION_ERRORS: Final = "PredictionErrors"
"""Count of prediction requests and tasks that failed; dimensions source, reason."""
PREDICTION_TIMEOUTS: Final = "PredictionTimeouts"
"""Count of predictions given up for lack of time; dimension source."""
COLD_STARTS: Final = "ColdStarts"
"""Count of sandboxes started; dimension function."""
BATCH_RUNS: Final = "BatchRuns"
"""Count of scheduled runs; dimensions function, outcome."""

LATENCY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds, in seconds, of the latency histogram of `GET /metrics`."""

logger: Final = Logger(service=SERVICE, use_rfc3339=True)


class Recorder:
    """Writes EMF lines.

    Args:
        namespace: CloudWatch namespace.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def record(self, name: str, unit: MetricUnit, value: float, *dimension_sets: Mapping[str, str]) -> None:
        """Write one line: one value, counted under each of the dimension sets."""
        # Ephemeral: one request's dimensions never meet another's. One line, because a line costs 30 µs.
        metrics = EphemeralMetrics(service=SERVICE, namespace=self._namespace)
        first, *others = dimension_sets
        for key, text in first.items():
            metrics.add_dimension(name=key, value=text)
        for dimensions in others:
            metrics.add_dimensions(service=SERVICE, **dimensions)
        metrics.add_metric(name=name, unit=unit, value=value)
        metrics.flush_metrics()

    def count(self, name: str, dimensions: Mapping[str, str]) -> None:
        """Add one to a counter."""
        self.record(name, MetricUnit.Count, 1, dimensions)

    def seconds(self, name: str, value: float, *dimension_sets: Mapping[str, str]) -> None:
        """One measured duration."""
        self.record(name, MetricUnit.Seconds, value, *dimension_sets)


def bucket(seconds: float) -> str:
    """Upper bound of the histogram bucket that a latency falls into, as Prometheus writes it."""
    return next((str(bound) for bound in LATENCY_BUCKETS if seconds <= bound), "+Inf")


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
