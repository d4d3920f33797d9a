"""A key that asks too often is told to wait; the others are not."""

import pytest

from chalicelib import wiring
from chalicelib.access.throttle import KeyThrottle
from chalicelib.errors import KeyThrottled
from chalicelib.storage.objects import ObjectStore
from tests.contract.documented import check
from tests.handlers.calling import call


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_may_burst_and_then_asks_at_its_rate() -> None:
    clock = Clock()
    throttle = KeyThrottle(rate=0.5, burst=3, clock=clock)
    for _ in range(3):
        throttle.take("a")
    with pytest.raises(KeyThrottled) as refused:
        throttle.take("a")
    assert refused.value.allowance.reset_seconds == 2
    clock.now = 1.0
    with pytest.raises(KeyThrottled) as refused:
        throttle.take("a")
    assert refused.value.allowance.reset_seconds == 1
    clock.now = 2.0
    throttle.take("a")


def test_a_rest_gives_back_no_more_than_the_burst() -> None:
    clock = Clock()
    throttle = KeyThrottle(rate=1, burst=2, clock=clock)
    throttle.take("a")
    clock.now = 3_600.0
    throttle.take("a")
    throttle.take("a")
    with pytest.raises(KeyThrottled):
        throttle.take("a")


def test_each_key_has_its_own_bucket() -> None:
    throttle = KeyThrottle(rate=1, burst=1, clock=Clock())
    throttle.take("a")
    throttle.take("b")
    with pytest.raises(KeyThrottled):
        throttle.take("a")


def test_a_rate_of_zero_does_not_throttle() -> None:
    throttle = KeyThrottle(rate=0, burst=1, clock=Clock())
    for _ in range(100):
        throttle.take("a")


def test_a_throttled_key_is_429_with_the_seconds_to_wait_and_another_is_served(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttle = KeyThrottle(0.25, 1, Clock())
    monkeypatch.setattr(wiring, "key_throttle", lambda: throttle)
    monkeypatch.setenv("CLIENT_KEY_REQUIRED", "true")
    wiring.settings.cache_clear()
    assert call("predict_match", match_id=1, headers={"x-api-key": "client-key"})[0] == 503
    status, body, headers = call("predict_match", match_id=1, headers={"x-api-key": "client-key"})
    assert (status, body["message"], headers["retry-after"]) == (429, "too many requests with this API key", "4")
    check("predict_match", status, body, headers)
    assert call("predict_match", match_id=1, headers={"x-api-key": "old-client-key"})[0] == 503


def test_a_wrong_key_takes_nothing_from_anyone(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = KeyThrottle(1, 1, Clock())
    monkeypatch.setattr(wiring, "key_throttle", lambda: throttle)
    for _ in range(5):
        assert call("drift", headers={"x-api-key": "wrong"})[0] == 401
    assert call("drift", headers={"x-api-key": "operator-key"})[0] == 200
