"""The stack's stores, in process through moto, wired into the functions."""

import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from chalicelib import wiring
from chalicelib.storage.objects import ObjectStore
from chalicelib.telemetry.names import SERVICE
from tests.support.fakes import InMemoryObjectStore, InMemoryQueue, InMemoryTaskStore

KEYS = {"client": ["client-key", "old-client-key"], "operator": ["operator-key"]}
REGION = "us-east-1"


class ClientsOnce(boto3.session.Session):
    """A session that makes a client once: reading a service's definition costs more than most tests."""

    def __init__(self) -> None:
        super().__init__(region_name=REGION)
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service_name: str, *, config: Config | None = None, **options: Any) -> Any:  # type: ignore[override]
        """The client of a service with these options; moto answers it as it would a new one."""
        chosen = vars(config) if config else {}
        key = (service_name, repr(sorted({**chosen, **options}.items())))
        if key not in self._clients:
            self._clients[key] = super().client(service_name, config=config, **options)  # type: ignore[call-overload]
        return self._clients[key]


@cache
def aws_session() -> ClientsOnce:
    """One session for all tests."""
    return ClientsOnce()


@contextmanager
def function_environment(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """A function's variables, temporary storage in a folder, and nothing wired yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "DATA_BUCKET": "data",
        "TASKS_TABLE": "tasks",
        "INFERENCE_FUNCTION": "soccer-test-inference",
        "API_KEYS_SECRET_ID": "soccer-test/api-keys",
        "CLIENT_KEY_REQUIRED": "false",
        "KEY_RATE": "0",
        "MODEL_CHECK_SECONDS": "0",
        # moto stands in for the SDK's connections only
        "DIRECT_READS": "false",
        "RELEASE_CHECK_SECONDS": "0",
        "REPLAY_AS_OF": "2024-05-01T12:00:00Z",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    forget_wiring()
    yield
    forget_wiring()


@contextmanager
def moto_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bucket, the task table, both queues and the API keys, empty but for the keys."""
    with mock_aws():
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", aws_session())
        boto3.client("s3", region_name=REGION).create_bucket(Bucket="data")
        create_task_table(boto3.client("dynamodb", region_name=REGION), "tasks")
        sqs = boto3.client("sqs", region_name=REGION)
        monkeypatch.setenv("INFERENCE_QUEUE_URL", sqs.create_queue(QueueName="inference")["QueueUrl"])
        monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", sqs.create_queue(QueueName="dead-letters")["QueueUrl"])
        boto3.client("secretsmanager", region_name=REGION).create_secret(
            Name="soccer-test/api-keys", SecretString=json.dumps(KEYS)
        )
        yield


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InMemoryObjectStore]:
    """The functions on fakes, for tests where the stores do not matter: no API keys, nothing in the bucket."""
    with function_environment(monkeypatch, tmp_path):
        monkeypatch.setenv("INFERENCE_QUEUE_URL", "http://queue.invalid/inference")
        monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", "http://queue.invalid/dead-letters")
        objects, tasks, queue = InMemoryObjectStore(), InMemoryTaskStore(), InMemoryQueue()
        monkeypatch.setattr(wiring, "objects", lambda: objects)
        monkeypatch.setattr(wiring, "tasks", lambda: tasks)
        monkeypatch.setattr(wiring, "inference_queue", lambda: queue)
        yield objects


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The functions on moto: a bucket, the task table, both queues and the API keys, empty but for the keys."""
    with function_environment(monkeypatch, tmp_path), moto_stores(monkeypatch):
        yield


@pytest.fixture
def objects(aws: None) -> ObjectStore:
    """The bucket."""
    return wiring.objects()


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> pytest.CaptureFixture[str]:
    """What was printed, with the log lines, whose handler otherwise holds the stream there was when it was made."""
    (handler,) = (one for one in logging.getLogger(SERVICE).handlers if type(one) is logging.StreamHandler)
    monkeypatch.setattr(handler, "stream", _CurrentStdout())
    return capsys


class _CurrentStdout:
    """Standard output as it is when something is written; pytest changes it between set-up and test."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def forget_wiring() -> None:
    """Start like a new sandbox."""
    for name in dir(wiring):
        cached: Any = getattr(wiring, name)
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()


def create_task_table(client: Any, name: str) -> None:
    """The table as infra/stack/template.yaml declares it."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "task_id", "AttributeType": "S"},
            {"AttributeName": "pending_shard", "AttributeType": "S"},
            {"AttributeName": "submitted_at", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "task_id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "pending",
                "KeySchema": [
                    {"AttributeName": "pending_shard", "KeyType": "HASH"},
                    {"AttributeName": "submitted_at", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["status", "sends", "next_send_at"],
                },
            }
        ],
    )
