"""What every job asks first: its settings and the time it works for."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from batch.settings import BatchSettings

Event = dict[str, Any]


@cache
def settings() -> BatchSettings:
    """This function's settings."""
    return BatchSettings.from_environment(os.environ)


def as_of(event: Event) -> datetime:
    """The time a run works for: the event's `as_of`, else the replay clock, else the schedule's time, else now.

    Raises:
        ValueError: the event names something that is not a time.
    """
    text = event.get("as_of") or settings().replay_as_of or event.get("time")
    return utc(datetime.fromisoformat(text) if text else datetime.now(UTC))


def utc(moment: datetime) -> datetime:
    """The same moment in UTC; a time without a zone is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
