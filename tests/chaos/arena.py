"""The queue of a running stack made quick to fail, its functions behind a faulty endpoint, and what is read of it."""

import json
import math
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
from chalicelib.models.mirror import ModelInfo, mirror_key
from chalicelib.models.native import NativeModel
from chalicelib.models.store import ServedModel
from chalicelib.tasks.monitor import PING
from chalicelib.tasks.store import DynamoTaskStore
from tests.chaos.faulty_endpoint import Faults, faulty_endpoint
from tests.support.throwaway import RunningStack

FUNCTIONS: Final = ("predict_async", "inference", "dead_letters", "sweep")
FUNCTION_SECONDS: Final = 4
"""Time limit of the inference function; longer where a worker takes long to start."""
DELIVERIES: Final = 4
RESEND_AFTER_SECONDS: Final = 6
_KEYS_PER_READ: Final = 100
_SUBMITTERS_KILLED: Final = 4
_PATIENCE_SECONDS: Final = 1.0
_FAR: Final = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Arena:
    """A stack under attack.

    Args:
        stack: The stack.
        faults: What goes wrong between its functions and the services.
        random: Of everything else that is drawn.
        start_seconds: How long a new worker of the inference function takes to answer here.
        killed: Workers killed so far.
        hung: Workers suspended so far.
    """

    stack: RunningStack
    faults: Faults
    random: random.Random
    start_seconds: float = 0.0
    killed: int = 0
    hung: int = 0
    _halt: threading.Event = field(default_factory=threading.Event)

    @property
    def tasks(self) -> DynamoTaskStore:
        """The stack's tasks, read directly."""
        return DynamoTaskStore(self.stack.client("dynamodb"), self.stack.outputs.tasks_table, 86_400)

    # ── Attacks ─────────────────────────────────────────────────────────────────────────────────────

    def workers(self, function: str) -> list[psutil.Process]:
        """The emulator's processes that run a function and have started.

        A worker that dies while it starts makes the emulator kill all others of its function with their calls, those
        that are starting too, which on a slow machine goes round in circles; AWS does nothing like it.
        """
        emulator = self.stack.system.emulator.daemon.process()
        assert emulator is not None
        name = self.stack.function_name(function)
        processes = []
        for child in emulator.children(recursive=True):
            try:
                old = time.time() - child.create_time() > 2 * self.start_seconds
                if old and child.environ().get("AWS_LAMBDA_FUNCTION_NAME") == name:
                    processes.append(child)
            except psutil.Error:
                continue
        return processes

    @contextmanager
    def killing(self, every_seconds: float, at_most: int) -> Iterator[None]:
        """Kill a worker now and then, mostly of the inference function; every fifth hangs until its time is over.

        The first victim is a worker of the submitting function, as soon as there is one.
        """
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
            function = "predict_async" if number % 5 == 0 and number < _SUBMITTERS_KILLED * 5 else "inference"
            try:
                victims = self.workers(function)
                if victims and number % 5 == 4:
                    self.random.choice(victims).suspend()
                    self.hung += 1
                elif victims:
                    self.random.choice(victims).kill()
                    self.killed += 1
            except psutil.NoSuchProcess:
                continue

    def wait_for_attacks(self, number: int, seconds: float, bodies: Sequence[str]) -> None:
        """Wait until this many workers were killed or hang; messages that come again meanwhile keep them busy.

        Raises:
            AssertionError: It takes longer than `seconds`.
        """
        end = time.monotonic() + seconds
        while self.killed + self.hung < number:
            assert time.monotonic() < end, f"{self.killed} workers killed, {self.hung} hung, {number} wanted"
            self.send(self.random.sample(bodies, 5))
            time.sleep(0.5)

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
        bodies = self.mirrored()
        self.mirror({Stage.CHAMPION: bodies[Stage.CHALLENGER], Stage.CHALLENGER: bodies[Stage.CHAMPION]})

    def mirrored(self) -> dict[Stage, bytes]:
        """What the mirror says of each stage's model."""
        s3, bucket = self.stack.client("s3"), self.stack.outputs.bucket
        return {stage: s3.get_object(Bucket=bucket, Key=mirror_key(stage))["Body"].read() for stage in Stage}

    def mirror(self, bodies: Mapping[Stage, bytes]) -> None:
        """Let the mirror say this."""
        for stage, body in bodies.items():
            self.stack.client("s3").put_object(Bucket=self.stack.outputs.bucket, Key=mirror_key(stage), Body=body)

    # ── What is there ───────────────────────────────────────────────────────────────────────────────

    def models(self) -> dict[str, ServedModel]:
        """The mirrored models by their run ids."""
        s3, bucket = self.stack.client("s3"), self.stack.outputs.bucket
        models = {}
        for stage, body in self.mirrored().items():
            info = ModelInfo.from_json(body, stage)
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "model.lgb"
                file.write_bytes(s3.get_object(Bucket=bucket, Key=info.model_key)["Body"].read())
                models[info.model_run_id] = ServedModel(info, NativeModel(file))
        return models

    def items(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The tasks' items, strongly consistent."""
        dynamodb, table = self.stack.client("dynamodb"), self.stack.outputs.tasks_table
        items = {}
        for start in range(0, len(ids), _KEYS_PER_READ):
            keys = [{"task_id": {"S": task_id}} for task_id in ids[start : start + _KEYS_PER_READ]]
            answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
            items.update({item["task_id"]["S"]: item for item in answer["Responses"][table]})
        return items

    def operators_view(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What an operator is called with the queues, and of the inference function."""
        key = {"X-API-Key": self.stack.keys.operator}
        paths = ("queues", "workers")
        answers = [requests.get(f"{self.stack.base_url}/monitoring/{p}", headers=key, timeout=60) for p in paths]
        queues, workers = (answer.json() for answer in answers)
        return queues, workers["workers"][0]

    def pending(self) -> int:
        """Tasks that have not ended."""
        return len(list(self.tasks.pending(_FAR)))

    def waiting(self) -> int:
        """Messages that wait in the inference queue."""
        name = "ApproximateNumberOfMessages"
        url = self.stack.outputs.inference_queue_url
        attributes = self.stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
        return int(attributes[name])

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
            pending, queued = self.pending(), self.queued()
            if not pending and not queued:
                return
            assert time.monotonic() < end, f"{pending} tasks pending, {queued} messages left"
            time.sleep(1)


@dataclass(frozen=True)
class Submission:
    """One request: its body, its stage, its key, and the id it was accepted under."""

    body: Mapping[str, Any]
    stage: str
    key: str | None
    task_id: str | None


class Caller:
    """Submits like a client: keeps its connection, and with a key comes back until it is accepted.

    `refused` lists the statuses that were not 202, None for no answer at all.
    """

    def __init__(self, stack: RunningStack, tries: int = 40) -> None:
        self._url = f"{stack.base_url}/predict/async/"
        self._headers = {"X-API-Key": stack.keys.client}
        self._tries = tries
        self.refused: list[int | None] = []

    def submit(self, requests_: Sequence[tuple[Mapping[str, Any], str, str | None]]) -> list[Submission]:
        """Submit (body, stage, key) one after the other."""
        with requests.Session() as session:
            session.headers.update(self._headers)
            return [self._one(session, *request) for request in requests_]

    def _one(self, session: requests.Session, body: Mapping[str, Any], stage: str, key: str | None) -> Submission:
        headers = {} if key is None else {"Idempotency-Key": key}
        for _ in range(self._tries):
            try:
                answer = session.post(self._url, json=body, params={"stage": stage}, headers=headers, timeout=60)
            except requests.RequestException:
                # No answer: accepted or not, without a key it cannot be known.
                self.refused.append(None)
            else:
                if answer.status_code == 202:
                    return Submission(body, stage, key, str(answer.json()["task_id"]))
                self.refused.append(answer.status_code)
                if answer.status_code == requests.codes.unprocessable:
                    # Features that the model rejects are refused at once where a model is at hand.
                    fault_names = {fault["loc"][-1] for fault in answer.json()["details"]}
                    assert answer.json()["code"] == "features_rejected", answer.text
                    assert fault_names, answer.text
                    assert not fault_names & body["features"].keys(), answer.text
                    return Submission(body, stage, None, None)
                assert answer.status_code in {429, 500, 502, 503, 504}, answer.text
            if key is None:
                break
            # A worker that was killed takes its time to be replaced; a client in a hurry would use up its tries.
            time.sleep(_PATIENCE_SECONDS)
        else:
            raise AssertionError(f"not accepted in {self._tries} tries")
        return Submission(body, stage, key, None)


@contextmanager
def arena(stack: RunningStack, faults: Faults) -> Iterator[Arena]:
    """Shorten the queue's and functions' times, put the functions behind the faulty endpoint; undo it afterwards.

    The times are short, but no shorter than the machine is fast: a message must not come back while the worker that has
    it is still starting, or deliveries run out with nobody to blame.
    """
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
    mirrored = fight.mirrored()
    with faulty_endpoint(stack.system.emulator.endpoint_url, faults) as url:
        try:
            for function in functions.values():
                variables = {
                    **function["Environment"]["Variables"],
                    "AWS_ENDPOINT_URL": url,
                    "RESEND_AFTER_SECONDS": str(RESEND_AFTER_SECONDS),
                }
                lambda_.update_function_configuration(
                    FunctionName=function["FunctionName"], Environment={"Variables": variables}
                )
            fight.start_seconds = _seconds_to_start(stack)
            seconds = max(FUNCTION_SECONDS, math.ceil(2 + 2 * fight.start_seconds))
            lambda_.update_function_configuration(FunctionName=functions["inference"]["FunctionName"], Timeout=seconds)
            for queue in queues:
                attributes = {**before[queue], "VisibilityTimeout": str(seconds + 1)}
                if "RedrivePolicy" in attributes:
                    policy = {**json.loads(attributes["RedrivePolicy"]), "maxReceiveCount": DELIVERIES}
                    attributes["RedrivePolicy"] = json.dumps(policy)
                sqs.set_queue_attributes(QueueUrl=queue, Attributes=attributes)
            yield fight
        finally:
            for function in functions.values():
                lambda_.update_function_configuration(
                    FunctionName=function["FunctionName"],
                    Environment={"Variables": function["Environment"]["Variables"]},
                    Timeout=function["Timeout"],
                )
            for queue in queues:
                sqs.set_queue_attributes(QueueUrl=queue, Attributes=before[queue])
            fight.mirror(mirrored)


def _seconds_to_start(stack: RunningStack) -> float:
    """How long a new worker of the inference function takes to answer."""
    started = time.monotonic()
    stack.invoke("inference", PING)
    return time.monotonic() - started
