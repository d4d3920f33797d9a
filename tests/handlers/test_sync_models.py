"""The model mirror: promoted versions are examined, mirrored and served."""

import json
from datetime import datetime
from typing import Any

import lightgbm
import numpy as np
import pytest

from batch.jobs import sync_models
from batch.mlflow.candidate import GoldenRows
from batch.mlflow.mirror import RegisteredVersion, Run, signature_features, sync
from batch.mlflow.run_log import BatchRun
from chalicelib.domain import Stage
from chalicelib.errors import (
    InvalidModel,
    ModelUnavailable,
    RegistryUnavailable,
)
from chalicelib.models.mirror import mirror_key
from chalicelib.models.store import ModelStore
from chalicelib.storage.objects import ObjectStore
from tests.support.builders import NOW, model_text
from tests.support.fakes import InMemoryObjectStore


class FakeRegistry:
    """A registry with at most one version per alias."""

    def __init__(self) -> None:
        self.versions: dict[Stage, RegisteredVersion] = {Stage.CHAMPION: RegisteredVersion("1", "run-1", "x:/1")}
        self.seed = 0
        self.golden: bytes | None = None
        self.damaged = ""
        self.reachable = True
        self.signature: Any = [
            {"name": "diff_elo", "type": "double", "required": True},
            {"name": "home_rest_days", "type": "double", "required": False},
            {"name": "sex", "type": "long", "required": True},
        ]

    def version_of(self, stage: Stage) -> RegisteredVersion | None:
        if not self.reachable:
            raise RegistryUnavailable("the registry does not answer: timeout")
        return self.versions.get(stage)

    def run(self, run_id: str) -> Run:
        return Run({"log_loss": 0.97}, {"run": run_id}, f"x:/runs/{run_id}", "3")

    def file(self, artifact_uri: str, name: str) -> bytes | None:
        if name == "report/reference.parquet":
            return b"reference" if artifact_uri == "x:/runs/run-1" else None
        if name == "report/golden.json":
            return self.golden
        if name == "MLmodel":
            return json.dumps({"signature": {"inputs": json.dumps(self.signature)}}).encode()
        text = model_text(self.seed).encode()
        return text[:2_000] if artifact_uri == self.damaged else text


def test_a_promoted_version_is_mirrored_and_served() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    assert sync(registry, objects, Stage.CHAMPION, NOW).outcome == "updated"
    store = ModelStore(objects, check_seconds=0)
    info = store.current(Stage.CHAMPION).info
    assert info.model_run_id == "run-1"
    assert info.reference_key is not None
    assert objects.objects[info.reference_key] == b"reference"
    registry.versions[Stage.CHAMPION] = RegisteredVersion("2", "run-2", "x:/2")
    registry.seed = 1
    sync(registry, objects, Stage.CHAMPION, NOW)
    info = store.current(Stage.CHAMPION).info
    assert (info.registered_version, info.reference_key) == ("2", None)


def test_a_mirrored_version_links_to_its_run_where_people_can_open_it() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    for ui_url, link in [
        ("", None),
        ("https://mlflow.example/", "https://mlflow.example/#/experiments/3/runs/run-1"),
        ("https://other.example", "https://other.example/#/experiments/3/runs/run-1"),
        ("", None),
    ]:
        sync(registry, objects, Stage.CHAMPION, NOW, ui_url)
        assert ModelStore(objects, check_seconds=0).info(Stage.CHAMPION).run_url == link


def test_an_unchanged_alias_is_not_copied_again() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    sync(registry, objects, Stage.CHAMPION, NOW)
    before = dict(objects.objects)
    assert sync(registry, objects, Stage.CHAMPION, datetime.now(NOW.tzinfo)).outcome == "unchanged"
    assert objects.objects == before


@pytest.mark.parametrize("suffix", [".lgb", "-reference.parquet", "current.json"])
@pytest.mark.parametrize("damaged", [b"", b"replaced", None])
def test_a_damaged_mirror_is_rewritten(suffix: str, damaged: bytes | None) -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    sync(registry, objects, Stage.CHAMPION, NOW)
    before = dict(objects.objects)
    (key,) = [key for key in objects.objects if key.endswith(suffix)]
    if damaged is None:
        del objects.objects[key]
    else:
        objects.objects[key] = damaged
    assert sync(registry, objects, Stage.CHAMPION, NOW).outcome in ("repaired", "updated")
    assert objects.objects == before
    assert sync(registry, objects, Stage.CHAMPION, NOW).outcome == "unchanged"


def test_a_description_with_one_other_character_is_rewritten() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    sync(registry, objects, Stage.CHAMPION, NOW)
    before = dict(objects.objects)
    key = mirror_key(Stage.CHAMPION)
    objects.objects[key] = objects.objects[key].replace(b"diff_elo", b"diff_elp")
    with pytest.raises(ModelUnavailable):
        ModelStore(objects, check_seconds=0).info(Stage.CHAMPION)
    assert sync(registry, objects, Stage.CHAMPION, NOW).outcome == "updated"
    assert objects.objects == before


def test_an_alias_that_was_removed_is_no_longer_served() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    sync(registry, objects, Stage.CHAMPION, NOW)
    store = ModelStore(objects, check_seconds=0)
    store.current(Stage.CHAMPION)
    del registry.versions[Stage.CHAMPION]
    assert sync(registry, objects, Stage.CHAMPION, NOW).outcome == "removed"
    with pytest.raises(ModelUnavailable):
        store.current(Stage.CHAMPION)


def test_an_unreachable_registry_leaves_the_mirror() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    sync(registry, objects, Stage.CHAMPION, NOW)
    registry.reachable = False
    with pytest.raises(RegistryUnavailable):
        sync(registry, objects, Stage.CHAMPION, NOW)
    assert ModelStore(objects, check_seconds=0).current(Stage.CHAMPION)


@pytest.mark.parametrize(
    "mlmodel", [b"", b"signature:", b"signature: {inputs: '[1]'}", b"a: [", b"signature: {inputs: 'x'}"]
)
def test_a_model_without_a_signature_is_refused(mlmodel: bytes) -> None:
    with pytest.raises(InvalidModel):
        signature_features(mlmodel)


def test_a_version_that_contradicts_its_golden_rows_is_refused_and_the_last_good_one_served() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    names = [feature["name"] for feature in registry.signature]
    rows = [[10.0, 5.0, 0.0]]
    probabilities = lightgbm.Booster(model_str=model_text()).predict(np.array(rows))
    registry.golden = GoldenRows.of(names, rows, probabilities).to_json()
    sync(registry, objects, Stage.CHAMPION, NOW)
    before = dict(objects.objects)
    registry.versions[Stage.CHAMPION] = RegisteredVersion("2", "run-2", "x:/2")
    registry.seed = 1
    with pytest.raises(InvalidModel, match="golden row 0"):
        sync(registry, objects, Stage.CHAMPION, NOW)
    assert objects.objects == before


def test_a_refused_champion_is_counted_and_the_challenger_is_mirrored_all_the_same(
    objects: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = FakeRegistry()
    registry.versions[Stage.CHALLENGER] = RegisteredVersion("2", "run-2", "x:/2")
    registry.damaged = "x:/1"
    result = sync_models.mirror_aliases(registry, objects, BatchRun("sync_models", NOW))
    assert {stage: answer["outcome"] for stage, answer in result["stages"].items()} == {
        "champion": "refused",
        "challenger": "updated",
    }
    assert '"ModelsRefused":1' in capsys.readouterr().out.replace(" ", "")
    assert ModelStore(objects, check_seconds=0).current(Stage.CHALLENGER).info.registered_version == "2"


def test_a_model_that_contradicts_its_signature_leaves_the_last_good_one_served() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    sync(registry, objects, Stage.CHAMPION, NOW)
    store = ModelStore(objects, check_seconds=0)
    store.current(Stage.CHAMPION)
    registry.versions[Stage.CHAMPION] = RegisteredVersion("2", "run-2", "x:/2")
    registry.signature = registry.signature[:2]
    with pytest.raises(InvalidModel, match="signature"):
        sync(registry, objects, Stage.CHAMPION, NOW)
    assert store.current(Stage.CHAMPION).info.registered_version == "1"
    assert ModelStore(objects, check_seconds=0).current(Stage.CHAMPION).info.registered_version == "1"


def test_the_last_good_model_serves_while_the_mirror_is_unreachable_or_damaged() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    sync(registry, objects, Stage.CHAMPION, NOW)
    store = ModelStore(objects, check_seconds=0)
    expected = store.current(Stage.CHAMPION).predict([10.0, 5.0, 0.0])
    objects.reachable = False
    assert store.current(Stage.CHAMPION).predict([10.0, 5.0, 0.0]) == expected
    objects.reachable = True
    objects.objects[mirror_key(Stage.CHAMPION)] = b"{"
    assert store.current(Stage.CHAMPION).predict([10.0, 5.0, 0.0]) == expected


def test_a_model_file_with_another_checksum_is_not_loaded() -> None:
    registry, objects = FakeRegistry(), InMemoryObjectStore()
    sync(registry, objects, Stage.CHAMPION, NOW)
    (key,) = [key for key in objects.objects if key.endswith(".lgb")]
    objects.objects[key] = model_text(1).encode()
    with pytest.raises(ModelUnavailable):
        ModelStore(objects, check_seconds=0).current(Stage.CHAMPION)
