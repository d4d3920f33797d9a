"""Predictions of a match with changed features."""

from collections import defaultdict
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import wiring
from chalicelib.api.rendering import documented, json_response
from chalicelib.api.routes.parameters import MatchIdPath, StageQuery
from chalicelib.contracts.predictions import WhatIfRequest, WhatIfResponse
from chalicelib.domain import Stage
from chalicelib.models import what_if as alternatives
from chalicelib.telemetry.log import facts

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)


@ROUTERS["what_if"].post(
    "/predict/what-if/<match_id>/",
    tags=["prediction"],
    responses=documented(WhatIfResponse, 401, 404, 413, 415, 422, 503, 504),
)
def what_if(request: WhatIfRequest, match_id: MatchIdPath, stage: StageQuery = Stage.CHAMPION) -> Response[str]:
    """Predict a match of the release with some features changed; what is derived from them follows."""
    facts.note(match_id=match_id, stage=stage.value)
    answer = alternatives.what_if(match_id, request.changes, stage, wiring.models(), wiring.releases())
    return json_response(
        WhatIfResponse(
            match_id=match_id, prediction=answer.prediction, features=answer.features, followed=answer.followed
        )
    )
