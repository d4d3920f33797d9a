"""Whether a sandbox has just started."""

from typing import Final

from chalicelib.telemetry.emf import Measurement
from chalicelib.telemetry.names import COLD_STARTS


class ColdStart:
    """Whether a sandbox has yet to see its first event."""

    def __init__(self) -> None:
        self.pending = True

    def take(self) -> bool:
        """True the first time, False ever after."""
        first, self.pending = self.pending, False
        return first


cold_start: Final = ColdStart()
"""One per sandbox, like the sandbox's cold start."""


def cold_start_of(function: str) -> tuple[Measurement, ...]:
    """The measurement of this sandbox's start, the first time it is asked for; nothing ever after."""
    return (Measurement(COLD_STARTS, "Count", 1, ({"function": function},)),) if cold_start.take() else ()
