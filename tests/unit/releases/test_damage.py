"""A serving file that is not what was published: the last good release goes on, or a 503 by name; never wrong rows."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.domain import Stage
from chalicelib.errors import DatasetUnavailable, ReleaseDamaged, Retryable
from chalicelib.releases import lists
from chalicelib.releases.pointer import SERVING, SERVING_ODDS
from chalicelib.releases.query import Query
from chalicelib.releases.store import ReleaseStore
from tests.support.builders import NOW, make_odds, make_predictions, publish
from tests.support.fakes import InMemoryObjectStore

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a bit flipped": lambda content: content[:70_000] + bytes([content[70_000] ^ 1]) + content[70_001:],
    "a bit of the header flipped": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "another file": lambda _: b"PAR1" + bytes(100_000),
}
WAYS = {"whole": 2**30, "by range": 0}


def rows(releases: ReleaseStore) -> list[str]:
    page = lists.cards(Query(), Stage.CHAMPION, releases, NOW)
    return [f"{row['match_id']} {row['home_team']} {row['odds_home']}" for row in page.rows]


def published(objects: InMemoryObjectStore, name: str, minutes: int = 0) -> dict[str, str]:
    """Publish a release whose teams have that name; the keys of its serving files."""
    predictions = make_predictions(300, home_team=name)
    pointer = publish(
        objects, predictions=predictions, odds=make_odds([1, 3, 299]), now=NOW + timedelta(minutes=minutes)
    )
    return {dataset: pointer.datasets[dataset].key for dataset in (SERVING, SERVING_ODDS)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dataset", [SERVING, SERVING_ODDS])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_new_process_answers_503_by_name(damage: str, dataset: str, way: str) -> None:
    objects = InMemoryObjectStore()
    key = published(objects, "Ajax")[dataset]
    objects.objects[key] = DAMAGES[damage](objects.objects[key])
    releases = ReleaseStore(objects, 0, whole_bytes=WAYS[way])
    for _ in range(3):
        with pytest.raises(ReleaseDamaged):
            rows(releases)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dataset", [SERVING, SERVING_ODDS])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_process_that_has_a_good_release_keeps_serving_it(damage: str, dataset: str, way: str) -> None:
    objects = InMemoryObjectStore()
    published(objects, "Ajax")
    releases = ReleaseStore(objects, 0, whole_bytes=WAYS[way])
    good = rows(releases)
    key = published(objects, "Feyenoord", minutes=5)[dataset]
    undamaged = objects.objects[key]
    objects.objects[key] = DAMAGES[damage](undamaged)
    assert rows(releases) == good
    objects.objects[key] = undamaged
    assert all("Feyenoord" in row for row in rows(releases))


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_object_replaced_between_two_reads_is_never_a_mixture(damage: str) -> None:
    objects = InMemoryObjectStore()
    keys = published(objects, "Ajax")
    releases = ReleaseStore(objects, 0, whole_bytes=0)
    good = rows(releases)
    for key in keys.values():
        objects.objects[key] = DAMAGES[damage](objects.objects[key])
    releases._blocks._blocks.clear()  # as if other queries had displaced them
    for _ in range(2):
        try:
            assert rows(releases) == good  # what SQLite itself still remembers
        except Retryable as error:
            assert isinstance(error, ReleaseDamaged)  # noqa: PT017


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_is_gone_is_503_by_name(way: str) -> None:
    objects = InMemoryObjectStore()
    del objects.objects[published(objects, "Ajax")[SERVING]]
    with pytest.raises(Retryable):
        rows(ReleaseStore(objects, 0, whole_bytes=WAYS[way]))


def test_an_unreachable_bucket_is_503_and_passes() -> None:
    objects = InMemoryObjectStore()
    published(objects, "Ajax")
    releases = ReleaseStore(objects, 0, whole_bytes=0)
    releases.pointer()
    objects.reachable = False
    with pytest.raises(DatasetUnavailable):
        rows(releases)
    objects.reachable = True
    assert len(rows(releases)) == 100


def test_a_file_of_a_later_schema_is_refused_by_name() -> None:
    objects = InMemoryObjectStore()
    published(objects, "Ajax")
    releases = ReleaseStore(objects, 0)
    database = releases.current().database
    assert database.properties["schema_version"] == 1
