"""A release is published whole or not at all."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from batch.release import (
    Overtaken,
    ReleaseWriter,
    new_release_id,
    parquet_bytes,
    publish_datasets,
    publish_release,
    read_pointer,
)
from chalicelib.errors import ReleaseDamaged, ReleaseUnavailable
from chalicelib.releases.pointer import POINTER_KEY, Pointer
from chalicelib.releases.store import ReleaseStore
from chalicelib.storage.objects import ConditionFailed
from tests.support.fakes import InMemoryObjectStore

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
KEEP = frozenset({"fonbet_odds"})


def writer(objects: InMemoryObjectStore, as_of: datetime = NOW, now: datetime = NOW) -> ReleaseWriter:
    return ReleaseWriter(objects, new_release_id(now), as_of, now)


def publish(
    objects: InMemoryObjectStore, as_of: datetime = NOW, now: datetime = NOW, content: bytes = b"rows"
) -> Pointer:
    run = writer(objects, as_of, now)
    entry = run.write("predictions.parquet", content, rows=1)
    return publish_release(objects, run, {"predictions": entry}, keep=KEEP).pointer


def test_equal_frames_give_equal_bytes() -> None:
    frame = pd.DataFrame({"match_id": [1, 2], "proba_home": [0.5, 0.25]})
    assert parquet_bytes(frame) == parquet_bytes(frame.copy())


def test_a_reader_sees_the_published_release() -> None:
    objects = InMemoryObjectStore()
    pointer = publish(objects)
    store = ReleaseStore(objects, check_seconds=0)
    assert store.pointer() == pointer
    assert store.content(store.entry(store.pointer(), "predictions")) == b"rows"


def test_a_run_that_dies_before_the_pointer_moves_leaves_the_last_release_served() -> None:
    objects = InMemoryObjectStore()
    first = publish(objects)
    writer(objects).write("predictions.parquet", b"half", rows=1)
    assert ReleaseStore(objects, check_seconds=0).pointer() == first


def test_a_rebuild_keeps_the_odds_of_the_release_before() -> None:
    objects = InMemoryObjectStore()
    pointer = publish(objects)
    odds = writer(objects).write("fonbet_odds.parquet", b"odds", rows=1)
    publish_datasets(objects, pointer, {"fonbet_odds": odds}, NOW)
    assert publish(objects, as_of=NOW + timedelta(hours=1)).datasets["fonbet_odds"] == odds


def test_odds_computed_for_a_release_that_was_replaced_meanwhile_are_not_published() -> None:
    objects = InMemoryObjectStore()
    old = publish(objects)
    new = publish(objects, as_of=NOW + timedelta(hours=1))
    entry = writer(objects).write("fonbet_odds.parquet", b"odds", rows=1)
    published = publish_datasets(objects, old, {"fonbet_odds": entry}, NOW)
    assert not published.moved
    assert published.pointer == new


def test_an_overtaken_run_does_not_take_readers_back_in_time() -> None:
    objects = InMemoryObjectStore()
    later = publish(objects, as_of=NOW + timedelta(days=1))
    run = writer(objects)
    published = publish_release(objects, run, {"predictions": run.write("p", b"", 0)}, keep=KEEP)
    assert not published.moved
    assert read_pointer(objects)[0] == later


def test_a_replay_may_be_moved_back_on_purpose() -> None:
    objects = InMemoryObjectStore()
    publish(objects, as_of=NOW + timedelta(days=1))
    run = writer(objects)
    assert publish_release(objects, run, {}, keep=KEEP, backwards=True).moved
    pointer = read_pointer(objects)[0]
    assert pointer is not None
    assert pointer.as_of == "2024-05-01T12:00:00Z"


def test_a_run_is_not_published_beside_other_odds_than_it_was_computed_from() -> None:
    objects = InMemoryObjectStore()
    pointer = publish(objects)
    odds = writer(objects).write("fonbet_odds.parquet", b"odds", rows=1)
    run = writer(objects)
    publish_datasets(objects, pointer, {"fonbet_odds": odds}, NOW)
    with pytest.raises(Overtaken):
        publish_release(objects, run, {}, keep=KEEP, based_on={"fonbet_odds": None})
    current = read_pointer(objects)[0]
    assert current is not None
    assert current.release_id == pointer.release_id
    assert publish_release(objects, run, {}, keep=KEEP, based_on={"fonbet_odds": odds}).moved


class RacingStore(InMemoryObjectStore):
    """Another process moves the pointer right before each of our first `races` conditional writes."""

    def __init__(self, races: int) -> None:
        super().__init__()
        self.races = races

    def put(self, key: str, body: bytes, *, only_if_etag: str | None = None, only_if_absent: bool = False) -> str:
        if key == POINTER_KEY and self.races:
            self.races -= 1
            competing = Pointer(f"other-{self.races}", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z")
            self.objects[POINTER_KEY] = competing.to_json()
        return super().put(key, body, only_if_etag=only_if_etag, only_if_absent=only_if_absent)


def test_losing_a_race_means_trying_again_on_the_new_pointer() -> None:
    objects = RacingStore(races=3)
    assert publish(objects).release_id == json.loads(objects.objects[POINTER_KEY])["release_id"]


def test_a_pointer_that_keeps_moving_is_an_error() -> None:
    with pytest.raises(ReleaseUnavailable):
        publish(RacingStore(races=1_000))


def test_the_fake_refuses_a_write_whose_condition_fails() -> None:
    objects = InMemoryObjectStore()
    objects.put("a", b"1")
    with pytest.raises(ConditionFailed):
        objects.put("a", b"2", only_if_absent=True)


def test_a_damaged_file_is_not_served() -> None:
    objects = InMemoryObjectStore()
    pointer = publish(objects)
    objects.objects[pointer.datasets["predictions"].key] = b"damaged"
    store = ReleaseStore(objects, check_seconds=0)
    with pytest.raises(ReleaseDamaged):
        store.content(store.entry(store.pointer(), "predictions"))


def test_readers_keep_the_last_pointer_while_the_bucket_is_unreachable() -> None:
    objects = InMemoryObjectStore()
    pointer = publish(objects)
    store = ReleaseStore(objects, check_seconds=0)
    store.pointer()
    objects.reachable = False
    assert store.pointer() == pointer


def test_without_any_release_there_is_an_error_that_invites_a_retry() -> None:
    with pytest.raises(ReleaseUnavailable):
        ReleaseStore(InMemoryObjectStore(), check_seconds=0).pointer()
