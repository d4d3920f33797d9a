"""What every job needs: its settings, its `as_of`, secrets and the MLflow server."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from batch.mlflow.auth import signer
from batch.mlflow.rest import TIMEOUT_SECONDS, MlflowRest
from batch.mlflow.run_log import CALL_SECONDS, RunLog
from batch.settings import BatchSettings
from chalicelib import wiring
from chalicelib.errors import RegistryUnavailable
from chalicelib.timestamps import parse_utc

Event = dict[str, Any]


@cache
def settings() -> BatchSettings:
    """This function's settings."""
    return BatchSettings.from_environment(os.environ)


def as_of(event: Event) -> datetime:
    """A run's `as_of`: the event's `as_of`, else the replay clock, else the schedule's time, else now.

    Raises:
        ValueError: the event's `as_of` is not a time.
    """
    text = event.get("as_of") or settings().replay_as_of or event.get("time")
    return parse_utc(text) if text else datetime.now(UTC)


def mlflow_server(timeout_seconds: float = TIMEOUT_SECONDS) -> MlflowRest:
    """The MLflow server; its credential is read for each run.

    Raises:
        RegistryUnavailable: none is set.
        InvalidSettings: its credential is missing, or would be sent unencrypted.
        botocore.exceptions.ClientError: its credential cannot be read.
    """
    uri, kind, secret_id = settings().mlflow_tracking_uri, settings().mlflow_auth, settings().mlflow_secret_id
    if not uri:
        raise RegistryUnavailable("no MLflow server is set (MLFLOW_TRACKING_URI)")
    credentials = boto3.Session().get_credentials() if kind == "sigv4" else None
    credential = secret(secret_id) if secret_id and kind in {"basic", "bearer"} else None
    return MlflowRest(uri, signer(kind, uri, credential, credentials), timeout_seconds)


def secret(secret_id: str) -> str:
    """Read a secret.

    Raises:
        botocore.exceptions.ClientError: it cannot be read.
    """
    return str(wiring.aws_client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"])


def run_log() -> RunLog:
    """The log of runs in MLflow.

    Raises:
        RegistryUnavailable, InvalidSettings, botocore.exceptions.ClientError: see `mlflow_server`.
    """
    return RunLog(mlflow_server(CALL_SECONDS))
