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

from batch.mlflow.auth import Signer, server_url, unsigned
from chalicelib.errors import RegistryUnavailable

TIMEOUT_SECONDS: Final = 10.0
_ARTIFACTS: Final = "/api/2.0/mlflow-artifacts/artifacts"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Treat redirects as errors: urllib would send the credential on to the new host."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Follow none."""
        return


_OPENER: Final = urllib.request.build_opener(_NoRedirect)


class MlflowRest:
    """An MLflow server.

    Args:
        tracking_uri: Base URL of the server, or a SageMaker tracking server's ARN.
        sign: Adds the authentication headers.
        timeout_seconds: Limit of a call's connect and of each read.
    """

    def __init__(self, tracking_uri: str, sign: Signer = unsigned, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._base = server_url(tracking_uri)
        self._sign = sign
        self._timeout_seconds = timeout_seconds

    def get(self, endpoint: str, query: Mapping[str, str]) -> Any:
        """The answer of an endpoint such as `runs/get`; None where the resource does not exist.

        Raises:
            RegistryUnavailable: the server does not answer, or not as MLflow does.
        """
        return _parsed(self._send("GET", f"{self._endpoint(endpoint)}?{urllib.parse.urlencode(query)}"))

    def post(self, endpoint: str, body: Mapping[str, Any]) -> Any:
        """As `get`, with a body.

        Raises:
            RegistryUnavailable: as `get`.
        """
        content = json.dumps(body).encode()
        return _parsed(self._send("POST", self._endpoint(endpoint), content, "application/json"))

    def artifact(self, path: str) -> bytes | None:
        """A file that the server stores or proxies (`mlflow-artifacts:/path`); None if there is none.

        Raises:
            RegistryUnavailable: the server does not answer.
        """
        return self._send("GET", self._artifact(path))

    def artifact_names(self, folder: str) -> set[str]:
        """Names of the files in such a folder; empty if it does not exist.

        Raises:
            RegistryUnavailable: the server does not answer.
        """
        query = urllib.parse.urlencode({"path": folder.strip("/")})
        answer = _parsed(self._send("GET", f"{self._base}{_ARTIFACTS}?{query}"))
        return {str(file["path"]).rpartition("/")[2] for file in (answer or {}).get("files", [])}

    def put_artifact(self, path: str, content: bytes) -> None:
        """Store such a file.

        Raises:
            RegistryUnavailable: the server did not take it.
        """
        if self._send("PUT", self._artifact(path), content, "application/octet-stream") is None:
            raise RegistryUnavailable("the MLflow server stores no artifacts")

    def _endpoint(self, name: str) -> str:
        return f"{self._base}/api/2.0/mlflow/{name}"

    def _artifact(self, path: str) -> str:
        return f"{self._base}{_ARTIFACTS}/{urllib.parse.quote(path.strip('/'))}"

    def _send(self, method: str, url: str, body: bytes | None = None, content_type: str = "") -> bytes | None:
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            headers |= self._sign(method, url, headers, body)
            request = urllib.request.Request(url, data=body, headers=headers, method=method)  # noqa: S310 - the scheme is the deployer's setting
            with _OPENER.open(request, timeout=self._timeout_seconds) as answer:
                return answer.read()  # type: ignore[no-any-return]
        except urllib.error.HTTPError as error:
            with error:
                detail = error.read()[:500]
            # a missing alias is 404 or, in some versions, 400 with the same error code
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
