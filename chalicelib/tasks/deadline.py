"""The deadline of work on a batch of tasks."""

import math
import time
from collections.abc import Callable


class Deadline:
    """The end of an invocation's working time.

    Args:
        seconds: Seconds from now; infinity for no deadline.
        clock: Monotonic seconds.
    """

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float | None:
        """Seconds left for work; None where there is no deadline."""
        return None if math.isinf(self._end) else max(0.0, self._end - self._clock())

    def passed(self) -> bool:
        """Whether the time for work is over."""
        return self.remaining() == 0.0
