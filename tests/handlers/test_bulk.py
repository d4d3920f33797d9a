"""A rebuild in items against the rebuild in one run: the same bytes, nothing published before the end."""

from typing import Any

import pandas as pd
import pytest

from batch import handlers, synthetic
from batch.jobs import bulk, context
from batch.jobs import rebuild as rebuild_job
from batch.jobs.bulk import ItemsFailed
from batch.release import parquet_bytes, read_pointer
from chalicelib.domain import Stage
from chalicelib.errors import InvalidRequest, ReleaseRefused
from chalicelib.releases.pointer import DatasetEntry, Pointer
from chalicelib.storage.objects import ObjectMissing
from tests.support.builders import Context, mirror_model
from tests.support.fakes import InMemoryObjectStore

pytestmark = pytest.mark.slow

LEAGUES = 6
MATCHES_EACH = 190
AS_OF = {"as_of": "2004-11-15T12:00:00Z"}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    context.settings.cache_clear()
    rebuild_job.parsed_files.clear()


@pytest.fixture(scope="module")
def prepared() -> dict[str, bytes]:
    """What the first test of the module put into its bucket, for the others."""
    return {}


@pytest.fixture
def bucket(in_memory: InMemoryObjectStore, prepared: dict[str, bytes]) -> InMemoryObjectStore:
    """Six leagues, of which a cup ties the first two together; odds; two models; and a release of one run."""
    if not prepared:
        fill(in_memory)
        prepared |= in_memory.objects
    in_memory.objects |= prepared
    return in_memory


def fill(bucket: InMemoryObjectStore) -> None:
    frame = synthetic.side_by_side(LEAGUES, MATCHES_EACH)
    frame["region"] = frame["region"].replace({"Region 001": "Region 000"})
    second = frame["league"] == "League 001"
    for side in ("home_team", "away_team"):
        frame.loc[second, side] = "Second " + frame.loc[second, side]
    cup = (
        frame[second]
        .head(3)
        .assign(
            match_id=lambda rows: rows["match_id"] + 10_000, league="Cup", away_team=["Club 01", "Club 02", "Club 03"]
        )
    )
    cup["kickoff"] += pd.Timedelta(days=3)
    everything = pd.concat([frame, cup])
    bucket.put("raw/matches/matches.parquet", parquet_bytes(everything))
    bucket.put("raw/odds/sightings.parquet", parquet_bytes(odds_of(frame[frame["match_id"] % 7 == 0])))
    mirror_model(bucket)
    mirror_model(bucket, Stage.CHALLENGER, version="2", seed=7)
    handlers.rebuild(AS_OF, Context())
    handlers.refresh_odds(AS_OF, Context())
    # Again, with the prices of past matches and the returns on the odds.
    handlers.rebuild(AS_OF, Context())


def odds_of(matches: pd.DataFrame) -> pd.DataFrame:
    """A sighting of each match a day before it."""
    columns = matches[["region", "league", "sex", "home_team", "away_team", "kickoff"]]
    prices = {"odds_home": 2.1, "odds_draw": 3.4, "odds_away": 3.6}
    return columns.assign(**prices, collected_at=matches["kickoff"] - pd.Timedelta(days=1))


def current(bucket: InMemoryObjectStore) -> Pointer:
    pointer, _ = read_pointer(bucket)
    assert pointer is not None
    return pointer


def checksums(pointer: Pointer) -> dict[str, str]:
    return {name: entry.sha256 for name, entry in pointer.datasets.items()}


def planned(event: dict[str, Any] | None = None) -> dict[str, Any]:
    return handlers.bulk_plan({**AS_OF, "smallest_item": 1, **(event or {})}, Context())


def items_of(bucket: InMemoryObjectStore, plan: dict[str, Any]) -> list[str]:
    return [item.name for item in bulk.Plan.read(bucket, plan["release_id"]).items]


def run_all(bucket: InMemoryObjectStore, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """Plan, score every item, the last one first, and publish."""
    plan = planned(event)
    for item in reversed(items_of(bucket, plan)):
        handlers.bulk_score({"release_id": plan["release_id"], "item": item}, Context())
    return handlers.bulk_publish({"release_id": plan["release_id"]}, Context())


def test_a_rebuild_in_items_publishes_the_bytes_of_one_run(bucket: InMemoryObjectStore) -> None:
    one_run = current(bucket)
    result = run_all(bucket)
    in_items = current(bucket)
    assert result["published"]
    # Six leagues, two of them tied by the cup.
    assert result["items"] == LEAGUES - 1
    assert in_items.release_id == result["release_id"] != one_run.release_id
    assert checksums(in_items) == checksums(one_run)
    assert {"predictions_challenger", "projections", "serving", "serving_odds", "past_prices"} <= set(in_items.datasets)
    assert described(in_items) == described(one_run)


def described(pointer: Pointer) -> dict[str, tuple[int, int, str | None, str | None]]:
    def facts(entry: DatasetEntry) -> tuple[int, int, str | None, str | None]:
        return entry.rows, entry.bytes, entry.model_stage, entry.model_run_id

    return {name: facts(entry) for name, entry in pointer.datasets.items()}


def test_items_of_several_groups_give_the_same_bytes(bucket: InMemoryObjectStore) -> None:
    one_run = checksums(current(bucket))
    assert run_all(bucket, {"smallest_item": 350})["items"] == 3
    assert checksums(current(bucket)) == one_run


def test_a_run_leaves_no_working_files_behind(bucket: InMemoryObjectStore) -> None:
    run_all(bucket)
    assert bucket.keys("bulk/") == []


def test_every_item_uses_the_models_of_the_plan(bucket: InMemoryObjectStore) -> None:
    one_run = checksums(current(bucket))
    plan = planned()
    mirror_model(bucket, version="3", seed=9)
    for item in items_of(bucket, plan):
        handlers.bulk_score({"release_id": plan["release_id"], "item": item}, Context())
    handlers.bulk_publish({"release_id": plan["release_id"]}, Context())
    assert checksums(current(bucket)) == one_run


def test_an_item_without_result_fails_the_run_by_name_and_publishes_nothing(bucket: InMemoryObjectStore) -> None:
    before = current(bucket)
    plan = planned()
    first, *others = items_of(bucket, plan)
    for item in others:
        handlers.bulk_score({"release_id": plan["release_id"], "item": item}, Context())
    named = r"1 of 5 items have no result: 00000 \(Region 000 / League 000, .*383 matches\)"
    for event in ({}, {"failure": {"Error": "States.ExceedToleratedFailureThreshold"}}):
        with pytest.raises(ItemsFailed, match=named):
            handlers.bulk_publish({"release_id": plan["release_id"], **event}, Context())
    assert current(bucket) == before
    # Nothing of it is lost: the item alone is done again.
    handlers.bulk_score({"release_id": plan["release_id"], "item": first}, Context())
    assert handlers.bulk_publish({"release_id": plan["release_id"]}, Context())["published"]
    assert checksums(current(bucket)) == checksums(before)


def test_a_map_that_failed_publishes_nothing_even_if_every_item_has_a_result(bucket: InMemoryObjectStore) -> None:
    before, plan = current(bucket), planned()
    for item in items_of(bucket, plan):
        handlers.bulk_score({"release_id": plan["release_id"], "item": item}, Context())
    with pytest.raises(ItemsFailed, match="0 of 5 items"):
        handlers.bulk_publish({"release_id": plan["release_id"], "failure": {"Error": "States.Timeout"}}, Context())
    assert current(bucket) == before


def test_publishing_twice_is_publishing_once(bucket: InMemoryObjectStore) -> None:
    result = run_all(bucket)
    pointer = current(bucket)
    again = handlers.bulk_publish({"release_id": result["release_id"]}, Context())
    assert again["published"]
    assert current(bucket) == pointer


def test_a_later_release_is_not_replaced(bucket: InMemoryObjectStore) -> None:
    plan = planned()
    for item in items_of(bucket, plan):
        handlers.bulk_score({"release_id": plan["release_id"], "item": item}, Context())
    handlers.rebuild({"as_of": "2004-11-16T12:00:00Z"}, Context())
    later = current(bucket)
    assert not handlers.bulk_publish({"release_id": plan["release_id"]}, Context())["published"]
    assert current(bucket).release_id == later.release_id


def test_what_lost_most_matches_is_refused_before_anything_is_computed(bucket: InMemoryObjectStore) -> None:
    bucket.put("raw/matches/matches.parquet", parquet_bytes(synthetic.side_by_side(1, 10)))
    with pytest.raises(ReleaseRefused):
        planned()
    assert bucket.keys("bulk/") == []
    assert run_all(bucket, {"force": True})["rows"]["match_features"] == 10


def test_an_event_that_names_no_item_of_the_run_is_refused(bucket: InMemoryObjectStore) -> None:
    release_id = planned()["release_id"]
    for event in ({}, {"release_id": release_id}, {"release_id": release_id, "item": "99999"}):
        with pytest.raises(InvalidRequest):
            handlers.bulk_score(event, Context())
    for event in ({}, {"release_id": "../raw"}):
        with pytest.raises(InvalidRequest):
            handlers.bulk_publish(event, Context())
    with pytest.raises(ObjectMissing):
        handlers.bulk_score({"release_id": "no-such-run", "item": "00000"}, Context())
