"""What every answer gets: security headers, the request id, CORS for the allowed origins, gzip."""

import base64
import gzip
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Final

from chalicelib.errors import Allowance

GZIP_FROM_BYTES: Final = 1_024

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
}

REQUEST_HEADERS: Final = "Content-Type, Idempotency-Key, If-Modified-Since, If-None-Match, X-API-Key"
"""Headers that another origin's page may send."""
EXPOSED_HEADERS: Final = (
    "Deprecation, ETag, Last-Modified, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Sunset, "
    "x-clock, x-ignored-features, x-next-cursor, x-predictions-computed-at, x-request-id"
)
"""Headers that another origin's page may read."""
PREFLIGHT_SECONDS: Final = "600"

Answer = dict[str, Any]

_CACHEABLE: Final = frozenset({HTTPStatus.OK, HTTPStatus.NOT_MODIFIED})


def with_common_headers(
    answer: Answer, request_headers: Mapping[str, str], *, request_id: str, allowed_origins: Collection[str]
) -> Answer:
    """The same answer with the headers every answer has, compressed where that is wanted and worth it.

    Args:
        answer: Proxy integration response, body as text.
        request_headers: The request's headers, names in lower case.
        request_id: The gateway's id of the request.
        allowed_origins: The origins whose pages may read answers.
    """
    headers = {**SECURITY_HEADERS, **(answer.get("headers") or {}), "x-request-id": request_id}
    vary = []
    if allowed_origins:
        vary.append("Origin")
        if (origin := request_headers.get("origin")) in allowed_origins:
            headers["Access-Control-Allow-Origin"] = str(origin)
            headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if "Vary" in headers:
        vary.insert(0, headers["Vary"])
    body: str = answer.get("body") or ""
    if answer["statusCode"] == HTTPStatus.NOT_MODIFIED:
        # What the full answer would say (RFC 9110, 15.4.5).
        vary.append("Accept-Encoding")
    if not answer.get("isBase64Encoded") and len(plain := body.encode()) > GZIP_FROM_BYTES:
        vary.append("Accept-Encoding")
        if will_compress(request_headers):
            # Level 1: five times as fast as the default for about a tenth more bytes on these lists.
            answer["body"] = base64.b64encode(gzip.compress(plain, compresslevel=1, mtime=0)).decode()
            answer["isBase64Encoded"] = True
            headers["Content-Encoding"] = "gzip"
    if vary:
        headers["Vary"] = ", ".join(vary)
    answer["headers"] = headers
    return answer


def flattened(answer: Answer) -> Answer:
    """The same answer with Powertools' lists of header values as one value each."""
    headers = {name: ",".join(values) for name, values in (answer.pop("multiValueHeaders", None) or {}).items()}
    return {**answer, "headers": headers | (answer.get("headers") or {})}


def without_body(answer: Answer) -> Answer:
    """The answer to HEAD: everything but the body."""
    return {**answer, "body": "", "isBase64Encoded": False}


def preflight(allowed: str, request_headers: Mapping[str, str], allowed_origins: Collection[str]) -> Answer:
    """The answer to OPTIONS: the path's methods, and the permission for pages of the allowed origins.

    Args:
        allowed: Methods of the path, separated by commas.
        request_headers: The request's headers, names in lower case.
        allowed_origins: The origins whose pages may call.
    """
    headers = {"Allow": allowed}
    if request_headers.get("origin") in allowed_origins:
        headers["Access-Control-Allow-Methods"] = allowed
        headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
        headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return {"statusCode": 204, "headers": headers, "body": "", "isBase64Encoded": False}


def rate_limit_headers(allowance: Allowance) -> dict[str, str]:
    """What is left of a key's quota, as draft-ietf-httpapi-ratelimit-headers-11 writes it."""
    return {
        "RateLimit-Policy": f'"key";q={allowance.quota};w={allowance.window_seconds}',
        "RateLimit": f'"key";r={allowance.remaining};t={allowance.reset_seconds}',
    }


def will_compress(request_headers: Mapping[str, str]) -> bool:
    """Whether an answer worth it is compressed; names of the headers in lower case.

    Without an Accept header a gateway may hand base64 through as text: such a caller gets the plain answer.
    """
    return "accept" in request_headers and accepts_gzip(request_headers.get("accept-encoding", ""))


def shared_caching(answer: Answer, seconds: float) -> None:
    """Let a shared cache keep an answer that callers must otherwise ask for again; others stay as they are.

    Args:
        answer: The answer to a caller without a key, on a public path.
        seconds: How long a function itself serves from what it has; 0 leaves the answer alone.
    """
    headers = answer.get("headers") or {}
    whole = round(seconds)
    if whole and answer["statusCode"] in _CACHEABLE and headers.get("Cache-Control") == "no-cache":
        headers["Cache-Control"] = f"public, max-age=0, s-maxage={whole}, stale-while-revalidate={whole}"


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header admits gzip (RFC 9110, 12.5.3): named or `*`, and not with weight 0."""
    weights: dict[str, bool] = {}
    for item in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        weights[coding] = not any(
            parameter.startswith("q=") and not parameter[2:].strip("0.") for parameter in parameters
        )
    return weights.get("gzip", weights.get("*", False))
