from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.error_response import ErrorResponse
from ...models.odds_row import OddsRow
from ...models.odds_status import check_odds_status
from ...models.odds_status import OddsStatus
from ...types import UNSET, Unset
from typing import cast
import datetime


def _get_kwargs(
    *,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    status: OddsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
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

    params["limit"] = limit

    params["cursor"] = cursor

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/predict/odds",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ErrorResponse | list[OddsRow] | None:
    if response.status_code == 200:
        response_200 = []
        _response_200 = response.json()
        for response_200_item_data in _response_200:
            response_200_item = OddsRow.from_dict(response_200_item_data)

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
) -> Response[Any | ErrorResponse | list[OddsRow]]:
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
    status: OddsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> Response[Any | ErrorResponse | list[OddsRow]]:
    """1X2 odds

     The latest odds of the matches that have a market, in order of match id.

    Args:
        region (str | Unset):
        league (str | Unset):
        status (OddsStatus | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        team (str | Unset):
        match_id (int | Unset):
        match_ids (str | Unset):
        limit (int | Unset):
        cursor (str | Unset):
        if_none_match (str | Unset):
        if_modified_since (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ErrorResponse | list[OddsRow]]
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
    status: OddsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> Any | ErrorResponse | list[OddsRow] | None:
    """1X2 odds

     The latest odds of the matches that have a market, in order of match id.

    Args:
        region (str | Unset):
        league (str | Unset):
        status (OddsStatus | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        team (str | Unset):
        match_id (int | Unset):
        match_ids (str | Unset):
        limit (int | Unset):
        cursor (str | Unset):
        if_none_match (str | Unset):
        if_modified_since (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ErrorResponse | list[OddsRow]
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
    status: OddsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> Response[Any | ErrorResponse | list[OddsRow]]:
    """1X2 odds

     The latest odds of the matches that have a market, in order of match id.

    Args:
        region (str | Unset):
        league (str | Unset):
        status (OddsStatus | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        team (str | Unset):
        match_id (int | Unset):
        match_ids (str | Unset):
        limit (int | Unset):
        cursor (str | Unset):
        if_none_match (str | Unset):
        if_modified_since (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ErrorResponse | list[OddsRow]]
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
    status: OddsStatus | Unset = UNSET,
    from_: datetime.datetime | Unset = UNSET,
    to: datetime.datetime | Unset = UNSET,
    team: str | Unset = UNSET,
    match_id: int | Unset = UNSET,
    match_ids: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    cursor: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
    if_modified_since: str | Unset = UNSET,
) -> Any | ErrorResponse | list[OddsRow] | None:
    """1X2 odds

     The latest odds of the matches that have a market, in order of match id.

    Args:
        region (str | Unset):
        league (str | Unset):
        status (OddsStatus | Unset):
        from_ (datetime.datetime | Unset):
        to (datetime.datetime | Unset):
        team (str | Unset):
        match_id (int | Unset):
        match_ids (str | Unset):
        limit (int | Unset):
        cursor (str | Unset):
        if_none_match (str | Unset):
        if_modified_since (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ErrorResponse | list[OddsRow]
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
            limit=limit,
            cursor=cursor,
            if_none_match=if_none_match,
            if_modified_since=if_modified_since,
        )
    ).parsed
