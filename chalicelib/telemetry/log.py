"""The log of a function: one line per request or task, with its facts."""

from typing import Any, Final

from aws_lambda_powertools import Logger

from chalicelib.errors import ServiceError
from chalicelib.telemetry.names import SERVICE

logger: Final = Logger(service=SERVICE, use_rfc3339=True)


class Facts:
    """Facts about a request, for its one log line."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}
        self._error: ServiceError | None = None

    def note_error(self, error: ServiceError) -> None:
        """Record the failure that became the answer."""
        self._error = error

    def take_error(self) -> ServiceError | None:
        """The failure noted since the last call, if any."""
        error, self._error = self._error, None
        return error

    def note(self, **facts: Any) -> None:
        """Record ids: match_id, task_id, model_run_id, registered_version, stage."""
        self._facts.update(facts)

    def take(self) -> dict[str, Any]:
        """All facts noted since the last call."""
        facts, self._facts = self._facts, {}
        return facts


facts: Final = Facts()
"""A sandbox works on one request at a time, so one collector is enough."""
