"""Dead letters, and running them again."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.errors import QueueUnavailable, TaskStoreUnavailable
from chalicelib.tasks.dead_letters import DeadLetter, Redriven, end_dead_letters, redrive
from chalicelib.tasks.messages import QueuedMessage
from chalicelib.tasks.store import TaskState
from chalicelib.tasks.sweep import sweep
from tests.support.fakes import InMemoryQueue
from tests.unit.tasks.pending import NOW, Tasks, after, body_of


def test_a_dead_letter_ends_its_task_and_says_why(tasks: Tasks) -> None:
    tasks.note_fault(tasks.first, "model_unavailable")
    letter = QueuedMessage("r", body_of(tasks.first), 6)
    assert end_dead_letters([letter], tasks, after(900)) == [
        DeadLetter("r", "failed", tasks.first, "model_unavailable")
    ]
    assert tasks.get(tasks.first, after(901)).error == {
        "type": "dead_letter",
        "message": "the prediction failed too often: model_unavailable",
    }
    assert [task.task_id for task in tasks.dead_letters()] == [tasks.first]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({}, "no_answer"), ({"version": 2}, "unreadable_message"), ({"features": 3}, "unreadable_message")],
)
def test_the_reason_is_given_as_far_as_known(tasks: Tasks, changes: dict[str, Any], reason: str) -> None:
    (letter,) = end_dead_letters([QueuedMessage("r", body_of(tasks.first, **changes), 6)], tasks, after(900))
    assert (letter.outcome, letter.reason) == ("failed", reason)


def test_a_task_that_has_ended_stays_as_it_is(tasks: Tasks) -> None:
    tasks.succeed(tasks.first, {"predicted_class": 0}, after(1))
    (letter,) = end_dead_letters([QueuedMessage("r", body_of(tasks.first), 6)], tasks, after(900))
    assert letter.outcome == "already_ended"
    assert tasks.get(tasks.first, after(901)).state is TaskState.SUCCESS
    assert list(tasks.dead_letters()) == []


@pytest.mark.parametrize("body", ["", "not json", "[]", '{"task_id": 5}', "{}"])
def test_a_message_that_names_no_task_is_dropped(tasks: Tasks, body: str) -> None:
    assert end_dead_letters([QueuedMessage("r", body, 6)], tasks, NOW) == [
        DeadLetter("r", "no_task", reason="unreadable_message")
    ]


def test_what_cannot_be_ended_is_retried_alone(tasks: Tasks) -> None:
    class OneLost(Tasks):
        def fail(self, task_id: str, *arguments: Any, **options: Any) -> bool:
            if task_id == "lost":
                raise TaskStoreUnavailable("gone")
            return super().fail(task_id, *arguments, **options)

    store = OneLost()
    letters = [QueuedMessage("r1", body_of("lost"), 6), QueuedMessage("r2", body_of(store.first), 6)]
    assert [(letter.receipt, letter.outcome) for letter in end_dead_letters(letters, store, NOW)] == [
        ("r1", "retry"),
        ("r2", "failed"),
    ]


@pytest.fixture
def dead(tasks: Tasks) -> Tasks:
    """The task has ended as a dead letter."""
    tasks.fail(tasks.first, "dead_letter", "the prediction failed too often", after(900), keep=True)
    return tasks


def test_run_again_it_is_a_new_task_and_the_failed_one_stays_failed_and_names_it(
    dead: Tasks, queue: InMemoryQueue
) -> None:
    (task,) = dead.dead_letters()
    redriven = redrive(task, dead, queue, after(1_000), reopen=False)
    assert redriven is not None
    assert (redriven.task_id, redriven.error_type) == (dead.first, "dead_letter")
    sent = json.loads(queue.messages[0])
    assert (sent["task_id"], sent["match_id"], sent["submitted_at"]) == (redriven.new_id, 99, "2024-05-01T12:16:40Z")
    old, new = dead.get(dead.first, after(1_001)), dead.get(str(redriven.new_id), after(1_001))
    assert (old.state, new.state, new.message) == (TaskState.FAILED, TaskState.PENDING, queue.messages[0])
    assert old.error is not None
    assert old.error["message"].endswith(f"run again as task {redriven.new_id}")


def test_reopened_it_is_the_same_task_again(dead: Tasks, queue: InMemoryQueue) -> None:
    (task,) = dead.dead_letters()
    assert redrive(task, dead, queue, after(1_000), reopen=True) == Redriven(dead.first, dead.first, "dead_letter")
    assert dead.get(dead.first, after(1_001)).state is TaskState.PENDING
    assert json.loads(queue.messages[0])["task_id"] == dead.first


@pytest.mark.parametrize("reopen", [True, False])
def test_it_is_run_again_once(dead: Tasks, queue: InMemoryQueue, *, reopen: bool) -> None:
    (task,) = dead.dead_letters()
    assert redrive(task, dead, queue, after(1_000), reopen=reopen) is not None
    assert redrive(task, dead, queue, after(1_001), reopen=reopen) is None
    assert len(queue.messages) == 1


def test_a_message_that_cannot_be_read_cannot_be_run_again(tasks: Tasks, queue: InMemoryQueue) -> None:
    tasks.submit("other", '{"version": 99}', NOW)
    tasks.fail("other", "dead_letter", "x", after(900), keep=True)
    (task,) = tasks.dead_letters()
    assert redrive(task, tasks, queue, after(1_000), reopen=False) == Redriven("other", None, "dead_letter")
    assert queue.messages == []


@pytest.mark.parametrize("reopen", [True, False])
def test_with_the_queue_unreachable_it_is_due_for_the_next_sweep(
    dead: Tasks, queue: InMemoryQueue, *, reopen: bool
) -> None:
    (task,) = dead.dead_letters()
    queue.reachable = False
    with pytest.raises(QueueUnavailable):
        redrive(task, dead, queue, after(1_000), reopen=reopen)
    queue.reachable = True
    assert len(sweep(dead, queue, after(1_060), max_age=timedelta(days=1), max_backlog=100, most_sends=1_000).sent) == 1
