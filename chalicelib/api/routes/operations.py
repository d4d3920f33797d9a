"""Operations: liveness, the model served, queues, workers, drift and metrics."""

from collections import defaultdict
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import wiring
from chalicelib.api.failures import RETRY_AFTER_SECONDS
from chalicelib.api.rendering import cacheable_response, documented, json_response
from chalicelib.api.routes.parameters import ReadyQuery, StageQuery
from chalicelib.contracts.operations import (
    DriftResponse,
    Health,
    ModelFeature,
    ModelInfoResponse,
    QueuesResponse,
    WorkersResponse,
)
from chalicelib.domain import Stage
from chalicelib.errors import ServiceError, TaskNotFound
from chalicelib.releases.drift_report import DriftSummary, read_drift_report
from chalicelib.tasks import monitor as queue_monitor
from chalicelib.telemetry import gauges
from chalicelib.telemetry.log import facts
from chalicelib.telemetry.process import memory_usage_mb, worker_id

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)


@ROUTERS["model_info"].get(
    "/predict/model/info/",
    tags=["prediction"],
    responses=documented(ModelInfoResponse, 422, 503, conditional=True),
)
def model_info(stage: StageQuery = Stage.CHAMPION) -> Response[str]:
    """What the registry says of the version served under an alias."""
    models = wiring.models()
    info = models.info(stage)
    facts.note(stage=stage.value, model_run_id=info.model_run_id)
    return cacheable_response(
        ModelInfoResponse(
            model_name=info.model_name,
            model_version=stage,
            model_run_id=info.model_run_id,
            loaded=models.is_loadable(stage),
            registered_version=info.registered_version,
            metrics=dict(info.metrics),
            params=dict(info.params),
            features=[ModelFeature(name=f.name, type=f.type, required=f.required) for f in info.features],
        ),
        # RFC 8288; a header, because the body's fields are a contract.
        headers={"Link": f'<{info.run_url}>; rel="describedby"'} if info.run_url else {},
    )


@ROUTERS["healthcheck"].get(
    "/healthcheck/",
    tags=["operations"],
    responses=documented(Health)
    | {503: documented(Health)[200] | {"description": "The task store does not answer, or it is not ready."}},
)
def healthcheck(ready: ReadyQuery = False) -> Response[str]:  # noqa: FBT002 - a query parameter
    """Liveness: 503 when the task store does not answer. Readiness: also without a model or a data release."""
    checks = {
        "task_store": _check(_task_store),
        "data_release": _check(lambda: wiring.releases().pointer()),
        "model": _check(lambda: wiring.models().check(Stage.CHAMPION)),
        "inference_queue": _check(lambda: wiring.inference_queue().counts()),
    }
    needed = ("task_store", "data_release", "model") if ready else ("task_store",)
    is_healthy = all(checks[name] == "ok" for name in needed)
    status = HTTPStatus.OK if is_healthy else HTTPStatus.SERVICE_UNAVAILABLE
    content = Health(
        status="ok" if is_healthy else "degraded",
        worker_id=worker_id(),
        memory_usage_mb=round(memory_usage_mb(), 1),
        checks=checks,
    )
    headers = {"Cache-Control": "no-store"} | ({} if is_healthy else {"Retry-After": RETRY_AFTER_SECONDS})
    return json_response(content, status=status, headers=headers)


def _task_store() -> None:
    try:
        wiring.tasks().get("healthcheck", wiring.real_now())
    except TaskNotFound:
        return


def _check(probe: Callable[[], object]) -> str:
    try:
        probe()
    except ServiceError as error:
        return error.code
    return "ok"


@ROUTERS["queues"].get(
    "/monitoring/queues/",
    tags=["operations"],
    responses=documented(QueuesResponse, 401, 403, 503),
)
@ROUTERS["queues"].get(
    "/monitoring/celery/queues/",
    tags=["operations"],
    responses=documented(QueuesResponse, 401, 403, 503),
)
def queues() -> Response[str]:
    """Counts of the inference queue and its dead letters, and the age of the oldest task."""
    return json_response(queue_monitor.queues(wiring.inference_queue(), wiring.dead_letter_queue(), wiring.tasks()))


@ROUTERS["workers"].get(
    "/monitoring/workers/",
    tags=["operations"],
    responses=documented(WorkersResponse, 401, 403, 503),
)
@ROUTERS["workers"].get(
    "/monitoring/celery/workers/",
    tags=["operations"],
    responses=documented(WorkersResponse, 401, 403, 503),
)
def workers() -> Response[str]:
    """The inference functions: state, concurrency, event source mapping, ping."""
    return json_response(
        queue_monitor.workers(
            wiring.aws_client("lambda"), wiring.settings().inference_function, wiring.inference_queue()
        )
    )


@ROUTERS["drift"].get(
    "/monitoring/drift/",
    tags=["operations"],
    responses=documented(DriftResponse, 401, 403, 503),
)
def drift() -> Response[str]:
    """The latest feature-drift summary; `drift_score` is null while there is none. Refreshes the drift gauge."""
    report = read_drift_report(wiring.objects())
    if report is None:
        return json_response(DriftResponse(drift_score=None))
    if (measurement := gauges.drift_measurement(DriftSummary.of(report))) is not None:
        wiring.recorder().record(measurement)
    return json_response(DriftResponse.model_validate(report))
