"""A store that holds one pending task, and the clock of its tests."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.fakes import InMemoryTaskStore

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAY = 86_400


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def body_of(task_id: str, **changes: Any) -> str:
    message = {"version": 1, "task_id": task_id, "match_id": 99, "stage": "champion", "features": {"sex": 0}}
    return json.dumps({**message, "submitted_at": NOW.isoformat(), **changes})


class Tasks(InMemoryTaskStore):
    """A store with one pending task, submitted now."""

    def __init__(self) -> None:
        super().__init__()
        self.first = str(uuid.uuid4())
        self.submit(self.first, body_of(self.first), NOW)
