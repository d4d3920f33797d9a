"""The main job on the real stack: every way to a prediction gives the model's own answer."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import lightgbm
import mlflow
import pyarrow.parquet as pq
import pytest
import requests

from infra.paths import ROOT
from tests.e2e.waiting import until
from tests.support.released import dataset
from tests.support.throwaway import RunningStack

pytestmark = pytest.mark.alone

TOLERANCE = 1e-9
SAMPLE = 100
QUEUED = 200


@pytest.fixture(scope="module")
def http(stack: RunningStack) -> Iterator[requests.Session]:
    """Keep-alive calls with the client key."""
    with requests.Session() as session:
        session.headers["X-API-Key"] = stack.keys.client
        yield session


def rows(stack: RunningStack, http: requests.Session, name: str, limit: int) -> list[dict[str, Any]]:
    answer = http.get(f"{stack.base_url}/predict/{name}/", params={"limit": limit})
    assert answer.status_code == 200
    listed_rows: list[dict[str, Any]] = answer.json()
    return listed_rows


def features_of(stack: RunningStack) -> dict[int, dict[str, float | None]]:
    """Rows of match_features.parquet by match id."""
    table = pq.read_table(io.BytesIO(dataset(stack, "match_features")))
    return {row.pop("match_id"): row for row in table.to_pylist()}


def registered_booster(stack: RunningStack, stage: str) -> lightgbm.Booster:
    mlflow.set_tracking_uri(stack.mlflow_tracking_uri)
    local = mlflow.artifacts.download_artifacts(f"models:/soccer_model@{stage}")
    return lightgbm.Booster(model_file=f"{local}/model.lgb")


def triple(probabilities: dict[str, float]) -> list[float]:
    return [probabilities[name] for name in ("0", "1", "2")]


def test_every_way_to_a_prediction_gives_the_boosters_own_answer(stack: RunningStack, http: requests.Session) -> None:
    features = features_of(stack)
    matches = sorted(features)[:: len(features) // SAMPLE][:SAMPLE]
    booster = registered_booster(stack, "champion")
    names = booster.feature_name()
    tasks: dict[int, str] = {}
    for match_id in matches:
        body = {"match_id": match_id, "features": features[match_id]}
        row = [float("nan") if features[match_id][name] is None else features[match_id][name] for name in names]
        expected = list(booster.predict([row])[0])
        live = http.get(f"{stack.base_url}/predict/{match_id}").json()
        assert triple(live["prediction"]["probabilities"]) == pytest.approx(expected, abs=TOLERANCE)
        sent = http.post(f"{stack.base_url}/predict/", json=body).json()
        assert triple(sent["prediction"]["probabilities"]) == pytest.approx(expected, abs=TOLERANCE)
        stored = http.get(f"{stack.base_url}/predict/precomputed/{match_id}").json()
        assert [stored[f"proba_{label}"] for label in ("home", "draw", "away")] == pytest.approx(
            expected, abs=TOLERANCE
        )
        tasks[match_id] = http.post(f"{stack.base_url}/predict/async/", json={"match_id": match_id}).json()["task_id"]
        features[match_id]["expected"] = expected  # type: ignore[assignment]
    for match_id, task_id in tasks.items():
        result = finished(stack, http, task_id)["result"]
        assert triple(result["probabilities"]) == pytest.approx(features[match_id]["expected"], abs=TOLERANCE)


def finished(stack: RunningStack, http: requests.Session, task_id: str) -> dict[str, Any]:
    """The task once it has ended."""
    status: dict[str, Any] = {}

    def ended() -> bool:
        status.update(http.get(f"{stack.base_url}/monitoring/task_status/{task_id}").json())
        return bool(status["status"] != "pending")

    assert until(ended, 60), f"task {task_id} did not end"
    return status


def test_every_queued_task_succeeds_with_its_own_matchs_result(stack: RunningStack, http: requests.Session) -> None:
    predictions = {row["match_id"]: row for row in rows(stack, http, "predictions", QUEUED)}
    assert len(predictions) == QUEUED
    tasks = {
        match_id: http.post(f"{stack.base_url}/predict/async/", json={"match_id": match_id}).json()["task_id"]
        for match_id in predictions
    }
    assert len(set(tasks.values())) == QUEUED
    for match_id, task_id in tasks.items():
        status = finished(stack, http, task_id)
        assert status["status"] == "success"
        expected = [predictions[match_id][f"proba_{label}"] for label in ("home", "draw", "away")]
        assert triple(status["result"]["probabilities"]) == pytest.approx(expected, abs=TOLERANCE)


def test_a_promotion_changes_what_is_served_and_back(stack: RunningStack, http: requests.Session) -> None:
    match_id = rows(stack, http, "matches", 1)[0]["match_id"]

    def served_run() -> str:
        answer = http.get(f"{stack.base_url}/predict/{match_id}").json()
        return str(answer["prediction"]["model_run_id"])

    champion = registered(stack, "champion")
    challenger = registered(stack, "challenger")
    assert served_run() == champion["run_id"]
    promote(stack, challenger["version"])
    # Documented: as soon as the mirror is synced, within MODEL_CHECK_SECONDS (docs/operate.md).
    assert until(lambda: served_run() == challenger["run_id"], 30)
    promote(stack, champion["version"])
    assert until(lambda: served_run() == champion["run_id"], 30)


def registered(stack: RunningStack, alias: str) -> dict[str, str]:
    answer = requests.get(
        f"{stack.mlflow_tracking_uri}/api/2.0/mlflow/registered-models/alias",
        params={"name": "soccer_model", "alias": alias},
        timeout=10,
    )
    version: dict[str, str] = answer.json()["model_version"]
    return version


def promote(stack: RunningStack, version: str) -> None:
    environment = {**os.environ, **stack.environment}
    command = [sys.executable, "-m", "batch.promote", "--version", str(version), "--stage", "champion", "--force"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    stack.invoke("sync_models")


def test_a_prediction_leads_to_the_batch_run_in_mlflow_and_the_files_it_read(stack: RunningStack) -> None:
    s3, bucket = stack.client("s3"), stack.outputs.bucket

    def read(key: str) -> Any:
        return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    release_id = read("releases/current.json")["release_id"]
    report = read(f"releases/{release_id}/run.json")
    client = mlflow.MlflowClient(stack.mlflow_tracking_uri)
    run = client.get_run(report["mlflow_run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["release_id"] == release_id
    assert run.data.params["champion_run_id"] == registered(stack, "champion")["run_id"]
    assert run.data.metrics["matches_rows"] == 7_268
    assert [entry.dataset.name for entry in run.inputs.dataset_inputs] == [entry["key"] for entry in report["inputs"]]
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["run.json"]
    experiment = client.get_experiment_by_name("soccer_batch")
    assert experiment is not None
    logged = client.search_runs([experiment.experiment_id])
    assert {"rebuild", "refresh_odds", "monitor_drift", "sync_models"} <= {
        entry.data.tags["function"] for entry in logged
    }


def test_errors_are_json_and_say_what_is_wrong(stack: RunningStack, http: requests.Session) -> None:
    match_id = rows(stack, http, "matches", 1)[0]["match_id"]
    missing = http.post(f"{stack.base_url}/predict/", json={"match_id": match_id, "features": {"sex": 0}})
    assert missing.status_code == 422
    assert "home_elo_pre" in missing.json()["message"]
    broken = http.post(f"{stack.base_url}/predict/", data="{", headers={"content-type": "application/json"})
    assert broken.status_code == 422
    assert http.get(f"{stack.base_url}/predict/1").status_code == 404
    unknown = http.get(f"{stack.base_url}/monitoring/task_status/0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11")
    assert unknown.status_code == 404
    nowhere = http.post(f"{stack.base_url}/predict/batch", json={})
    assert (nowhere.status_code, nowhere.json()["statusCode"]) == (404, 404)
    assert "x-request-id" in nowhere.headers


def test_predictions_continue_without_the_registry_and_stop_without_a_model(
    stack: RunningStack, http: requests.Session
) -> None:
    match_id = rows(stack, http, "matches", 1)[0]["match_id"]
    url = f"{stack.base_url}/predict/{match_id}"
    stack.system.mlflow.daemon.stop()
    try:
        with pytest.raises(Exception, match=r"sync_models|registry"):
            stack.invoke("sync_models")
        assert http.get(url).status_code == 200
    finally:
        stack.system.mlflow.start()
        stack.system.mlflow.wait_ready()
    # The alias removed from the registry: that model must no longer be served.
    alias = {"name": "soccer_model", "alias": "challenger"}
    version = registered(stack, "challenger")["version"]
    api = f"{stack.mlflow_tracking_uri}/api/2.0/mlflow/registered-models/alias"
    requests.delete(api, json=alias, timeout=10).raise_for_status()
    stack.invoke("sync_models")
    try:
        assert until(lambda: http.get(url, params={"stage": "challenger"}).status_code == 503, 30)
    finally:
        requests.post(api, json={**alias, "version": version}, timeout=10).raise_for_status()
        stack.invoke("sync_models")
    assert until(lambda: http.get(url, params={"stage": "challenger"}).status_code == 200, 30)


def test_the_base_url_survives_a_redeploy(stack: RunningStack, http: requests.Session) -> None:
    assert stack.base_url.endswith("/local")
    assert http.get(f"{stack.base_url}/healthcheck").json()["status"] == "ok"
    assert http.get(f"{stack.base_url}/healthcheck/").json()["status"] == "ok"
