"""HTTP with time limits, retries and scrubbed keys; the only module of the providers that uses the network.

The opener, the sleep and the random numbers are arguments, so every path is tested without network or waiting.
"""

import gzip
import random
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from chalicelib.errors import ProviderUnavailable

SECRET_PARAMETERS: Final = frozenset({"apikey", "api_key", "key", "token", "access_token"})
"""Query parameters whose values never reach a log, an error or a note."""
RETRYABLE_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
OK: Final = 200
_GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer.

    Args:
        status: HTTP status code.
        body: As sent, possibly gzipped.
        headers: Names in lower case.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Opener(Protocol):
    """Sends one GET and returns the answer, whatever its status; raises OSError (timeouts included) without one."""

    def __call__(self, url: str, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> HttpResponse:
        """Send one GET."""
        ...


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to try.

    Args:
        attempts: Requests in all, at least 1.
        base_seconds: Upper end of the first random wait; it doubles with each attempt (full jitter).
        cap_seconds: Longest wait, even if the server asks for more.
        timeout_seconds: Limit of one request's connect and of each read.
        max_bytes: Larger bodies, compressed or not, are rejected.
    """

    attempts: int = 4
    base_seconds: float = 0.5
    cap_seconds: float = 20.0
    timeout_seconds: float = 10.0
    max_bytes: int = 64 * 1024 * 1024


def scrub(url: str) -> str:
    """The URL with the values of secret query parameters replaced by `***` and without credentials in its host."""
    parts = urlsplit(url)
    query = [
        (name, "***" if name.lower() in SECRET_PARAMETERS else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query, safe="*,"), ""))


def open_url(url: str, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> HttpResponse:
    """Send one GET with the standard library; error statuses are answers, not exceptions.

    Raises:
        OSError: no answer (DNS, connection, timeout, broken transfer), or the scheme is not HTTP(S).
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise OSError("only http and https addresses are fetched")
    request = Request(url, headers=dict(headers))  # noqa: S310 - the scheme was checked above
    try:
        with urlopen(request, timeout=timeout_seconds) as answer:  # noqa: S310 - the same
            body = answer.read(max_bytes + 1)
            return HttpResponse(answer.status, body, {name.lower(): value for name, value in answer.headers.items()})
    except HTTPError as error:
        with error:
            return HttpResponse(error.code, b"", {name.lower(): value for name, value in error.headers.items()})
    except HTTPException as error:
        raise OSError(f"the answer broke off: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class HttpTransport:
    """GET with retries.

    Args:
        policy: Limits and waits.
        opener: Sends one request.
        sleep: Waits for a number of seconds.
        uniform: A random number between its arguments.
    """

    policy: RetryPolicy = RetryPolicy()
    opener: Opener = open_url
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """The answer with status 200, its body uncompressed.

        Network failures and the statuses 408, 425, 429 and 5xx are tried again after a random wait that grows
        (exponential backoff with full jitter), or as the server's `Retry-After` says.

        Raises:
            ProviderUnavailable: all attempts failed, the status is final (a refused key, say), or the body is
                too large or broken. The message never carries a key.
        """
        sent = {"Accept-Encoding": "gzip", "Accept": "application/json", **(headers or {})}
        failure, wait = "no attempt was made", 0.0
        for attempt in range(self.policy.attempts):
            if attempt:
                self.sleep(wait)
            wait = self.uniform(0, min(self.policy.cap_seconds, self.policy.base_seconds * 2.0**attempt))
            try:
                response = self.opener(url, sent, self.policy.timeout_seconds, self.policy.max_bytes)
            except OSError as error:
                # the reason only: an error's text may repeat the URL with the key
                reason = error.reason if isinstance(error, URLError) else error
                failure = type(reason).__name__
                continue
            if response.status == OK:
                return HttpResponse(OK, _unpacked(response.body, self.policy.max_bytes, url), response.headers)
            failure = f"status {response.status}"
            if response.status not in RETRYABLE_STATUSES:
                break
            wait = max(wait, min(_retry_after(response.headers), self.policy.cap_seconds))
        raise ProviderUnavailable(f"{scrub(url)} gave no usable answer: {failure}")


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds the server asks to wait; 0 without a number of seconds."""
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isdigit() else 0.0


def _unpacked(body: bytes, max_bytes: int, url: str) -> bytes:
    """The body, uncompressed if it is gzip, whatever its headers say (Fonbet's always is)."""
    if body.startswith(_GZIP_MAGIC):
        try:
            unpacker = zlib.decompressobj(wbits=31)
            text = unpacker.decompress(body, max_bytes + 1)
        except zlib.error as error:
            raise ProviderUnavailable(f"{scrub(url)} sent a broken gzip body") from error
        if not unpacker.eof and len(text) <= max_bytes:
            raise ProviderUnavailable(f"{scrub(url)} sent a truncated gzip body")
        body = text
    if len(body) > max_bytes:
        raise ProviderUnavailable(f"{scrub(url)} sent more than {max_bytes} bytes")
    return body


def packed(body: bytes) -> bytes:
    """Gzip without a time in its header, so equal input gives equal bytes."""
    return gzip.compress(body, compresslevel=6, mtime=0)
