from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.card_row import CardRow
from ...models.cards_sort import CardsSort
from ...models.cards_sort import check_cards_sort
from ...models.cards_status import CardsStatus
from ...models.cards_status import check_cards_status
from ...models.error_response import ErrorResponse
from ...models.stage import check_stage
from ...models.stage import Stage
from ...types import UNSET, Unset
from typing import cast
import datetime


def _get_kwargs(
    *,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    status: CardsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    min_region_roi: float | Unset = UNSET,
    value_only: bool | Unset = False,
    stage: Stage | Unset = UNSET,
    sort: CardsSort | Unset = "kickoff",
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_none_match, Unset):
        headers["If-None-Match"] = if_none_match

    if not isinstance(if_modified_since, Unset):
        headers["If-Modified-Since"] = if_modified_since

    params: dict[str, Any] = {}

    params["region"] = region

    params["league"] = league

    json_status: str | Unset = UNSET
    if not isinstance(status, Unset):
        json_status = status

    params["status"] = json_status

    json_from_: str | Unset = UNSET
    if not isinstance(from_, Unset):
        json_from_ = from_.isoformat()
    params["from"] = json_from_

    json_to: str | Unset = UNSET
    if not isinstance(to, Unset):
        json_to = to.isoformat()
    params["to"] = json_to

    params["team"] = team

    params["match_id"] = match_id

    params["match_ids"] = match_ids

    params["min_region_roi"] = min_region_roi

    params["value_only"] = value_only

    json_stage: str | Unset = UNSET
    if not isinstance(stage, Unset):
        json_stage = stage

    params["stage"] = json_stage

    json_sort: str | Unset = UNSET
    if not isinstance(sort, Unset):
        json_sort = sort

    params["sort"] = json_sort

    params["limit"] = limit

    params["cursor"] = cursor

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/predict/cards",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ErrorResponse | list[CardRow] | None:
    if response.status_code == 200:
        response_200 = []
        _response_200 = response.json()
        for response_200_item_data in _response_200:
            response_200_item = CardRow.from_dict(response_200_item_data)

            response_200.append(response_200_item)

        return response_200

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

    if response.status_code == 405:
        response_405 = ErrorResponse.from_dict(response.json())

        return response_405

    if response.status_code == 410:
        response_410 = ErrorResponse.from_dict(response.json())

        return response_410

    if response.status_code == 422:
        response_422 = ErrorResponse.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = ErrorResponse.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = ErrorResponse.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = ErrorResponse.from_dict(response.json())

        return response_503

    if response.status_code == 504:
        response_504 = ErrorResponse.from_dict(response.json())

        return response_504

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | ErrorResponse | list[CardRow]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    status: CardsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    min_region_roi: float | Unset = UNSET,
    value_only: bool | Unset = False,
    stage: Stage | Unset = UNSET,
    sort: CardsSort | Unset = "kickoff",
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> Response[Any | ErrorResponse | list[CardRow]]:
    """Predictions merged with odds

     What the match board shows: each prediction beside its odds, the market's probabilities without the
    margin, the edges, the value bet and, once it is known, the result. In order of kickoff.

    Args:
        region (str | Unset):
        league (str | Unset):
        status (CardsStatus | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        team (str | Unset):
        match_id (int | Unset):
        match_ids (str | Unset):
        min_region_roi (float | Unset):
        value_only (bool | Unset):  Default: False.
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        sort (CardsSort | Unset):  Default: 'kickoff'.
        limit (int | Unset):
        cursor (str | Unset):
        if_none_match (str | Unset):
        if_modified_since (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ErrorResponse | list[CardRow]]
    """

    kwargs = _get_kwargs(
        region=region,
        league=league,
        status=status,
        from_=from_,
        to=to,
        team=team,
        match_id=match_id,
        match_ids=match_ids,
        min_region_roi=min_region_roi,
        value_only=value_only,
        stage=stage,
        sort=sort,
        limit=limit,
        cursor=cursor,
        if_none_match=if_none_match,
        if_modified_since=if_modified_since,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    status: CardsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    min_region_roi: float | Unset = UNSET,
    value_only: bool | Unset = False,
    stage: Stage | Unset = UNSET,
    sort: CardsSort | Unset = "kickoff",
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> Any | ErrorResponse | list[CardRow] | None:
    """Predictions merged with odds

     What the match board shows: each prediction beside its odds, the market's probabilities without the
    margin, the edges, the value bet and, once it is known, the result. In order of kickoff.

    Args:
        region (str | Unset):
        league (str | Unset):
        status (CardsStatus | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        team (str | Unset):
        match_id (int | Unset):
        match_ids (str | Unset):
        min_region_roi (float | Unset):
        value_only (bool | Unset):  Default: False.
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        sort (CardsSort | Unset):  Default: 'kickoff'.
        limit (int | Unset):
        cursor (str | Unset):
        if_none_match (str | Unset):
        if_modified_since (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ErrorResponse | list[CardRow]
    """

    return sync_detailed(
        client=client,
        region=region,
        league=league,
        status=status,
        from_=from_,
        to=to,
        team=team,
        match_id=match_id,
        match_ids=match_ids,
        min_region_roi=min_region_roi,
        value_only=value_only,
        stage=stage,
        sort=sort,
        limit=limit,
        cursor=cursor,
        if_none_match=if_none_match,
        if_modified_since=if_modified_since,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    status: CardsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    min_region_roi: float | Unset = UNSET,
    value_only: bool | Unset = False,
    stage: Stage | Unset = UNSET,
    sort: CardsSort | Unset = "kickoff",
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> Response[Any | ErrorResponse | list[CardRow]]:
    """Predictions merged with odds

     What the match board shows: each prediction beside its odds, the market's probabilities without the
    margin, the edges, the value bet and, once it is known, the result. In order of kickoff.

    Args:
        region (str | Unset):
        league (str | Unset):
        status (CardsStatus | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        team (str | Unset):
        match_id (int | Unset):
        match_ids (str | Unset):
        min_region_roi (float | Unset):
        value_only (bool | Unset):  Default: False.
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        sort (CardsSort | Unset):  Default: 'kickoff'.
        limit (int | Unset):
        cursor (str | Unset):
        if_none_match (str | Unset):
        if_modified_since (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ErrorResponse | list[CardRow]]
    """

    kwargs = _get_kwargs(
        region=region,
        league=league,
        status=status,
        from_=from_,
        to=to,
        team=team,
        match_id=match_id,
        match_ids=match_ids,
        min_region_roi=min_region_roi,
        value_only=value_only,
        stage=stage,
        sort=sort,
        limit=limit,
        cursor=cursor,
        if_none_match=if_none_match,
        if_modified_since=if_modified_since,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    status: CardsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    min_region_roi: float | Unset = UNSET,
    value_only: bool | Unset = False,
    stage: Stage | Unset = UNSET,
    sort: CardsSort | Unset = "kickoff",
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> Any | ErrorResponse | list[CardRow] | None:
    """Predictions merged with odds

     What the match board shows: each prediction beside its odds, the market's probabilities without the
    margin, the edges, the value bet and, once it is known, the result. In order of kickoff.

    Args:
        region (str | Unset):
        league (str | Unset):
        status (CardsStatus | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        team (str | Unset):
        match_id (int | Unset):
        match_ids (str | Unset):
        min_region_roi (float | Unset):
        value_only (bool | Unset):  Default: False.
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        sort (CardsSort | Unset):  Default: 'kickoff'.
        limit (int | Unset):
        cursor (str | Unset):
        if_none_match (str | Unset):
        if_modified_since (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ErrorResponse | list[CardRow]
    """

    return (
        await asyncio_detailed(
            client=client,
            region=region,
            league=league,
            status=status,
            from_=from_,
            to=to,
            team=team,
            match_id=match_id,
            match_ids=match_ids,
            min_region_roi=min_region_roi,
            value_only=value_only,
            stage=stage,
            sort=sort,
            limit=limit,
            cursor=cursor,
            if_none_match=if_none_match,
            if_modified_since=if_modified_since,
        )
    ).parsed
