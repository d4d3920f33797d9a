"""Copies of served models on disk."""

from pathlib import Path

import pytest

import chalicelib.models.store
from chalicelib.domain import Stage
from chalicelib.errors import InvalidModel, ModelUnavailable
from chalicelib.models.copies import ModelCopies
from chalicelib.models.mirror import mirror_key
from chalicelib.models.native import NativeModel
from chalicelib.models.store import ModelStore
from tests.support.builders import mirror_model
from tests.support.fakes import InMemoryObjectStore

ROW = [80.0, 6.0, 0.0]


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def objects() -> InMemoryObjectStore:
    store = InMemoryObjectStore()
    mirror_model(store)
    return store


@pytest.fixture
def copies(tmp_path: Path) -> ModelCopies:
    return ModelCopies(tmp_path / "models")


def run_id(objects: InMemoryObjectStore, copies: ModelCopies) -> str:
    """The run of the model that a new process serves."""
    return ModelStore(objects, 0, copies=copies).current(Stage.CHAMPION).info.model_run_id


def test_a_new_process_serves_the_last_good_model_while_the_bucket_is_unreachable(
    objects: InMemoryObjectStore, copies: ModelCopies
) -> None:
    expected = ModelStore(objects, 0, copies=copies).current(Stage.CHAMPION).predict(ROW)
    objects.reachable = False
    assert ModelStore(objects, 0, copies=copies).current(Stage.CHAMPION).predict(ROW) == expected


def test_a_new_version_that_cannot_be_loaded_leaves_the_last_good_one_until_it_can(
    objects: InMemoryObjectStore, copies: ModelCopies
) -> None:
    assert run_id(objects, copies) == "3f7a1c9d2e4b"
    mirror_model(objects, version="2", run_id="second", seed=1)
    undamaged = objects.objects["models/champion/2.lgb"]
    objects.objects["models/champion/2.lgb"] = undamaged[:100]
    store = ModelStore(objects, 0, copies=copies)
    assert store.current(Stage.CHAMPION).info.model_run_id == "3f7a1c9d2e4b"
    objects.objects["models/champion/2.lgb"] = undamaged
    assert store.current(Stage.CHAMPION).info.model_run_id == "second"


def test_a_copy_that_can_no_longer_be_loaded_is_not_served_either(
    objects: InMemoryObjectStore, copies: ModelCopies, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_id(objects, copies)

    def no_library(_content: bytes) -> NativeModel:
        raise InvalidModel("LightGBM's native library is not here")

    monkeypatch.setattr(chalicelib.models.store, "NativeModel", no_library)
    with pytest.raises(ModelUnavailable, match="native library"):
        run_id(objects, copies)


def test_the_mirror_is_asked_once_per_check_while_the_last_good_model_is_served(
    objects: InMemoryObjectStore, copies: ModelCopies
) -> None:
    run_id(objects, copies)
    mirror_model(objects, version="2", run_id="second", seed=1)
    objects.objects["models/champion/2.lgb"] = b""
    clock = Clock()
    store = ModelStore(objects, 15, clock, copies)
    store.current(Stage.CHAMPION)
    objects.reads.clear()
    for _ in range(5):
        store.current(Stage.CHAMPION)
    assert objects.reads == []
    clock.now = 16
    store.current(Stage.CHAMPION)
    assert objects.reads.count(mirror_key(Stage.CHAMPION)) == 1


def test_a_model_without_an_alias_is_forgotten(objects: InMemoryObjectStore, copies: ModelCopies) -> None:
    run_id(objects, copies)
    objects.delete(mirror_key(Stage.CHAMPION))
    with pytest.raises(ModelUnavailable):
        run_id(objects, copies)
    objects.reachable = False
    with pytest.raises(ModelUnavailable):
        run_id(objects, copies)


@pytest.mark.parametrize("pattern", ["*.lgb", "*.json"])
def test_a_damaged_copy_is_not_served(
    objects: InMemoryObjectStore, copies: ModelCopies, tmp_path: Path, pattern: str
) -> None:
    run_id(objects, copies)
    for file in (tmp_path / "models").glob(pattern):
        file.write_bytes(file.read_bytes()[:-20])
    assert run_id(objects, copies) == "3f7a1c9d2e4b"
    for file in (tmp_path / "models").glob(pattern):
        file.write_bytes(file.read_bytes()[:-20])
    objects.reachable = False
    with pytest.raises(ModelUnavailable):
        run_id(objects, copies)


def test_a_folder_that_others_may_write_to_is_not_used(
    objects: InMemoryObjectStore, copies: ModelCopies, tmp_path: Path
) -> None:
    run_id(objects, copies)
    (tmp_path / "models").chmod(0o777)
    objects.reachable = False
    with pytest.raises(ModelUnavailable):
        run_id(objects, copies)


def test_a_disk_that_takes_nothing_does_not_stop_predictions(objects: InMemoryObjectStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run_id(objects, ModelCopies(tmp_path / "file" / "models")) == "3f7a1c9d2e4b"


def test_only_the_newest_models_stay_on_disk(objects: InMemoryObjectStore, copies: ModelCopies, tmp_path: Path) -> None:
    for seed in range(7):
        mirror_model(objects, version=str(seed), run_id=f"run-{seed}", seed=seed)
        assert run_id(objects, copies) == f"run-{seed}"
    assert len(list((tmp_path / "models").glob("*.lgb"))) == 4
    objects.reachable = False
    assert run_id(objects, copies) == "run-6"
