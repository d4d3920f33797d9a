"""A rebuild killed at any point leaves readers with a whole release: the one before, or the new one."""

import multiprocessing
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from batch import handlers
from batch.jobs import context
from batch.jobs import rebuild as rebuild_job
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.releases import lists
from chalicelib.releases.query import MAX_LIMIT, Query
from chalicelib.releases.store import ReleaseStore
from chalicelib.storage.objects import ObjectStore
from tests.handlers.killable import FolderStore, rebuild_in
from tests.handlers.test_batch import ROWS, put_matches, served_model
from tests.support.builders import Context
from tests.support.fakes import InMemoryObjectStore


class Killed(BaseException):
    """The process ends here; nothing may catch it."""


class MortalStore(InMemoryObjectStore):
    """Dies before or after its n-th operation."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None
        self.writes_first = False

    def _live(self, operation: Any) -> Any:
        if self.left is None:
            return operation()
        self.left -= 1
        if self.left >= 0:
            return operation()
        if self.writes_first:
            operation()
        raise Killed

    def get(self, key: str, unless_etag: str | None = None) -> Any:
        return self._live(lambda: super(MortalStore, self).get(key, unless_etag))

    def put(self, key: str, body: bytes, *, only_if_etag: str | None = None, only_if_absent: bool = False) -> Any:
        return self._live(
            lambda: super(MortalStore, self).put(key, body, only_if_etag=only_if_etag, only_if_absent=only_if_absent)
        )

    def delete(self, key: str) -> None:
        self._live(lambda: super(MortalStore, self).delete(key))

    def keys(self, prefix: str) -> Any:
        return self._live(lambda: super(MortalStore, self).keys(prefix))

    def newest(self, prefix: str, count: int) -> Any:
        return self._live(lambda: super(MortalStore, self).newest(prefix, count))


def read_everything(objects: ObjectStore) -> tuple[str, set[str]]:
    """The release a new reader sees, with every file of it read and checked; and the clubs it shows."""
    store = ReleaseStore(objects, check_seconds=0)
    pointer = store.pointer()
    for entry in pointer.datasets.values():
        assert entry.key.startswith(f"releases/{pointer.release_id}/")
        store.content(entry)
    page = lists.predictions(Query(limit=MAX_LIMIT), Stage.CHAMPION, store, datetime.now(UTC))
    return pointer.release_id, {row["home_team"] for row in page.rows}


def _run(objects: MortalStore, operations_left: int) -> None:
    objects.left = operations_left
    try:
        handlers.rebuild({}, Context())
    finally:
        objects.left = None


@pytest.mark.slow
@pytest.mark.parametrize("writes_first", [False, True], ids=["before", "after"])
def test_a_rebuild_killed_at_any_operation_never_shows_half_a_release(
    aws: None, monkeypatch: pytest.MonkeyPatch, *, writes_first: bool
) -> None:
    objects = MortalStore()
    monkeypatch.setattr(wiring, "objects", lambda: objects)
    context.settings.cache_clear()
    rebuild_job.parsed_files.clear()
    put_matches(objects)
    served_model(objects)
    old = handlers.rebuild({}, Context())["release_id"]
    put_matches(objects, [row.replace("Reds", "Whites") for row in ROWS])
    total = 0
    before = dict(objects.objects)
    for killed_at in range(100):
        # Each time from the same state: every release that was published before makes one more pointer to look at.
        objects.objects = dict(before)
        rebuild_job.parsed_files.clear()
        objects.writes_first = writes_first
        try:
            _run(objects, killed_at)
        except Killed:
            release, clubs = read_everything(objects)
            assert ("Whites" in clubs) == (release != old)
            assert len(clubs & {"Reds", "Whites"}) == 1
            continue
        total = killed_at
        break
    # It was killed at every operation before it came through, and more than a few there were.
    assert total >= 10
    assert "Whites" in read_everything(objects)[1]


KILLS = 20


@pytest.mark.slow
def test_a_rebuild_killed_at_twenty_random_moments_never_shows_half_a_release(
    tmp_path: Path, aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    objects, random = FolderStore(tmp_path), Random(20240501)  # noqa: S311 - not for secrets
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.handlers.killable"])

    def run(kill_after: float | None) -> float:
        """Seconds that a rebuild took, or until it was killed."""
        receiver, sender = processes.Pipe()
        process = processes.Process(target=rebuild_in, args=(tmp_path, dict(os.environ), sender))
        process.start()
        assert receiver.recv() == "begun"
        started = time.monotonic()
        process.join(kill_after)
        process.kill()
        process.join()
        seconds = time.monotonic() - started
        if kill_after is None:
            assert process.exitcode == 0
        return seconds

    put_matches(objects)
    served_model(objects)
    usual = max(run(None) for _ in range(2))
    expected, colours = "Reds", ("Whites", "Reds")
    survived = 0
    for attempt in range(KILLS):
        before, _ = read_everything(objects)
        colour = colours[attempt % 2]
        put_matches(objects, [row.replace("Reds", colour) for row in ROWS])
        run(random.uniform(0, usual))
        release, clubs = read_everything(objects)
        if release != before:
            expected, survived = colour, survived + 1
        assert clubs & set(colours) == {expected}
    run_ids = {key.split("/")[1] for key, _ in objects.keys("releases/") if key.count("/") == 2}
    # Of those killed before they published, some had written files already.
    assert len(run_ids - {"pointers"}) > 2 + survived
    run(None)
    assert colour in read_everything(objects)[1]
