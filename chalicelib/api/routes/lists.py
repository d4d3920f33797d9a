"""The lists of the current data release."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from pydantic import BaseModel
from pydantic_core import to_json

from chalicelib import wiring
from chalicelib.api.negotiation import CSV, prefers_csv
from chalicelib.api.rendering import JSON, cacheable_response, documented, is_too_large, list_response, rows_body
from chalicelib.api.request import source_address
from chalicelib.api.response import will_compress
from chalicelib.api.routes.list_parameters import ListRequest, taking
from chalicelib.api.routes.parameters import MatchIdPath, StageQuery
from chalicelib.contracts.lists import CardRow, MatchRow, OddsRow, PredictionRow, RegionRoiRow, RegionRow
from chalicelib.domain import Stage
from chalicelib.releases import lists as catalogue
from chalicelib.releases.query import ANONYMOUS_LIMIT, DEFAULT_LIMIT, MAX_LIMIT, Page, Query
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
@taking("region", "league", "status", "begin", "end", "team", "match_ids", "stage", "sort", "limit", "cursor")
def predictions(request: ListRequest) -> Response[str]:
    """All precomputed predictions."""

    def page(query: Query) -> Page:
        return catalogue.predictions(query, request.stage, wiring.releases(), wiring.now())

    return _listed("predictions", PredictionRow, request, page)


@ROUTERS["matches"].get("/predict/matches/", tags=["lists"], responses=documented(list[MatchRow], 410, 422, 503))
@taking("region", "league", "begin", "end", "team", "match_ids", "sort", "limit", "cursor")
def matches(request: ListRequest) -> Response[str]:
    """Upcoming matches available for prediction."""
    return _listed(
        "matches", MatchRow, request, lambda query: catalogue.matches(query, wiring.releases(), wiring.now())
    )


@ROUTERS["odds"].get("/predict/odds/", tags=["lists"], responses=documented(list[OddsRow], 410, 422, 503))
@taking("region", "league", "status", "begin", "end", "team", "match_id", "match_ids", "limit", "cursor")
def odds(request: ListRequest) -> Response[str]:
    """1X2 odds of the matches that have a market, in order of match id."""
    return _listed("odds", OddsRow, request, lambda query: catalogue.odds_rows(query, wiring.releases(), wiring.now()))


@ROUTERS["cards"].get("/predict/cards/", tags=["lists"], responses=documented(list[CardRow], 410, 422, 503))
@taking(
    *("region", "league", "status", "begin", "end", "team", "match_id", "match_ids"),
    *("min_region_roi", "value_only", "stage", "card_sort", "limit", "cursor"),
)
def cards(request: ListRequest) -> Response[str]:
    """Predictions merged with odds, edges and value bets: what the match board shows."""

    def page(query: Query) -> Page:
        return catalogue.cards(query, request.stage, wiring.releases(), wiring.now())

    return _listed("cards", CardRow, request, page)


@ROUTERS["region_roi"].get(
    "/predict/region-roi/", tags=["lists"], responses=documented(list[RegionRoiRow], 410, 422, 503)
)
@taking("region", "min_region_roi", "limit", "cursor")
def region_roi(request: ListRequest) -> Response[str]:
    """Flat-stake ROI of value bets per region."""
    return _listed("region_roi", RegionRoiRow, request, lambda query: catalogue.region_roi(query, wiring.releases()))


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


def _listed(
    function: str, row: type[BaseModel], request: ListRequest, page_of: Callable[[Query], Page]
) -> Response[str]:
    """The answer of a list: as many of the rows that were asked for as one answer carries, in the form asked for."""
    event = ROUTERS[function].current_event
    as_csv = prefers_csv(event.headers.get("accept") or "")
    address = source_address(event.raw_event, behind_cdn=wiring.settings().cdn)
    is_known = wiring.is_known_caller(event.headers.get("x-api-key"), address)
    most = MAX_LIMIT if is_known else ANONYMOUS_LIMIT
    asked = request.limit or (most if as_csv else DEFAULT_LIMIT)
    query = replace(request.query, limit=min(asked, most))
    compressed = will_compress(event.headers)
    form = f"{'csv' if as_csv else 'json'}{'' if compressed else ' plain'}"
    variant = f"{function} {form} {event.query_string_parameters} {query}"
    with _noted_reads():
        page = page_of(query)
    body = rows_body(row, page, as_csv=as_csv)
    while is_too_large(body, compressed=compressed) and len(page.rows) > 1:
        # A page may have fewer rows than asked for, as long as the cursor goes on behind its last.
        query = replace(query, limit=len(page.rows) // 2)
        page = page_of(query)
        body = rows_body(row, page, as_csv=as_csv)
    while as_csv and request.limit is None and most == MAX_LIMIT and page.next_cursor is not None:
        # All of it, as far as one answer carries; the cursor goes on from there.
        following = page_of(replace(query, cursor=page.next_cursor))
        longer = body + rows_body(row, following, as_csv=True, header=False)
        if is_too_large(longer, compressed=compressed):
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
