"""The model, the health of the service, its queues and workers, feature drift."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.contracts.base import Frozen, with_example
from chalicelib.domain import Stage


class ModelFeature(Frozen):
    """One input of the model's signature."""

    model_config = with_example(name="diff_win_5_mean", type="double", required=True)

    name: str
    type: str
    required: bool


class ModelInfoResponse(Frozen):
    """Model metadata from the MLflow Model Registry."""

    model_config = with_example(
        model_name="soccer_model",
        model_version="champion",
        model_run_id="3f7a1c9d2e4b",
        loaded=True,
        registered_version="7",
        metrics={"log_loss": 0.99},
        params={},
        features=[{"name": "diff_win_5_mean", "type": "double", "required": True}],
    )

    model_name: str
    model_version: Stage
    model_run_id: str
    loaded: bool = Field(
        description="Whether the model is in place, whole: every serving function loads it at its first prediction. "
        "While it is false, functions that hold the version before go on with that, and others answer 503."
    )
    registered_version: str
    metrics: dict[str, float]
    params: dict[str, str]
    features: list[ModelFeature]


class Health(Frozen):
    """Liveness or readiness, and the state of each dependency: `ok` or the code of its error."""

    model_config = with_example(
        status="ok",
        worker_id="2024/04/07/[$LATEST]6f1c",
        memory_usage_mb=92.4,
        checks={"task_store": "ok", "data_release": "ok", "model": "ok", "inference_queue": "ok"},
    )

    status: Literal["ok", "degraded"]
    worker_id: str
    memory_usage_mb: float = Field(description="Resident memory of the answering process.")
    checks: dict[str, str]


class CeleryCounts(Frozen):
    """The inference queue's counts under the names of the original system."""

    active: int | None = Field(default=None, description="Messages that a worker has received, as `in_flight`.")
    scheduled: int | None = Field(default=None, description="Messages not due yet, as `delayed`.")
    reserved: int | None = Field(
        default=None, description="Always 0: nothing is reserved before it is worked on. Null while counts are missing."
    )


class QueueState(Frozen):
    """Counts of one queue."""

    model_config = with_example(name="inference", waiting=3, in_flight=1, delayed=0, oldest_age_seconds=0.8)

    name: str
    waiting: int
    in_flight: int
    delayed: int
    oldest_age_seconds: float | None


class DeadLetterState(QueueState):
    """Counts of the dead-letter queue, and of the failed tasks kept for `make redrive`."""

    model_config = with_example(name="dead-letters", waiting=0, in_flight=0, delayed=0, oldest_age_seconds=None, kept=0)

    kept: int = Field(
        description="Tasks that ended as failed without having been predicted and wait for `make redrive`; at most "
        "10,000 are counted. `oldest_age_seconds` is that of the oldest of them."
    )


class QueuesResponse(CeleryCounts):
    """The inference queue and its dead letters."""

    inference: QueueState
    dead_letters: DeadLetterState
    pending_tasks: int | None = Field(
        default=None, description="Accepted tasks that have not ended; at most 10,000 are counted."
    )


class WorkerState(Frozen):
    """The inference function: configuration, event source mapping and whether it answers."""

    model_config = with_example(
        name="soccer-prod-inference",
        state="Active",
        last_update="2024-04-07T08:00:00.000+0000",
        concurrency=10,
        event_source_mapping="Enabled",
        batch_size=100,
        ping="ok",
    )

    name: str
    state: str = Field(description="As Lambda gives it (`Active`, `Pending`, `Failed`, ...); `Missing` without one.")
    last_update: str | None
    concurrency: int | None
    event_source_mapping: str = Field(description="As Lambda gives it (`Enabled`, `Disabled`, ...); else `missing`.")
    batch_size: int | None
    ping: Literal["ok", "failed", "throttled"] = Field(description="`throttled`: all of its concurrency is in use.")


class WorkersResponse(CeleryCounts):
    """All inference functions."""

    workers: list[WorkerState]


class DriftResponse(BaseModel):
    """Latest feature-drift summary; `drift_score` is null while there is no report."""

    model_config = ConfigDict(extra="allow")

    number_of_columns_beyond_noise: int | None = Field(
        default=None,
        description="Features that moved farther than chance moves a sample of this size: read this first.",
    )
    sufficient_sample: bool | None = Field(
        default=None, description="Whether enough matches were compared; if not, `drift_score` proves nothing."
    )
    drift_score: float | None
    dataset_drift: bool | None = None
    number_of_columns: int | None = None
    number_of_drifted_columns: int | None = None
