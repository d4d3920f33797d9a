"""Conditional requests (RFC 9110, 13): a caller that already holds the content gets 304 instead of it."""

import hashlib
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from chalicelib.api.response import Answer


def content_etag(content: str) -> str:
    """A tag that changes with the content; weak, because answers differ by their compression."""
    return f'W/"{hashlib.sha256(content.encode()).hexdigest()[:16]}"'


def not_modified(answer: Answer, request_headers: Mapping[str, str]) -> Answer:
    """The same answer, or 304 where the caller holds its content.

    Args:
        answer: Proxy integration response with its `ETag` and, where it has one, `Last-Modified`.
        request_headers: The request's headers, names in lower case.
    """
    headers: Mapping[str, str] = answer.get("headers") or {}
    if answer["statusCode"] != HTTPStatus.OK or not _is_held(headers, request_headers):
        return answer
    kept_headers = {name: value for name, value in headers.items() if name != "x-next-cursor"}
    return {**answer, "statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": kept_headers, "body": ""}


def _is_held(headers: Mapping[str, str], request_headers: Mapping[str, str]) -> bool:
    etag = headers.get("ETag")
    if etag is not None and (given := request_headers.get("if-none-match")) is not None:
        # Even where it does not match, If-Modified-Since is then ignored (RFC 9110, 13.1.3).
        return given.strip() == "*" or _opaque(etag) in {_opaque(tag.strip()) for tag in given.split(",")}
    modified, since = headers.get("Last-Modified"), request_headers.get("if-modified-since")
    if modified is None or since is None:
        return False
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        # Not an HTTP date, or one without a zone: the condition does not count (RFC 9110, 13.1.3).
        return False


def _opaque(etag: str) -> str:
    """If-None-Match compares weakly (RFC 9110, 8.8.3.2): with or without `W/` it is the same tag."""
    return etag.removeprefix("W/")
