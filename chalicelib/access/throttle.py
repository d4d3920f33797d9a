"""How fast one API key may ask: a token bucket per key in each sandbox's memory (docs/adr/0007-throttling.md)."""

import hashlib
import math
import time
from collections.abc import Callable

from chalicelib.errors import KeyThrottled


class KeyThrottle:
    """Token buckets by key. Only admitted keys come here, so there are as many as are configured.

    Args:
        rate: Requests per second that a key may make in the long run; 0 does not throttle.
        burst: Requests that it may make at once.
        clock: Monotonic seconds.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        # Tokens left, and when that was.
        self._buckets: dict[bytes, tuple[float, float]] = {}

    def take(self, key: str) -> None:
        """Take one token.

        Raises:
            KeyThrottled: there is none; with the seconds until there is.
        """
        if self._rate <= 0:
            return
        name, now = hashlib.sha256(key.encode()).digest(), self._clock()
        tokens, then = self._buckets.get(name, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        if tokens < 1:
            self._buckets[name] = (tokens, now)
            raise KeyThrottled(math.ceil((1 - tokens) / self._rate))
        self._buckets[name] = (tokens - 1, now)
