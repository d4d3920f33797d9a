from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.error_response import ErrorResponse
from ...models.predict_response import PredictResponse
from ...models.stage import check_stage
from ...models.stage import Stage
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    match_id: int,
    *,
    stage: Stage | Unset = UNSET,
    explain: bool | Unset = False,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_stage: str | Unset = UNSET
    if not isinstance(stage, Unset):
        json_stage = stage

    params["stage"] = json_stage

    params["explain"] = explain

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/predict/{match_id}".format(
            match_id=quote(str(match_id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorResponse | PredictResponse | None:
    if response.status_code == 200:
        response_200 = PredictResponse.from_dict(response.json())

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
) -> Response[ErrorResponse | PredictResponse]:
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
    stage: Stage | Unset = UNSET,
    explain: bool | Unset = False,
) -> Response[ErrorResponse | PredictResponse]:
    """Predict a match live

     Predicts one match from its features in the current data release.

    Args:
        match_id (int):
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        explain (bool | Unset):  Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PredictResponse]
    """

    kwargs = _get_kwargs(
        match_id=match_id,
        stage=stage,
        explain=explain,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    match_id: int,
    *,
    client: AuthenticatedClient,
    stage: Stage | Unset = UNSET,
    explain: bool | Unset = False,
) -> ErrorResponse | PredictResponse | None:
    """Predict a match live

     Predicts one match from its features in the current data release.

    Args:
        match_id (int):
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        explain (bool | Unset):  Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PredictResponse
    """

    return sync_detailed(
        match_id=match_id,
        client=client,
        stage=stage,
        explain=explain,
    ).parsed


async def asyncio_detailed(
    match_id: int,
    *,
    client: AuthenticatedClient,
    stage: Stage | Unset = UNSET,
    explain: bool | Unset = False,
) -> Response[ErrorResponse | PredictResponse]:
    """Predict a match live

     Predicts one match from its features in the current data release.

    Args:
        match_id (int):
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        explain (bool | Unset):  Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorResponse | PredictResponse]
    """

    kwargs = _get_kwargs(
        match_id=match_id,
        stage=stage,
        explain=explain,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    match_id: int,
    *,
    client: AuthenticatedClient,
    stage: Stage | Unset = UNSET,
    explain: bool | Unset = False,
) -> ErrorResponse | PredictResponse | None:
    """Predict a match live

     Predicts one match from its features in the current data release.

    Args:
        match_id (int):
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        explain (bool | Unset):  Default: False.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorResponse | PredictResponse
    """

    return (
        await asyncio_detailed(
            match_id=match_id,
            client=client,
            stage=stage,
            explain=explain,
        )
    ).parsed
