"""Damaged objects: the jobs go on, nothing published is lost, and the sweep and the doctor repair what can be."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from batch import handlers
from batch.jobs import context
from batch.jobs import rebuild as rebuild_job
from batch.odds.sources import CONFIRMED_CLUBS_KEY, confirmed_clubs, keep_confirmed_clubs
from batch.release import read_pointer
from chalicelib import queue_functions, wiring
from chalicelib.releases.pointer import POINTER_KEY, Pointer
from chalicelib.storage.objects import ObjectStore, read
from chalicelib.telemetry.integrity import Damage, examine
from infra.ops import doctor
from tests.handlers.test_batch import FakeLine, odds_rows, put_matches, put_odds, served_model
from tests.handlers.test_batch import line as live_line  # noqa: F401 - a fixture
from tests.support.builders import Context, mirror_model, publish

pytestmark = pytest.mark.slow

DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "cut": lambda body: body[: len(body) // 2],
    "one bit": lambda body: body[:40] + bytes([body[40] ^ 4]) + body[41:],
    "replaced": lambda _: b'{"schema_version": 1}',
}
each_damage = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


@pytest.fixture(autouse=True)
def _fresh(objects: ObjectStore) -> None:
    context.settings.cache_clear()
    rebuild_job.parsed_files.clear()
    boto3.client("s3").put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})


def harm(objects: ObjectStore, key: str, damage: Callable[[bytes], bytes | None]) -> None:
    """Replace an object by its damaged form."""
    damaged = damage(read(objects, key).body)
    if damaged is None:
        objects.delete(key)
    else:
        objects.put(key, damaged)


def current(objects: ObjectStore) -> Pointer:
    """The pointer that is stored now."""
    return Pointer.from_json(read(objects, POINTER_KEY).body)


def published_with_odds(objects: ObjectStore) -> None:
    """Two releases with odds: made by the jobs, or every version of every object as they wrote it the first time."""
    for key, body in WRITTEN:
        objects.put(key, body)
    if WRITTEN:
        return
    put_matches(objects)
    put_odds(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({}, Context())
    put_odds(objects)
    handlers.refresh_odds({}, Context())
    WRITTEN.extend(versions())


WRITTEN: list[tuple[str, bytes]] = []


def versions() -> list[tuple[str, bytes]]:
    """Every version of every object in the bucket, in the order they were written."""
    s3: Any = boto3.client("s3")
    # The newest version of a key is listed first, and times are of whole seconds.
    object_versions = s3.list_object_versions(Bucket="data")["Versions"]
    object_versions.reverse()
    object_versions.sort(key=lambda version: version["LastModified"])
    identifiers = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in object_versions]
    return [(name["Key"], s3.get_object(Bucket="data", **name)["Body"].read()) for name in identifiers]


@each_damage
def test_a_rebuild_on_damaged_odds_publishes_the_newest_readable_ones(
    objects: ObjectStore, damage: Callable[[bytes], bytes | None]
) -> None:
    published_with_odds(objects)
    expected = odds_rows(objects)
    harm(objects, current(objects).datasets["fonbet_odds"].key, damage)
    handlers.rebuild({}, Context())
    assert odds_rows(objects).keys() == expected.keys()


@each_damage
@pytest.mark.parametrize("job", ["rebuild", "refresh_odds"])
def test_damaged_past_prices_are_replaced_by_the_newest_readable_ones(
    objects: ObjectStore, damage: Callable[[bytes], bytes | None], job: str
) -> None:
    published_with_odds(objects)
    harm(objects, current(objects).datasets["past_prices"].key, damage)
    getattr(handlers, job)({}, Context())
    assert damaged_objects(objects) == []


@each_damage
def test_a_live_refresh_on_damaged_odds_continues_from_the_previous_ones(
    objects: ObjectStore,
    live_line: FakeLine,  # noqa: F811
    damage: Callable[[bytes], bytes | None],
) -> None:
    put_matches(objects)
    served_model(objects)
    handlers.rebuild({}, Context())
    handlers.refresh_odds({}, Context())
    first = odds_rows(objects)
    live_line.listed = ("Greens",)
    handlers.refresh_odds({}, Context())
    harm(objects, current(objects).datasets["fonbet_odds"].key, damage)
    handlers.refresh_odds({}, Context())
    assert odds_rows(objects).keys() == first.keys()


@each_damage
@pytest.mark.parametrize("job", ["rebuild", "refresh_odds"])
def test_a_damaged_pointer_is_replaced_by_the_next_run_and_loses_no_odds(
    objects: ObjectStore, damage: Callable[[bytes], bytes | None], job: str
) -> None:
    published_with_odds(objects)
    before = odds_rows(objects)
    harm(objects, POINTER_KEY, damage)
    getattr(handlers, job)({}, Context())
    assert odds_rows(objects) == before


def test_a_pointer_with_no_whole_one_kept_is_written_by_the_next_rebuild(objects: ObjectStore) -> None:
    published_with_odds(objects)
    for key, _ in objects.keys("releases/pointers/"):
        objects.put(key, b"{}")
    objects.put(POINTER_KEY, b"")
    handlers.rebuild({}, Context())
    assert "predictions" in current(objects).datasets


@each_damage
def test_confirmed_clubs_that_are_damaged_are_settled_again(
    objects: ObjectStore, damage: Callable[[bytes], bytes | None]
) -> None:
    keep_confirmed_clubs(objects, confirmed_clubs(objects))
    harm(objects, CONFIRMED_CLUBS_KEY, damage)
    assert confirmed_clubs(objects).clubs == {}


def damaged_objects(objects: ObjectStore, *, repair: bool = False) -> list[Damage]:
    """What an examination finds."""
    return examine(objects, wiring.versioned_bucket(), repair=repair)


@each_damage
def test_the_sweep_restores_every_object_that_the_pointer_and_the_mirror_name(
    objects: ObjectStore, damage: Callable[[bytes], bytes | None], capsys: pytest.CaptureFixture[str]
) -> None:
    pointer = publish(objects)
    mirror_model(objects)
    assert damaged_objects(objects) == []
    keys = [entry.key for entry in pointer.datasets.values()] + ["models/champion/1.lgb"]
    undamaged = {key: read(objects, key).body for key in keys}
    for key in keys:
        harm(objects, key, damage)
    assert [damaged.key for damaged in damaged_objects(objects)] == sorted(
        keys, key=lambda key: (key.startswith("m"), key)
    )
    capsys.readouterr()
    queue_functions.sweep()
    assert {key: read(objects, key).body for key in keys} == undamaged
    assert damaged_objects(objects) == []
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = sum(row["DamagedObjects"] for row in logged if "DamagedObjects" in row)
    assert counted == len(keys)


@each_damage
def test_the_sweep_puts_a_kept_pointer_in_the_place_of_a_damaged_one(
    objects: ObjectStore, damage: Callable[[bytes], bytes | None]
) -> None:
    published_with_odds(objects)
    before = odds_rows(objects)
    harm(objects, POINTER_KEY, damage)
    queue_functions.sweep()
    assert {entry.key for entry in current(objects).datasets.values()} <= {key for key, _ in objects.keys("releases/")}
    assert odds_rows(objects) == before


def test_a_bucket_without_a_release_is_whole(objects: ObjectStore) -> None:
    assert damaged_objects(objects) == []


def test_a_champion_that_a_release_was_predicted_by_and_that_is_gone_is_missing(objects: ObjectStore) -> None:
    publish(objects)
    mirror_model(objects)
    objects.delete("models/champion/current.json")
    assert damaged_objects(objects) == [Damage("models/champion/current.json", "missing", None, "sync_models")]


def test_a_file_without_a_whole_version_is_left_to_the_function_that_writes_it(objects: ObjectStore) -> None:
    mirror_model(objects)
    pointer = publish(objects)
    key = pointer.datasets["predictions"].key
    s3: Any = boto3.client("s3")
    for version in s3.list_object_versions(Bucket="data", Prefix=key)["Versions"]:
        s3.delete_object(Bucket="data", Key=key, VersionId=version["VersionId"])
    assert damaged_objects(objects, repair=True) == [Damage(key, "missing", None, "rebuild")]


def _noting(ran: list[str]) -> Callable[[str], None]:
    return ran.append


def test_the_doctor_runs_the_remedies_in_order() -> None:
    damage = [Damage(key, "damaged", None, key) for key in ("monitor_drift", "rebuild", "sync_models")]
    ran: list[str] = []
    doctor.run_remedies([*damage, Damage("x", "damaged", "restored", "refresh_odds")], _noting(ran))
    assert ran == ["sync_models", "rebuild", "monitor_drift"]


def test_the_doctor_says_what_is_damaged_and_repairs_it(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror_model(objects)
    pointer = publish(objects)
    key = pointer.datasets["predictions"].key
    objects.put(key, b"")
    monkeypatch.setenv("BUCKET", "data")
    monkeypatch.setenv("STACK_NAME", "soccer-test")
    assert doctor.main(["--check"]) == 1
    assert doctor.main([]) == 0
    assert doctor.main(["--check"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"damaged   {key}")
    assert printed[-1] == "everything is whole"


def test_the_pointer_of_another_run_is_not_overwritten_by_a_repair(objects: ObjectStore) -> None:
    mirror_model(objects)
    publish(objects)
    objects.put(POINTER_KEY, b"{")
    pointer, etag = read_pointer(objects)
    assert pointer is not None
    objects.put(POINTER_KEY, pointer.to_json(), only_if_etag=etag)
    assert damaged_objects(objects, repair=True) == []
