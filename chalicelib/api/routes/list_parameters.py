"""The query parameters of lists, each declared once; a list names those that it takes."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response

from chalicelib.api.routes.parameters import (
    CardSortQuery,
    CursorQuery,
    FromQuery,
    LeagueQuery,
    LimitQuery,
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
from chalicelib.domain import Stage
from chalicelib.releases.query import Query, Sort


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a list is asked for.

    Args:
        query: Filters, order and cursor.
        stage: Whose predictions.
        limit: Rows in the page; None: as many as the form of the answer has by default.
    """

    query: Query
    stage: Stage
    limit: int | None


Route = Callable[..., Response[str]]


def _parameter(name: str, kind: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


PARAMETERS: Final[Mapping[str, inspect.Parameter]] = {
    "region": _parameter("region", RegionQuery),
    "league": _parameter("league", LeagueQuery),
    "status": _parameter("status", StatusQuery),
    "begin": _parameter("begin", FromQuery),
    "end": _parameter("end", ToQuery),
    "team": _parameter("team", TeamQuery),
    "match_id": _parameter("match_id", MatchIdQuery),
    "match_ids": _parameter("match_ids", MatchIdsQuery),
    "min_region_roi": _parameter("min_region_roi", MinRoiQuery),
    "value_only": _parameter("value_only", ValueOnlyQuery, default=False),
    "stage": _parameter("stage", StageQuery, Stage.CHAMPION),
    "sort": _parameter("sort", SortQuery, Sort.KICKOFF.value),
    "card_sort": _parameter("sort", CardSortQuery, Sort.KICKOFF.value),
    "limit": _parameter("limit", LimitQuery),
    "cursor": _parameter("cursor", CursorQuery),
}


def taking(*names: str) -> Callable[[Callable[[ListRequest], Response[str]]], Route]:
    """Declare the parameters of a list, by their names in `PARAMETERS`; the list gets them as one request.

    Powertools reads them from the function's signature, for validation and for the OpenAPI document.
    """

    def declared(function: Callable[[ListRequest], Response[str]]) -> Route:
        @wraps(function)
        def route(**given: Any) -> Response[str]:
            return function(_request(**given))

        parameters = [PARAMETERS[name] for name in names]
        route.__signature__ = inspect.Signature(parameters, return_annotation=Response[str])  # type: ignore[attr-defined]
        return route

    return declared


def _request(
    *,
    stage: Stage = Stage.CHAMPION,
    limit: int | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    match_id: int | None = None,
    match_ids: str | None = None,
    sort: str = Sort.KICKOFF,
    **filters: Any,
) -> ListRequest:
    query = Query(begin=_utc(begin), end=_utc(end), match_ids=_ids(match_id, match_ids), sort=Sort(sort), **filters)
    return ListRequest(query, stage, limit)


def _utc(time: datetime | None) -> datetime | None:
    """One spelling of an instant, so that cursors and ETags see the same filter in every time zone."""
    if time is None:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _ids(match_id: int | None, match_ids: str | None) -> tuple[int, ...] | None:
    """The ids that both parameters admit, in order; None where neither is given."""
    listed = None if match_ids is None else {int(text) for text in match_ids.split(",")}
    if match_id is not None:
        listed = {match_id} if listed is None else listed & {match_id}
    return None if listed is None else tuple(sorted(listed))
