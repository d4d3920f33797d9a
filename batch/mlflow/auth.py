"""Authentication of requests to the MLflow server: none, Basic, bearer token, or SigV4.

MLflow's own authentication app uses Basic, proxies usually bearer tokens, SageMaker's MLflow SigV4.
"""

import base64
import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from chalicelib.errors import InvalidSettings

Kind = Literal["none", "basic", "bearer", "sigv4"]

Headers = Mapping[str, str]
Signer = Callable[[str, str, Headers, bytes | None], Headers]
"""From method, URL, headers and body to the headers to add."""

SAGEMAKER_ARN_HEADER: Final = "x-mlflow-sm-tracking-server-arn"
_SIGV4_SERVICE: Final = "sagemaker-mlflow"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def unsigned(_method: str, _url: str, _headers: Headers, _body: bytes | None) -> Headers:
    """A server without authentication."""
    return {}


def server_url(tracking_uri: str) -> str:
    """The server's base URL: the tracking URI, or the address of the SageMaker server that an ARN names."""
    if not tracking_uri.startswith("arn:"):
        return tracking_uri.rstrip("/")
    return f"https://{_region(tracking_uri)}.experiments.sagemaker.aws"


def signer(kind: Kind, tracking_uri: str, secret: str | None = None, credentials: Any = None) -> Signer:
    """Return the function that signs requests to a server.

    Args:
        kind: Kind of authentication.
        tracking_uri: The server's URL, or the ARN of a SageMaker tracking server (sigv4).
        secret: For basic `user:password` or `{"username": …, "password": …}`, for bearer the token.
        credentials: For sigv4, botocore credentials.

    Raises:
        InvalidSettings: a credential is missing, or would be sent unencrypted.
    """
    if kind == "none":
        return unsigned
    address = urllib.parse.urlsplit(server_url(tracking_uri))
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise InvalidSettings(f"credentials are not sent over {address.scheme}: give the MLflow server an https URL")
    if kind == "sigv4":
        return _sigv4(tracking_uri, credentials)
    if not secret:
        raise InvalidSettings(f"MLflow authentication {kind} needs a secret")
    header = _basic(secret) if kind == "basic" else f"Bearer {secret.strip()}"
    return lambda _method, _url, _headers, _body: {"Authorization": header}


def _basic(secret: str) -> str:
    text = secret.strip()
    if text.startswith("{"):
        try:
            parsed = json.loads(text)
            text = f"{parsed['username']}:{parsed['password']}"
        except (ValueError, KeyError, TypeError):
            # never quote the text: it is the secret
            raise InvalidSettings("the MLflow secret is not {username, password}") from None
    if ":" not in text:
        raise InvalidSettings("the MLflow secret is neither user:password nor {username, password}")
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def _sigv4(tracking_uri: str, credentials: Any) -> Signer:
    from botocore.auth import SigV4Auth  # noqa: PLC0415 - only where requests are signed
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415

    if credentials is None:
        raise InvalidSettings("MLflow authentication sigv4 needs AWS credentials")
    if not tracking_uri.startswith("arn:"):
        raise InvalidSettings("MLflow authentication sigv4 needs the tracking server's ARN as MlflowTrackingUri")
    auth = SigV4Auth(credentials, _SIGV4_SERVICE, _region(tracking_uri))

    def sign(method: str, url: str, headers: Headers, body: bytes | None) -> Headers:
        request = AWSRequest(method, url, {**headers, SAGEMAKER_ARN_HEADER: tracking_uri}, body or b"")
        auth.add_auth(request)
        return dict(request.headers.items())

    return sign


def _region(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sagemaker":  # noqa: PLR2004 - an ARN's parts
        raise InvalidSettings("MlflowTrackingUri is an ARN, but not of a SageMaker tracking server")
    return parts[3]
