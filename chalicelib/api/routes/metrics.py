"""`GET /metrics` for Prometheus."""

from collections import defaultdict
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import wiring
from chalicelib.api.failures import DESCRIPTIONS
from chalicelib.api.rendering import JSON
from chalicelib.contracts.errors import ErrorResponse
from chalicelib.telemetry import service_metrics
from chalicelib.telemetry.prometheus import CONTENT_TYPE, render

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)


@ROUTERS["metrics"].get(
    "/metrics/",
    tags=["operations"],
    responses={
        200: {
            "description": "Prometheus text format, version 0.0.4.",
            "content": {CONTENT_TYPE: {"schema": {"type": "string"}}},
        },
        **{
            code: {"description": DESCRIPTIONS[code], "content": {JSON: {"model": ErrorResponse}}}
            for code in (401, 403, 500, 503)
        },
    },
)
def metrics() -> Response[str]:
    """What was served, how long it took and what is waiting, in Prometheus' text format."""
    sources = service_metrics.Sources(
        counters=wiring.counters(),
        objects=wiring.objects(),
        queue=wiring.inference_queue(),
        dead_letters=wiring.dead_letter_queue(),
        tasks=wiring.tasks(),
    )
    text = render(service_metrics.families(sources, wiring.real_now()))
    return Response(int(HTTPStatus.OK), CONTENT_TYPE, text, headers={"Cache-Control": "no-store"})
