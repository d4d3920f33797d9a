from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.error_response import ErrorResponse
from ...models.stage import check_stage
from ...models.stage import Stage
from ...models.what_if_request import WhatIfRequest
from ...models.what_if_response import WhatIfResponse
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    match_id: int,
    *,
    body: WhatIfRequest,
    stage: Stage | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    json_stage: str | Unset = UNSET
    if not isinstance(stage, Unset):
        json_stage = stage

    params["stage"] = json_stage

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/predict/what-if/{match_id}".format(
            match_id=quote(str(match_id), safe=""),
        ),
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | WhatIfResponse | None:
    if response.status_code == 200:
        response_200 = WhatIfResponse.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = ErrorResponse.from_dict(response.json())

        return response_401

    if response.status_code == 404:
        response_404 = ErrorResponse.from_dict(response.json())

        return response_404

    if response.status_code == 405:
        response_405 = ErrorResponse.from_dict(response.json())

        return response_405

    if response.status_code == 413:
        response_413 = ErrorResponse.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = ErrorResponse.from_dict(response.json())

        return response_415

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
) -> Response[ErrorResponse | WhatIfResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    match_id: int,
    *,
    client: AuthenticatedClient,
    body: WhatIfRequest,
    stage: Stage | Unset = UNSET,
) -> Response[ErrorResponse | WhatIfResponse]:
    """Predict a match with changed features

     Predicts a match of the current data release with some of its features changed. What is derived from
    them follows unless it is changed, too: `diff_elo` and the expected shares of the points follow the
    ratings. The answer names what followed and holds every feature as it was used.

    Args:
        match_id (int):
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        body (WhatIfRequest): Features of a match to be changed; the rest stay what they are in
            the current data release.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | WhatIfResponse]
    """

    kwargs = _get_kwargs(
        match_id=match_id,
        body=body,
        stage=stage,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    match_id: int,
    *,
    client: AuthenticatedClient,
    body: WhatIfRequest,
    stage: Stage | Unset = UNSET,
) -> ErrorResponse | WhatIfResponse | None:
    """Predict a match with changed features

     Predicts a match of the current data release with some of its features changed. What is derived from
    them follows unless it is changed, too: `diff_elo` and the expected shares of the points follow the
    ratings. The answer names what followed and holds every feature as it was used.

    Args:
        match_id (int):
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        body (WhatIfRequest): Features of a match to be changed; the rest stay what they are in
            the current data release.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | WhatIfResponse
    """

    return sync_detailed(
        match_id=match_id,
        client=client,
        body=body,
        stage=stage,
    ).parsed


async def asyncio_detailed(
    match_id: int,
    *,
    client: AuthenticatedClient,
    body: WhatIfRequest,
    stage: Stage | Unset = UNSET,
) -> Response[ErrorResponse | WhatIfResponse]:
    """Predict a match with changed features

     Predicts a match of the current data release with some of its features changed. What is derived from
    them follows unless it is changed, too: `diff_elo` and the expected shares of the points follow the
    ratings. The answer names what followed and holds every feature as it was used.

    Args:
        match_id (int):
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        body (WhatIfRequest): Features of a match to be changed; the rest stay what they are in
            the current data release.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | WhatIfResponse]
    """

    kwargs = _get_kwargs(
        match_id=match_id,
        body=body,
        stage=stage,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    match_id: int,
    *,
    client: AuthenticatedClient,
    body: WhatIfRequest,
    stage: Stage | Unset = UNSET,
) -> ErrorResponse | WhatIfResponse | None:
    """Predict a match with changed features

     Predicts a match of the current data release with some of its features changed. What is derived from
    them follows unless it is changed, too: `diff_elo` and the expected shares of the points follow the
    ratings. The answer names what followed and holds every feature as it was used.

    Args:
        match_id (int):
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        body (WhatIfRequest): Features of a match to be changed; the rest stay what they are in
            the current data release.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | WhatIfResponse
    """

    return (
        await asyncio_detailed(
            match_id=match_id,
            client=client,
            body=body,
            stage=stage,
        )
    ).parsed
