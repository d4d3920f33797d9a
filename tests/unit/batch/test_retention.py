"""What stays readable: rebuilds to go back to, and whatever a reader may still hold."""

from datetime import UTC, datetime, timedelta

import pytest

from batch.release import ReleaseWriter, new_release_id, publish_datasets, publish_release, read_pointer
from batch.retention import Retention, delete_old_releases
from chalicelib.errors import CursorExpired
from chalicelib.releases.pointer import POINTER_KEY, Pointer
from chalicelib.releases.store import ReleaseStore
from tests.support.fakes import InMemoryObjectStore

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
KEEP = frozenset({"fonbet_odds"})
REFRESH = timedelta(minutes=10)


def rebuild(objects: InMemoryObjectStore, now: datetime, content: bytes = b"rows") -> Pointer:
    """A published rebuild."""
    writer = ReleaseWriter(objects, new_release_id(now), now, now)
    entry = writer.write("predictions.parquet", content, rows=1)
    return publish_release(objects, writer, {"predictions": entry}, keep=KEEP).pointer


def refresh(objects: InMemoryObjectStore, now: datetime) -> Pointer:
    """Published odds of the current release."""
    current, _ = read_pointer(objects)
    assert current is not None
    writer = ReleaseWriter(objects, new_release_id(now), now, now)
    entry = writer.write("fonbet_odds.parquet", f"odds of {now}".encode(), rows=1)
    return publish_datasets(objects, current, {"fonbet_odds": entry}, now).pointer


def readable(objects: InMemoryObjectStore, pointer: Pointer) -> bool:
    """Whether a reader that holds the pointer's version finds it and every file it names."""
    store = ReleaseStore(objects, check_seconds=0)
    try:
        stored = store.pointer_at(pointer.version)
    except CursorExpired:
        return False
    assert all(entry.key in objects.objects for entry in stored.datasets.values()), (
        "a pointer names a file that is gone"
    )
    return True


def test_eight_rebuilds_with_72_refreshes_between_them_can_all_be_restored() -> None:
    """AWS's schedules: a rebuild every 12 hours, odds every 10 minutes, old releases forgotten by each rebuild."""
    objects = InMemoryObjectStore()
    last_of: list[Pointer] = []
    pointers: list[tuple[datetime, Pointer]] = []
    now = NOW
    for _ in range(8):
        current = rebuild(objects, now)
        delete_old_releases(objects, current, now, Retention())
        served = current
        for number in range(1, 72):
            pointers.append((now + number * REFRESH, served))
            served = refresh(objects, now + number * REFRESH)
        last_of.append(served)
        now += timedelta(hours=12)
    assert [readable(objects, pointer) for pointer in last_of] == [True] * 8
    day_ago = now - timedelta(hours=24)
    assert all(readable(objects, pointer) for replaced_at, pointer in pointers if replaced_at >= day_ago)
    # and no more than that: of 576 odds files those of the last day or so and one for each earlier rebuild
    files = [key for key in objects.objects if key.endswith("fonbet_odds.parquet")]
    assert len(files) <= 3 * 72 + 8


def test_a_release_stays_for_hours_after_it_was_replaced_and_then_goes() -> None:
    objects = InMemoryObjectStore()
    first = rebuild(objects, NOW)
    second = rebuild(objects, NOW + timedelta(hours=30), b"others")
    one_rebuild = Retention(rebuilds=1, hours=24)
    third = rebuild(objects, NOW + timedelta(hours=31), b"third")
    # Written long ago, but replaced an hour before: somebody may be reading it page by page.
    delete_old_releases(objects, third, NOW + timedelta(hours=32), one_rebuild)
    assert readable(objects, first)
    deleted = delete_old_releases(objects, third, NOW + timedelta(hours=30 + 25), one_rebuild)
    assert deleted
    assert not readable(objects, first)
    assert readable(objects, second)
    assert readable(objects, third)


def test_files_that_no_pointer_names_go_when_no_run_can_want_them_any_more() -> None:
    objects = InMemoryObjectStore()
    current = rebuild(objects, NOW)
    lost = ReleaseWriter(objects, new_release_id(NOW - timedelta(minutes=5)), NOW, NOW)
    key = lost.write("predictions.parquet", b"never published", rows=1).key
    assert delete_old_releases(objects, current, NOW + timedelta(hours=23), Retention(1, 24)) == []
    assert delete_old_releases(objects, current, NOW + timedelta(hours=25), Retention(1, 24)) == [key]


def test_a_pointer_that_moved_on_meanwhile_stays() -> None:
    objects = InMemoryObjectStore()
    pointer = rebuild(objects, NOW)
    moved = refresh(objects, NOW + timedelta(days=3))
    delete_old_releases(objects, pointer, NOW + timedelta(days=3, seconds=1), Retention(1, 1))
    assert readable(objects, moved)
    assert POINTER_KEY in objects.objects


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}"])
def test_a_damaged_pointer_stays_for_people_to_look_at(body: bytes) -> None:
    objects = InMemoryObjectStore()
    current = rebuild(objects, NOW)
    objects.put("releases/pointers/damaged.json", body)
    delete_old_releases(objects, current, NOW + timedelta(days=9), Retention(1, 1))
    assert "releases/pointers/damaged.json" in objects.objects
