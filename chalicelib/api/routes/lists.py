"""The lists of the current data release."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import BaseModel
from pydantic_core import to_json

from chalicelib import wiring
from chalicelib.api.negotiation import CSV, prefers_csv, rows_csv
from chalicelib.api.rendering import JSON, cacheable_response, documented, is_too_large, list_response, rows_json
from chalicelib.api.routes.parameters import (
    CardSortQuery,
    CursorQuery,
    FromQuery,
    LeagueQuery,
    LimitQuery,
    MatchIdPath,
    MatchIdQuery,
    MatchIdsQuery,
    MinRoiQuery,
    RegionQuery,
    SortQuery,
    StageQuery,
    StatusQuery,
    TeamQuery,
    ToQuery,
    ValueOnlyQuery,
)
from chalicelib.contracts.lists import CardRow, MatchRow, OddsRow, PredictionRow, RegionRoiRow, RegionRow
from chalicelib.domain import Stage
from chalicelib.releases import lists as catalogue
from chalicelib.releases.query import ANONYMOUS_LIMIT, DEFAULT_LIMIT, MAX_LIMIT, Page, Query, Sort
from chalicelib.releases.regions import regions as regions_of
from chalicelib.telemetry.log import facts
from chalicelib.timestamps import parse_utc

ROUTERS: Final[defaultdict[str, Router]] = defaultdict(Router)


@ROUTERS["precomputed"].get(
    "/predict/precomputed/<match_id>/",
    tags=["lists"],
    responses=documented(PredictionRow, 404, 422, 503, conditional=True),
)
def precomputed(match_id: MatchIdPath, stage: StageQuery = Stage.CHAMPION) -> Response[str]:
    """A match's precomputed prediction; no model is called."""
    facts.note(match_id=match_id, stage=stage.value)
    with _noted_reads():
        row = catalogue.prediction(match_id, stage, wiring.releases())
    return cacheable_response(PredictionRow.model_validate(row))


@ROUTERS["predictions"].get(
    "/predict/predictions/", tags=["lists"], responses=documented(list[PredictionRow], 410, 422, 503)
)
def predictions(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    status: StatusQuery = None,
    begin: FromQuery = None,
    end: ToQuery = None,
    team: TeamQuery = None,
    match_ids: MatchIdsQuery = None,
    stage: StageQuery = Stage.CHAMPION,
    sort: SortQuery = "kickoff",
    limit: LimitQuery = None,
    cursor: CursorQuery = None,
) -> Response[str]:
    """All precomputed predictions, in order of kickoff."""
    query = _query(match_ids, sort, region=region, league=league, status=status, team=team, cursor=cursor)
    query = _between(query, begin, end)
    return _listed(
        "predictions", lambda query: catalogue.predictions(query, stage, wiring.releases(), wiring.now()), query, limit
    )


@ROUTERS["matches"].get("/predict/matches/", tags=["lists"], responses=documented(list[MatchRow], 410, 422, 503))
def matches(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    begin: FromQuery = None,
    end: ToQuery = None,
    team: TeamQuery = None,
    match_ids: MatchIdsQuery = None,
    sort: SortQuery = "kickoff",
    limit: LimitQuery = None,
    cursor: CursorQuery = None,
) -> Response[str]:
    """Upcoming matches available for prediction, in order of kickoff."""
    query = _between(_query(match_ids, sort, region=region, league=league, team=team, cursor=cursor), begin, end)
    return _listed("matches", lambda query: catalogue.matches(query, wiring.releases(), wiring.now()), query, limit)


@ROUTERS["odds"].get("/predict/odds/", tags=["lists"], responses=documented(list[OddsRow], 410, 422, 503))
def odds(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    status: StatusQuery = None,
    begin: FromQuery = None,
    end: ToQuery = None,
    team: TeamQuery = None,
    match_id: MatchIdQuery = None,
    match_ids: MatchIdsQuery = None,
    limit: LimitQuery = None,
    cursor: CursorQuery = None,
) -> Response[str]:
    """1X2 odds of the matches that have a market, in order of match id."""
    query = _query(match_ids, "kickoff", region=region, league=league, status=status, team=team, cursor=cursor)
    query = _only(_between(query, begin, end), match_id)
    return _listed("odds", lambda query: catalogue.odds_rows(query, wiring.releases(), wiring.now()), query, limit)


@ROUTERS["cards"].get("/predict/cards/", tags=["lists"], responses=documented(list[CardRow], 410, 422, 503))
def cards(
    region: RegionQuery = None,
    league: LeagueQuery = None,
    status: StatusQuery = None,
    begin: FromQuery = None,
    end: ToQuery = None,
    team: TeamQuery = None,
    match_id: MatchIdQuery = None,
    match_ids: MatchIdsQuery = None,
    min_region_roi: MinRoiQuery = None,
    value_only: ValueOnlyQuery = False,  # noqa: FBT002 - a query parameter
    stage: StageQuery = Stage.CHAMPION,
    sort: CardSortQuery = "kickoff",
    limit: LimitQuery = None,
    cursor: CursorQuery = None,
) -> Response[str]:
    """Predictions merged with odds, edges and value bets: what the match board shows."""
    query = _query(match_ids, sort, region=region, league=league, status=status, team=team, cursor=cursor)
    query = _only(_between(query, begin, end), match_id)
    query = replace(query, min_region_roi=min_region_roi, value_only=value_only)
    return _listed("cards", lambda query: catalogue.cards(query, stage, wiring.releases(), wiring.now()), query, limit)


@ROUTERS["region_roi"].get(
    "/predict/region-roi/", tags=["lists"], responses=documented(list[RegionRoiRow], 410, 422, 503)
)
def region_roi(
    region: RegionQuery = None,
    min_region_roi: MinRoiQuery = None,
    limit: LimitQuery = None,
    cursor: CursorQuery = None,
) -> Response[str]:
    """Flat-stake ROI of value bets per region."""
    query = Query(region=region, min_region_roi=min_region_roi, cursor=cursor)
    return _listed("region_roi", lambda query: catalogue.region_roi(query, wiring.releases()), query, limit)


@ROUTERS["regions"].get("/predict/regions/", tags=["lists"], responses=documented(list[RegionRow], 503, csv=False))
def regions() -> Response[str]:
    """Regions, leagues and seasons of the current data release."""
    rows, pointer = regions_of(wiring.releases())
    headers = {
        "ETag": f'W/"{pointer.version}-regions"',
        "Last-Modified": format_datetime(parse_utc(pointer.published_at), usegmt=True),
        "Cache-Control": "no-cache",
    }
    return Response(int(HTTPStatus.OK), JSON, to_json(rows).decode(), headers=dict(headers))


def _query(match_ids: str | None, sort: str, **filters: str | None) -> Query:
    ids = None if match_ids is None else tuple(sorted({int(text) for text in match_ids.split(",")}))
    return Query(match_ids=ids, sort=Sort(sort), **filters)  # type: ignore[arg-type]


def _between(query: Query, begin: datetime | None, end: datetime | None) -> Query:
    return replace(query, begin=_utc(begin), end=_utc(end))


def _utc(time: datetime | None) -> datetime | None:
    """One spelling of an instant, so that cursors and ETags see the same filter in every time zone."""
    if time is None:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _only(query: Query, match_id: int | None) -> Query:
    if match_id is None:
        return query
    is_excluded = query.match_ids is not None and match_id not in query.match_ids
    return replace(query, match_ids=() if is_excluded else (match_id,))


def _listed(function: str, make: Callable[[Query], Page], query: Query, limit: int | None) -> Response[str]:
    headers = ROUTERS[function].current_event.headers
    as_csv = prefers_csv(headers.get("accept") or "")
    most = MAX_LIMIT if wiring.is_known_caller(headers.get("x-api-key")) else ANONYMOUS_LIMIT
    asked = limit or (most if as_csv else DEFAULT_LIMIT)
    query = replace(query, limit=min(asked, most))
    variant = (
        f"{function} {'csv' if as_csv else 'json'} {ROUTERS[function].current_event.query_string_parameters} {query}"
    )
    with _noted_reads():
        page = make(query)
    body = _body(function, page, as_csv=as_csv)
    while is_too_large(body) and len(page.rows) > 1:
        # A page may have fewer rows than asked for, as long as the cursor goes on behind its last.
        query = replace(query, limit=len(page.rows) // 2)
        page = make(query)
        body = _body(function, page, as_csv=as_csv)
    while as_csv and limit is None and most == MAX_LIMIT and page.next_cursor is not None:
        # All of it, as far as one answer carries; the cursor goes on from there.
        following = make(replace(query, cursor=page.next_cursor))
        longer = body + _body(function, following, as_csv=True, header=False)
        if is_too_large(longer):
            break
        page, body = following, longer
    return list_response(page, body, variant, CSV if as_csv else JSON)


@contextmanager
def _noted_reads() -> Iterator[None]:
    """Note how many reads of the bucket a page took: of a large release, at most a handful, and none when warm."""
    releases = wiring.releases()
    before = releases.range_reads
    yield
    facts.note(range_reads=releases.range_reads - before)


_ROW_OF: Final[Mapping[str, type[BaseModel]]] = {
    "predictions": PredictionRow,
    "matches": MatchRow,
    "odds": OddsRow,
    "cards": CardRow,
    "region_roi": RegionRoiRow,
}


def _body(function: str, page: Page, *, as_csv: bool, header: bool = True) -> str:
    return rows_csv(list(_ROW_OF[function].model_fields), page.rows, header=header) if as_csv else rows_json(page)
