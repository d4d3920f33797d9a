"""Submitting a prediction: accepted once, durable, refused at the edge."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.contracts.tasks import AsyncPredictRequest, InferenceMessage
from chalicelib.domain import Stage
from chalicelib.errors import (
    BacklogFull,
    BodyTooLarge,
    IdempotencyConflict,
    QueueUnavailable,
    ReleaseUnavailable,
    TaskStoreUnavailable,
)
from chalicelib.models.store import ModelStore
from chalicelib.releases.store import ReleaseStore
from chalicelib.tasks.store import TaskState
from chalicelib.tasks.submit import MAX_MESSAGE_BYTES, submit
from tests.support.builders import mirror_model, publish
from tests.support.fakes import InMemoryObjectStore, InMemoryQueue, InMemoryTaskStore

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
FEATURES: dict[str, float | None] = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def tasks() -> InMemoryTaskStore:
    return InMemoryTaskStore()


@pytest.fixture
def queue() -> InMemoryQueue:
    return InMemoryQueue()


@pytest.fixture
def objects() -> InMemoryObjectStore:
    """A bucket with a champion."""
    store = InMemoryObjectStore()
    mirror_model(store)
    return store


@pytest.fixture
def models(objects: InMemoryObjectStore) -> ModelStore:
    return ModelStore(objects, 0)


Submit = Callable[..., str]


@pytest.fixture
def accept(tasks: InMemoryTaskStore, queue: InMemoryQueue) -> Submit:
    """Submit features for match 99 with a backlog of at most 3."""

    def call(
        features: dict[str, float | None] | None = FEATURES,
        *,
        key: str | None = None,
        now: datetime = NOW,
        bucket: InMemoryObjectStore | None = None,
    ) -> str:
        return submit(
            AsyncPredictRequest(match_id=99 if features else 1, features=features),
            Stage.CHAMPION,
            key,
            tasks=tasks,
            queue=queue,
            releases=ReleaseStore(bucket or InMemoryObjectStore(), 0),
            max_backlog=3,
            now=now,
        )

    return call


def test_a_submission_is_recorded_with_the_message_that_is_sent(
    accept: Submit, tasks: InMemoryTaskStore, queue: InMemoryQueue
) -> None:
    task_id = accept()
    assert queue.messages == [tasks.get(task_id, NOW).message]
    message = InferenceMessage.model_validate_json(queue.messages[0])
    assert (message.task_id, message.match_id, message.features) == (task_id, 99, FEATURES)
    assert (message.submitted_at, message.version) == (NOW, 1)


def test_a_full_backlog_is_refused_before_anything_is_recorded(
    accept: Submit, tasks: InMemoryTaskStore, queue: InMemoryQueue
) -> None:
    queue.messages = ["", "", ""]
    with pytest.raises(BacklogFull):
        accept()
    assert tasks.tasks == {}


def test_what_was_accepted_stays_accepted_when_the_backlog_is_full_later(accept: Submit, queue: InMemoryQueue) -> None:
    first = accept(key="k")
    queue.messages = ["", "", ""]
    assert accept(key="k") == first
    with pytest.raises(BacklogFull):
        accept(key="another")
    with pytest.raises(IdempotencyConflict):
        accept({**FEATURES, "sex": 1}, key="k")


def test_what_was_accepted_stays_accepted_when_its_release_is_gone(accept: Submit, tasks: InMemoryTaskStore) -> None:
    published = InMemoryObjectStore()
    publish(published)
    first = accept(None, key="k", bucket=published)
    assert accept(None, key="k") == first
    with pytest.raises(ReleaseUnavailable):
        accept(None, key="another")
    assert list(tasks.tasks) == [first]


def test_features_that_no_queue_takes_are_refused_before_anything_is_recorded(
    accept: Submit, tasks: InMemoryTaskStore
) -> None:
    with pytest.raises(BodyTooLarge):
        accept({f"{number:04}" + "界" * 195: 1.0 for number in range(600)})
    assert tasks.tasks == {}


def test_the_largest_features_that_the_contract_allows_in_ascii_fit(accept: Submit, queue: InMemoryQueue) -> None:
    accept({f"{number:04}" + "x" * 196: -1.7976931348623157e308 for number in range(1_000)})
    assert len(queue.messages[0].encode()) < MAX_MESSAGE_BYTES


def test_characters_that_sqs_refuses_are_escaped(accept: Submit, queue: InMemoryQueue) -> None:
    accept({**FEATURES, "\ufffe\uffff\x00": 1.0})
    assert not set("\ufffe\uffff\x00") & set(queue.messages[0])
    assert "\ufffe\uffff\x00" in json.loads(queue.messages[0])["features"]


def test_a_message_that_cannot_be_sent_is_not_accepted_and_not_worked_on(
    accept: Submit, tasks: InMemoryTaskStore, queue: InMemoryQueue
) -> None:
    queue.reachable = False
    with pytest.raises(QueueUnavailable):
        accept()
    (task,) = tasks.tasks.values()
    assert (task.state, task.error) == (
        TaskState.FAILED,
        {"type": "queue_unavailable", "message": "the inference queue does not answer: ConnectTimeoutError"},
    )


def test_with_a_key_the_same_submission_again_sends_what_could_not_be_sent(
    accept: Submit, tasks: InMemoryTaskStore, queue: InMemoryQueue
) -> None:
    queue.reachable = False
    with pytest.raises(QueueUnavailable):
        accept(key="k")
    with pytest.raises(QueueUnavailable):
        accept(key="k", now=after(1))
    queue.reachable = True
    task_id = accept(key="k", now=after(2))
    assert [json.loads(body)["task_id"] for body in queue.messages] == [task_id]
    assert accept(key="k", now=after(3)) == task_id
    assert len(queue.messages) == 1


def test_with_a_key_a_message_lost_in_a_crash_is_sent_by_the_same_submission_half_a_minute_later(
    accept: Submit, queue: InMemoryQueue
) -> None:
    task_id = accept(key="k")
    queue.messages.clear()
    assert accept(key="k", now=after(29)) == task_id
    assert queue.messages == []
    for second in (30, 31, 60):
        assert accept(key="k", now=after(second)) == task_id
    assert [json.loads(body)["task_id"] for body in queue.messages] == [task_id]


def test_an_ended_task_is_not_sent_by_the_same_submission(
    accept: Submit, tasks: InMemoryTaskStore, queue: InMemoryQueue
) -> None:
    task_id = accept(key="k")
    tasks.succeed(task_id, {}, NOW)
    assert accept(key="k", now=after(3_600)) == task_id
    assert len(queue.messages) == 1


def test_without_its_table_a_submission_is_not_accepted_and_nothing_is_sent(
    accept: Submit, tasks: InMemoryTaskStore, queue: InMemoryQueue
) -> None:
    tasks.reachable = False
    for key in (None, "k"):
        with pytest.raises(TaskStoreUnavailable):
            accept(key=key)
    assert queue.messages == []


def test_a_table_lost_after_the_record_does_not_hide_that_the_queue_is_lost(tasks: InMemoryTaskStore) -> None:
    class LostTogether(InMemoryQueue):
        def send(self, body: str) -> None:
            tasks.reachable = False
            raise QueueUnavailable("gone")

    with pytest.raises(QueueUnavailable):
        submit(
            AsyncPredictRequest(match_id=1, features=FEATURES),
            Stage.CHAMPION,
            None,
            tasks=tasks,
            queue=LostTogether(),
            releases=ReleaseStore(InMemoryObjectStore(), 0),
            max_backlog=3,
            now=NOW,
        )
    (task,) = tasks.tasks.values()
    assert task.state is TaskState.PENDING
