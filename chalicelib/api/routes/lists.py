"""The lists of the current data release."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib import wiring
from chalicelib.api.rendering import cacheable_response, documented, is_too_large, list_response, rows_json
from chalicelib.api.routes.parameters import (
    CursorQuery,
    FromQuery,
    LeagueQuery,
    LimitQuery,
    MatchIdPath,
    MinRoiQuery,
    RegionQuery,
    StageQuery,
    StatusQuery,
    TeamQuery,
    ToQuery,
    ValueOnlyQuery,
)
from chalicelib.contracts import CardRow, MatchRow, OddsRow, PredictionRow, RegionRoiRow
from chalicelib.domain import Stage
from chalicelib.releases import lists as catalogue
from chalicelib.releases.query import DEFAULT_LIMIT, Page, Query
from chalicelib.telemetry.log import facts

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)


@ROUTERS["precomputed"].get(
    "/predict/precomputed/<match_id>/",
    tags=["lists"],
    responses=documented(PredictionRow, 404, 422, 503, conditional=True),
)
def precomputed(match_id: MatchIdPath, stage: StageQuery = Stage.CHAMPION) -> Response[str]:
    """A match's precomputed prediction; no model is called."""
    facts.note(match_id=match_id, stage=stage.value)
    row = catalogue.prediction(match_id, stage, wiring.releases())
    return cacheable_response(PredictionRow.model_validate(row))


@ROUTERS["predictions"].get(
    "/predict/predictions/", tags=["lists"], responses=documented(list[PredictionRow], 422, 503)
)
def predictions(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    status: StatusQuery = None,
    begin: FromQuery = None,
    end: ToQuery = None,
    team: TeamQuery = None,
    stage: StageQuery = Stage.CHAMPION,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> Response[str]:
    """All precomputed predictions, in order of kickoff."""
    query = _query(
        region=region, league=league, status=status, begin=begin, end=end, team=team, limit=limit, cursor=cursor
    )
    return _listed(
        lambda query: catalogue.predictions(query, stage, wiring.releases(), wiring.now()),
        query,
        f"predictions {stage}",
    )


@ROUTERS["matches"].get("/predict/matches/", tags=["lists"], responses=documented(list[MatchRow], 422, 503))
def matches(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    begin: FromQuery = None,
    end: ToQuery = None,
    team: TeamQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> Response[str]:
    """Upcoming matches available for prediction, in order of kickoff."""
    query = _query(region=region, league=league, begin=begin, end=end, team=team, limit=limit, cursor=cursor)
    return _listed(lambda query: catalogue.matches(query, wiring.releases(), wiring.now()), query, "matches")


@ROUTERS["odds"].get("/predict/odds/", tags=["lists"], responses=documented(list[OddsRow], 422, 503))
def odds(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    status: StatusQuery = None,
    begin: FromQuery = None,
    end: ToQuery = None,
    team: TeamQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> Response[str]:
    """1X2 odds of the matches that have a market, in order of match id."""
    query = _query(
        region=region, league=league, status=status, begin=begin, end=end, team=team, limit=limit, cursor=cursor
    )
    return _listed(
        lambda query: catalogue.odds_rows(query, wiring.releases(), wiring.now()),
        query,
        "odds",
    )


@ROUTERS["cards"].get("/predict/cards/", tags=["lists"], responses=documented(list[CardRow], 422, 503))
def cards(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    status: StatusQuery = None,
    begin: FromQuery = None,
    end: ToQuery = None,
    team: TeamQuery = None,
    min_region_roi: MinRoiQuery = None,
    value_only: ValueOnlyQuery = False,  # noqa: FBT002 - a query parameter
    stage: StageQuery = Stage.CHAMPION,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> Response[str]:
    """Predictions merged with odds, edges and value bets: what the match board shows."""
    query = _query(
        region=region,
        league=league,
        status=status,
        begin=begin,
        end=end,
        team=team,
        min_region_roi=min_region_roi,
        value_only=value_only,
        limit=limit,
        cursor=cursor,
    )
    return _listed(
        lambda query: catalogue.cards(query, stage, wiring.releases(), wiring.now()),
        query,
        f"cards {stage}",
    )


@ROUTERS["region_roi"].get("/predict/region-roi/", tags=["lists"], responses=documented(list[RegionRoiRow], 422, 503))
def region_roi(
    region: RegionQuery = None,
    min_region_roi: MinRoiQuery = None,
    limit: LimitQuery = DEFAULT_LIMIT,
    cursor: CursorQuery = None,
) -> Response[str]:
    """Flat-stake ROI of value bets per region."""
    query = _query(region=region, min_region_roi=min_region_roi, limit=limit, cursor=cursor)
    return _listed(lambda query: catalogue.region_roi(query, wiring.releases()), query, "region-roi")


def _query(**filters: object) -> Query:
    for name in ("begin", "end"):
        value = filters.get(name)
        if isinstance(value, datetime) and value.tzinfo is None:
            filters[name] = value.replace(tzinfo=UTC)
    return Query(**filters)  # type: ignore[arg-type]


def _listed(make: Callable[[Query], Page], query: Query, name: str) -> Response[str]:
    page = make(query)
    variant = f"{name} {query}"
    body = rows_json(page)
    while is_too_large(body) and len(page.rows) > 1:
        # A page may have fewer rows than asked for, as long as the cursor goes on behind its last.
        query = replace(query, limit=len(page.rows) // 2)
        page = make(query)
        body = rows_json(page)
    return list_response(page, body, variant)
