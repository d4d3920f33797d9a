"""What a follower of clubs and leagues asks for: projected tables, clubs, calendars."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import wiring
from chalicelib.api.conditional import content_etag
from chalicelib.api.negotiation import CSV, prefers_csv
from chalicelib.api.rendering import JSON, documented, list_response, rows_body
from chalicelib.api.routes.parameters import LeagueQuery, OnlyMatchQuery, RegionQuery, TeamQuery
from chalicelib.contracts.lists import ClubRow, ProjectionRow
from chalicelib.domain import Stage
from chalicelib.errors import PredictionNotFound
from chalicelib.releases import clubs as known_clubs
from chalicelib.releases import lists
from chalicelib.releases import projections as released
from chalicelib.releases.calendar import calendar as ics
from chalicelib.releases.query import MAX_LIMIT, Page, Query
from chalicelib.timestamps import parse_utc

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)

CALENDAR: Final = "text/calendar; charset=utf-8"
MAX_EVENTS: Final = 2_000
"""A calendar is fetched whole; calendar programs choke on more."""


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
    as_csv = prefers_csv(ROUTERS["projections"].current_event.headers.get("accept") or "")
    variant = f"projections {'csv' if as_csv else 'json'} {region} {league} {team}"
    return list_response(page, rows_body(ProjectionRow, page, as_csv=as_csv), variant, CSV if as_csv else JSON)


@ROUTERS["clubs"].get("/predict/clubs/", tags=["lists"], responses=documented(list[ClubRow], 422, 503, csv=False))
def clubs(region: RegionQuery = None) -> Response[str]:
    """Clubs and the other spellings of their names."""
    releases = wiring.releases()
    rows, version = known_clubs.clubs(releases, region)
    page = Page(rows, None, version, parse_utc(releases.pointer().published_at))
    return list_response(page, rows_body(ClubRow, page, as_csv=False), f"clubs {region}")


def _calendar_responses() -> dict[int, Any]:
    responses = documented(ProjectionRow, 404, 422, 503, conditional=True)
    content = {"text/calendar": {"schema": {"type": "string"}}}
    return responses | {200: {"description": "An iCalendar object.", "content": content}}


@ROUTERS["calendar"].get("/predict/calendar/", tags=["lists"], responses=_calendar_responses())
def calendar(
    match_id: OnlyMatchQuery = None,
    region: RegionQuery = None,
    league: LeagueQuery = None,
    team: TeamQuery = None,
) -> Response[str]:
    """Matches as a calendar to subscribe to."""
    releases, now = wiring.releases(), wiring.now()
    query = Query(
        region=region,
        league=league,
        team=team,
        match_ids=None if match_id is None else (match_id,),
        limit=min(MAX_EVENTS, MAX_LIMIT),
    )
    if match_id is None:
        query = replace(query, status="upcoming")
    page = lists.predictions(query, Stage.CHAMPION, releases, now)
    if match_id is not None and not page.rows:
        raise PredictionNotFound(match_id)
    name = " ".join(text for text in (team, league, region) if text) or "Matches"
    # DTSTAMP is the release's time, not now: the same release gives the same file.
    body = ics(name, page.rows, page.last_modified)
    headers = {
        "ETag": content_etag(body),
        "Last-Modified": format_datetime(page.last_modified, usegmt=True),
        "Cache-Control": "no-cache",
        "Content-Disposition": 'inline; filename="matches.ics"',
    }
    return Response(int(HTTPStatus.OK), CALENDAR, body, headers=headers)
