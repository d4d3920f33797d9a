"""The functions behind the queues: partial answers, time limits, what is logged and counted, what operators see."""

import io
import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

import app
from chalicelib import wiring
from chalicelib.errors import QueueUnavailable, TaskStoreUnavailable, WorkersUnavailable
from chalicelib.storage.objects import ObjectStore
from chalicelib.tasks import monitor as queue_monitor
from chalicelib.tasks.queue import SqsTaskQueue
from infra.ops import redrive
from tests.handlers.calling import call
from tests.support.builders import Context, mirror_model

FEATURES: dict[str, Any] = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}
OPERATOR = {"x-api-key": "operator-key"}


def accept(**changes: Any) -> str:
    """Submit a prediction; its task id."""
    status, body, _ = call("predict_async", body={"match_id": 99, "features": FEATURES, **changes})
    assert status == 202
    return str(body["task_id"])


def record(body: str, receipt: str = "m1", delivery: int = 1) -> dict[str, Any]:
    return {"messageId": receipt, "body": body, "attributes": {"ApproximateReceiveCount": str(delivery)}}


def message_of(task_id: str) -> str:
    message = wiring.tasks().get(task_id, datetime.now(UTC)).message
    assert message is not None
    return message


def inference(*records: dict[str, Any], milliseconds: int = 10_000) -> list[str]:
    """Receipts that come back."""
    answer = app.inference({"Records": list(records)}, Context(milliseconds=milliseconds))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def dead_letters(*records: dict[str, Any]) -> list[str]:
    answer = app.dead_letters({"Records": list(records)}, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def status_of(task_id: str) -> dict[str, Any]:
    body: dict[str, Any] = call("task_status", task_id=task_id)[1]
    return body


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, Any]]:
    return [vars(entry) for entry in caplog.records if entry.message == message]


def counted(capsys: pytest.CaptureFixture[str], metric: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if metric in line]


def test_only_what_failed_is_retried(objects: ObjectStore) -> None:
    # Accepted while there was no model to check them with.
    good, rejected = accept(), accept(features={"sex": 0})
    mirror_model(objects)
    assert inference(record(message_of(good), "m1"), record("not json", "m2"), record(message_of(rejected), "m3")) == [
        "m2"
    ]
    assert (status_of(good)["status"], status_of(rejected)["status"]) == ("success", "failed")


def test_a_retry_is_logged_once_with_its_ids_and_counted_once(
    objects: ObjectStore, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    task_id = accept()
    capsys.readouterr()
    with caplog.at_level(logging.INFO):
        assert inference(record(message_of(task_id), "m1", delivery=2)) == ["m1"]
    (line,) = logged(caplog, "task")
    assert (line["levelname"], line["task_id"], line["match_id"], line["message_id"], line["delivery"]) == (
        "WARNING",
        task_id,
        99,
        "m1",
        2,
    )
    assert (line["outcome"], line["reason"]) == ("retry", "model_unavailable")
    (metric,) = counted(capsys, "TaskRetries")
    assert (metric["TaskRetries"], metric["reason"]) == (1, "model_unavailable")


def test_writes_that_take_too_long_are_retried_before_the_time_is_over(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror_model(objects)
    ids = [accept() for _ in range(3)]
    records = [record(message_of(task_id), task_id) for task_id in ids]
    tasks, finished = wiring.tasks(), threading.Event()

    class Slow:
        def succeed(self, task_id: str, *arguments: Any) -> bool:
            if task_id == ids[1]:
                finished.wait(10)
            return tasks.succeed(task_id, *arguments)

    monkeypatch.setattr(wiring, "tasks", Slow)
    # 2 seconds of them are kept for the answer.
    assert inference(*records, milliseconds=2_500) == [ids[1]]
    assert not finished.is_set()
    finished.set()


def test_without_time_all_messages_are_retried(objects: ObjectStore) -> None:
    mirror_model(objects)
    task_id = accept()
    assert inference(record(message_of(task_id)), milliseconds=1_000) == ["m1"]
    assert status_of(task_id)["status"] == "pending"


def test_a_dead_letter_says_what_the_last_deliveries_failed_of(objects: ObjectStore) -> None:
    task_id = accept()
    body = message_of(task_id)
    for delivery in (3, 4, 5):
        assert inference(record(body, delivery=delivery)) == ["m1"]
    assert dead_letters(record(body, delivery=6)) == []
    assert status_of(task_id)["error"] == {
        "type": "dead_letter",
        "message": "the prediction failed too often: model_unavailable",
    }


def test_dead_letters_that_cannot_be_ended_are_retried_alone(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = accept(), accept()
    bodies = message_of(first), message_of(second)
    tasks = wiring.tasks()

    class OneLost:
        def fault(self, task_id: str) -> str | None:
            if task_id == first:
                raise TaskStoreUnavailable("gone")
            return tasks.fault(task_id)

        def fail(self, *arguments: Any, **options: Any) -> bool:
            return tasks.fail(*arguments, **options)

    monkeypatch.setattr(wiring, "tasks", OneLost)
    with caplog.at_level(logging.ERROR):
        assert dead_letters(record(bodies[0], "m1"), record(bodies[1], "m2"), record("no json", "m3")) == ["m1"]
    monkeypatch.undo()
    assert [(line["message_id"], line["outcome"]) for line in logged(caplog, "dead letter")] == [
        ("m1", "retry"),
        ("m2", "failed"),
        ("m3", "no_task"),
    ]
    (stray,) = logged(caplog, "unrecognised message")
    assert stray["body"] == "no json"


def test_a_lost_message_is_sent_again_by_the_sweep_and_counted(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror_model(objects)
    monkeypatch.setenv("RESEND_AFTER_SECONDS", "1")
    task_id = str(new_task(age_seconds=60))
    capsys.readouterr()
    assert app.sweep({}, Context()) == {"sent": 1, "expired": 0, "complete": True}
    assert [line["TasksSentAgain"] for line in counted(capsys, "TasksSentAgain")] == [1]
    assert app.sweep({}, Context())["sent"] == 0
    sqs = boto3.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=wiring.settings().inference_queue_url)["Messages"]
    assert inference(record(message["Body"])) == []
    assert status_of(task_id)["status"] == "success"


def new_task(age_seconds: float) -> str:
    """A task that was recorded and whose message was never sent."""
    wiring.tasks.cache_clear()
    wiring.settings.cache_clear()
    then = datetime.now(UTC) - timedelta(seconds=age_seconds)
    task_id = "0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11"
    body = {"task_id": task_id, "match_id": 1, "stage": "champion", "features": FEATURES}
    return wiring.tasks().submit(task_id, json.dumps({**body, "submitted_at": then.isoformat()}), then)


def test_a_task_pending_for_too_long_is_ended_by_the_sweep(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_QUEUE_AGE_SECONDS", "3600")
    task_id = new_task(age_seconds=3_700)
    assert app.sweep({}, Context())["expired"] == 1
    assert status_of(task_id)["error"] == {"type": "expired", "message": "no prediction within 1 hours"}


def test_a_sweep_that_cannot_send_fails_and_is_tried_again(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_task(age_seconds=1_300)
    monkeypatch.setenv("INFERENCE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/gone")
    wiring.settings.cache_clear()
    wiring.inference_queue.cache_clear()
    with pytest.raises(QueueUnavailable):
        app.sweep({}, Context())


# ── What operators see and do ───────────────────────────────────────────────────────────────────────


def queues() -> dict[str, Any]:
    status, body, _ = call("queues", headers=OPERATOR)
    assert status == 200
    return dict(body)


def test_queues_tell_of_messages_tasks_and_dead_letters(objects: ObjectStore) -> None:
    assert (queues()["pending_tasks"], queues()["dead_letters"]["kept"]) == (0, 0)
    first, _ = accept(), accept()
    assert (queues()["inference"]["waiting"], queues()["pending_tasks"]) == (2, 2)
    dead_letters(record(message_of(first)))
    body = queues()
    assert (body["pending_tasks"], body["dead_letters"]["kept"], body["dead_letters"]["waiting"]) == (1, 1, 0)
    assert body["dead_letters"]["oldest_age_seconds"] >= 0


def test_a_lost_message_shows_as_a_pending_task_with_nothing_queued(objects: ObjectStore) -> None:
    new_task(age_seconds=600)
    body = queues()
    assert (body["inference"]["waiting"], body["inference"]["in_flight"], body["pending_tasks"]) == (0, 0, 1)
    assert body["inference"]["oldest_age_seconds"] >= 600


def shown() -> tuple[int, int, int, int, int]:
    """Waiting and in flight; tasks pending; dead letters waiting and kept."""
    body = queues()
    inference, dead = body["inference"], body["dead_letters"]
    assert (inference["oldest_age_seconds"] is None) == (body["pending_tasks"] == 0)
    assert (dead["oldest_age_seconds"] is None) == (dead["kept"] == 0)
    return inference["waiting"], inference["in_flight"], body["pending_tasks"], dead["waiting"], dead["kept"]


def test_queues_are_true_in_each_state_of_a_task(objects: ObjectStore) -> None:
    mirror_model(objects)
    sqs, settings = boto3.client("sqs"), wiring.settings()
    assert shown() == (0, 0, 0, 0, 0)
    task_id = accept()
    assert shown() == (1, 0, 1, 0, 0)
    (message,) = sqs.receive_message(QueueUrl=settings.inference_queue_url)["Messages"]
    assert shown() == (0, 1, 1, 0, 0)
    # It came back too often, and Lambda moved it.
    sqs.delete_message(QueueUrl=settings.inference_queue_url, ReceiptHandle=message["ReceiptHandle"])
    sqs.send_message(QueueUrl=settings.dead_letter_queue_url, MessageBody=message["Body"])
    assert shown() == (0, 0, 1, 1, 0)
    (letter,) = sqs.receive_message(QueueUrl=settings.dead_letter_queue_url)["Messages"]
    dead_letters(record(letter["Body"]))
    sqs.delete_message(QueueUrl=settings.dead_letter_queue_url, ReceiptHandle=letter["ReceiptHandle"])
    assert shown() == (0, 0, 0, 0, 1)
    redriven(reopen=True)
    assert shown() == (1, 0, 1, 0, 0)
    (message,) = sqs.receive_message(QueueUrl=settings.inference_queue_url)["Messages"]
    assert inference(record(message["Body"])) == []
    sqs.delete_message(QueueUrl=settings.inference_queue_url, ReceiptHandle=message["ReceiptHandle"])
    assert (status_of(task_id)["status"], shown()) == ("success", (0, 0, 0, 0, 0))
    boto3.client("s3").delete_object(Bucket="data", Key="models/champion/current.json")
    accept(features={"sex": 0})
    mirror_model(objects)
    (message,) = sqs.receive_message(QueueUrl=settings.inference_queue_url)["Messages"]
    assert inference(record(message["Body"])) == []
    # Failed for its features: an end like any other, no dead letter.
    sqs.delete_message(QueueUrl=settings.inference_queue_url, ReceiptHandle=message["ReceiptHandle"])
    assert shown() == (0, 0, 0, 0, 0)


def redriven(**options: Any) -> dict[str, int]:
    now, queue = datetime.now(UTC), wiring.inference_queue()
    return dict(redrive.run_again(wiring.tasks(), queue, now, at_most=10, say=lambda _: None, **options))


def test_redrive_runs_dead_letters_again_as_new_tasks(objects: ObjectStore) -> None:
    failed = accept()
    dead_letters(record(message_of(failed)))
    assert redriven(reopen=False) == {"run": 1}
    assert redriven(reopen=False) == {}
    error = status_of(failed)["error"]
    new_id = error["message"].rsplit(" ", 1)[1]
    assert (status_of(failed)["status"], status_of(new_id)["status"]) == ("failed", "pending")
    assert queues()["dead_letters"]["kept"] == 0


def test_redrive_can_reopen_the_same_task(objects: ObjectStore) -> None:
    failed = accept()
    dead_letters(record(message_of(failed)))
    assert redriven(reopen=True) == {"run": 1}
    assert status_of(failed) == {"task_id": failed, "status": "pending"}


def test_redrive_runs_as_many_as_requested(objects: ObjectStore) -> None:
    for _ in range(3):
        dead_letters(record(message_of(accept())))
    now, queue = datetime.now(UTC), wiring.inference_queue()
    counts = redrive.run_again(wiring.tasks(), queue, now, reopen=True, at_most=2, say=lambda _: None)
    assert dict(counts) == {"run": 2, "left": 1}


def test_redrive_moves_what_waits_in_the_dead_letter_queue_back(objects: ObjectStore) -> None:
    sqs, url = boto3.client("sqs"), wiring.settings().dead_letter_queue_url
    pending, failed = accept(), accept()
    wiring.tasks().fail(failed, "features_rejected", "x", datetime.now(UTC))
    sqs.purge_queue(QueueUrl=wiring.settings().inference_queue_url)
    for body in (json.dumps({"version": 99, "task_id": pending}), json.dumps({"task_id": failed}), "not json"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    moved = redrive.return_waiting(sqs, url, wiring.tasks(), wiring.inference_queue(), datetime.now(UTC))
    assert moved == 1
    (message,) = sqs.receive_message(QueueUrl=wiring.settings().inference_queue_url)["Messages"]
    assert message["Body"] == message_of(pending)
    assert SqsTaskQueue(sqs, url).counts().in_flight == 2


def test_redrive_lists_without_changing_anything(objects: ObjectStore, capsys: pytest.CaptureFixture[str]) -> None:
    failed = accept()
    dead_letters(record(message_of(failed)))
    capsys.readouterr()
    assert redrive.main(["--list"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{failed}  20")
    assert first.endswith("Z  dead_letter: the prediction failed too often: no_answer")
    assert last == "1 kept, 0 waiting in the dead-letter queue"
    assert queues()["dead_letters"]["kept"] == 1


def test_redrive_says_what_it_did_and_what_it_cannot(objects: ObjectStore, capsys: pytest.CaptureFixture[str]) -> None:
    dead_letters(record(message_of(accept())))
    wiring.tasks().submit("other", "not a message of ours", datetime.now(UTC))
    dead_letters(record('{"task_id": "other"}'))
    capsys.readouterr()
    assert redrive.main(["--reopen"]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert "other  dead_letter  cannot be run again: its message is unreadable" in lines
    assert last == "0 moved back from the dead-letter queue, 1 run again, 1 cannot be, 0 left"


def test_redrive_needs_a_system(aws: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("TASKS_TABLE")
    assert redrive.main([]) == 2
    assert "make up" in capsys.readouterr().err


def unreachable_queue() -> SqsTaskQueue:
    """A queue that is not there: the workers' page then leaves its counts null."""
    client: Any = CountedSqs()
    client.reachable = False
    return SqsTaskQueue(client, "https://sqs/q")


class Lambda:
    """A Lambda client with one function."""

    class exceptions:  # noqa: N801 - as boto3 names it
        """What it may raise."""

        class ResourceNotFoundException(Exception):
            """No such function."""

        class TooManyRequestsException(Exception):
            """All of its concurrency is in use."""

    def __init__(self, answer: Any = b'{"pong": true}', mapping: str | None = "Enabled", state: str = "Active") -> None:
        self._answer = answer
        self._mapping = mapping
        self._state = state

    def list_event_source_mappings(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        mapping = {"State": self._mapping, "BatchSize": 100, "ScalingConfig": {"MaximumConcurrency": 4}}
        return {"EventSourceMappings": [] if self._mapping is None else [mapping]}

    def get_function(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        if self._state == "Missing":
            raise self.exceptions.ResourceNotFoundException
        configuration = {"FunctionName": FunctionName, "State": self._state, "LastModified": "2024-05-01T12:00:00Z"}
        return {"Configuration": configuration}

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803
        if isinstance(self._answer, Exception):
            raise self._answer
        if self._answer is None:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        return {"Payload": io.BytesIO(self._answer)}


@pytest.mark.parametrize(
    ("client", "state", "mapping", "ping"),
    [
        (Lambda(), "Active", "Enabled", "ok"),
        (Lambda(mapping="Disabled"), "Active", "Disabled", "ok"),
        (Lambda(mapping=None), "Active", "missing", "ok"),
        (Lambda(answer=None), "Active", "Enabled", "failed"),
        (Lambda(answer=b'"something else"'), "Active", "Enabled", "failed"),
        (Lambda(answer=b""), "Active", "Enabled", "failed"),
        (Lambda(answer=ReadTimeoutError(endpoint_url="x")), "Active", "Enabled", "failed"),
        (Lambda(answer=Lambda.exceptions.TooManyRequestsException()), "Active", "Enabled", "throttled"),
        (Lambda(state="Failed"), "Failed", "Enabled", "ok"),
        (Lambda(state="Missing"), "Missing", "missing", "failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_workers_tell_the_truth_in_each_state(client: Any, state: str, mapping: str, ping: str) -> None:
    (worker,) = queue_monitor.workers(client, "soccer-inference", unreachable_queue()).workers
    assert (worker.name, worker.state, worker.event_source_mapping, worker.ping) == (
        "soccer-inference",
        state,
        mapping,
        ping,
    )


def test_without_an_answer_of_lambda_the_workers_are_unknown() -> None:
    silent: Any = Lambda(answer=ConnectTimeoutError(endpoint_url="x"))
    with pytest.raises(WorkersUnavailable):
        queue_monitor.workers(silent, "f", unreachable_queue())


# ── The queue itself ────────────────────────────────────────────────────────────────────────────────


class CountedSqs:
    """A client that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.waiting = 7
        self.reachable = True

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        self.asked += 1
        if not self.reachable:
            raise ConnectTimeoutError(endpoint_url="x")
        names = ("ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")
        return {"Attributes": {"ApproximateNumberOfMessages": str(self.waiting), **dict.fromkeys(names, "0")}}


def test_the_backlog_is_counted_once_a_second_and_the_last_count_stands_when_that_fails() -> None:
    client, seconds = CountedSqs(), 100.0
    queue = SqsTaskQueue(client, "https://sqs/q", clock=lambda: seconds)  # type: ignore[arg-type]
    assert [queue.backlog(), queue.backlog(), client.asked] == [7, 7, 1]
    client.waiting = 9
    seconds = 101.0
    assert [queue.backlog(), client.asked] == [9, 2]
    client.reachable = False
    seconds = 102.5
    assert [queue.backlog(), queue.backlog(), client.asked] == [9, 9, 3]


def test_a_queue_that_was_never_counted_does_not_stop_submissions() -> None:
    client = CountedSqs()
    client.reachable = False
    assert SqsTaskQueue(client, "https://sqs/q").backlog() == 0  # type: ignore[arg-type]
