"""Every accepted task ends once, with the right answer, whatever fails underneath.

`make chaos` runs the same with thousands of tasks. What is attacked and what comes of it: docs/reliability.md.
"""

import json
import os
import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from chalicelib.models.store import ServedModel
from chalicelib.tasks.dead_letters import redrive
from chalicelib.tasks.queue import SqsTaskQueue
from tests.chaos.arena import Arena, Caller, Submission, arena
from tests.chaos.faulty_endpoint import Faults
from tests.support.throwaway import RunningStack

pytestmark = pytest.mark.alone

TASKS = int(os.environ.get("CHAOS_TASKS", "80"))
SEED = int(os.environ.get("CHAOS_SEED", "20240501"))
CALLERS = 4
ATTACKS = 5
"""Least number of workers killed or made to hang: each kind of attack happens."""
SETTLE_SECONDS = 180 + TASKS / 20
"""Only how long a task that never ends is waited for: a sound system settles in a fraction of it."""
REDRIVES = 5
TOLERANCE = 1e-12

# Of the requests that functions make; the client tries each three times.
FAULTS = Faults(
    {
        "throttled": 0.04,
        "error_before": 0.02,
        "error_after": 0.02,
        "lost_before": 0.01,
        "lost_after": 0.01,
        "slow": 0.001,
    },
    seed=SEED,
)


def requests_of(model: ServedModel, rng: random.Random, count: int) -> list[tuple[Mapping[str, Any], str, str | None]]:
    """Bodies with features of their own, each tenth without a required one; both stages; half of them with a key."""
    required = [feature.name for feature in model.info.features if feature.required]
    requests: list[tuple[Mapping[str, Any], str, str | None]] = []
    run = uuid.uuid4()
    for number in range(count):
        features = {
            feature.name: rng.randrange(2) if feature.type == "long" else round(rng.uniform(-3, 3), 4)
            for feature in model.info.features
        }
        if number % 10 == 9:
            del features[rng.choice(required)]
        stage = "challenger" if number % 5 == 4 else "champion"
        requests.append(
            ({"match_id": number + 1, "features": features}, stage, f"{run}-{number}" if number % 2 else None)
        )
    return requests


def submit(caller: Caller, requests: Sequence[tuple[Mapping[str, Any], str, str | None]]) -> list[Submission]:
    shares = [requests[start::CALLERS] for start in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as pool:
        return [submission for part in pool.map(caller.submit, shares) for submission in part]


def poison(arena: Arena, count: int) -> tuple[list[str], list[str]]:
    """Messages that cannot be read, and the tasks that some of them name."""
    unreadable = ["", "not json", "[]", '{"version": 1}', "\x20" * 10, '{"task_id": 5}']
    named_tasks = []
    bodies = [unreadable[number % len(unreadable)] or "{" for number in range(count)]
    for number in range(count // 2):
        task_id = str(uuid.uuid4())
        arena.tasks.submit(task_id, json.dumps({"version": 99, "task_id": task_id}), datetime.now(UTC))
        bodies[number] = json.dumps({"version": 99, "task_id": task_id})
        named_tasks.append(task_id)
    return bodies, named_tasks


@contextmanager
def watching(stack: RunningStack, ids: Sequence[str]) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Poll tasks like their callers do; yields each one's different answers in order."""
    states: dict[str, list[dict[str, Any]]] = {task_id: [] for task_id in ids}
    halt = threading.Event()

    def watch() -> None:
        with requests.Session() as session:
            while not halt.wait(0.2):
                for task_id, answers in states.items():
                    try:
                        answer = session.get(f"{stack.base_url}/monitoring/task_status/{task_id}", timeout=60)
                    except requests.RequestException:
                        continue
                    if answer.status_code == 200 and (not answers or answers[-1] != answer.json()):
                        answers.append(answer.json())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield states
    finally:
        halt.set()
        thread.join()


def assert_right(
    submissions: Sequence[Submission], items: Mapping[str, dict[str, Any]], models: Mapping[str, ServedModel]
) -> Counter[str]:
    """Each accepted submission ended once and as computed directly; the counts of their ends."""
    ends: Counter[str] = Counter()
    for submission in submissions:
        assert submission.task_id is not None
        item = items[submission.task_id]
        end = item["status"]["S"]
        assert ("result" in item, "error" in item) == (end == "success", end == "failed"), item
        ends[end] += 1
        # The models change places, and one may need what the other does without.
        given = submission.body["features"].keys()
        lacking = {run for run, model in models.items() if not _required(model) <= given}
        if end == "failed":
            assert json.loads(item["error"]["S"])["type"] == "features_rejected"
            assert lacking
            continue
        result = json.loads(item["result"]["S"])
        assert result["model_run_id"] not in lacking
        model = models[result["model_run_id"]]
        expected = model.predict(model.row(submission.body["features"]))
        assert list(result["probabilities"].values()) == pytest.approx(
            [expected.home, expected.draw, expected.away], abs=TOLERANCE
        )
        assert result["model_version"] == submission.stage
    return ends


def _required(model: ServedModel) -> set[str]:
    return {feature.name for feature in model.info.features if feature.required}


def settle_with_redrives(arena: Arena, accepted: Sequence[str]) -> int:
    """Wait until every task has ended, and run the accepted ones again that ended as dead letters; how many there were.

    Deliveries may run out without a task's fault, when workers die with it or the table refuses its result. That is an
    end with a reason, and what `make redrive` is for; nothing fails any more by now, so few rounds do.
    """
    queue = SqsTaskQueue(arena.stack.client("sqs"), arena.stack.outputs.inference_queue_url)
    n_redriven = 0
    for _ in range(REDRIVES):
        arena.settle(SETTLE_SECONDS)
        dead_letters = [task for task in arena.tasks.dead_letters() if task.task_id in accepted]
        if not dead_letters:
            return n_redriven
        for task in dead_letters:
            redriven = redrive(task, arena.tasks, queue, datetime.now(UTC), reopen=True)
            assert redriven is not None
            assert redriven.new_id == task.task_id
        n_redriven += len(dead_letters)
    raise AssertionError(f"dead letters after {REDRIVES} redrives without faults: {dead_letters}")


def assert_backlog_is_shown(arena: Arena) -> None:
    """An operator sees that nothing drains, and how much waits."""
    queues, worker = arena.operators_view()
    assert worker["event_source_mapping"] != "Enabled"
    assert queues["inference"]["waiting"] == arena.waiting() > 0
    assert queues["pending_tasks"] == arena.pending() > 0
    assert queues["inference"]["oldest_age_seconds"] > 0


def assert_quiet_is_shown(arena: Arena) -> None:
    """An operator sees that all is done, and the dead letters that are kept."""
    queues, worker = arena.operators_view()
    assert (worker["state"], worker["event_source_mapping"]) == ("Active", "Enabled")
    assert [queues["inference"][name] for name in ("waiting", "in_flight", "delayed")] == [0, 0, 0]
    assert (queues["pending_tasks"], queues["inference"]["oldest_age_seconds"]) == (0, None)
    assert queues["dead_letters"]["kept"] == len(list(arena.tasks.dead_letters()))


def test_every_accepted_task_ends_once_with_the_right_answer(stack: RunningStack) -> None:
    rng = random.Random(SEED)  # noqa: S311 - no secret
    caller = Caller(stack)
    with arena(stack, FAULTS) as fight:
        models = fight.models()
        requests = requests_of(next(iter(models.values())), rng, TASKS)
        with fight.killing(every_seconds=1.5, at_most=max(ATTACKS + 1, TASKS // 100)):
            # First half: a backlog with duplicates, in another order, and poison all over it.
            with fight.consumer_off():
                first = submit(caller, requests[: TASKS // 2])
                accepted_first = [submission.task_id for submission in first if submission.task_id]
                messages = [fight.tasks.get(task_id, datetime.now(UTC)).message for task_id in accepted_first]
                queued = [message for message in messages if message is not None]
                bodies, poisoned = poison(fight, max(12, TASKS // 20))
                redelivered = queued + bodies
                rng.shuffle(redelivered)
                fight.send(redelivered)
                assert_backlog_is_shown(fight)
            # Second half while the first is worked on, and the models change places in the middle.
            with watching(stack, accepted_first[:: max(1, len(accepted_first) // 20)]) as watched:
                second = submit(caller, requests[TASKS // 2 : TASKS * 3 // 4])
                fight.swap_models()
                second += submit(caller, requests[TASKS * 3 // 4 :])
                fight.wait_for_attacks(ATTACKS, SETTLE_SECONDS, queued)
        fight.faults.on = False
        submissions = [submission for submission in first + second if submission.task_id is not None]
        ids = [str(submission.task_id) for submission in submissions]
        again_run = settle_with_redrives(fight, ids)
        assert len(set(ids)) == len(ids)
        assert {submission.key for submission in first + second if submission.key} == {
            submission.key for submission in submissions if submission.key
        }
        items = fight.items(ids)
        ends = assert_right(submissions, items, models)
        assert ends["success"] + ends["failed"] == len(ids)

        # Poison ends as failed, with the reason, and is kept for an operator.
        for item in fight.items(poisoned).values():
            error = json.loads(item["error"]["S"])
            assert (item["status"]["S"], error["type"]) == ("failed", "dead_letter")
            assert "unreadable_message" in error["message"]
        assert {task.task_id for task in fight.tasks.dead_letters()} >= set(poisoned)
        assert_quiet_is_shown(fight)

        # What was seen as ended never changed.
        for answers in watched.values():
            assert [answer["status"] for answer in answers][:-1] in ([], ["pending"])

        # Delivering everything once more changes nothing.
        fight.send(queued)
        fight.settle(SETTLE_SECONDS)
        assert fight.items(ids) == items
    happened = dict(sorted(fight.faults.happened.items()))
    refused = dict(Counter(map(str, caller.refused)))
    print(  # noqa: T201 - what `make chaos` reports
        f"\n{len(ids)} accepted of {TASKS}, tries refused {refused}: {dict(ends)}; {len(poisoned)} poisoned; "
        f"{again_run} run again; workers killed {fight.killed}, hung {fight.hung}; faults {happened}"
    )
    assert happened
