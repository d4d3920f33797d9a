"""A running stack goes on answering right, or 503, while its objects are damaged, and repairs itself.

`make chaos` runs the same with CHAOS_ROUNDS=40.
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psutil
import pytest
import requests

from chalicelib.storage.objects import S3ObjectStore
from chalicelib.storage.versions import VersionedBucket
from chalicelib.telemetry.integrity import examine
from tests.chaos.mutants import mutated
from tests.support.throwaway import RunningStack

pytestmark = [pytest.mark.emulator, pytest.mark.alone]

ROUNDS: Final = int(os.environ.get("CHAOS_ROUNDS", "3"))
SEED: Final = int(os.environ.get("CHAOS_SEED", "1"))
REPAIR_SECONDS: Final = 180.0
"""Only how long a repair that never comes is waited for."""


class Readers:
    """Reads the same pages again and again, and compares.

    Args:
        stack: The stack.
    """

    def __init__(self, stack: RunningStack) -> None:
        self._stack = stack
        match_id = requests.get(f"{stack.base_url}/predict/matches/?limit=1", timeout=60).json()[0]["match_id"]
        self._paths = (
            f"/predict/{match_id}",
            f"/predict/precomputed/{match_id}",
            "/predict/odds/?limit=5",
            "/predict/cards/?limit=5",
            "/predict/region-roi/",
        )
        self.right = {path: self._read(path)[1] for path in self._paths}
        self.seen: Counter[str] = Counter()
        self.wrong: list[str] = []

    def read_all(self) -> bool:
        """Read each page once; whether all were answered."""
        statuses = []
        for path in self._paths:
            status, body = self._read(path)
            statuses.append(status)
            self.seen[str(status)] += 1
            # A call whose worker is killed is answered 502, as on AWS; no other 502 is right.
            was_killed = status == requests.codes.bad_gateway and "Worker process died" in json.dumps(body)
            is_right = status == requests.codes.ok and body == self.right[path]
            if not (is_right or was_killed or status == requests.codes.unavailable):
                self.wrong.append(f"{path}: {status} {json.dumps(body)[:300]}")
        return all(status == 200 for status in statuses)

    def _read(self, path: str) -> tuple[int, Any]:
        answer = requests.get(f"{self._stack.base_url}{path}", timeout=60)
        return answer.status_code, _steady(answer.json())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read in the background."""
        halt = threading.Event()

        def run() -> None:
            while not halt.is_set():
                self.read_all()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            halt.set()
            thread.join()


def _steady(body: Any) -> Any:
    """The body without the times of a run."""
    if isinstance(body, dict):
        return {name: _steady(value) for name, value in body.items() if name != "features_computed_at"}
    return [_steady(row) for row in body] if isinstance(body, list) else body


def kill_workers(stack: RunningStack, random_numbers: random.Random) -> int:
    """Kill some of the processes that serve, so that new ones read what is damaged."""
    emulator = stack.system.emulator.daemon.process()
    assert emulator is not None
    killed = 0
    for worker in emulator.children(recursive=True):
        try:
            # Those that are starting are left: the emulator would drop all workers of their function with them.
            if time.time() - worker.create_time() > 10 and random_numbers.random() < 0.5:
                worker.kill()
                killed += 1
        except psutil.NoSuchProcess:
            continue
    return killed


def damage_something(stack: RunningStack, random_numbers: random.Random) -> str:
    """Damage an object that is read; its key."""
    s3, bucket = stack.client("s3"), stack.outputs.bucket
    pointer = json.loads(s3.get_object(Bucket=bucket, Key="releases/current.json")["Body"].read())
    mirror = json.loads(s3.get_object(Bucket=bucket, Key="models/champion/current.json")["Body"].read())
    files = sorted(entry["key"] for entry in pointer["datasets"].values())
    key: str = random_numbers.choice(
        [*files, mirror["model_key"], "releases/current.json", "models/champion/current.json"]
    )
    if random_numbers.random() < 0.2:
        s3.delete_object(Bucket=bucket, Key=key)
    else:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=bucket, Key=key, Body=mutated(body, random_numbers) + b" ")
    return key


def test_damage_while_serving_is_repaired_and_never_answered_wrong(stack: RunningStack) -> None:
    random_numbers = random.Random(SEED)  # noqa: S311 - damage, no secret
    readers = Readers(stack)
    objects = S3ObjectStore(stack.client("s3"), stack.outputs.bucket)
    versions = VersionedBucket(stack.client("s3"), stack.outputs.bucket)
    seconds, killed, keys = [], 0, []
    with readers.reading():
        for _ in range(ROUNDS):
            keys.append(damage_something(stack, random_numbers))
            killed += kill_workers(stack, random_numbers)
            started = time.monotonic()
            # What the schedules run every 5, 10 and 15 minutes.
            repairs = ("sync_models", "sweep")
            while examine(objects, versions, repair=False):
                assert time.monotonic() - started < REPAIR_SECONDS, keys[-1]
                for function in repairs:
                    stack.invoke(function)
            seconds.append(time.monotonic() - started)
    assert readers.wrong == []
    deadline = time.monotonic() + REPAIR_SECONDS
    while not readers.read_all():
        assert time.monotonic() < deadline
    sys.stdout.write(
        f"{ROUNDS} objects damaged ({len(set(keys))} different), {killed} workers killed, "
        f"answers {dict(readers.seen)}, none wrong; repaired in {max(seconds):.1f} s of runs at most\n"
    )
