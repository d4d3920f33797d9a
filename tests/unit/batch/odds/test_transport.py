"""Retries, limits and discretion of the HTTP transport, with a server made of arguments."""

import gzip
from collections.abc import Mapping
from urllib.error import URLError

import pytest

from batch.odds.providers.transport import HttpResponse, HttpTransport, RetryPolicy, open_url, packed, scrub
from chalicelib.errors import ProviderUnavailable

URL = "https://odds.example/v4?apiKey=made-up-key&regions=eu"


class Line:
    """A server that answers or fails in turn, and a clock that only notes how long it was asked to sleep."""

    def __init__(self, *answers: HttpResponse | OSError) -> None:
        self.answers = list(answers)
        self.slept: list[float] = []
        self.headers: Mapping[str, str] = {}

    def opener(self, url: str, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> HttpResponse:
        assert url == URL
        assert timeout_seconds == 10.0
        self.headers = headers
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    def transport(self, **policy: float) -> HttpTransport:
        return HttpTransport(
            policy=RetryPolicy(**policy),  # type: ignore[arg-type]
            opener=self.opener,
            sleep=self.slept.append,
            uniform=lambda _, high: high,
        )


def test_a_first_good_answer_needs_no_waiting() -> None:
    line = Line(HttpResponse(200, b"{}"))
    assert line.transport().get(URL, {"Origin": "https://x.example"}).body == b"{}"
    assert line.slept == []
    assert line.headers["Accept-Encoding"] == "gzip"
    assert line.headers["Origin"] == "https://x.example"


def test_waits_double_up_to_their_cap() -> None:
    line = Line(HttpResponse(500, b""), TimeoutError(), HttpResponse(503, b""), HttpResponse(200, b"ok"))
    assert line.transport(base_seconds=1, cap_seconds=3).get(URL).body == b"ok"
    assert line.slept == [1, 2, 3]


def test_the_server_s_retry_after_is_kept_up_to_the_cap() -> None:
    line = Line(
        HttpResponse(429, b"", {"retry-after": "7"}),
        HttpResponse(429, b"", {"retry-after": "3600"}),
        HttpResponse(429, b"", {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}),
        HttpResponse(200, b"ok"),
    )
    line.transport(base_seconds=1, cap_seconds=20).get(URL)
    assert line.slept == [7, 20, 4]


def test_after_the_last_attempt_the_provider_is_unavailable() -> None:
    line = Line(HttpResponse(502, b""), HttpResponse(502, b""))
    with pytest.raises(ProviderUnavailable, match="status 502"):
        line.transport(attempts=2).get(URL)
    assert len(line.slept) == 1


def test_a_final_status_is_not_tried_again() -> None:
    line = Line(HttpResponse(403, b""))
    with pytest.raises(ProviderUnavailable, match="status 403"):
        line.transport().get(URL)
    assert line.slept == []


def test_no_key_leaves_through_an_error() -> None:
    line = Line(URLError(OSError(f"cannot reach {URL}")), TimeoutError(URL))
    with pytest.raises(ProviderUnavailable) as failure:
        line.transport(attempts=2).get(URL)
    assert "made-up-key" not in str(failure.value)
    assert "TimeoutError" in failure.value.message


def test_secrets_are_scrubbed_from_addresses_and_the_rest_stays() -> None:
    assert scrub(URL) == "https://odds.example/v4?apiKey=***&regions=eu"
    assert scrub("https://user:pass@h.example/a?TOKEN=1&b=2#frag") == "https://h.example/a?TOKEN=***&b=2"


def test_gzip_is_unpacked_whatever_the_headers_say() -> None:
    line = Line(HttpResponse(200, gzip.compress(b'{"a": 1}'), {"content-type": "application/json"}))
    assert line.transport().get(URL).body == b'{"a": 1}'


@pytest.mark.parametrize("body", [gzip.compress(b"x" * 50, mtime=0)[:-12], b"\x1f\x8bnot gzip at all"])
def test_a_broken_gzip_body_is_unavailable(body: bytes) -> None:
    with pytest.raises(ProviderUnavailable, match="gzip"):
        Line(HttpResponse(200, body)).transport().get(URL)


def test_a_body_that_unpacks_beyond_the_limit_is_refused() -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    with pytest.raises(ProviderUnavailable, match="more than 1000 bytes"):
        Line(HttpResponse(200, bomb)).transport(max_bytes=1000).get(URL)
    with pytest.raises(ProviderUnavailable, match="more than 1000 bytes"):
        Line(HttpResponse(200, b"0" * 1001)).transport(max_bytes=1000).get(URL)


def test_only_http_addresses_are_opened() -> None:
    with pytest.raises(OSError, match="only http"):
        open_url("file:///etc/hostname", {}, 1.0, 10)


def test_packing_the_same_bytes_gives_the_same_bytes() -> None:
    assert packed(b"odds") == packed(b"odds")
    assert gzip.decompress(packed(b"odds")) == b"odds"
