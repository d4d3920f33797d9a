"""Messages recorded from version 1 are drained by every later version: they may wait in a queue while it is deployed.

A file here never changes and is never deleted; a later version adds files of its own.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chalicelib.contracts.tasks import AsyncPredictRequest, InferenceMessage
from chalicelib.domain import Stage
from chalicelib.models.store import ModelStore
from chalicelib.releases.store import ReleaseStore
from chalicelib.tasks.drain import drain
from chalicelib.tasks.messages import QueuedMessage
from chalicelib.tasks.store import TaskState
from chalicelib.tasks.submit import submit
from tests.support.builders import mirror_model
from tests.support.fakes import InMemoryObjectStore, InMemoryQueue, InMemoryTaskStore

RECORDED = sorted((Path(__file__).parent / "messages").glob("*.json"))
NOW = datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_recorded_message_is_drained(file: Path) -> None:
    body = file.read_text("utf-8")
    recorded = json.loads(body)
    objects = InMemoryObjectStore()
    for seed, stage in enumerate(Stage):
        mirror_model(objects, stage, run_id=f"run of {stage}", seed=seed)
    models, tasks = ModelStore(objects, 0), InMemoryTaskStore()
    tasks.submit(recorded["task_id"], body, NOW)

    (one,) = drain([QueuedMessage("receipt", body)], models=models, tasks=tasks, clock=lambda: NOW)
    assert (one.outcome, one.task_id, one.match_id) == ("success", recorded["task_id"], recorded["match_id"])
    task = tasks.get(recorded["task_id"], NOW)
    assert task.state is TaskState.SUCCESS
    assert task.result is not None
    assert task.result["model_run_id"] == f"run of {recorded['stage']}"
    assert task.result["features_computed_at"] == recorded.get("features_computed_at")
    model = models.current(Stage(recorded["stage"]))
    expected = model.predict(model.row(recorded["features"]))
    assert task.result["probabilities"] == {"0": expected.home, "1": expected.draw, "2": expected.away}


def test_there_are_recorded_messages() -> None:
    assert len(RECORDED) >= 8


def test_what_is_sent_today_is_what_was_recorded() -> None:
    queue = InMemoryQueue()
    recorded = json.loads((Path(__file__).parent / "messages" / "v1-features-sent.json").read_text("utf-8"))
    task_id = submit(
        AsyncPredictRequest(match_id=recorded["match_id"], features=recorded["features"]),
        Stage(recorded["stage"]),
        None,
        tasks=InMemoryTaskStore(),
        queue=queue,
        releases=ReleaseStore(InMemoryObjectStore(), 0),
        max_backlog=1,
        now=NOW,
    )
    assert json.loads(queue.messages[0]) == {**recorded, "task_id": task_id}


def test_a_message_of_a_version_that_is_not_known_is_not_read_as_ours() -> None:
    body = json.dumps({**json.loads(RECORDED[0].read_text("utf-8")), "version": 2})
    with pytest.raises(ValueError, match="version"):
        InferenceMessage.model_validate_json(body)
