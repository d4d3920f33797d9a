"""Gateway and functions together on the running stack: what a gateway makes of a request before a function sees it."""

import gzip
import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from tests.support.throwaway import RunningStack

JSON = {"Content-Type": "application/json"}
NO_MODEL_NEEDED = b'{"match_id": 99, "features": {}}'


@dataclass(frozen=True)
class Answer:
    """Status, headers with names in lower case, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    stack: RunningStack,
    method: str,
    target: str,
    headers: Mapping[str, str | bytes] | None = None,
    body: bytes | None = None,
) -> Answer:
    """One request with no header but these, `Host` and `Content-Length`."""
    url = urlsplit(stack.base_url)
    assert url.hostname is not None
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    try:
        connection.putrequest(method, url.path + target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class Hostile:
    """A request made to break something, and how it is refused."""

    name: str
    method: str
    target: str
    status: int
    headers: Mapping[str, str | bytes] = field(default_factory=lambda: JSON)
    body: bytes | None = None


def body(name: str, content: bytes, status: int = 422, headers: Mapping[str, str | bytes] = JSON) -> Hostile:
    return Hostile(name, "POST", "/predict/", status, headers, content)


def path(target: str, status: int) -> Hostile:
    return Hostile(target[:40], "GET", target, status, {})


REQUESTS = [
    body("10 MB", b"{" + b" " * 10_000_000, 413),
    Hostile("10 MB queued", "POST", "/predict/async/", 413, JSON, b"{" + b" " * 10_000_000),
    body("deep", b"[" * 30_000 + b"]" * 30_000),
    body("not UTF-8", b'{"match_id": 99, "features": {"\xe9": 1}}'),
    body("UTF-16", NO_MODEL_NEEDED.decode().encode("utf-16")),
    body("empty", b""),
    body("text", NO_MODEL_NEEDED, 415, {"Content-Type": "text/plain"}),
    body("form", b"match_id=99", 415, {"Content-Type": "application/x-www-form-urlencoded"}),
    body("packed", gzip.compress(NO_MODEL_NEEDED), 415, {**JSON, "Content-Encoding": "gzip"}),
    path("/predict/%D9%A1", 422),
    path("/predict/%EF%BC%91", 422),
    path("/predict/%F0%9F%99%82", 404),
    path("/predict/%ff%fe", 404),
    path("/predict/1%00", 404),
    path("/predict/1%0d%0aX-Injected:%20yes", 404),
    path("/predict/%2531", 422),
    path("/predict/..%2f1", 404),
    path("/predict/%2e%2e%2f1", 404),
    path("/predict/" + "9" * 400, 422),
    path("/predict/precomputed/..%2f..%2fetc%2fpasswd", 404),
    path("/docs/../../app.py", 404),
    path("/ui/%2e%2e/%2e%2e/app.py", 404),
    path("/monitoring/task_status/key%23abc", 404),
    path("/predict/cards/?limit=1&limit=2", 422),
    path("/predict/cards/?limit=%ff", 422),
    path("/predict/cards/?cursor=%ff", 422),
    path("/predict/batch", 404),
    path("/nowhere", 404),
    Hostile("key of bytes", "GET", "/monitoring/drift", 401, {"X-API-Key": b"\xff\xfe"}),
    Hostile("long key", "GET", "/monitoring/drift", 401, {"X-API-Key": "x" * 20_000}),
    Hostile("long idempotency key", "POST", "/predict/async/", 422, {**JSON, "Idempotency-Key": "k" * 300}, b"{}"),
    Hostile("another method", "PUT", "/predict/", 405, JSON, b"{}"),
]


def test_hostile_requests_are_refused_cleanly(stack: RunningStack) -> None:
    # One test for all of them: each is milliseconds, and they share the functions that they start.
    for hostile in REQUESTS:
        answer = ask(stack, hostile.method, hostile.target, hostile.headers, hostile.body)
        assert answer.status == hostile.status, (hostile.name, answer.body[:300])
        assert json.loads(answer.body)["statusCode"] == hostile.status, hostile.name
        assert {"x-request-id", "content-type"} <= answer.headers.keys(), hostile.name
        assert "x-injected" not in answer.headers
        for inside in (b"Traceback", b"site-packages", b"ministack"):
            assert inside not in answer.body, hostile.name


def test_answers_are_packed_for_callers_that_can_unpack_them(stack: RunningStack) -> None:
    target = "/predict/cards/?limit=20"
    plain = ask(stack, "GET", target, {"Accept": "*/*"})
    packed = ask(stack, "GET", target, {"Accept": "*/*", "Accept-Encoding": "gzip"})
    assert (packed.headers["content-encoding"], gzip.decompress(packed.body)) == ("gzip", plain.body)
    assert len(packed.body) < len(plain.body) / 3
    # The emulator hands base64 through as text to a caller that sends no Accept header.
    without = ask(stack, "GET", target, {"Accept-Encoding": "gzip"})
    assert ("content-encoding" in without.headers, without.body) == (False, plain.body)
    etag = plain.headers["etag"]
    assert ask(stack, "GET", target, {"If-None-Match": etag}).status == 304


def test_the_quota_of_a_key_is_on_its_answers(stack: RunningStack) -> None:
    answer = ask(stack, "GET", "/monitoring/drift", {"X-API-Key": stack.keys.operator})
    # 100 at once, 1,000 a second: whole again in less than a second.
    assert answer.headers["ratelimit-policy"] == '"key";q=100;w=1'
    assert re.fullmatch(r'"key";r=\d{1,2};t=1', answer.headers["ratelimit"])


@contextmanager
def stage_limit(stack: RunningStack, rate: int, burst: int) -> Iterator[None]:
    """The stage's throttle set so, and back afterwards."""
    api = stack.client("apigateway")
    ((rest_api_id, stage),) = [
        (found["id"], stack.base_url.rsplit("/", 1)[1])
        for found in api.get_rest_apis()["items"]
        if f"/{found['id']}/" in f"{stack.base_url}/"
    ]
    before = api.get_stage(restApiId=rest_api_id, stageName=stage)["methodSettings"]["*/*"]

    def limit(rate: float, burst: int) -> None:
        values = {"rateLimit": rate, "burstLimit": burst}
        operations = [
            {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)} for name, value in values.items()
        ]
        api.update_stage(restApiId=rest_api_id, stageName=stage, patchOperations=operations)

    limit(rate, burst)
    try:
        yield
    finally:
        limit(before["throttlingRateLimit"], before["throttlingBurstLimit"])


@pytest.mark.alone
def test_over_the_stages_rate_the_gateway_says_429_in_our_form(stack: RunningStack) -> None:
    with stage_limit(stack, rate=1, burst=1):
        # Far more than one a second, however slow the machine is.
        answers = [ask(stack, "GET", "/nothing/there/to/start") for _ in range(30)]
        answers += [ask(stack, "GET", "/docs/docs.css") for _ in range(30)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    for answer in refused:
        body = json.loads(answer.body)
        assert (body["statusCode"], body["code"], body["detail"]) == (429, "throttled", "too many requests")
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["x-request-id"]
    assert ask(stack, "GET", "/docs/docs.css").status == 200


def test_a_browser_may_not_read_answers_of_a_stage_without_a_board_elsewhere(stack: RunningStack) -> None:
    for answer in (
        ask(stack, "OPTIONS", "/predict/", {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}),
        ask(stack, "GET", "/healthcheck/", {"Origin": "https://evil.example"}),
    ):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("target", ["/healthcheck", "/predict/matches", "/docs", "/ui", "/predict/model/info"])
def test_a_path_answers_with_and_without_its_trailing_slash(stack: RunningStack, target: str) -> None:
    answers = [ask(stack, "GET", actual, {"Accept": "*/*"}) for actual in (target, f"{target}/")]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].headers["content-type"] == answers[1].headers["content-type"]
