"""Transports that repeat what may be repeated: connection failures, 429 and 503, after the time the service names.

Every request of this client may be repeated: reads are reads, a synchronous prediction changes nothing, and a queued
one carries an `Idempotency-Key`.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from soccer_predictions.errors import seconds

RETRIED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True)
class Retries:
    """How often and how patiently a request is repeated.

    Args:
        attempts: Attempts in all; 1 repeats nothing.
        first_wait: Seconds before the second attempt where the service names none; twice as long before each further.
        longest_wait: Most seconds between two attempts. Where the service asks for more, its answer is final.
    """

    attempts: int = 4
    first_wait: float = 0.5
    longest_wait: float = 30.0

    def wait(self, attempt: int, response: httpx.Response | None) -> float | None:
        """Seconds to wait after an attempt, from 1; None where its outcome is final."""
        if attempt >= self.attempts or (response is not None and response.status_code not in RETRIED):
            return None
        named = None if response is None else seconds(response.headers)
        if named is not None:
            return named if named <= self.longest_wait else None
        # Spread, so that many clients do not come back at once.
        spread = random.uniform(0.5, 1)  # noqa: S311 - nothing depends on its secrecy
        return min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1)) * spread


class RetryTransport(httpx.BaseTransport):
    """A transport that repeats requests."""

    def __init__(self, inner: httpx.BaseTransport, retries: Retries) -> None:
        self._inner = inner
        self._retries = retries

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, again where that may help."""
        attempt = 0
        while True:
            attempt += 1
            response, failure = None, None
            try:
                response = self._inner.handle_request(request)
            except httpx.TransportError as error:
                failure = error
            wait = self._retries.wait(attempt, response)
            if wait is None:
                if response is None:
                    assert failure is not None  # noqa: S101 - one of the two is there
                    raise failure
                return response
            if response is not None:
                response.close()
            time.sleep(wait)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


class AsyncRetryTransport(httpx.AsyncBaseTransport):
    """The same for `async` code."""

    def __init__(self, inner: httpx.AsyncBaseTransport, retries: Retries) -> None:
        self._inner = inner
        self._retries = retries

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, again where that may help."""
        attempt = 0
        while True:
            attempt += 1
            response, failure = None, None
            try:
                response = await self._inner.handle_async_request(request)
            except httpx.TransportError as error:
                failure = error
            wait = self._retries.wait(attempt, response)
            if wait is None:
                if response is None:
                    assert failure is not None  # noqa: S101 - one of the two is there
                    raise failure
                return response
            if response is not None:
                await response.aclose()
            await asyncio.sleep(wait)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
