"""The sweep, the dead letters and running them again."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.errors import QueueUnavailable, TaskStoreUnavailable
from chalicelib.tasks.dead_letters import DeadLetter, Redriven, end_dead_letters, redrive
from chalicelib.tasks.deadline import Deadline
from chalicelib.tasks.messages import QueuedMessage
from chalicelib.tasks.store import TaskState
from chalicelib.tasks.sweep import SENDS_PER_SWEEP, Swept, sweep
from tests.support.fakes import InMemoryQueue, InMemoryTaskStore

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAY = 86_400


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def body_of(task_id: str, **changes: Any) -> str:
    message = {"version": 1, "task_id": task_id, "match_id": 99, "stage": "champion", "features": {"sex": 0}}
    return json.dumps({**message, "submitted_at": NOW.isoformat(), **changes})


class Tasks(InMemoryTaskStore):
    """A store with one pending task, submitted now."""

    def __init__(self) -> None:
        super().__init__()
        self.first = str(uuid.uuid4())
        self.submit(self.first, body_of(self.first), NOW)


@pytest.fixture
def tasks() -> Tasks:
    return Tasks()


@pytest.fixture
def queue() -> InMemoryQueue:
    return InMemoryQueue()


def swept_at(seconds: float, tasks: Tasks, queue: InMemoryQueue, **changes: Any) -> Swept:
    arguments: dict[str, Any] = {"max_age": timedelta(days=1), "max_backlog": 100, **changes}
    return sweep(tasks, queue, after(seconds), **arguments)


# ── The sweep ───────────────────────────────────────────────────────────────────────────────────────


def test_a_task_in_its_usual_time_is_left_alone(tasks: Tasks, queue: InMemoryQueue) -> None:
    assert swept_at(1_199, tasks, queue) == Swept([], [], complete=True)
    assert queue.messages == []


def test_a_lost_message_is_sent_again_also_while_the_queue_holds_others(tasks: Tasks, queue: InMemoryQueue) -> None:
    queue.messages = ["another"]
    assert swept_at(1_200, tasks, queue) == Swept([tasks.first], [], complete=True)
    assert queue.messages == ["another", body_of(tasks.first)]


def test_it_is_sent_again_with_waits_twice_as_long_each(tasks: Tasks, queue: InMemoryQueue) -> None:
    # Every 15 minutes for a day: due 20 minutes after the submission, then 40, 80, 160, 320, 640 after the last time.
    times = [minute for minute in range(0, 24 * 60, 15) if swept_at(minute * 60, tasks, queue).sent]
    assert times == [30, 75, 165, 330, 660, 1_305]


def test_a_task_that_could_not_be_sent_is_sent_by_the_next_sweep(tasks: Tasks, queue: InMemoryQueue) -> None:
    tasks.not_sent(tasks.first, after(1))
    assert swept_at(60, tasks, queue).sent == [tasks.first]
    assert swept_at(120, tasks, queue).sent == []


def test_nothing_is_sent_again_into_a_full_queue(tasks: Tasks, queue: InMemoryQueue) -> None:
    queue.messages = ["another"] * 100
    assert swept_at(2_000, tasks, queue).sent == []
    assert swept_at(2_000, tasks, queue, max_backlog=101).sent == [tasks.first]


def test_a_task_pending_for_too_long_ends_as_failed_and_is_kept(tasks: Tasks, queue: InMemoryQueue) -> None:
    assert swept_at(DAY, tasks, queue).expired == []
    assert swept_at(DAY + 1, tasks, queue) == Swept([], [tasks.first], complete=True)
    task = tasks.get(tasks.first, after(DAY + 2))
    assert (task.state, task.error) == (
        TaskState.FAILED,
        {"type": "expired", "message": "no prediction within 24 hours"},
    )
    assert [kept.task_id for kept in tasks.dead_letters()] == [tasks.first]


def test_a_queue_out_of_reach_ends_the_sweep_and_leaves_the_task_due(tasks: Tasks, queue: InMemoryQueue) -> None:
    queue.reachable = False
    swept = swept_at(1_200, tasks, queue)
    assert (swept.sent, swept.complete) == ([], False)
    assert isinstance(swept.fault, QueueUnavailable)
    queue.reachable = True
    assert swept_at(1_260, tasks, queue).sent == [tasks.first]


def test_a_table_out_of_reach_ends_the_sweep(tasks: Tasks, queue: InMemoryQueue) -> None:
    tasks.reachable = False
    assert isinstance(swept_at(1_200, tasks, queue).fault, TaskStoreUnavailable)


def test_a_sweep_stops_when_its_time_is_over(tasks: Tasks, queue: InMemoryQueue) -> None:
    assert swept_at(1_200, tasks, queue, deadline=Deadline(0.0)) == Swept([], [], complete=False)


def test_a_sweep_sends_a_thousand_at_most_and_the_next_one_the_rest(tasks: Tasks, queue: InMemoryQueue) -> None:
    for _ in range(SENDS_PER_SWEEP + 4):
        tasks.submit(str(uuid.uuid4()), "m", NOW)
    first = swept_at(1_300, tasks, queue, max_backlog=10_000)
    second = swept_at(1_360, tasks, queue, max_backlog=10_000)
    assert (len(first.sent), first.complete, len(second.sent), second.complete) == (SENDS_PER_SWEEP, False, 5, True)


def test_two_sweeps_at_the_same_time_send_it_once(tasks: Tasks, queue: InMemoryQueue) -> None:
    (seen,) = tasks.pending(after(1_300))
    assert swept_at(1_300, tasks, queue).sent == [tasks.first]
    assert tasks.claim_send(seen, after(1_300)) is None


# ── Dead letters ────────────────────────────────────────────────────────────────────────────────────


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
    assert [kept.task_id for kept in tasks.dead_letters()] == [tasks.first]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({}, "no_answer"), ({"version": 2}, "unreadable_message"), ({"features": 3}, "unreadable_message")],
)
def test_the_reason_is_told_as_far_as_it_is_known(tasks: Tasks, changes: dict[str, Any], reason: str) -> None:
    (ended,) = end_dead_letters([QueuedMessage("r", body_of(tasks.first, **changes), 6)], tasks, after(900))
    assert (ended.outcome, ended.reason) == ("failed", reason)


def test_a_task_that_has_ended_stays_as_it_is(tasks: Tasks) -> None:
    tasks.succeed(tasks.first, {"predicted_class": 0}, after(1))
    (ended,) = end_dead_letters([QueuedMessage("r", body_of(tasks.first), 6)], tasks, after(900))
    assert ended.outcome == "already_ended"
    assert tasks.get(tasks.first, after(901)).state is TaskState.SUCCESS
    assert list(tasks.dead_letters()) == []


@pytest.mark.parametrize("body", ["", "not json", "[]", '{"task_id": 5}', "{}"])
def test_a_message_that_names_no_task_is_let_go(tasks: Tasks, body: str) -> None:
    assert end_dead_letters([QueuedMessage("r", body, 6)], tasks, NOW) == [
        DeadLetter("r", "no_task", reason="unreadable_message")
    ]


def test_what_cannot_be_ended_comes_back_alone(tasks: Tasks) -> None:
    class OneLost(Tasks):
        def fail(self, task_id: str, *arguments: Any, **options: Any) -> bool:
            if task_id == "lost":
                raise TaskStoreUnavailable("gone")
            return super().fail(task_id, *arguments, **options)

    some = OneLost()
    letters = [QueuedMessage("r1", body_of("lost"), 6), QueuedMessage("r2", body_of(some.first), 6)]
    assert [(one.receipt, one.outcome) for one in end_dead_letters(letters, some, NOW)] == [
        ("r1", "retry"),
        ("r2", "failed"),
    ]


# ── Running again ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def dead(tasks: Tasks) -> Tasks:
    """The task has ended as a dead letter."""
    tasks.fail(tasks.first, "dead_letter", "the prediction failed too often", after(900), keep=True)
    return tasks


def test_run_again_it_is_a_new_task_and_the_failed_one_stays_failed_and_names_it(
    dead: Tasks, queue: InMemoryQueue
) -> None:
    (task,) = dead.dead_letters()
    done = redrive(task, dead, queue, after(1_000), reopen=False)
    assert done is not None
    assert (done.task_id, done.error_type) == (dead.first, "dead_letter")
    sent = json.loads(queue.messages[0])
    assert (sent["task_id"], sent["match_id"], sent["submitted_at"]) == (done.new_id, 99, "2024-05-01T12:16:40Z")
    old, new = dead.get(dead.first, after(1_001)), dead.get(str(done.new_id), after(1_001))
    assert (old.state, new.state, new.message) == (TaskState.FAILED, TaskState.PENDING, queue.messages[0])
    assert old.error is not None
    assert old.error["message"].endswith(f"run again as task {done.new_id}")


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
def test_with_the_queue_out_of_reach_it_is_due_for_the_next_sweep(
    dead: Tasks, queue: InMemoryQueue, *, reopen: bool
) -> None:
    (task,) = dead.dead_letters()
    queue.reachable = False
    with pytest.raises(QueueUnavailable):
        redrive(task, dead, queue, after(1_000), reopen=reopen)
    queue.reachable = True
    assert len(swept_at(1_060, dead, queue).sent) == 1
