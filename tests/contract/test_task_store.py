"""The life of a task, the same for the fake, for moto and for the emulator's DynamoDB."""

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from chalicelib.errors import IdempotencyConflict, TaskNotFound, TaskStoreUnavailable
from chalicelib.tasks.store import DynamoTaskStore, IdempotencyKey, Task, TaskState, TaskStore
from tests.handlers.conftest import aws_session, create_task_table
from tests.support.fakes import InMemoryTaskStore

NOW = datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)
DAY = 86_400
RESEND_AFTER = 1_200.0
RESULT: dict[str, Any] = {"predicted_class": 0, "probabilities": {"0": 0.58, "1": 0.27, "2": 0.15}}


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def new_id() -> str:
    return str(uuid.uuid4())


EMULATOR = pytest.param("emulator", marks=pytest.mark.emulator)


@pytest.fixture(params=["in_memory", "moto", EMULATOR])
def tasks(request: pytest.FixtureRequest) -> Iterator[TaskStore]:
    """An empty store: 24 h of retention, sent again after 20 minutes."""
    if request.param == "in_memory":
        yield InMemoryTaskStore(DAY, RESEND_AFTER)
    elif request.param == "moto":
        with mock_aws():
            client = aws_session().client("dynamodb")
            create_task_table(client, "tasks")
            yield DynamoTaskStore(client, "tasks", DAY, RESEND_AFTER)
    else:
        client = request.getfixturevalue("stack").client("dynamodb")
        name = f"tasks-{uuid.uuid4()}"
        create_task_table(client, name)
        yield DynamoTaskStore(client, name, DAY, RESEND_AFTER)
        client.delete_table(TableName=name)


@pytest.fixture
def task_id(tasks: TaskStore) -> str:
    """A pending task, submitted now."""
    return tasks.submit(new_id(), "the message", NOW)


def ids(tasks: Iterator[Task]) -> list[str]:
    return [task.task_id for task in tasks]


def pending_task(tasks: TaskStore) -> Task:
    """The only pending task, as the sweep reads it."""
    (task,) = tasks.pending(after(10 * DAY))
    return task


# ── From pending to its end ─────────────────────────────────────────────────────────────────────────


def test_a_submitted_task_is_pending_and_carries_its_message(tasks: TaskStore, task_id: str) -> None:
    task = tasks.get(task_id, NOW)
    assert (task.state, task.message, task.result, task.error) == (TaskState.PENDING, "the message", None, None)
    assert (task.submitted_at, task.sends, task.next_send_at) == (
        NOW.timestamp(),
        0,
        NOW.timestamp() + RESEND_AFTER,
    )


def test_a_task_succeeds_once_and_its_first_result_stays(tasks: TaskStore, task_id: str) -> None:
    assert tasks.succeed(task_id, RESULT, after(1))
    assert not tasks.succeed(task_id, {"predicted_class": 2}, after(2))
    assert not tasks.fail(task_id, "dead_letter", "too late", after(3), keep=True)
    task = tasks.get(task_id, after(3))
    assert (task.state, task.result, task.error, task.message) == (TaskState.SUCCESS, RESULT, None, None)


def test_a_task_fails_once_and_its_first_error_stays(tasks: TaskStore, task_id: str) -> None:
    assert tasks.fail(task_id, "features_rejected", "sex is missing", after(1))
    assert not tasks.fail(task_id, "dead_letter", "too late", after(2))
    assert not tasks.succeed(task_id, RESULT, after(3))
    task = tasks.get(task_id, after(3))
    assert (task.state, task.error) == (TaskState.FAILED, {"type": "features_rejected", "message": "sex is missing"})


def test_the_same_end_written_twice_by_one_call_counts_as_written(tasks: TaskStore, task_id: str) -> None:
    # The client tries a write again when the answer got lost. The fake loses none.
    assert tasks.succeed(task_id, RESULT, after(1))
    again = tasks.succeed(task_id, RESULT, after(1))
    assert again is not isinstance(tasks, InMemoryTaskStore)
    assert not tasks.succeed(task_id, RESULT, after(2))


def test_a_task_never_submitted_cannot_end(tasks: TaskStore) -> None:
    assert not tasks.succeed(new_id(), RESULT, NOW)
    assert not tasks.fail(new_id(), "dead_letter", "x", NOW, keep=True)
    assert ids(tasks.dead_letters()) == []


# Not with moto or the fake, which look at a condition and write in two steps that threads can come between.
@pytest.mark.parametrize("tasks", [EMULATOR], indirect=True)
def test_of_many_writers_at_the_same_time_one_ends_the_task(tasks: TaskStore, task_id: str) -> None:
    written: list[bool] = []
    start = threading.Barrier(8)

    def end(number: int) -> None:
        start.wait()
        written.append(tasks.succeed(task_id, {"predicted_class": number}, after(number)))

    threads = [threading.Thread(target=end, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(written) == [False] * 7 + [True]


def test_a_task_never_issued_is_not_found(tasks: TaskStore) -> None:
    with pytest.raises(TaskNotFound):
        tasks.get(new_id(), NOW)


def test_an_ended_task_can_be_read_for_a_day_after_its_end(tasks: TaskStore, task_id: str) -> None:
    tasks.succeed(task_id, RESULT, after(DAY - 1))
    assert tasks.get(task_id, after(2 * DAY - 2)).state is TaskState.SUCCESS
    with pytest.raises(TaskNotFound):
        tasks.get(task_id, after(2 * DAY - 1))


def test_a_pending_task_outlives_the_day_that_it_may_take(tasks: TaskStore, task_id: str) -> None:
    assert tasks.get(task_id, after(DAY + 3_600)).state is TaskState.PENDING


# ── Idempotency keys ────────────────────────────────────────────────────────────────────────────────

KEY = IdempotencyKey("k1", "body-1")


def test_a_key_used_again_for_the_same_body_answers_the_first_task(tasks: TaskStore) -> None:
    first = tasks.submit(new_id(), "m", NOW, KEY)
    second = new_id()
    assert tasks.submit(second, "m", after(DAY - 1), KEY) == first
    assert tasks.find(KEY, after(DAY - 1)) == first
    with pytest.raises(TaskNotFound):
        tasks.get(second, after(DAY - 1))


def test_a_key_used_for_another_body_is_a_conflict(tasks: TaskStore) -> None:
    tasks.submit(new_id(), "m", NOW, KEY)
    other = IdempotencyKey("k1", "body-2")
    with pytest.raises(IdempotencyConflict):
        tasks.submit(new_id(), "m", after(1), other)
    with pytest.raises(IdempotencyConflict):
        tasks.find(other, after(1))


def test_a_key_is_forgotten_after_a_day(tasks: TaskStore) -> None:
    first = tasks.submit(new_id(), "m", NOW, KEY)
    assert tasks.find(KEY, after(DAY)) is None
    assert tasks.submit(new_id(), "m", after(DAY), IdempotencyKey("k1", "body-2")) != first


def test_a_key_never_used_is_not_found(tasks: TaskStore) -> None:
    assert tasks.find(KEY, NOW) is None


def test_a_key_is_no_task(tasks: TaskStore) -> None:
    tasks.submit(new_id(), "m", NOW, KEY)
    with pytest.raises(TaskNotFound):
        tasks.get(KEY.item_id, NOW)


@pytest.mark.parametrize("tasks", [EMULATOR], indirect=True)  # moto's transactions are not safe between threads
def test_of_many_submissions_with_one_key_at_the_same_time_one_makes_a_task(tasks: TaskStore) -> None:
    accepted: list[str] = []

    def submit() -> None:
        # Transactions that meet may be refused as conflicting: the caller is told to come again.
        while True:
            try:
                accepted.append(tasks.submit(new_id(), "m", NOW, KEY))
            except TaskStoreUnavailable:
                continue
            return

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == 6
    assert len(set(accepted)) == 1
    assert ids(tasks.pending(after(1))) == accepted[:1]


# ── Sending again ───────────────────────────────────────────────────────────────────────────────────


def test_pending_tasks_are_found_until_they_end(tasks: TaskStore) -> None:
    mine = [tasks.submit(new_id(), "m", after(second)) for second in range(5)]
    assert sorted(ids(tasks.pending(after(10)))) == sorted(mine)
    tasks.succeed(mine[1], RESULT, after(6))
    tasks.fail(mine[3], "features_rejected", "x", after(6))
    assert sorted(ids(tasks.pending(after(10)))) == sorted([mine[0], mine[2], mine[4]])
    assert sorted(ids(tasks.pending(after(2)))) == [mine[0]]


def test_the_oldest_pending_task_is_found(tasks: TaskStore) -> None:
    assert tasks.oldest_pending(NOW) is None
    mine = [tasks.submit(new_id(), "m", after(second)) for second in (7, 3, 5)]
    oldest = tasks.oldest_pending(after(10))
    assert oldest is not None
    assert (oldest.task_id, oldest.submitted_at) == (mine[1], after(3).timestamp())


def test_sending_again_is_claimed_by_one_and_the_waits_double(tasks: TaskStore, task_id: str) -> None:
    seen = pending_task(tasks)
    assert (seen.task_id, seen.sends, seen.next_send_at) == (task_id, 0, NOW.timestamp() + RESEND_AFTER)
    assert tasks.claim_send(seen, after(1_200)) == "the message"
    assert tasks.claim_send(seen, after(1_200)) is None
    again = pending_task(tasks)
    assert (again.sends, again.next_send_at) == (1, after(1_200 + 2_400).timestamp())
    assert tasks.claim_send(again, after(3_600)) == "the message"
    assert pending_task(tasks).next_send_at == after(3_600 + 4_800).timestamp()


def test_an_ended_task_is_not_sent_again(tasks: TaskStore, task_id: str) -> None:
    seen = pending_task(tasks)
    tasks.succeed(task_id, RESULT, after(1))
    assert tasks.claim_send(seen, after(1_200)) is None
    tasks.not_sent(task_id, after(1_200))
    assert tasks.get(task_id, after(1_200)).state is TaskState.SUCCESS


def test_a_task_that_could_not_be_sent_is_due_at_once(tasks: TaskStore, task_id: str) -> None:
    tasks.not_sent(task_id, after(2))
    assert pending_task(tasks).next_send_at == after(2).timestamp()
    tasks.not_sent(new_id(), after(2))
    assert ids(tasks.pending(after(10))) == [task_id]


def test_a_fault_is_remembered_while_the_task_is_pending(tasks: TaskStore, task_id: str) -> None:
    assert tasks.fault(task_id) is None
    tasks.note_fault(task_id, "model_unavailable")
    assert tasks.fault(task_id) == "model_unavailable"
    tasks.succeed(task_id, RESULT, after(1))
    tasks.note_fault(task_id, "another")
    assert tasks.fault(task_id) == "model_unavailable"
    tasks.note_fault(new_id(), "x")
    assert tasks.fault(new_id()) is None


# ── Dead letters ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def dead(tasks: TaskStore, task_id: str) -> str:
    """A task that ended as a dead letter a minute after its submission."""
    assert tasks.fail(task_id, "dead_letter", "the prediction failed too often", after(60), keep=True)
    return task_id


def test_a_dead_letter_is_failed_and_keeps_its_message(tasks: TaskStore, dead: str) -> None:
    assert tasks.get(dead, after(61)).state is TaskState.FAILED
    assert ids(tasks.pending(after(61))) == []
    assert ids(tasks.dead_letters()) == [dead]
    kept = tasks.dead_letter(dead)
    assert kept is not None
    assert kept.message == "the message"


def test_a_dead_letter_is_kept_longer_than_its_task_can_be_read(tasks: TaskStore, dead: str) -> None:
    with pytest.raises(TaskNotFound):
        tasks.get(dead, after(60 + DAY))
    assert tasks.dead_letter(dead) is not None


def test_a_dead_letter_run_again_is_a_new_task_and_the_old_one_stays_failed(tasks: TaskStore, dead: str) -> None:
    new = new_id()
    assert tasks.resubmit(dead, new, "the new message", after(120))
    assert tasks.get(new, after(121)).message == "the new message"
    assert ids(tasks.pending(after(121))) == [new]
    old = tasks.get(dead, after(121))
    assert old.state is TaskState.FAILED
    assert old.error == {
        "type": "dead_letter",
        "message": f"the prediction failed too often; run again as task {new}",
    }
    assert ids(tasks.dead_letters()) == []
    assert tasks.dead_letter(dead) is None


def test_a_dead_letter_is_run_again_once(tasks: TaskStore, dead: str) -> None:
    assert tasks.resubmit(dead, new_id(), "m", after(120))
    assert not tasks.resubmit(dead, new_id(), "m", after(121))
    assert not tasks.reopen(dead, "m", after(121))
    assert len(ids(tasks.pending(after(122)))) == 1


def test_a_reopened_dead_letter_is_pending_under_its_own_id(tasks: TaskStore, dead: str) -> None:
    assert tasks.reopen(dead, "the new message", after(120))
    task = tasks.get(dead, after(DAY + 61))
    assert (task.state, task.error, task.message) == (TaskState.PENDING, None, "the new message")
    assert (task.submitted_at, task.sends, task.next_send_at) == (
        after(120).timestamp(),
        0,
        after(120 + RESEND_AFTER).timestamp(),
    )
    assert ids(tasks.pending(after(121))) == [dead]
    assert ids(tasks.dead_letters()) == []
    assert tasks.succeed(dead, RESULT, after(122))


def test_what_is_no_dead_letter_cannot_be_run_again(tasks: TaskStore, task_id: str) -> None:
    assert tasks.dead_letter(task_id) is None
    assert not tasks.resubmit(task_id, new_id(), "m", after(1))
    assert not tasks.reopen(task_id, "m", after(1))
    assert not tasks.resubmit(new_id(), new_id(), "m", after(1))
    assert tasks.get(task_id, after(1)).state is TaskState.PENDING


# ── Out of reach ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["in_memory", "dynamodb"])
def lost(request: pytest.FixtureRequest) -> TaskStore:
    """A store that does not answer."""
    if request.param == "in_memory":
        store = InMemoryTaskStore()
        store.reachable = False
        return store
    client = boto3.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(connect_timeout=0.2, retries={"total_max_attempts": 1}),
    )
    return DynamoTaskStore(client, "tasks", DAY)


def test_every_operation_says_that_the_table_does_not_answer(lost: TaskStore) -> None:
    task = Task("t", TaskState.PENDING)
    for operation in (
        lambda: lost.submit("t", "m", NOW),
        lambda: lost.submit("t", "m", NOW, KEY),
        lambda: lost.find(KEY, NOW),
        lambda: lost.get("t", NOW),
        lambda: lost.succeed("t", RESULT, NOW),
        lambda: lost.fail("t", "x", "y", NOW),
        lambda: lost.note_fault("t", "x"),
        lambda: lost.fault("t"),
        lambda: lost.claim_send(task, NOW),
        lambda: lost.not_sent("t", NOW),
        lambda: list(lost.pending(NOW)),
        lambda: lost.oldest_pending(NOW),
        lambda: list(lost.dead_letters()),
        lambda: lost.dead_letter("t"),
        lambda: lost.resubmit("t", "u", "m", NOW),
        lambda: lost.reopen("t", "m", NOW),
    ):
        with pytest.raises(TaskStoreUnavailable):
            operation()


def test_the_index_carries_no_messages(tasks: TaskStore, dead: str) -> None:
    tasks.submit(new_id(), json.dumps({"large": "message"}), after(70))
    assert [task.message for task in (*tasks.pending(after(80)), *tasks.dead_letters())] == [None, None]


# ── The shards of the index ─────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize(("before", "now"), [(16, 1), (4, 16), (7, 3)])
def test_a_change_of_the_number_of_shards_loses_no_task(before: int, now: int) -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_task_table(client, "tasks")
        old, new = (DynamoTaskStore(client, "tasks", DAY, RESEND_AFTER, shards) for shards in (before, now))
        first = old.submit(new_id(), "m", NOW)
        others = [old.submit(new_id(), "m", after(1)) for _ in range(80)]
        others += [new.submit(new_id(), "m", after(2)) for _ in range(80)]
        # During the change, functions of both versions run.
        for store in (old, new):
            oldest = store.oldest_pending(after(60))
            assert oldest is not None
            assert oldest.task_id == first
            assert sorted(ids(store.pending(after(60)))) == sorted([first, *others])
        # What the one version accepted, the other sends again and ends.
        (seen,) = (task for task in new.pending(after(60)) if task.task_id == first)
        assert new.claim_send(seen, after(1_300)) == "m"
        assert new.succeed(first, RESULT, after(1_310))
        assert sorted(ids(old.pending(after(2_000)))) == sorted(others)


def test_new_tasks_are_spread_over_the_shards_that_are_set() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_task_table(client, "tasks")
        store = DynamoTaskStore(client, "tasks", DAY, RESEND_AFTER, 6)
        for _ in range(100):
            store.submit(new_id(), "m", NOW)
        shards = [item["pending_shard"]["S"] for item in client.scan(TableName="tasks")["Items"]]
        assert set(shards) == {str(shard) for shard in range(6)}
