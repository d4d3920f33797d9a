"""The sweep of pending tasks."""

import uuid
from datetime import timedelta
from typing import Any

from chalicelib.errors import QueueUnavailable, TaskStoreUnavailable
from chalicelib.tasks.deadline import Deadline
from chalicelib.tasks.store import TaskState
from chalicelib.tasks.sweep import Swept, sweep
from tests.support.fakes import InMemoryQueue
from tests.unit.tasks.pending import DAY, NOW, Tasks, after, body_of


def swept_at(seconds: float, tasks: Tasks, queue: InMemoryQueue, **changes: Any) -> Swept:
    arguments: dict[str, Any] = {"max_age": timedelta(days=1), "max_backlog": 100, "most_sends": 1_000, **changes}
    return sweep(tasks, queue, after(seconds), **arguments)


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


def test_an_unreachable_queue_ends_the_sweep_and_leaves_the_task_due(tasks: Tasks, queue: InMemoryQueue) -> None:
    queue.reachable = False
    swept = swept_at(1_200, tasks, queue)
    assert (swept.sent, swept.complete) == ([], False)
    assert isinstance(swept.fault, QueueUnavailable)
    queue.reachable = True
    assert swept_at(1_260, tasks, queue).sent == [tasks.first]


def test_an_unreachable_table_ends_the_sweep(tasks: Tasks, queue: InMemoryQueue) -> None:
    tasks.reachable = False
    assert isinstance(swept_at(1_200, tasks, queue).fault, TaskStoreUnavailable)


def test_a_sweep_stops_when_its_time_is_over(tasks: Tasks, queue: InMemoryQueue) -> None:
    assert swept_at(1_200, tasks, queue, deadline=Deadline(0.0)) == Swept([], [], complete=False)


def test_a_sweep_sends_so_many_at_most_and_the_next_one_the_rest(tasks: Tasks, queue: InMemoryQueue) -> None:
    for _ in range(24):
        tasks.submit(str(uuid.uuid4()), "m", NOW)
    first = swept_at(1_300, tasks, queue, most_sends=20)
    second = swept_at(1_360, tasks, queue, most_sends=20)
    assert (len(first.sent), first.complete, len(second.sent), second.complete) == (20, False, 5, True)


def test_two_sweeps_at_the_same_time_send_it_once(tasks: Tasks, queue: InMemoryQueue) -> None:
    (pending,) = tasks.pending(after(1_300))
    assert swept_at(1_300, tasks, queue).sent == [tasks.first]
    assert tasks.claim_send(pending, after(1_300)) is None
