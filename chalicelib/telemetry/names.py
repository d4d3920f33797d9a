"""Names, units and dimensions of every metric; docs/metrics.md lists them for the people who are paged."""

from collections.abc import Mapping
from typing import Final

from chalicelib import NAME

Dimensions = Mapping[str, str]


SERVICE: Final = NAME


REQUEST_LATENCY: Final = "RequestLatency"
"""Seconds that an HTTP function took; its sample count is the number of requests.

Dimension sets: (function, status); of prediction routes also (source, stage) and, of synchronous ones, (source) and
(source, le).
"""


REQUEST_FAILED: Final = "RequestFailed"
"""1 for an HTTP request answered 5xx, else 0: its average is the share of failures; dimension service."""


REQUESTS_REFUSED: Final = "RequestsRefused"
"""Count of requests refused because the backlog is full, not because of a caller's rate; dimension service."""


TASK_LATENCY: Final = "TaskLatency"
"""Seconds from the submission of a task to its end by the inference function; its sample count is the number of ended
tasks. Dimension sets: (source), (source, stage) and (source, le)."""


PREDICTION_ERRORS: Final = "PredictionErrors"
"""Count of prediction requests and tasks that failed; dimensions source, reason."""


PREDICTION_TIMEOUTS: Final = "PredictionTimeouts"
"""Count of predictions stopped shortly before the time limit; dimension source."""


DEAD_LETTERS: Final = "DeadLetters"
"""Count of messages that failed too often; dimension service."""


TASK_RETRIES: Final = "TaskRetries"
"""Count of messages left for redelivery by the inference function; dimension reason."""


TASKS_SENT_AGAIN: Final = "TasksSentAgain"
"""Count of tasks whose message the sweep sent again; dimension service."""


COLD_STARTS: Final = "ColdStarts"
"""Count of sandboxes that served a first event; dimension function."""


BATCH_RUNS: Final = "BatchRuns"
"""Count of scheduled runs; dimensions function, outcome."""


BATCH_FAILED: Final = "BatchFailed"
"""1 for a scheduled run that failed, else 0; dimension sets (service) and (function)."""


MODELS_REFUSED: Final = "ModelsRefused"
"""Count of checks that found an alias on a version that cannot be served; dimension service."""


RUNS_NOT_LOGGED: Final = "RunsNotLogged"
"""Count of scheduled runs not or only partially logged in MLflow; dimension function."""


OLDEST_TASK_AGE: Final = "OldestTaskAge"
"""Seconds that the oldest unfinished task has waited, 0 when there is none; dimension service; from the sweep."""


DATA_RELEASE_AGE: Final = "DataReleaseAge"
"""Seconds since a data set of the current release was computed; dimension dataset; from the sweep."""


DAMAGED_OBJECTS: Final = "DamagedObjects"
"""Count of stored objects found missing or with another checksum, by the sweep and by batch runs; dimension service."""


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
"""Value of the dimension `stage` where a request named an unknown stage."""


OF_SERVICE: Final[Dimensions] = {"service": SERVICE}


def bucket(seconds: float) -> str:
    """Upper bound of the histogram bucket that a latency falls into, as in Prometheus."""
    return next((str(bound) for bound in LATENCY_BUCKETS if seconds <= bound), INFINITE)
