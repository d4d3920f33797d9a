"""What every answer gets: security headers, the request's id, CORS for the board's origin, gzip."""

import base64
import gzip
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

GZIP_FROM_BYTES: Final = 1_024

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
}

REQUEST_HEADERS: Final = "Content-Type, Idempotency-Key, If-None-Match, X-API-Key"
"""Headers that another origin's page may send."""
EXPOSED_HEADERS: Final = "ETag, Last-Modified, Link, Retry-After, x-ignored-features, x-next-cursor, x-request-id"
"""Headers that another origin's page may read."""
PREFLIGHT_SECONDS: Final = "600"

Answer = dict[str, Any]


def finished(answer: Answer, request_headers: Mapping[str, str], *, request_id: str, board_origin: str) -> Answer:
    """The same answer with the headers every answer has, compressed where that is wanted and worth it.

    Args:
        answer: Proxy integration response, body as text.
        request_headers: The request's headers, names in lower case.
        request_id: The gateway's id of the request.
        board_origin: The origin whose pages may read answers, if any.
    """
    headers = {name: ",".join(values) for name, values in (answer.pop("multiValueHeaders", None) or {}).items()}
    headers |= answer.get("headers") or {}
    headers = {**SECURITY_HEADERS, **headers, "x-request-id": request_id}
    vary = []
    if board_origin:
        vary.append("Origin")
        if request_headers.get("origin") == board_origin:
            headers["Access-Control-Allow-Origin"] = board_origin
            headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    body: str = answer.get("body") or ""
    if answer["statusCode"] == HTTPStatus.NOT_MODIFIED:
        # What the full answer would say (RFC 9110, 15.4.5).
        vary.append("Accept-Encoding")
    if not answer.get("isBase64Encoded") and len(plain := body.encode()) > GZIP_FROM_BYTES:
        vary.append("Accept-Encoding")
        # Without an Accept header a gateway may hand base64 through as text: such a caller gets the plain answer.
        if "accept" in request_headers and accepts_gzip(request_headers.get("accept-encoding", "")):
            # Level 1: five times as fast as the default for about a tenth more bytes on these lists.
            answer["body"] = base64.b64encode(gzip.compress(plain, compresslevel=1, mtime=0)).decode()
            answer["isBase64Encoded"] = True
            headers["Content-Encoding"] = "gzip"
    if vary:
        headers["Vary"] = ", ".join(vary)
    answer["headers"] = headers
    return answer


def preflight(allowed: str, request_headers: Mapping[str, str], board_origin: str) -> Answer:
    """The answer to OPTIONS: what the path allows, and to the board's origin that it may.

    Args:
        allowed: Methods of the path, separated by commas.
        request_headers: The request's headers, names in lower case.
        board_origin: The origin whose pages may call, if any.
    """
    headers = {"Allow": allowed}
    if board_origin and request_headers.get("origin") == board_origin:
        headers["Access-Control-Allow-Methods"] = allowed
        headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
        headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return {"statusCode": 204, "headers": headers, "body": "", "isBase64Encoded": False}


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header admits gzip (RFC 9110, 12.5.3): named or `*`, and not with weight 0."""
    weights: dict[str, bool] = {}
    for item in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        weights[coding] = not any(
            parameter.startswith("q=") and not parameter[2:].strip("0.") for parameter in parameters
        )
    return weights.get("gzip", weights.get("*", False))
