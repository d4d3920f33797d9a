"""What every job asks first: its settings and the time it works for."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from batch.mlflow.rest import MlflowRest
from batch.mlflow.run_log import CALL_SECONDS, RunLog
from batch.settings import BatchSettings
from chalicelib import wiring
from chalicelib.errors import RegistryUnavailable

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


def mlflow_token() -> str | None:
    """The MLflow server's bearer token, read anew for each run; None for a server without authentication."""
    return secret(settings().mlflow_token_secret_id) if settings().mlflow_token_secret_id else None


def secret(secret_id: str) -> str:
    """A secret's text.

    Raises:
        botocore.exceptions.ClientError: it cannot be read.
    """
    return str(wiring.aws_client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"])


def run_log() -> RunLog:
    """Where runs are logged.

    Raises:
        RegistryUnavailable: no MLflow server is set.
        botocore.exceptions.ClientError: its token cannot be read.
    """
    if not settings().mlflow_tracking_uri:
        raise RegistryUnavailable("no MLflow server is set (MLFLOW_TRACKING_URI)")
    return RunLog(MlflowRest(settings().mlflow_tracking_uri, mlflow_token(), CALL_SECONDS))
