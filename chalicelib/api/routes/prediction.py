"""Predictions: synchronous, for a match of the release, and queued."""

from collections import defaultdict
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import wiring
from chalicelib.api.rendering import POLL_SECONDS, cacheable_response, documented, json_response
from chalicelib.api.request import public_url
from chalicelib.api.routes.parameters import ExplainQuery, IdempotencyKeyHeader, MatchIdPath, StageQuery
from chalicelib.contracts.predictions import FeaturesResponse, PredictRequest, PredictResponse
from chalicelib.contracts.tasks import AsyncPredictRequest, AsyncPredictResponse
from chalicelib.domain import Stage
from chalicelib.models import predict as predictions
from chalicelib.models.predict import signature_if_known
from chalicelib.releases.features import match_features
from chalicelib.tasks.submit import own_key, submit
from chalicelib.telemetry.log import facts

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)


@ROUTERS["predict"].post(
    "/predict/",
    tags=["prediction"],
    responses=documented(PredictResponse, 401, 413, 415, 422, 503, 504),
)
def predict(
    request: PredictRequest,
    stage: StageQuery = Stage.CHAMPION,
    explain: ExplainQuery = False,  # noqa: FBT002
) -> Response[str]:
    """Predict a match from the features in the body."""
    facts.note(match_id=request.match_id, stage=stage.value)
    predicted = predictions.predict(request, stage, wiring.models(), explain=explain)
    _note(predicted.response)
    headers = _ignored_header(predicted.ignored)
    return json_response(predicted.response, headers=headers, exclude=_absent(predicted.response))


@ROUTERS["predict_match"].get(
    "/predict/<match_id>/",
    tags=["prediction"],
    responses=documented(PredictResponse, 401, 404, 422, 503, 504),
)
def predict_match(
    match_id: MatchIdPath,
    stage: StageQuery = Stage.CHAMPION,
    explain: ExplainQuery = False,  # noqa: FBT002
) -> Response[str]:
    """Predict a match live, from its features in the current data release."""
    facts.note(match_id=match_id, stage=stage.value)
    response = predictions.predict_match(match_id, stage, wiring.models(), wiring.releases(), explain=explain)
    _note(response)
    return json_response(response, exclude=_absent(response))


@ROUTERS["features"].get(
    "/predict/features/<match_id>/",
    tags=["prediction"],
    responses=documented(FeaturesResponse, 401, 404, 422, 503, conditional=True),
)
def features(match_id: MatchIdPath) -> Response[str]:
    """A match's features in the current data release."""
    facts.note(match_id=match_id)
    release = match_features(match_id, wiring.releases())
    return cacheable_response(
        FeaturesResponse(match_id=match_id, features=dict(release.values), features_computed_at=release.computed_at)
    )


@ROUTERS["predict_async"].post(
    "/predict/async/",
    tags=["prediction"],
    responses=documented(AsyncPredictResponse, 401, 404, 409, 413, 415, 422, 429, 503, 504, status=HTTPStatus.ACCEPTED),
)
def predict_async(
    request: AsyncPredictRequest, stage: StageQuery = Stage.CHAMPION, key: IdempotencyKeyHeader = None
) -> Response[str]:
    """Accept a prediction to be made in the background; poll `Location` for it."""
    settings, event = wiring.settings(), ROUTERS["predict_async"].current_event.raw_event
    facts.note(match_id=request.match_id, stage=stage.value)
    signature = None if request.features is None else signature_if_known(stage, wiring.models())
    task_id = submit(
        request,
        stage,
        own_key(key, event["headers"].get("x-api-key")),
        tasks=wiring.tasks(),
        queue=wiring.inference_queue(),
        releases=wiring.releases(),
        max_backlog=settings.max_backlog,
        now=wiring.real_now(),
        signature=signature,
    )
    facts.note(task_id=task_id)
    accepted = AsyncPredictResponse(task_id=task_id, status_url=f"/monitoring/task_status/{task_id}")
    location = public_url(event, event["headers"], settings.public_url) + accepted.status_url
    headers = {"Location": location, "Retry-After": POLL_SECONDS}
    if signature is not None and request.features is not None:
        headers |= _ignored_header(signature.ignored(request.features))
    return json_response(accepted, status=HTTPStatus.ACCEPTED, headers=headers)


def _note(response: PredictResponse) -> None:
    facts.note(model_run_id=response.prediction.model_run_id)


def _absent(response: PredictResponse) -> set[str]:
    """The explanation is there only when it was asked for."""
    return {"base", "contributions"} if response.contributions is None else set()


def _ignored_header(names: list[str]) -> dict[str, str]:
    return {"x-ignored-features": _header_list(names)} if names else {}


def _header_list(names: list[str]) -> str:
    """Caller's names as a header value: printable ASCII only, so that no name can end the header, and not too long."""
    text = ",".join("".join(c if " " < c < "\x7f" and c != "," else "?" for c in name) for name in names)
    return text if len(text) <= 2_000 else text[:1_997] + "..."  # noqa: PLR2004 - gateways limit header sizes
