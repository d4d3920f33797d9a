"""Log batch runs in MLflow: one run of the experiment `soccer_batch` for each run of a function.

Inputs with their checksums, versions, counts and durations; with `model_run_id` in every prediction row and
`mlflow_run_id` in every run report, a row can be traced to its model and its input files. Logging never fails a run:
an MLflow server that is not set, unreachable or slow costs seconds and a warning.
"""

import hashlib
import json
import math
import platform
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from chalicelib.errors import RegistryUnavailable

EXPERIMENT: Final = "soccer_batch"

CALL_SECONDS: Final = 3.0
"""Limit of one call; the batch function waits for it."""
BUDGET_SECONDS: Final = 6.0
"""Beyond this many seconds of calls in one run, the rest is not logged."""

REPORT_FILE: Final = "run.json"
VERSIONED: Final = ("numpy", "pandas", "pyarrow", "boto3")
LISTED_INPUTS: Final = 500
"""At most this many input files are entered one by one in MLflow; the report has all, `inputs_sha256` stands for
all."""

# MLflow's limits.
_PARAMS_AT_MOST: Final = 100
_METRICS_AT_MOST: Final = 1000
_TEXT_AT_MOST: Final = 500
_DIGEST_LENGTH: Final = 36


class Server(Protocol):
    """The part of an MLflow server that the log needs; `batch.mlflow.rest.MlflowRest` has it."""

    def get(self, endpoint: str, query: dict[str, str]) -> Any:
        """See `MlflowRest.get`."""
        ...

    def post(self, endpoint: str, body: dict[str, Any]) -> Any:
        """See `MlflowRest.post`."""
        ...

    def put_artifact(self, path: str, content: bytes) -> None:
        """See `MlflowRest.put_artifact`."""
        ...


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that a run read.

    Args:
        key: Its key in the bucket.
        sha256: SHA-256 of its content, in hex.
        etag: Its ETag in the bucket, if known.
        rows: Rows in it, if counted.
        rejected: Rows rejected as invalid in themselves.
    """

    key: str
    sha256: str
    etag: str | None = None
    rows: int | None = None
    rejected: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As in run reports."""
        fields = {"key": self.key, "sha256": self.sha256, "etag": self.etag}
        return {**fields, "rows": self.rows, "rejected": self.rejected}


def inputs_sha256(inputs: Sequence[InputFile]) -> str:
    """One checksum of all inputs in any order: equal checksums mean equal inputs."""
    return hashlib.sha256(json.dumps(sorted((file.key, file.sha256) for file in inputs)).encode()).hexdigest()


@dataclass(slots=True)
class BatchRun:
    """A run in progress; the job adds its inputs and results as soon as they are known.

    Attributes:
        function: Name of the function.
        started: When it began.
        mlflow_run_id: Its id in MLflow; None if it is not logged, or not yet.
        params: `as_of`, release, model versions and the like.
        metrics: Counts; durations are added by `timed`.
        inputs: The files it read.
        report: Its run report, also stored in MLflow as run.json.
        worth_logging: False for a run that found nothing to do.
    """

    function: str
    started: datetime
    mlflow_run_id: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    inputs: list[InputFile] = field(default_factory=list)
    report: dict[str, Any] | None = None
    worth_logging: bool = True

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds of the block to the metric `seconds_<step>`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            name = f"seconds_{step}"
            self.metrics[name] = round(self.metrics.get(name, 0.0) + time.perf_counter() - started, 3)


class RunLog:
    """Writes runs to an MLflow server.

    Args:
        server: The server.
        clock: Monotonic seconds.
    """

    def __init__(self, server: Server, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._clock = clock
        self._artifact_root = ""
        self._left = BUDGET_SECONDS

    def open(self, run: BatchRun) -> None:
        """Create the run as RUNNING and set its `mlflow_run_id`. A run that is killed stays that way.

        Raises:
            RegistryUnavailable: the server does not answer, or not in time.
        """
        self._left = BUDGET_SECONDS
        run.mlflow_run_id, self._artifact_root = self._post(
            "runs/create",
            {
                "experiment_id": self._experiment(),
                "run_name": f"{run.function} {run.started:%Y-%m-%dT%H:%M:%SZ}",
                "start_time": _milliseconds(run.started),
                "tags": _pairs({"function": run.function, "mlflow.source.name": f"batch.handlers.{run.function}"}),
            },
            lambda created: (str(created["run"]["info"]["run_id"]), str(created["run"]["info"]["artifact_uri"])),
        )

    def close(self, run: BatchRun, ended: datetime, failure: str | None = None) -> None:
        """Log the run's data and end it.

        Args:
            run: The run, opened before.
            ended: When it ended.
            failure: Why it failed; None if it succeeded.

        Raises:
            RegistryUnavailable: the server does not answer, or not in time.
        """
        assert run.mlflow_run_id is not None  # noqa: S101 - the caller opened it
        id_ = run.mlflow_run_id
        tags = {"outcome": failure or "success"}
        if run.inputs:
            tags["inputs_sha256"] = inputs_sha256(run.inputs)
        metrics = {**run.metrics, "seconds": round((ended - run.started).total_seconds(), 3)}
        stamp = _milliseconds(ended)
        self._post(
            "runs/log-batch",
            {
                "run_id": id_,
                "params": _pairs({**run.params, **versions()})[:_PARAMS_AT_MOST],
                "metrics": [
                    {"key": name, "value": float(value), "timestamp": stamp, "step": 0}
                    for name, value in sorted(metrics.items())
                    if math.isfinite(value)
                ][:_METRICS_AT_MOST],
                "tags": _pairs(tags),
            },
        )
        if run.inputs:
            self._post(
                "runs/log-inputs", {"run_id": id_, "datasets": [_dataset(file) for file in run.inputs[:LISTED_INPUTS]]}
            )
        root = urllib.parse.urlsplit(self._artifact_root)
        # where artifacts live in s3://..., clients must write there themselves, which functions may not
        if run.report is not None and root.scheme == "mlflow-artifacts":
            path = f"{root.path.strip('/')}/{REPORT_FILE}"
            content = json.dumps(run.report, sort_keys=True, indent=1).encode()
            self._in_time(lambda: self._server.put_artifact(path, content))
        status = "FAILED" if failure else "FINISHED"
        self._post("runs/update", {"run_id": id_, "status": status, "end_time": stamp})

    def _experiment(self) -> str:
        query = {"experiment_name": EXPERIMENT}
        answer = self._in_time(lambda: self._server.get("experiments/get-by-name", query))
        if answer is None:
            try:
                return str(
                    self._post("experiments/create", {"name": EXPERIMENT}, lambda created: created["experiment_id"])
                )
            except RegistryUnavailable:  # another run probably created it meanwhile
                answer = self._in_time(lambda: self._server.get("experiments/get-by-name", query))
        return str(_member(answer, lambda body: body["experiment"]["experiment_id"]))

    def _post(self, endpoint: str, body: dict[str, Any], member: Callable[[Any], Any] = lambda answer: answer) -> Any:
        answer = self._in_time(lambda: self._server.post(endpoint, body))
        if answer is None:
            raise RegistryUnavailable(f"the registry knows no {endpoint.partition('/')[0]} any more")
        return _member(answer, member)

    def _in_time(self, call: Callable[[], Any]) -> Any:
        if self._left <= 0:
            raise RegistryUnavailable(f"the registry took longer than {BUDGET_SECONDS:g} s")
        started = self._clock()
        try:
            return call()
        finally:
            self._left -= self._clock() - started


def _member(answer: Any, member: Callable[[Any], Any]) -> Any:
    try:
        return member(answer)
    except (KeyError, TypeError):
        raise RegistryUnavailable("the registry's answer is not that of an MLflow server") from None


def versions() -> dict[str, str]:
    """Versions that a result may depend on: Python and the libraries of VERSIONED that were imported."""
    loaded = {name: getattr(sys.modules.get(name), "__version__", None) for name in VERSIONED}
    return {"python": platform.python_version(), **{name: str(text) for name, text in loaded.items() if text}}


def _milliseconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp() * 1000)


def _pairs(values: dict[str, Any]) -> list[dict[str, str]]:
    return [{"key": key, "value": str(value)[:_TEXT_AT_MOST]} for key, value in values.items() if value is not None]


def _dataset(file: InputFile) -> dict[str, Any]:
    source = json.dumps({"key": file.key, "sha256": file.sha256, "etag": file.etag})
    profile = json.dumps({"num_rows": file.rows, "rejected": file.rejected})
    return {
        "tags": [{"key": "mlflow.data.context", "value": "input"}],
        "dataset": {
            "name": file.key[-_TEXT_AT_MOST:],
            "digest": file.sha256[:_DIGEST_LENGTH],
            "source_type": "s3",
            "source": source,
            "profile": profile,
        },
    }
