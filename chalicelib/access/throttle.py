"""Token buckets in each sandbox's memory: how fast one API key may call, how many wrong keys an address may send.

docs/adr/0007-throttling.md has the reasons.
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from chalicelib.errors import Allowance, KeyThrottled, TooManyWrongKeys

WRONG_KEYS_PER_SECOND: Final = 1.0
WRONG_KEYS_AT_ONCE: Final = 20
MAX_BUCKETS: Final = 10_000
"""How many addresses are remembered; the one seen longest ago is forgotten first."""


class _Buckets:
    """Token buckets by name.

    Args:
        rate: Tokens per second that a bucket regains.
        size: Tokens that a full bucket holds.
        clock: Monotonic seconds.
    """

    def __init__(self, rate: float, size: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._size = size
        self._clock = clock
        # Tokens left, and when that was.
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, name: str, count: int = 1) -> tuple[bool, Allowance]:
        """Take tokens if the bucket holds at least one.

        Returns:
            Whether it did, and what is left. With `count` 0 nothing is taken.
        """
        digest, now = hashlib.sha256(name.encode("utf-8", "replace")).digest(), self._clock()
        tokens, then = self._buckets.get(digest, (float(self._size), now))
        tokens = min(self._size, tokens + (now - then) * self._rate)
        is_enough = tokens >= 1
        if is_enough:
            tokens -= count
        self._buckets[digest] = (tokens, now)
        self._buckets.move_to_end(digest)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        missing = self._size - tokens if is_enough else 1 - tokens
        window = math.ceil(self._size / self._rate)
        return is_enough, Allowance(self._size, window, int(tokens), math.ceil(missing / self._rate))


class KeyThrottle:
    """The rate of each API key. Only admitted keys come here, so there are as many as are configured.

    Args:
        rate: Requests per second that a key may make in the long run; 0 does not throttle.
        burst: Requests that it may make at once.
        clock: Monotonic seconds.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = _Buckets(rate, burst, clock) if rate > 0 else None

    def take(self, key: str) -> Allowance | None:
        """Count one request.

        Returns:
            What is left of the key's quota; None where keys are not throttled.

        Raises:
            KeyThrottled: nothing is left.
        """
        if self._buckets is None:
            return None
        is_enough, allowance = self._buckets.take(key)
        if not is_enough:
            raise KeyThrottled(allowance)
        return allowance


class WrongKeyThrottle:
    """Slows down an address that sends wrong keys: until its bucket has a token again, no key of its is compared.

    Args:
        rate: Wrong keys per second that an address may send in the long run.
        burst: Wrong keys that it may send at once.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        rate: float = WRONG_KEYS_PER_SECOND,
        burst: int = WRONG_KEYS_AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buckets = _Buckets(rate, burst, clock)

    def check(self, address: str) -> None:
        """Let an address present a key.

        Raises:
            TooManyWrongKeys: it sent too many wrong ones.
        """
        is_enough, allowance = self._buckets.take(address, 0)
        if not is_enough:
            raise TooManyWrongKeys(allowance.reset_seconds)

    def count(self, address: str) -> None:
        """Count a wrong key."""
        self._buckets.take(address)
