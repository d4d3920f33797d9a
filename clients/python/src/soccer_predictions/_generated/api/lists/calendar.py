from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.error_response import ErrorResponse
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    *,
    match_id: int | Unset = UNSET,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    team: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_none_match, Unset):
        headers["If-None-Match"] = if_none_match

    params: dict[str, Any] = {}

    params["match_id"] = match_id

    params["region"] = region

    params["league"] = league

    params["team"] = team

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/predict/calendar",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ErrorResponse | str | None:
    if response.status_code == 200:
        response_200 = response.text
        return response_200

    if response.status_code == 304:
        response_304 = cast(Any, None)
        return response_304

    if response.status_code == 404:
        response_404 = ErrorResponse.from_dict(response.json())

        return response_404

    if response.status_code == 405:
        response_405 = ErrorResponse.from_dict(response.json())

        return response_405

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
) -> Response[Any | ErrorResponse | str]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    match_id: int | Unset = UNSET,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    team: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | ErrorResponse | str]:
    """Matches as a calendar

     An iCalendar object to subscribe to: the upcoming matches of a team, a league or a region, or one
    match (`match_id`), each with the champion's forecast. At most 2,000 events.

    Args:
        match_id (int | Unset):
        region (str | Unset):
        league (str | Unset):
        team (str | Unset):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ErrorResponse | str]
    """

    kwargs = _get_kwargs(
        match_id=match_id,
        region=region,
        league=league,
        team=team,
        if_none_match=if_none_match,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    match_id: int | Unset = UNSET,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    team: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | ErrorResponse | str | None:
    """Matches as a calendar

     An iCalendar object to subscribe to: the upcoming matches of a team, a league or a region, or one
    match (`match_id`), each with the champion's forecast. At most 2,000 events.

    Args:
        match_id (int | Unset):
        region (str | Unset):
        league (str | Unset):
        team (str | Unset):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ErrorResponse | str
    """

    return sync_detailed(
        client=client,
        match_id=match_id,
        region=region,
        league=league,
        team=team,
        if_none_match=if_none_match,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    match_id: int | Unset = UNSET,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    team: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Response[Any | ErrorResponse | str]:
    """Matches as a calendar

     An iCalendar object to subscribe to: the upcoming matches of a team, a league or a region, or one
    match (`match_id`), each with the champion's forecast. At most 2,000 events.

    Args:
        match_id (int | Unset):
        region (str | Unset):
        league (str | Unset):
        team (str | Unset):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ErrorResponse | str]
    """

    kwargs = _get_kwargs(
        match_id=match_id,
        region=region,
        league=league,
        team=team,
        if_none_match=if_none_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    match_id: int | Unset = UNSET,
    region: str | Unset = UNSET,
    league: str | Unset = UNSET,
    team: str | Unset = UNSET,
    if_none_match: str | Unset = UNSET,
) -> Any | ErrorResponse | str | None:
    """Matches as a calendar

     An iCalendar object to subscribe to: the upcoming matches of a team, a league or a region, or one
    match (`match_id`), each with the champion's forecast. At most 2,000 events.

    Args:
        match_id (int | Unset):
        region (str | Unset):
        league (str | Unset):
        team (str | Unset):
        if_none_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ErrorResponse | str
    """

    return (
        await asyncio_detailed(
            client=client,
            match_id=match_id,
            region=region,
            league=league,
            team=team,
            if_none_match=if_none_match,
        )
    ).parsed
