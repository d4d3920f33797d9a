"""The projected tables of the current data release."""

from collections import defaultdict
from datetime import datetime
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import wiring
from chalicelib.api.rendering import documented, list_response, rows_json
from chalicelib.api.routes.parameters import LeagueQuery, RegionQuery, TeamQuery
from chalicelib.contracts import ProjectionRow
from chalicelib.releases import projections as released
from chalicelib.releases.query import Page

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)


@ROUTERS["projections"].get(
    "/predict/projections/", tags=["lists"], responses=documented(list[ProjectionRow], 422, 503)
)
def projections(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    team: TeamQuery = None,
) -> Response[str]:
    """Projected final tables of the seasons being played."""
    found = released.projections(wiring.releases(), region=region, league=league, team=team)
    page = Page(found.rows, None, found.version, datetime.fromisoformat(found.computed_at))
    return list_response(page, rows_json(page), f"projections {region} {league} {team}")
