"""Build the adapters from the settings, lazily, once per sandbox."""

import os
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib.access.keys import KeyRing, level_of
from chalicelib.access.throttle import KeyThrottle, WrongKeyThrottle
from chalicelib.endpoints import Access
from chalicelib.errors import KeysUnavailable, TooManyWrongKeys
from chalicelib.models.copies import ModelCopies
from chalicelib.models.store import ModelStore
from chalicelib.releases.store import ReleaseStore
from chalicelib.settings import Settings
from chalicelib.storage.aws_http import AwsEndpoint, Credentials, SecretsReader, service_url
from chalicelib.storage.direct_s3 import DirectS3ObjectStore
from chalicelib.storage.objects import ObjectStore, S3ObjectStore
from chalicelib.storage.versions import VersionedBucket
from chalicelib.tasks.queue import SqsTaskQueue
from chalicelib.tasks.store import DynamoTaskStore, TaskStore
from chalicelib.telemetry.emf import Recorder
from chalicelib.telemetry.log import logger
from chalicelib.timestamps import parse_utc

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from chalicelib.telemetry.cloudwatch import CloudWatchCounters


@cache
def settings() -> Settings:
    """This function's settings."""
    return Settings.from_environment(os.environ)


@cache
def aws_client(service: str) -> Any:
    """A client of an AWS service, with time limits that leave room to answer."""
    import boto3  # noqa: PLC0415 - 0.1 s that functions without such calls save
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3}, max_pool_connections=16
    )
    _record_sdk(boto3.__version__)
    client: BaseClient = boto3.client(service, config=config)  # type: ignore[call-overload]
    return client


@cache
def _record_sdk(version: str) -> None:
    """Log the SDK's version once per sandbox: the runtime brings it, and AWS renews it without a deployment."""
    logger.info("AWS SDK loaded", extra={"boto3": version})


@cache
def objects() -> ObjectStore:
    """The data bucket; read without the SDK where that is possible, see `aws_http`."""
    bucket = settings().data_bucket
    if endpoint := _endpoint("s3", bucket):
        return DirectS3ObjectStore(*endpoint, lambda: aws_client("s3"), bucket)
    return S3ObjectStore(aws_client("s3"), bucket)


@cache
def versioned_bucket() -> VersionedBucket:
    """The data bucket with its versions."""
    return VersionedBucket(aws_client("s3"), settings().data_bucket)


def _endpoint(service: str, bucket: str = "") -> tuple[AwsEndpoint, str] | None:
    """Where a service is, and what stands before an object's key in its path; None where only the SDK knows."""
    credentials = Credentials.from_environment(os.environ)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not settings().direct_reads or credentials is None or region is None:
        return None
    url, chosen = service_url(service, region, os.environ)
    prefix = ""
    if bucket and not chosen and "." not in bucket:
        url = url.replace("https://", f"https://{bucket}.")
    elif bucket:
        # Emulators and proxies have one host for all buckets, and a certificate covers no dots.
        prefix = f"/{bucket}"
    return AwsEndpoint(service, region, url, credentials), prefix


@cache
def models() -> ModelStore:
    """The current models."""
    copies = ModelCopies(Path(tempfile.gettempdir()) / "soccer-models" / settings().data_bucket)
    return ModelStore(objects(), settings().model_check_seconds, copies=copies)


@cache
def releases() -> ReleaseStore:
    """The current data release."""
    return ReleaseStore(objects(), settings().release_check_seconds)


@cache
def tasks() -> TaskStore:
    """The task table."""
    return DynamoTaskStore(
        aws_client("dynamodb"),
        settings().tasks_table,
        settings().task_retention_seconds,
        settings().resend_after_seconds,
        settings().pending_shards,
    )


@cache
def inference_queue() -> SqsTaskQueue:
    """The queue that the inference function drains."""
    return SqsTaskQueue(aws_client("sqs"), settings().inference_queue_url)


@cache
def dead_letter_queue() -> SqsTaskQueue:
    """The queue of messages that failed too often."""
    return SqsTaskQueue(aws_client("sqs"), settings().dead_letter_queue_url)


@cache
def key_ring() -> KeyRing:
    """The API keys."""
    endpoint = _endpoint("secretsmanager")
    client = SecretsReader(endpoint[0]) if endpoint else aws_client("secretsmanager")
    return KeyRing(client, settings().api_keys_secret_id, settings().api_keys_check_seconds)


def is_known_caller(api_key: str | None, address: str) -> bool:
    """Whether a public operation treats the caller as one with a key: always where the deployment demands none.

    A wrong key counts against its address, whose keys are not compared while it waits: a longer page must not tell
    guesses apart.
    """
    if not settings().client_key_required:
        return True
    if api_key is None:
        return False
    try:
        wrong_key_throttle().check(address)
        is_known = level_of(api_key, key_ring().keys()) is not Access.PUBLIC
    except (KeysUnavailable, TooManyWrongKeys):
        return False
    if not is_known:
        wrong_key_throttle().count(address)
    return is_known


@cache
def counters() -> "CloudWatchCounters":
    """Totals of all functions' metrics; only `GET /metrics` reads them."""
    from chalicelib.telemetry.cloudwatch import CloudWatchCounters  # noqa: PLC0415

    return CloudWatchCounters(aws_client("cloudwatch"), settings().metrics_namespace)


@cache
def recorder() -> Recorder:
    """The metrics."""
    return Recorder(settings().metrics_namespace)


@cache
def key_throttle() -> KeyThrottle:
    """The rate of each API key."""
    return KeyThrottle(settings().key_rate, settings().key_burst)


@cache
def wrong_key_throttle() -> WrongKeyThrottle:
    """Slows down addresses that send wrong keys."""
    return WrongKeyThrottle()


def real_now() -> datetime:
    """The real time, also in replay mode: for tasks and their retention."""
    return datetime.now(UTC)


def now() -> datetime:
    """The current time for answers about matches: the replay clock's, if one is set."""
    if replay := settings().replay_as_of:
        return parse_utc(replay)
    return real_now()
