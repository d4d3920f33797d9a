"""The queue of a running stack made quick to fail, its functions behind a faulty endpoint, and what is read of it."""

import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
import requests

from chalicelib.domain import Stage
from chalicelib.lightgbm_native import NativeModel
from chalicelib.model_store import ModelInfo, ServedModel, mirror_key
from chalicelib.task_store import DynamoTaskStore
from infra.throwaway import RunningStack
from tests.chaos.faulty_endpoint import Faults, faulty_endpoint

FUNCTIONS: Final = ("predict_async", "inference", "dead_letters", "sweep")
FUNCTION_SECONDS: Final = 4
VISIBILITY_SECONDS: Final = 5
DELIVERIES: Final = 4
RESEND_AFTER_SECONDS: Final = 6
_KEYS_PER_READ: Final = 100
_SUBMITTERS_KILLED: Final = 4
_FAR: Final = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Arena:
    """A stack under attack.

    Args:
        stack: The stack.
        faults: What goes wrong between its functions and the services.
        random: Of everything else that is drawn.
    """

    stack: RunningStack
    faults: Faults
    random: random.Random
    killed: int = 0
    hung: int = 0
    _halt: threading.Event = field(default_factory=threading.Event)

    @property
    def tasks(self) -> DynamoTaskStore:
        """The stack's tasks, read directly."""
        return DynamoTaskStore(self.stack.client("dynamodb"), self.stack.outputs.tasks_table, 86_400)

    # ── Attacks ─────────────────────────────────────────────────────────────────────────────────────

    def workers(self, function: str) -> list[psutil.Process]:
        """The emulator's processes that run a function."""
        emulator = self.stack.system.emulator.daemon.process()
        assert emulator is not None
        name = self.stack.function_name(function)
        found = []
        for child in emulator.children(recursive=True):
            try:
                if child.environ().get("AWS_LAMBDA_FUNCTION_NAME") == name:
                    found.append(child)
            except psutil.Error:
                continue
        return found

    @contextmanager
    def killing(self, every_seconds: float, at_most: int) -> Iterator[None]:
        """Kill a worker now and then, mostly of the inference function; every fifth hangs until its time is over."""
        self._halt.clear()
        thread = threading.Thread(target=self._kill, args=(every_seconds, at_most))
        thread.start()
        try:
            yield
        finally:
            self._halt.set()
            thread.join()

    def _kill(self, every_seconds: float, at_most: int) -> None:
        while self.killed + self.hung < at_most and not self._halt.wait(every_seconds * self.random.uniform(0.5, 1.5)):
            number = self.killed + self.hung
            # Each new worker of the submitting function unpacks 180 MB: a few of them tell as much as many.
            function = "predict_async" if number % 5 == 1 and number < _SUBMITTERS_KILLED * 5 else "inference"
            victims = self.workers(function)
            try:
                if victims and number % 5 == 4:
                    self.random.choice(victims).suspend()
                    self.hung += 1
                elif victims:
                    self.random.choice(victims).kill()
                    self.killed += 1
            except psutil.NoSuchProcess:
                continue

    @contextmanager
    def consumer_off(self) -> Iterator[None]:
        """Let messages pile up, so that real batches follow."""
        client = self.stack.client("lambda")
        (mapping,) = client.list_event_source_mappings(FunctionName=self.stack.function_name("inference"))[
            "EventSourceMappings"
        ]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def send(self, bodies: Sequence[str]) -> None:
        """Put messages into the inference queue."""
        sqs = self.stack.client("sqs")
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies[start : start + 10])]
            sqs.send_message_batch(QueueUrl=self.stack.outputs.inference_queue_url, Entries=entries)

    def swap_models(self) -> None:
        """Serve the challenger's model as champion and the champion's as challenger."""
        s3, bucket = self.stack.client("s3"), self.stack.outputs.bucket
        bodies = {s: s3.get_object(Bucket=bucket, Key=mirror_key(s))["Body"].read() for s in Stage}
        s3.put_object(Bucket=bucket, Key=mirror_key(Stage.CHAMPION), Body=bodies[Stage.CHALLENGER])
        s3.put_object(Bucket=bucket, Key=mirror_key(Stage.CHALLENGER), Body=bodies[Stage.CHAMPION])

    # ── What is there ───────────────────────────────────────────────────────────────────────────────

    def models(self) -> dict[str, ServedModel]:
        """The mirrored models by their run ids."""
        s3, bucket = self.stack.client("s3"), self.stack.outputs.bucket
        found = {}
        for stage in Stage:
            info = ModelInfo.from_json(s3.get_object(Bucket=bucket, Key=mirror_key(stage))["Body"].read(), stage)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "model.lgb"
                file.write_bytes(s3.get_object(Bucket=bucket, Key=info.model_key)["Body"].read())
                found[info.model_run_id] = ServedModel(info, NativeModel(file))
        return found

    def items(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The tasks' items, strongly consistent."""
        dynamodb, table = self.stack.client("dynamodb"), self.stack.outputs.tasks_table
        found = {}
        for start in range(0, len(ids), _KEYS_PER_READ):
            keys = [{"task_id": {"S": task_id}} for task_id in ids[start : start + _KEYS_PER_READ]]
            answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
            found.update({item["task_id"]["S"]: item for item in answer["Responses"][table]})
        return found

    def queued(self) -> int:
        """Messages in both queues, in whatever state."""
        sqs = self.stack.client("sqs")
        urls = (self.stack.outputs.inference_queue_url, self.stack.outputs.dead_letter_queue_url)
        return sum(
            int(number)
            for url in urls
            for name, number in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"].items()
            if name.startswith("ApproximateNumberOfMessages")
        )

    def settle(self, seconds: float) -> None:
        """Sweep until no task is pending and no message left.

        Raises:
            AssertionError: It takes longer than `seconds`.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                self.stack.invoke("sweep")
            except Exception:
                if time.monotonic() > end:
                    raise
            pending, queued = [task.task_id for task in self.tasks.pending(_FAR)], self.queued()
            if not pending and not queued:
                return
            assert time.monotonic() < end, f"{len(pending)} tasks pending, {queued} messages left"
            time.sleep(1)


@dataclass(frozen=True)
class Submission:
    """One request: its body, its stage, its key, and the id it was accepted under."""

    body: Mapping[str, Any]
    stage: str
    key: str | None
    task_id: str | None


class Caller:
    """Submits like a client: keeps its connection, and with a key comes back until it is accepted."""

    def __init__(self, stack: RunningStack, tries: int = 40) -> None:
        self._url = f"{stack.base_url}/predict/async/"
        self._headers = {"X-API-Key": stack.keys.client}
        self._tries = tries

    def submit(self, requests_: Sequence[tuple[Mapping[str, Any], str, str | None]]) -> list[Submission]:
        """Submit (body, stage, key) one after the other."""
        with requests.Session() as session:
            session.headers.update(self._headers)
            return [self._one(session, *request) for request in requests_]

    def _one(self, session: requests.Session, body: Mapping[str, Any], stage: str, key: str | None) -> Submission:
        headers = {} if key is None else {"Idempotency-Key": key}
        for _ in range(self._tries):
            answer = session.post(self._url, json=body, params={"stage": stage}, headers=headers, timeout=60)
            if answer.status_code == 202:
                return Submission(body, stage, key, str(answer.json()["task_id"]))
            assert answer.status_code in {429, 500, 502, 503, 504}, answer.text
            if key is None:
                break
        else:
            raise AssertionError(f"not accepted in {self._tries} tries")
        return Submission(body, stage, key, None)


@contextmanager
def arena(stack: RunningStack, faults: Faults) -> Iterator[Arena]:
    """Shorten the queue's and functions' times, put the functions behind the faulty endpoint; undo it afterwards."""
    lambda_, sqs = stack.client("lambda"), stack.client("sqs")
    functions = {name: lambda_.get_function_configuration(FunctionName=stack.function_name(name)) for name in FUNCTIONS}
    queues = (stack.outputs.inference_queue_url, stack.outputs.dead_letter_queue_url)
    changed = {"VisibilityTimeout", "RedrivePolicy"}
    before = {
        url: {
            name: value
            for name, value in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"].items()
            if name in changed
        }
        for url in queues
    }
    fight = Arena(stack, faults, random.Random(faults.seed))  # noqa: S311 - no secret
    with faulty_endpoint(stack.system.emulator.endpoint_url, faults) as url:
        try:
            for name, found in functions.items():
                variables = {
                    **found["Environment"]["Variables"],
                    "AWS_ENDPOINT_URL": url,
                    "RESEND_AFTER_SECONDS": str(RESEND_AFTER_SECONDS),
                }
                lambda_.update_function_configuration(
                    FunctionName=found["FunctionName"],
                    Environment={"Variables": variables},
                    Timeout=FUNCTION_SECONDS if name == "inference" else found["Timeout"],
                )
            for queue in queues:
                attributes = {**before[queue], "VisibilityTimeout": str(VISIBILITY_SECONDS)}
                if "RedrivePolicy" in attributes:
                    policy = {**json.loads(attributes["RedrivePolicy"]), "maxReceiveCount": DELIVERIES}
                    attributes["RedrivePolicy"] = json.dumps(policy)
                sqs.set_queue_attributes(QueueUrl=queue, Attributes=attributes)
            yield fight
        finally:
            for found in functions.values():
                lambda_.update_function_configuration(
                    FunctionName=found["FunctionName"],
                    Environment={"Variables": found["Environment"]["Variables"]},
                    Timeout=found["Timeout"],
                )
            for queue in queues:
                sqs.set_queue_attributes(QueueUrl=queue, Attributes=before[queue])
