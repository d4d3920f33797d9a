"""Training into a real MLflow registry, kept in a file: no server, the same client calls."""

import hashlib
import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
import yaml
from mlflow.tracking import MlflowClient

from batch import synthetic, train
from batch.features import FEATURES, RESULT_FEATURES
from batch.mlflow.client import ClientRegistry
from batch.promote import BucketPush
from batch.times import parse_date
from batch.train import GOLDEN_ROWS
from batch.training.experiment import Experiment
from batch.training.registry import Registry
from chalicelib.domain import Stage
from chalicelib.errors import RegistryUnavailable
from chalicelib.models.mirror import mirror_key
from chalicelib.models.store import ModelStore
from tests.support.fakes import InMemoryObjectStore

# MLflow and its database layer warn about themselves; their warnings are not ours to fail on
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


class Trained:
    """A registry file after `python -m batch.train` on two made-up seasons and a test season."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"sqlite:///{folder}/mlflow.db"
        self.matches = folder / "matches.parquet"
        synthetic.matches(1520, seed=1).to_parquet(self.matches)

    def train(self, *options: str) -> int:
        dates = ["--validate-from", "2006-07-01", "--test-from", "2007-07-01"]
        return train.main(["--matches", str(self.matches), *dates, *options])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # a registry in a file keeps its artifacts in the working directory
        result = Trained(folder)
        patch.setenv("MLFLOW_TRACKING_URI", result.uri)
        assert result.train() == 0
    return result


@pytest.fixture(autouse=True)
def at_the_registry(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained.matches.parent)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", trained.uri)


def test_both_stages_get_their_alias_from_the_first_training(trained: Trained) -> None:
    registry = Registry(trained.uri)
    assert [registry.version_of(stage) for stage in Stage] == ["1", "2"]


def test_nothing_is_trained_twice_when_only_the_missing_is_asked_for(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained.train("--if-missing") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_the_loaded_model_predicts_what_was_trained(trained: Trained) -> None:
    Registry(trained.uri)
    experiment = Experiment.of(synthetic.matches(1520, seed=1), parse_date("2006-07-01"), parse_date("2007-07-01"))
    rows = experiment.table.features.loc[experiment.test, list(RESULT_FEATURES)]
    loaded = mlflow.pyfunc.load_model("models:/soccer_model@champion")
    booster = Registry(trained.uri).booster("1")
    np.testing.assert_array_equal(loaded.predict(rows), np.asarray(booster.predict(rows.to_numpy(np.float64))))


def test_the_model_directory_holds_signature_and_text_model(trained: Trained) -> None:
    Registry(trained.uri)
    folder = Path(mlflow.artifacts.download_artifacts("models:/soccer_model@champion"))
    inputs = yaml.safe_load(yaml.safe_load((folder / "MLmodel").read_text())["signature"]["inputs"])
    assert inputs == [
        {"type": f.type, "name": f.name, "required": f.required} for f in FEATURES if f.name in RESULT_FEATURES
    ]
    facts = Registry(trained.uri).describe("1")
    assert facts["tags"]["model_sha256"] == hashlib.sha256((folder / "model.lgb").read_bytes()).hexdigest()
    assert facts["params"]["validate_from"] == facts["tags"]["validate_from"] == "2006-07-01"


def test_the_run_carries_report_plots_and_reference(trained: Trained) -> None:
    run_id = Registry(trained.uri).describe("1")["run_id"]
    client = MlflowClient(trained.uri)
    assert sorted(file.path for file in client.list_artifacts(run_id, "report")) == [
        "report/feature_importance.png",
        "report/feature_importance_by_region.png",
        "report/golden.json",
        "report/reference.parquet",
        "report/reliability.png",
        "report/reliability_by_region.png",
        "report/report.json",
    ]
    assert client.get_run(run_id).data.metrics["log_loss"] < 1.0986


def test_a_version_that_is_not_there_is_a_key_error(trained: Trained) -> None:
    with pytest.raises(KeyError):
        Registry(trained.uri).describe("99")


def test_a_later_training_registers_versions_and_leaves_the_aliases_to_a_person(trained: Trained) -> None:
    assert trained.train() == 0
    registry = Registry(trained.uri)
    assert [registry.version_of(stage) for stage in Stage] == ["1", "2"]
    recipes = [registry.describe(version)["tags"]["recipe"] for version in ("1", "2", "3", "4", "5", "6")]
    assert recipes == 2 * ["champion", "challenger", "market"]


def test_an_alias_moves_where_a_person_points_it(trained: Trained) -> None:
    registry = Registry(trained.uri)
    registry.set_alias(Stage.CHAMPION, "2")
    assert registry.version_of(Stage.CHAMPION) == "2"
    registry.set_alias(Stage.CHAMPION, "1")


def test_a_registered_version_is_pushed_to_a_bucket_and_served_from_it(trained: Trained) -> None:
    objects = InMemoryObjectStore()
    push = BucketPush(ClientRegistry(Registry(trained.uri).client), objects, "https://mlflow.example")
    push.examine("1")
    assert not objects.objects
    push.write(Stage.CHAMPION)
    served = ModelStore(objects, check_seconds=0).current(Stage.CHAMPION)
    assert served.info.registered_version == "1"
    assert served.info.run_url is not None
    description = json.loads(objects.objects[mirror_key(Stage.CHAMPION)])
    assert description["golden_rows"] == GOLDEN_ROWS
    assert description["reference_key"] in objects.objects


def test_the_client_tells_what_is_not_there(trained: Trained) -> None:
    registry = ClientRegistry(Registry(trained.uri).client)
    version = registry.version_of(Stage.CHALLENGER)
    assert version is not None
    assert registry.file(version.artifact_uri, "no-such-file") is None
    with pytest.raises(RegistryUnavailable):
        registry.version("99")
