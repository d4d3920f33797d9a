"""Draining a batch: predicted together, each failure where it belongs, each result written once."""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain import OutcomeProbabilities, Stage
from chalicelib.models.store import ModelStore
from chalicelib.tasks.deadline import Deadline
from chalicelib.tasks.drain import MessageResult, drain
from chalicelib.tasks.messages import QueuedMessage
from chalicelib.tasks.store import TaskState
from tests.support.builders import mirror_model
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


def recorded(tasks: InMemoryTaskStore, number: int = 1, **changes: Any) -> list[QueuedMessage]:
    """Pending tasks and their messages."""
    records = []
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
        records.append(QueuedMessage(f"receipt-{task_id}", json.dumps(message)))
    return records


def task_of(queued: QueuedMessage) -> str:
    return str(json.loads(queued.body)["task_id"])


def two_seconds_later() -> datetime:
    """When outcomes are written: two seconds after the submission."""
    return after(2)


def outcomes(drained: Sequence[MessageResult]) -> dict[str, tuple[str, str | None]]:
    """Receipt to outcome and reason."""
    assert len({result.receipt for result in drained}) == len(drained)
    return {result.receipt: (result.outcome, result.reason) for result in drained}


def test_a_batch_is_predicted_and_each_result_is_its_own(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    batch = [
        *recorded(tasks, features={**FEATURES, "diff_elo": -300.0}),
        *recorded(tasks, features={**FEATURES, "diff_elo": 300.0}),
    ]
    results = drain(batch, models=models, tasks=tasks, clock=two_seconds_later)
    assert outcomes(results) == {queued.receipt: ("success", None) for queued in batch}
    assert [outcome.waited_seconds for outcome in results] == [2.0, 2.0]
    for queued in batch:
        model = models.current(Stage.CHAMPION)
        expected = model.predict(model.row(json.loads(queued.body)["features"]))
        result = tasks.get(task_of(queued), NOW).result
        assert result is not None
        assert list(result["probabilities"].values()) == pytest.approx([expected.home, expected.draw, expected.away])


def test_what_cannot_be_read_is_retried_alone(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    good = recorded(tasks, 3)
    bad = [
        QueuedMessage("b1", "not json"),
        QueuedMessage("b2", '{"version": 2, "task_id": "x"}'),
        QueuedMessage("b3", ""),
    ]
    results = drain([bad[0], *good, *bad[1:]], models=models, tasks=tasks, clock=two_seconds_later)
    assert outcomes(results) == {
        **{queued.receipt: ("success", None) for queued in good},
        **{queued.receipt: ("retry", "unreadable_message") for queued in bad},
    }


def test_rejected_features_end_the_task_at_once(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    good, (bad,) = recorded(tasks, 2), recorded(tasks, features={"sex": 0})
    results = drain([bad, *good], models=models, tasks=tasks, clock=two_seconds_later)
    assert outcomes(results)[bad.receipt] == ("failed", "features_rejected")
    task = tasks.get(task_of(bad), NOW)
    assert task.error is not None
    assert (task.error["type"], "diff_elo" in task.error["message"]) == ("features_rejected", True)
    assert all(tasks.get(task_of(queued), NOW).state is TaskState.SUCCESS for queued in good)


def test_a_duplicate_in_the_batch_changes_nothing(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    (first,) = recorded(tasks)
    duplicate = QueuedMessage("another receipt", first.body)
    results = drain([first, duplicate], models=models, tasks=tasks, clock=two_seconds_later)
    assert outcomes(results) == {first.receipt: ("success", None), duplicate.receipt: ("already_ended", None)}


def test_a_task_that_has_ended_stays_as_it_is(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    (queued,) = recorded(tasks)
    tasks.fail(task_of(queued), "dead_letter", "x", NOW)
    assert outcomes(drain([queued], models=models, tasks=tasks, clock=two_seconds_later)) == {
        queued.receipt: ("already_ended", None)
    }
    assert tasks.get(task_of(queued), NOW).state is TaskState.FAILED


def test_without_a_model_the_messages_of_its_stage_are_retried(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    champion, challenger = recorded(tasks, 2), recorded(tasks, 2, stage="challenger")
    results = drain([*challenger, *champion], models=models, tasks=tasks, clock=two_seconds_later)
    assert outcomes(results) == {
        **{queued.receipt: ("success", None) for queued in champion},
        **{queued.receipt: ("retry", "model_unavailable") for queued in challenger},
    }


def test_without_the_table_all_are_retried_with_their_duplicates(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    batch = recorded(tasks, 2)
    batch.append(QueuedMessage("another receipt", batch[0].body))
    tasks.reachable = False
    results = drain(batch, models=models, tasks=tasks, clock=two_seconds_later)
    assert outcomes(results) == {queued.receipt: ("retry", "task_store_unavailable") for queued in batch}
    assert {result.task_id for result in results} == {task_of(queued) for queued in batch}


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
        probabilities: list[OutcomeProbabilities] = self._model.predict_many(rows)
        return probabilities


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
    results = drain([good[0], spoiled, broken, *good[1:]], models=SpoiledModels(), tasks=tasks, clock=two_seconds_later)
    assert outcomes(results) == {
        **{queued.receipt: ("success", None) for queued in good},
        spoiled.receipt: ("retry", "ValueError"),
        broken.receipt: ("retry", "ZeroDivisionError"),
    }


class PredictedBatches(ModelStore):
    """Records how many rows each native call predicts."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models
        self.sizes: list[int] = []

    def current(self, stage: Stage) -> Any:
        """The model, whose `predict_many` is recorded."""
        model, sizes = self._models.current(stage), self.sizes

        class Recorded:
            info = model.info
            row = staticmethod(model.row)

            def predict_many(self, rows: list[list[float]]) -> Any:
                sizes.append(len(rows))
                return model.predict_many(rows)

        return Recorded()


def test_messages_that_came_back_often_are_worked_on_last_and_alone(
    tasks: InMemoryTaskStore, models: ModelStore
) -> None:
    batch = recorded(tasks, 5)
    suspects = [QueuedMessage(queued.receipt, queued.body, 3) for queued in batch[:2]]
    batches = PredictedBatches(models)
    results = drain([*suspects, *batch[2:]], models=batches, tasks=tasks, clock=two_seconds_later)
    assert batches.sizes == [3, 1, 1]
    assert {result.receipt for result in results[:3]} == {queued.receipt for queued in batch[2:]}
    assert {result.receipt for result in results[3:]} == {queued.receipt for queued in suspects}


def test_suspects_come_in_another_order_each_time(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    batch = recorded(tasks, 8)

    def order(delivery: int) -> list[str]:
        suspects = [QueuedMessage(f"receipt-{index}", queued.body, delivery) for index, queued in enumerate(batch)]
        return [result.receipt for result in drain(suspects, models=models, tasks=tasks, clock=two_seconds_later)]

    assert sorted(order(3)) == sorted(order(4))
    assert order(3) != order(4)


def test_when_the_time_is_over_the_rest_is_retried(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    batch = [QueuedMessage(queued.receipt, queued.body, 4) for queued in recorded(tasks, 3)]
    ticks = iter([0.0, 0.0, 0.0, 2.0, 2.0])
    results = drain(
        batch, models=models, tasks=tasks, clock=two_seconds_later, deadline=Deadline(1.0, clock=lambda: next(ticks))
    )
    assert (
        sorted((result.outcome, result.reason) for result in results if result.outcome == "retry")
        == [("retry", "deadline_exceeded")] * 2
    )
    assert sum(result.outcome == "success" for result in results) == 1


def test_a_message_without_a_time_zone_is_taken_as_utc(tasks: InMemoryTaskStore, models: ModelStore) -> None:
    (queued,) = recorded(tasks, submitted_at="2024-05-01T12:00:00")
    (result,) = drain([queued], models=models, tasks=tasks, clock=two_seconds_later)
    assert (result.outcome, result.waited_seconds) == ("success", 2.0)
