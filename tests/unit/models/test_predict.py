"""Queued predictions: accepted once, predicted together, each failure where it belongs."""

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.contracts import AsyncPredictRequest, InferenceMessage
from chalicelib.domain import OutcomeProbabilities, Stage
from chalicelib.errors import (
    BacklogFull,
    BodyTooLarge,
    FeaturesRejected,
    IdempotencyConflict,
    QueueUnavailable,
    ReleaseUnavailable,
    TaskStoreUnavailable,
)
from chalicelib.models.predict import MAX_MESSAGE_BYTES, Drained, Ending, QueuedMessage, drain, submit
from chalicelib.models.store import ModelStore
from chalicelib.releases.store import ReleaseStore
from chalicelib.tasks.store import TaskState
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


# ── Submission ──────────────────────────────────────────────────────────────────────────────────────


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


# ── Draining ────────────────────────────────────────────────────────────────────────────────────────


def recorded(tasks: InMemoryTaskStore, number: int = 1, **changes: Any) -> list[QueuedMessage]:
    """Pending tasks and their messages."""
    found = []
    for index in range(number):
        task_id = str(uuid.uuid4())
        message: dict[str, Any] = {
            "task_id": task_id,
            "match_id": index + 1,
            "stage": "champion",
            "features": FEATURES,
            "submitted_at": NOW.isoformat(),
            **changes,
        }
        tasks.submit(task_id, json.dumps(message), NOW)
        found.append(QueuedMessage(f"receipt-{task_id}", json.dumps(message)))
    return found


def task_of(queued: QueuedMessage) -> str:
    return str(json.loads(queued.body)["task_id"])


def writing(tasks: InMemoryTaskStore) -> Callable[[Sequence[Ending]], list[Drained]]:
    return lambda endings: [ending.write(tasks, after(2)) for ending in endings]


def outcomes(drained: Sequence[Drained]) -> dict[str, tuple[str, str | None]]:
    """Receipt to outcome and reason."""
    assert len({one.receipt for one in drained}) == len(drained)
    return {one.receipt: (one.outcome, one.reason) for one in drained}


def test_a_batch_is_predicted_and_each_result_is_its_own(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    batch = [
        *recorded(tasks, features={**FEATURES, "diff_elo": -300.0}),
        *recorded(tasks, features={**FEATURES, "diff_elo": 300.0}),
    ]
    drained = drain(batch, models=models, write=writing(tasks))
    assert outcomes(drained) == {queued.receipt: ("success", None) for queued in batch}
    assert [one.waited_seconds for one in drained] == [2.0, 2.0]
    for queued in batch:
        model = models.current(Stage.CHAMPION)
        expected = model.predict(model.row(json.loads(queued.body)["features"]))
        result = tasks.get(task_of(queued), NOW).result
        assert result is not None
        assert list(result["probabilities"].values()) == pytest.approx([expected.home, expected.draw, expected.away])


def test_what_cannot_be_read_comes_back_alone(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    good = recorded(tasks, 3)
    bad = [
        QueuedMessage("b1", "not json"),
        QueuedMessage("b2", '{"version": 2, "task_id": "x"}'),
        QueuedMessage("b3", ""),
    ]
    drained = drain([bad[0], *good, *bad[1:]], models=models, write=writing(tasks))
    assert outcomes(drained) == {
        **{queued.receipt: ("success", None) for queued in good},
        **{queued.receipt: ("retry", "unreadable_message") for queued in bad},
    }


def test_rejected_features_end_the_task_at_once(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    good, (bad,) = recorded(tasks, 2), recorded(tasks, features={"sex": 0})
    drained = drain([bad, *good], models=models, write=writing(tasks))
    assert outcomes(drained)[bad.receipt] == ("failed", "features_rejected")
    task = tasks.get(task_of(bad), NOW)
    assert task.error is not None
    assert (task.error["type"], "diff_elo" in task.error["message"]) == ("features_rejected", True)
    assert all(tasks.get(task_of(queued), NOW).state is TaskState.SUCCESS for queued in good)


def test_a_duplicate_in_the_batch_changes_nothing(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    (first,) = recorded(tasks)
    again = QueuedMessage("another receipt", first.body)
    drained = drain([first, again], models=models, write=writing(tasks))
    assert outcomes(drained) == {first.receipt: ("success", None), again.receipt: ("already_ended", None)}


def test_a_task_that_has_ended_stays_as_it_is(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    (queued,) = recorded(tasks)
    tasks.fail(task_of(queued), "dead_letter", "x", NOW)
    assert outcomes(drain([queued], models=models, write=writing(tasks))) == {queued.receipt: ("already_ended", None)}
    assert tasks.get(task_of(queued), NOW).state is TaskState.FAILED


def test_without_a_model_the_messages_of_its_stage_come_back(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    champion, challenger = recorded(tasks, 2), recorded(tasks, 2, stage="challenger")
    drained = drain([*challenger, *champion], models=models, write=writing(tasks))
    assert outcomes(drained) == {
        **{queued.receipt: ("success", None) for queued in champion},
        **{queued.receipt: ("retry", "model_unavailable") for queued in challenger},
    }


def test_without_the_table_all_come_back_with_their_duplicates(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    batch = recorded(tasks, 2)
    batch.append(QueuedMessage("another receipt", batch[0].body))
    tasks.reachable = False
    drained = drain(batch, models=models, write=writing(tasks))
    assert outcomes(drained) == {queued.receipt: ("retry", "task_store_unavailable") for queued in batch}
    assert {one.task_id for one in drained} == {task_of(queued) for queued in batch}


class Spoiled:
    """A model whose prediction fails for one match's row, and with it the whole native call."""

    def __init__(self, model: Any, spoiled: float) -> None:
        self._model = model
        self._spoiled = spoiled
        self.info = model.info

    def row(self, features: dict[str, float | None]) -> list[float]:
        if features["home_rest_days"] == -1.0:
            raise ZeroDivisionError
        row: list[float] = self._model.row(features)
        return row

    def predict_many(self, rows: list[list[float]]) -> list[OutcomeProbabilities]:
        if any(row[0] == self._spoiled for row in rows):
            raise ValueError("probabilities must sum to 1")
        found: list[OutcomeProbabilities] = self._model.predict_many(rows)
        return found


def test_one_row_that_cannot_be_predicted_keeps_no_other_from_its_result(
    tasks: InMemoryTaskStore, models: ModelStore
) -> None:
    class SpoiledModels(ModelStore):
        def __init__(self) -> None:
            """Nothing to read."""

        def current(self, stage: Stage) -> Any:
            return Spoiled(models.current(stage), -666.0)

    good = recorded(tasks, 3)
    (spoiled,) = recorded(tasks, features={**FEATURES, "diff_elo": -666.0})
    (broken,) = recorded(tasks, features={**FEATURES, "home_rest_days": -1.0})
    drained = drain([good[0], spoiled, broken, *good[1:]], models=SpoiledModels(), write=writing(tasks))
    assert outcomes(drained) == {
        **{queued.receipt: ("success", None) for queued in good},
        spoiled.receipt: ("retry", "ValueError"),
        broken.receipt: ("retry", "ZeroDivisionError"),
    }


def test_messages_that_came_back_often_are_worked_on_last_and_alone(
    tasks: InMemoryTaskStore, models: ModelStore
) -> None:
    batch = recorded(tasks, 5)
    suspects = [QueuedMessage(queued.receipt, queued.body, 3) for queued in batch[:2]]
    written: list[set[str]] = []

    def write(endings: Sequence[Ending]) -> list[Drained]:
        written.append({ending.queued.receipt for ending in endings})
        return writing(tasks)(endings)

    drain([*suspects, *batch[2:]], models=models, write=write)
    assert written[0] == {queued.receipt for queued in batch[2:]}
    assert [len(group) for group in written[1:]] == [1, 1]
    assert written[1] | written[2] == {queued.receipt for queued in suspects}


def test_suspects_come_in_another_order_each_time(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    batch = recorded(tasks, 8)

    def order(delivery: int) -> list[str]:
        suspects = [QueuedMessage(f"receipt-{index}", queued.body, delivery) for index, queued in enumerate(batch)]
        return [one.receipt for one in drain(suspects, models=models, write=writing(tasks))]

    assert sorted(order(3)) == sorted(order(4))
    assert order(3) != order(4)


def test_when_the_time_is_over_the_rest_comes_back(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    batch = [QueuedMessage(queued.receipt, queued.body, 4) for queued in recorded(tasks, 3)]
    times = iter([True, False, False])
    drained = drain(batch, models=models, write=writing(tasks), in_time=lambda: next(times))
    assert (
        sorted((one.outcome, one.reason) for one in drained if one.outcome == "retry")
        == [("retry", "deadline_exceeded")] * 2
    )
    assert sum(one.outcome == "success" for one in drained) == 1


def test_a_message_without_a_time_zone_is_taken_as_utc(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    (queued,) = recorded(tasks, submitted_at="2024-05-01T12:00:00")
    (one,) = drain([queued], models=models, write=writing(tasks))
    assert (one.outcome, one.waited_seconds) == ("success", 2.0)


def test_rejected_features_say_which(models: ModelStore) -> None:
    with pytest.raises(FeaturesRejected, match="diff_elo"):
        models.current(Stage.CHAMPION).row({"sex": 0})
