"""The few calls of the MLflow server's REST API that the batch functions make.

The client library would not fit beside pandas and pyarrow. Source: MLflow REST API, 2.0 endpoints.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final

from chalicelib.errors import RegistryUnavailable

TIMEOUT_SECONDS: Final = 10.0


class MlflowRest:
    """An MLflow server.

    Args:
        tracking_uri: Base URL of the server.
        token: Bearer token, if the server wants one.
        timeout_seconds: Limit of a call's connect and of each read.
    """

    def __init__(self, tracking_uri: str, token: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._base = tracking_uri.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout_seconds = timeout_seconds

    def get(self, endpoint: str, query: Mapping[str, str]) -> Any:
        """What an endpoint such as `runs/get` answers; None where it knows no such thing.

        Raises:
            RegistryUnavailable: the server does not answer, or not as MLflow does.
        """
        return _parsed(self._send("GET", f"{self._endpoint(endpoint)}?{urllib.parse.urlencode(query)}"))

    def post(self, endpoint: str, body: Mapping[str, Any]) -> Any:
        """The same with a body.

        Raises:
            RegistryUnavailable: as `get`.
        """
        content = json.dumps(body).encode()
        return _parsed(self._send("POST", self._endpoint(endpoint), content, "application/json"))

    def artifact(self, path: str) -> bytes | None:
        """A file that the server keeps or hands through (`mlflow-artifacts:/path`); None if there is none.

        Raises:
            RegistryUnavailable: the server does not answer.
        """
        return self._send("GET", self._artifact(path))

    def put_artifact(self, path: str, content: bytes) -> None:
        """Store such a file.

        Raises:
            RegistryUnavailable: the server did not take it.
        """
        if self._send("PUT", self._artifact(path), content, "application/octet-stream") is None:
            raise RegistryUnavailable("the MLflow server keeps no artifacts")

    def _endpoint(self, name: str) -> str:
        return f"{self._base}/api/2.0/mlflow/{name}"

    def _artifact(self, path: str) -> str:
        return f"{self._base}/api/2.0/mlflow-artifacts/artifacts/{urllib.parse.quote(path.strip('/'))}"

    def _send(self, method: str, url: str, body: bytes | None = None, content_type: str = "") -> bytes | None:
        headers = {**self._headers, **({"Content-Type": content_type} if content_type else {})}
        try:
            request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310 - the scheme is the deployer's setting
            with urllib.request.urlopen(request, timeout=self._timeout_seconds) as answer:  # noqa: S310
                return answer.read()  # type: ignore[no-any-return]
        except urllib.error.HTTPError as error:
            with error:
                detail = error.read()[:500]
            # An alias that does not exist is 404 or, in some versions, 400 with the same code of its own.
            if error.code in (400, 404) and (b"RESOURCE_DOES_NOT_EXIST" in detail or b"not found" in detail.lower()):
                return None
            raise RegistryUnavailable(f"the registry answered {error.code}") from None
        except (OSError, ValueError, HTTPException) as error:
            raise RegistryUnavailable(f"the registry does not answer: {type(error).__name__}") from None


def _parsed(content: bytes | None) -> Any:
    if content is None:
        return None
    try:
        return json.loads(content)
    except ValueError:
        raise RegistryUnavailable("the registry's answer is not JSON: is that an MLflow server?") from None
