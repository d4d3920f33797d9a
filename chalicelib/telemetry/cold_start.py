"""Whether a sandbox has just started."""

from typing import Final

from chalicelib.telemetry.emf import Measurement
from chalicelib.telemetry.names import COLD_STARTS


class ColdStart:
    """Whether a sandbox has not seen its first event yet."""

    def __init__(self) -> None:
        self.pending = True

    def take(self) -> bool:
        """True the first time, then False."""
        first, self.pending = self.pending, False
        return first


cold_start: Final = ColdStart()
"""One per sandbox."""


def cold_start_of(function: str) -> tuple[Measurement, ...]:
    """The measurement of this sandbox's start at the first call; then nothing."""
    return (Measurement(COLD_STARTS, "Count", 1, ({"function": function},)),) if cold_start.take() else ()
