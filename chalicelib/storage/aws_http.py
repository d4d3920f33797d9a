"""Sign requests to AWS for the two reads between a cold start and its first prediction.

The SDK needs 0.2 s to load an S3 client (service model, endpoint rules, s3transfer), more than everything else in a
cold start (docs/performance.md). Only GET of an object and `GetSecretValue` are signed here; everything else uses the
SDK.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (Signature Version
4); the tests compare with botocore's signer.
"""

import hashlib
import hmac
import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

ATTEMPTS: Final = 3
CONNECT_AND_READ_SECONDS: Final = 5.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_TRY_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_UNSIGNED: Final = frozenset({"connection", "user-agent", "if-none-match", "content-type"})


class AwsUnreachable(Exception):
    """No answer, or only server errors, after all attempts."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A role's temporary keys, from Lambda's environment."""

    access_key: str
    secret_key: str
    token: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """The credentials in the usual variables; None without them."""
        try:
            return cls(
                environment["AWS_ACCESS_KEY_ID"],
                environment["AWS_SECRET_ACCESS_KEY"],
                environment.get("AWS_SESSION_TOKEN"),
            )
        except KeyError:
            return None


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers by lower-cased name, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def signed_headers(
    credentials: Credentials,
    *,
    service: str,
    region: str,
    method: str,
    host: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> dict[str, str]:
    """Add the headers that authenticate a request.

    Args:
        credentials: The caller's.
        service: Signing name: `s3`, `secretsmanager`.
        region: Region of the endpoint.
        method: HTTP method.
        host: Host header, with the port if the URL has one.
        path: Path as sent, quoted once; no query.
        headers: Other headers; those that proxies may change are not signed.
        body: What is sent.
        now: The time, UTC.
    """
    digest = hashlib.sha256(body).hexdigest()
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    every = {**headers, "host": host, "x-amz-date": moment, "x-amz-content-sha256": digest}
    if credentials.token:
        every["x-amz-security-token"] = credentials.token
    signed = {name.lower(): value.strip() for name, value in every.items() if name.lower() not in _UNSIGNED}
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        [method, path, "", *(f"{name}:{signed[name]}" for name in sorted(signed)), "", names, digest],
    )
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    authorization = f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}"
    return every | {"Authorization": f"{authorization}, Signature={signature}"}


class AwsEndpoint:
    """One service's endpoint, with a persistent connection per thread.

    Args:
        service: Signing name.
        region: Region.
        url: Scheme, host and perhaps port.
        credentials: The caller's.
        clock: The time, UTC.
        pause: Waits for a number of seconds between attempts.
    """

    def __init__(
        self,
        service: str,
        region: str,
        url: str,
        credentials: Credentials,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        self._service = service
        self._region = region
        self._secure = parts.scheme == "https"
        self._host = parts.netloc
        self._credentials = credentials
        self._clock = clock
        self._pause = pause
        self._kept = threading.local()

    def request(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send a request; retry after server errors and lost connections.

        Args:
            method: HTTP method; the request must be idempotent.
            path: Path, not quoted yet.
            headers: Further headers.
            body: What to send.

        Raises:
            AwsUnreachable: no answer, or only server errors.
        """
        quoted = quote(path, safe="/-_.~")
        for attempt in range(ATTEMPTS):
            # at once the first time: a connection from before the sandbox was frozen is usually dead
            if attempt > 1:
                self._pause(_FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - only a wait
            try:
                answer = self._send(method, quoted, dict(headers or {}), body)
            except (OSError, http.client.HTTPException) as error:
                problem = type(error).__name__
                continue
            if answer.status not in _TRY_AGAIN:
                return answer
            problem = f"status {answer.status}"
        raise AwsUnreachable(f"{self._service} does not answer: {problem}")

    def close(self) -> None:
        """Close this thread's connection; the next request opens another."""
        if (connection := getattr(self._kept, "connection", None)) is not None:
            connection.close()

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        signed = signed_headers(
            self._credentials,
            service=self._service,
            region=self._region,
            method=method,
            host=self._host,
            path=path,
            headers=headers,
            body=body,
            now=self._clock(),
        )
        connection = self._connection()
        try:
            connection.request(method, path, body or None, signed)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            # also when the function's deadline interrupts: the rest of an answer must not be read as the next one's
            connection.close()
            raise
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            connection = self._kept.connection = kind(self._host, timeout=CONNECT_AND_READ_SECONDS)
        return connection


def service_url(service: str, region: str, environment: Mapping[str, str]) -> tuple[str, bool]:
    """A service's URL, and whether the environment sets it (an emulator, a proxy)."""
    chosen = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environment.get("AWS_ENDPOINT_URL")
    if chosen:
        return chosen.rstrip("/"), True
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{service}.{region}.{suffix}", False


class SecretRefused(Exception):
    """Secrets Manager does not return the secret; the text is only its error's type."""


class SecretsReader:
    """`GetSecretValue`, with the SDK client's method and answer."""

    def __init__(self, endpoint: AwsEndpoint) -> None:
        self._endpoint = endpoint

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - the SDK's name
        """The secret's current version.

        Raises:
            SecretRefused: it does not exist, or this role may not read it.
            AwsUnreachable: Secrets Manager does not answer.
        """
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue"}
        answer = self._endpoint.request("POST", "/", headers, json.dumps({"SecretId": SecretId}).encode())
        content: dict[str, Any] = json.loads(answer.body or b"{}")
        if answer.status != http.HTTPStatus.OK:
            raise SecretRefused(str(content.get("__type", answer.status)))
        return content
