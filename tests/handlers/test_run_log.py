"""Batch runs in MLflow: its own REST application in this process, and none at all."""

import hashlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pyarrow.parquet as pq
import pytest

from batch import handlers
from batch.jobs import context
from batch.jobs import rebuild as rebuild_job
from batch.mlflow.rest import MlflowRest
from batch.mlflow.run_log import EXPERIMENT
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import InvalidMatches, RegistryUnavailable
from chalicelib.models.mirror import mirror_key
from chalicelib.storage.objects import ObjectStore
from tests.handlers.test_batch import ROWS, put_matches, put_odds, served_model
from tests.support.builders import Context

# MLflow and its database layer warn about themselves; their warnings are not ours to fail on
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

RUN_ID = "3f7a1c9d2e4b"
"""Of the model that `served_model` mirrors."""

WsgiApp = Callable[..., Any]


class Quiet(WSGIRequestHandler):
    """A server that keeps its requests to itself."""

    def log_message(self, *_: object) -> None:
        """Requests are not news here."""


def serving(app: WsgiApp) -> Iterator[str]:
    """The address of an application while it is served."""
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MLflow's server application with a database of its own."""
    folder: Path = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "FILE_STORE": f"sqlite:///{folder}/mlflow.db",
            "REGISTRY_STORE": f"sqlite:///{folder}/mlflow.db",
            "ARTIFACT_ROOT": "mlflow-artifacts:/",
            "ARTIFACT_DESTINATION": str(folder / "artifacts"),
            "SERVE_ARTIFACTS": "true",
        }.items():
            patch.setenv(f"_MLFLOW_SERVER_{name}", value)
        import mlflow.server  # noqa: PLC0415 - seconds, for these tests alone
        from mlflow.server import handlers as mlflow_handlers  # noqa: PLC0415

        for store in ("_tracking_store", "_model_registry_store"):
            patch.setattr(mlflow_handlers, store, None)
        for url in serving(mlflow.server.app):
            # the database is made with the first question, which takes longer than a batch run would wait
            MlflowRest(url).get("experiments/get-by-name", {"experiment_name": "none"})
            yield url


@pytest.fixture(autouse=True)
def _fresh() -> None:
    context.settings.cache_clear()
    rebuild_job.parsed_files.clear()


@pytest.fixture
def logged(objects: ObjectStore, mlflow_url: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The bucket, with a model and matches, and runs logged in MLflow."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_url)
    served_model(objects)
    put_matches(objects, [*ROWS, "x,2024-04-08T14:00:00Z,2023/24,Nowhere,First,0,A,B,0,0"])
    return objects


def runs(url: str, function: str) -> list[dict[str, Any]]:
    """What MLflow has of a function's runs, the latest first."""
    server = MlflowRest(url)
    experiment = server.get("experiments/get-by-name", {"experiment_name": EXPERIMENT})["experiment"]
    query = {"experiment_ids": [experiment["experiment_id"]], "filter": f"tags.function = '{function}'"}
    logged_runs: list[dict[str, Any]] = server.post("runs/search", query).get("runs", [])
    return logged_runs


def data(run: dict[str, Any], kind: str) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in run["data"][kind]}


def read_json(objects: ObjectStore, key: str) -> dict[str, Any]:
    stored = objects.get(key)
    assert stored is not None
    content: dict[str, Any] = json.loads(stored.body)
    return content


def test_a_rebuild_logs_its_inputs_versions_counts_and_durations(logged: ObjectStore, mlflow_url: str) -> None:
    release_id = handlers.rebuild({}, Context())["release_id"]
    run = runs(mlflow_url, "rebuild")[0]
    assert run["info"]["status"] == "FINISHED"
    params, metrics = data(run, "params"), data(run, "metrics")
    assert params["as_of"] == "2024-05-01T12:00:00Z"
    assert params["release_id"] == release_id
    assert params["published"] == "True"
    assert (params["champion_version"], params["champion_run_id"]) == ("1", RUN_ID)
    assert {"python", "numpy", "pandas", "pyarrow"} <= set(params)
    assert (metrics["matches_rows"], metrics["matches_accepted"], metrics["rejected_invalid_match_id"]) == (4, 3, 1)
    assert metrics["rows_predictions"] == 3
    assert {"seconds", "seconds_read", "seconds_compute", "seconds_write", "seconds_publish"} <= set(metrics)
    (entered,) = run["inputs"]["dataset_inputs"]
    file = logged.get("raw/matches/matches.csv")
    assert file is not None
    digest = hashlib.sha256(file.body).hexdigest()
    assert entered["dataset"]["name"] == "raw/matches/matches.csv"
    assert json.loads(entered["dataset"]["source"])["sha256"] == digest
    assert entered["dataset"]["digest"] == digest[:36]
    root = run["info"]["artifact_uri"].removeprefix("mlflow-artifacts:")
    artifact = MlflowRest(mlflow_url).artifact(f"{root}/run.json")
    assert artifact is not None
    assert json.loads(artifact) == read_json(logged, f"releases/{release_id}/run.json")


def test_a_prediction_row_leads_to_its_model_its_run_and_the_files_it_was_made_of(
    logged: ObjectStore, mlflow_url: str
) -> None:
    handlers.rebuild({}, Context())
    entry = read_json(logged, "releases/current.json")["datasets"]["predictions"]
    table = logged.get(entry["key"])
    assert table is not None
    row = pq.read_table(io.BytesIO(table.body)).to_pylist()[0]
    report = read_json(logged, entry["key"].rpartition("/")[0] + "/run.json")
    assert report["outputs"]["predictions"]["sha256"] == hashlib.sha256(table.body).hexdigest() == entry["sha256"]
    run = MlflowRest(mlflow_url).get("runs/get", {"run_id": report["mlflow_run_id"]})["run"]
    assert data(run, "params")["champion_run_id"] == row["model_run_id"]
    raw = logged.get(report["inputs"][0]["key"])
    assert raw is not None
    assert (report["inputs"][0]["sha256"], report["inputs"][0]["etag"]) == (
        hashlib.sha256(raw.body).hexdigest(),
        raw.etag,
    )


def test_a_run_that_fails_is_logged_as_failed_with_its_reason(logged: ObjectStore, mlflow_url: str) -> None:
    logged.put("raw/matches/broken.parquet", b"PAR1 this is not parquet")
    with pytest.raises(InvalidMatches):
        handlers.rebuild({}, Context())
    run = runs(mlflow_url, "rebuild")[0]
    assert (run["info"]["status"], data(run, "tags")["outcome"]) == ("FAILED", "invalid_matches")
    assert data(run, "params")["as_of"] == "2024-05-01T12:00:00Z"


def test_a_run_that_is_killed_stays_as_running(logged: ObjectStore, mlflow_url: str) -> None:
    class Killed(BaseException):
        """The process ends here."""

    def killed(_event: Any, _this: Any) -> Any:
        raise Killed

    with pytest.raises(Killed):
        handlers.step(killed)({}, Context())
    assert runs(mlflow_url, "killed")[0]["info"]["status"] == "RUNNING"


def test_an_odds_refresh_logs_the_snapshots_and_the_release_it_worked_on(logged: ObjectStore, mlflow_url: str) -> None:
    release_id = handlers.rebuild({}, Context())["release_id"]
    put_odds(logged)
    result = handlers.refresh_odds({}, Context())
    run = runs(mlflow_url, "refresh_odds")[0]
    params, metrics = data(run, "params"), data(run, "metrics")
    assert (params["release_id"], params["provider"]) == (release_id, "s3")
    assert (metrics["matched"], metrics["rows_fonbet_odds"]) == (result["matched"], result["rows"])
    names = {entry["dataset"]["name"] for entry in run["inputs"]["dataset_inputs"]}
    assert names == {
        read_json(logged, "releases/current.json")["datasets"]["predictions"]["key"],
        *(key for key, _ in logged.keys("raw/odds/") if key.endswith(".csv")),
    }
    key = read_json(logged, "releases/current.json")["datasets"]["fonbet_odds"]["key"]
    report = read_json(logged, key.rpartition("/")[0] + "/odds_run.json")
    assert report["mlflow_run_id"] == run["info"]["run_id"]


def test_a_drift_run_logs_the_score_and_the_model(logged: ObjectStore, mlflow_url: str) -> None:
    handlers.rebuild({}, Context())
    result = handlers.monitor_drift({"as_of": "2024-04-20T00:00:00Z"}, Context())
    run = runs(mlflow_url, "monitor_drift")[0]
    assert data(run, "metrics").get("drift_score") == result["drift_score"]
    assert data(run, "params")["champion_run_id"] == RUN_ID
    assert read_json(logged, "reports/drift/latest.json")["mlflow_run_id"] == run["info"]["run_id"]


def test_a_mirroring_that_found_nothing_to_do_is_not_logged_and_one_that_did_is(
    logged: ObjectStore, mlflow_url: str
) -> None:
    logged.delete(mirror_key(Stage.CHAMPION))
    handlers.sync_models({}, Context())
    assert runs(mlflow_url, "sync_models") == []
    served_model(logged)
    assert handlers.sync_models({}, Context())["stages"]["champion"]["outcome"] == "removed"
    (run,) = runs(mlflow_url, "sync_models")
    assert data(run, "params")["champion_outcome"] == "removed"


def checksums(objects: ObjectStore) -> dict[str, str]:
    handlers.rebuild({}, Context())
    pointer = read_json(objects, "releases/current.json")
    return {name: entry["sha256"] for name, entry in pointer["datasets"].items()}


def test_the_data_do_not_depend_on_whether_they_are_logged(
    logged: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_log = checksums(logged)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    context.settings.cache_clear()
    assert checksums(logged) == with_log


# without a server -------------------------------------------------------------------------------------------


def nobody(_environ: Any, start: Any) -> list[bytes]:
    start("503 Service Unavailable", [])
    return [b"try later"]


def somebody_else(_environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/html")])
    return [b"<html>"]


def another_api(_environ: Any, start: Any) -> list[bytes]:
    start("200 OK", [("Content-Type", "application/json")])
    return [b'{"status": "ok"}']


def warnings_and_counts(printed: pytest.CaptureFixture[str]) -> tuple[list[str], int]:
    lines = [json.loads(line) for line in printed.readouterr().out.splitlines() if line.startswith("{")]
    warned = [line["reason"] for line in lines if line.get("message") == "run not logged in MLflow"]
    return warned, sum("RunsNotLogged" in line for line in lines)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "not an address"])
def test_an_unreachable_server_does_not_fail_the_run_which_says_once_that_it_is_not_logged(
    objects: ObjectStore, uri: str, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    served_model(objects)
    put_matches(objects)
    assert handlers.rebuild({}, Context())["published"]
    assert warnings_and_counts(printed) == (["registry_unavailable"], 1)


def test_a_stack_without_a_server_has_nothing_to_warn_of(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    served_model(objects)
    put_matches(objects)
    assert handlers.rebuild({}, Context())["published"]
    assert warnings_and_counts(printed) == ([], 0)


@pytest.mark.parametrize("app", [nobody, somebody_else, another_api], ids=lambda app: app.__name__)
def test_a_server_that_answers_wrongly_is_as_good_as_none(
    objects: ObjectStore, app: WsgiApp, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> None:
    served_model(objects)
    put_matches(objects)
    for url in serving(app):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        assert handlers.rebuild({}, Context())["published"]
    assert warnings_and_counts(printed) == (["registry_unavailable"], 1)


def test_a_server_that_fails_during_the_run_does_not_fail_it(
    logged: ObjectStore, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> None:
    def gone(_self: MlflowRest, _endpoint: str, _body: Any) -> Any:
        raise RegistryUnavailable("the registry does not answer: TimeoutError")

    def losing(event: Any, this: Any) -> Any:
        monkeypatch.setattr(MlflowRest, "post", gone)
        return rebuild_job.run(event, this)

    assert handlers.step(losing)({}, Context())["published"]
    assert warnings_and_counts(printed) == (["registry_unavailable"], 1)


def test_a_token_that_cannot_be_read_does_not_fail_the_run(
    logged: ObjectStore, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_AUTH", "bearer")
    monkeypatch.setenv("MLFLOW_SECRET_ID", "no-such-secret")
    assert handlers.rebuild({}, Context())["published"]
    assert warnings_and_counts(printed) == (["ResourceNotFoundException"], 1)


def test_the_token_is_sent(logged: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: list[str] = []

    def asking(environ: Any, start: Any) -> list[bytes]:
        tokens.append(environ["HTTP_AUTHORIZATION"])
        return nobody(environ, start)

    wiring.aws_client("secretsmanager").create_secret(Name="mlflow", SecretString="let-me-in")
    monkeypatch.setenv("MLFLOW_AUTH", "bearer")
    monkeypatch.setenv("MLFLOW_SECRET_ID", "mlflow")
    for url in serving(asking):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        handlers.rebuild({}, Context())
    assert tokens == ["Bearer let-me-in"]
