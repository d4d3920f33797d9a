from http import HTTPStatus
from typing import Any, cast
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...types import Response, UNSET
from ... import errors

from ...models.async_predict_request import AsyncPredictRequest
from ...models.async_predict_response import AsyncPredictResponse
from ...models.error_response import ErrorResponse
from ...models.stage import check_stage
from ...models.stage import Stage
from ...types import UNSET, Unset
from typing import cast


def _get_kwargs(
    *,
    body: AsyncPredictRequest,
    stage: Stage | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    params: dict[str, Any] = {}

    json_stage: str | Unset = UNSET
    if not isinstance(stage, Unset):
        json_stage = stage

    params["stage"] = json_stage

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/predict/async",
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AsyncPredictResponse | ErrorResponse | None:
    if response.status_code == 202:
        response_202 = AsyncPredictResponse.from_dict(response.json())

        return response_202

    if response.status_code == 401:
        response_401 = ErrorResponse.from_dict(response.json())

        return response_401

    if response.status_code == 404:
        response_404 = ErrorResponse.from_dict(response.json())

        return response_404

    if response.status_code == 405:
        response_405 = ErrorResponse.from_dict(response.json())

        return response_405

    if response.status_code == 409:
        response_409 = ErrorResponse.from_dict(response.json())

        return response_409

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
) -> Response[AsyncPredictResponse | ErrorResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: AsyncPredictRequest,
    stage: Stage | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> Response[AsyncPredictResponse | ErrorResponse]:
    """Queue a prediction

     Accepts a prediction to be made in the background: 202 means that it is stored and will end as
    success or failed, exactly once. Without features they come from the current data release. Poll
    `Location`.

    Args:
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        idempotency_key (str | Unset):
        body (AsyncPredictRequest): A match, with its feature values or without: then they come
            from the current data release.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AsyncPredictResponse | ErrorResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        stage=stage,
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: AsyncPredictRequest,
    stage: Stage | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> AsyncPredictResponse | ErrorResponse | None:
    """Queue a prediction

     Accepts a prediction to be made in the background: 202 means that it is stored and will end as
    success or failed, exactly once. Without features they come from the current data release. Poll
    `Location`.

    Args:
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        idempotency_key (str | Unset):
        body (AsyncPredictRequest): A match, with its feature values or without: then they come
            from the current data release.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AsyncPredictResponse | ErrorResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        stage=stage,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: AsyncPredictRequest,
    stage: Stage | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> Response[AsyncPredictResponse | ErrorResponse]:
    """Queue a prediction

     Accepts a prediction to be made in the background: 202 means that it is stored and will end as
    success or failed, exactly once. Without features they come from the current data release. Poll
    `Location`.

    Args:
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        idempotency_key (str | Unset):
        body (AsyncPredictRequest): A match, with its feature values or without: then they come
            from the current data release.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AsyncPredictResponse | ErrorResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        stage=stage,
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: AsyncPredictRequest,
    stage: Stage | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
) -> AsyncPredictResponse | ErrorResponse | None:
    """Queue a prediction

     Accepts a prediction to be made in the background: 202 means that it is stored and will end as
    success or failed, exactly once. Without features they come from the current data release. Poll
    `Location`.

    Args:
        stage (Stage | Unset): Alias of the registered model: the champion, or the challenger
            compared with it.
        idempotency_key (str | Unset):
        body (AsyncPredictRequest): A match, with its feature values or without: then they come
            from the current data release.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AsyncPredictResponse | ErrorResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            stage=stage,
            idempotency_key=idempotency_key,
        )
    ).parsed
