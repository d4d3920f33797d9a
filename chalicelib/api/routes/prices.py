"""Prices and what they teach: how a match's price moved, and the track record."""

from collections import defaultdict
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import wiring
from chalicelib.api.rendering import cacheable_response, documented
from chalicelib.api.routes.parameters import MatchIdPath
from chalicelib.contracts.prices import PriceMovement, TrackRecord
from chalicelib.releases import prices as released
from chalicelib.telemetry.log import facts

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)


@ROUTERS["prices"].get(
    "/predict/prices/<match_id>/",
    tags=["lists"],
    responses=documented(PriceMovement, 404, 422, 503, conditional=True),
)
def prices(match_id: MatchIdPath) -> Response[str]:
    """A match's prices as they were seen before kickoff."""
    facts.note(match_id=match_id)
    return cacheable_response(PriceMovement.model_validate(released.price_movement(match_id, wiring.releases())))


@ROUTERS["track_record"].get(
    "/predict/track-record/", tags=["lists"], responses=documented(TrackRecord, 503, conditional=True)
)
def track_record() -> Response[str]:
    """How forecasts and bets by them have done."""
    return cacheable_response(TrackRecord.model_validate(released.track_record(wiring.releases())))
