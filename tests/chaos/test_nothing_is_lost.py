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

from chalicelib.model_store import ServedModel
from chalicelib.task_queue import SqsTaskQueue
from chalicelib.task_upkeep import redrive
from infra.throwaway import RunningStack
from tests.chaos.arena import Arena, Caller, Submission, arena
from tests.chaos.faulty_endpoint import Faults

TASKS = int(os.environ.get("CHAOS_TASKS", "80"))
SEED = int(os.environ.get("CHAOS_SEED", "20240501"))
CALLERS = 4
SETTLE_SECONDS = 60 + TASKS / 20
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
    found: list[tuple[Mapping[str, Any], str, str | None]] = []
    for number in range(count):
        features = {
            feature.name: rng.randrange(2) if feature.type == "long" else round(rng.uniform(-3, 3), 4)
            for feature in model.info.features
        }
        if number % 10 == 9:
            del features[rng.choice(required)]
        stage = "challenger" if number % 5 == 4 else "champion"
        found.append(({"match_id": number + 1, "features": features}, stage, f"key-{number}" if number % 2 else None))
    return found


def submit(stack: RunningStack, wanted: Sequence[tuple[Mapping[str, Any], str, str | None]]) -> list[Submission]:
    shares = [wanted[start::CALLERS] for start in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as pool:
        return [one for part in pool.map(Caller(stack).submit, shares) for one in part]


def poison(arena: Arena, count: int) -> tuple[list[str], list[str]]:
    """Messages that cannot be read, and the tasks that some of them name."""
    unreadable = ["", "not json", "[]", '{"version": 1}', "\x20" * 10, '{"task_id": 5}']
    named = []
    bodies = [unreadable[number % len(unreadable)] or "{" for number in range(count)]
    for number in range(count // 2):
        task_id = str(uuid.uuid4())
        arena.tasks.submit(task_id, json.dumps({"version": 99, "task_id": task_id}), datetime.now(UTC))
        bodies[number] = json.dumps({"version": 99, "task_id": task_id})
        named.append(task_id)
    return bodies, named


@contextmanager
def watching(stack: RunningStack, ids: Sequence[str]) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Poll tasks like their callers do; yields each one's different answers in order."""
    seen: dict[str, list[dict[str, Any]]] = {task_id: [] for task_id in ids}
    halt = threading.Event()

    def watch() -> None:
        with requests.Session() as session:
            while not halt.wait(0.2):
                for task_id, answers in seen.items():
                    answer = session.get(f"{stack.base_url}/monitoring/task_status/{task_id}", timeout=60)
                    if answer.status_code == 200 and (not answers or answers[-1] != answer.json()):
                        answers.append(answer.json())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        halt.set()
        thread.join()


def assert_right(
    submissions: Sequence[Submission], items: Mapping[str, dict[str, Any]], models: Mapping[str, ServedModel]
) -> Counter[str]:
    """Each accepted submission ended once and as computed directly; the counts of their ends."""
    ends: Counter[str] = Counter()
    for one in submissions:
        assert one.task_id is not None
        item = items[one.task_id]
        end = item["status"]["S"]
        assert ("result" in item, "error" in item) == (end == "success", end == "failed"), item
        ends[end] += 1
        required = {f.name for model in models.values() for f in model.info.features if f.required}
        if not required <= one.body["features"].keys():
            assert json.loads(item["error"]["S"])["type"] == "features_rejected"
            continue
        assert end == "success", item
        result = json.loads(item["result"]["S"])
        model = models[result["model_run_id"]]
        expected = model.predict(model.row(one.body["features"]))
        assert list(result["probabilities"].values()) == pytest.approx(
            [expected.home, expected.draw, expected.away], abs=TOLERANCE
        )
        assert result["model_version"] == one.stage
    return ends


def run_dead_letters_again(arena: Arena, accepted: Sequence[str]) -> int:
    """Run again the accepted tasks that ended as dead letters; how many."""
    queue = SqsTaskQueue(arena.stack.client("sqs"), arena.stack.outputs.inference_queue_url)
    found = [task for task in arena.tasks.dead_letters() if task.task_id in accepted]
    for task in found:
        done = redrive(task, arena.tasks, queue, datetime.now(UTC), reopen=True)
        assert done is not None
        assert done.new_id == task.task_id
    return len(found)


def test_every_accepted_task_ends_once_with_the_right_answer(stack: RunningStack) -> None:
    rng = random.Random(SEED)  # noqa: S311 - no secret
    with arena(stack, FAULTS) as fight:
        models = fight.models()
        wanted = requests_of(next(iter(models.values())), rng, TASKS)
        try:
            with fight.killing(every_seconds=3.0, at_most=max(6, TASKS // 100)):
                # First half: a backlog with duplicates, in another order, and poison all over it.
                with fight.consumer_off():
                    first = submit(stack, wanted[: TASKS // 2])
                    queued = [
                        task.message
                        for one in first
                        if one.task_id
                        for task in [fight.tasks.get(one.task_id, datetime.now(UTC))]
                    ]
                    bodies, poisoned = poison(fight, max(12, TASKS // 20))
                    again = [message for message in queued if message is not None] + bodies
                    rng.shuffle(again)
                    fight.send(again)
                accepted_first = [one.task_id for one in first if one.task_id]
                # Second half while the first is worked on, and the models change places in the middle.
                with watching(stack, accepted_first[:: max(1, len(accepted_first) // 20)]) as seen:
                    second = submit(stack, wanted[TASKS // 2 : TASKS * 3 // 4])
                    fight.swap_models()
                    second += submit(stack, wanted[TASKS * 3 // 4 :])
            fight.faults.on = False
            fight.settle(SETTLE_SECONDS)
            submissions = [one for one in first + second if one.task_id is not None]
            ids = [str(one.task_id) for one in submissions]
            again_run = run_dead_letters_again(fight, ids)
            fight.settle(SETTLE_SECONDS)
            assert len(set(ids)) == len(ids)
            assert {one.key for one in first + second if one.key} == {one.key for one in submissions if one.key}
            items = fight.items(ids)
            ends = assert_right(submissions, items, models)
            assert ends["success"] + ends["failed"] == len(ids)

            # Poison ends as failed, with the reason, and is kept for an operator.
            for item in fight.items(poisoned).values():
                error = json.loads(item["error"]["S"])
                assert (item["status"]["S"], error["type"]) == ("failed", "dead_letter")
                assert "unreadable_message" in error["message"]
            assert {task.task_id for task in fight.tasks.dead_letters()} >= set(poisoned)

            # What was seen as ended never changed.
            for answers in seen.values():
                assert [answer["status"] for answer in answers][:-1] in ([], ["pending"])

            # Delivering everything once more changes nothing.
            fight.send([message for message in queued if message is not None])
            fight.settle(SETTLE_SECONDS)
            assert fight.items(ids) == items
        finally:
            fight.swap_models()
    happened = dict(sorted(fight.faults.happened.items()))
    print(  # noqa: T201 - what `make chaos` reports
        f"\n{len(ids)} accepted of {TASKS}: {dict(ends)}; {len(poisoned)} poisoned; {again_run} run again; "
        f"workers killed {fight.killed}, hung {fight.hung}; faults {happened}"
    )
    assert fight.killed + fight.hung > 0
    assert happened
