"""Operations routes and what all functions share: access, health, documents, failures."""

import contextlib
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest

import app
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.endpoints import ENDPOINTS, Access
from chalicelib.models.store import ModelStore
from chalicelib.storage.objects import ObjectStore, read
from tests.handlers.calling import call
from tests.support.builders import Context, make_event, mirror_model, publish
from tests.support.fakes import InMemoryObjectStore

OPERATOR = {"x-api-key": "operator-key"}
CLIENT = {"x-api-key": "client-key"}


def test_model_info_says_what_the_registry_says(objects: ObjectStore) -> None:
    mirror_model(objects, version="7")
    status, body, _ = call("model_info")
    assert status == 200
    assert body["registered_version"] == "7"
    assert (body["model_name"], body["model_version"], body["loaded"]) == ("soccer_model", "champion", True)
    assert body["features"][1] == {"name": "home_rest_days", "type": "double", "required": False}


def test_model_info_links_to_the_run_where_there_is_a_page(objects: ObjectStore) -> None:
    mirror_model(objects, run_url="https://mlflow.example/#/experiments/3/runs/r")
    mirror_model(objects, Stage.CHALLENGER)
    assert "link" not in call("model_info", query={"stage": "challenger"})[2]
    assert call("model_info")[2]["link"] == '<https://mlflow.example/#/experiments/3/runs/r>; rel="describedby"'


@pytest.mark.parametrize(
    "damage", [lambda body: body[:-1], lambda _: b"", lambda body: bytes([body[0] ^ 1]) + body[1:]]
)
def test_a_damaged_model_shows_in_model_info_and_health(objects: ObjectStore, damage: Callable[[bytes], bytes]) -> None:
    mirror_model(objects)
    publish(objects)
    key = wiring.models().info(Stage.CHAMPION).model_key
    undamaged = read(objects, key).body
    prediction = {"match_id": 1, "features": {"diff_elo": 1.0, "sex": 0}}
    assert call("healthcheck")[1]["checks"]["model"] == "ok"
    objects.put(key, damage(undamaged))
    assert call("model_info")[1]["loaded"] is False
    assert call("healthcheck")[1]["checks"]["model"] == "invalid_model"
    assert call("predict", body=prediction)[0] == 503
    objects.delete(key)
    assert call("model_info")[1]["loaded"] is False
    assert call("healthcheck")[1]["checks"]["model"] == "object_missing"
    objects.put(key, undamaged)
    assert call("model_info")[1]["loaded"] is True
    assert call("healthcheck")[1]["checks"]["model"] == "ok"
    assert call("predict", body=prediction)[0] == 200


def test_a_new_process_serves_the_last_good_model_from_its_disk(objects: ObjectStore) -> None:
    mirror_model(objects)
    prediction = {"match_id": 1, "features": {"diff_elo": 1.0, "sex": 0}}
    expected = call("predict", body=prediction)[1]
    objects.put(wiring.models().info(Stage.CHAMPION).model_key, b"damaged")
    wiring.models.cache_clear()
    assert call("predict", body=prediction)[1] == expected


def test_model_info_reads_an_unchanged_model_once() -> None:
    objects = InMemoryObjectStore()
    mirror_model(objects)
    models = ModelStore(objects, check_seconds=0)
    key = models.info(Stage.CHAMPION).model_key
    assert [models.is_loadable(Stage.CHAMPION) for _ in range(3)] == [True, True, True]
    assert objects.bodies_read.count(key) == 1


def test_model_info_without_such_an_alias_is_503(objects: ObjectStore) -> None:
    mirror_model(objects)
    assert call("model_info", query={"stage": "challenger"})[0] == 503


def test_a_healthy_stack_says_so(objects: ObjectStore) -> None:
    mirror_model(objects)
    publish(objects)
    status, body, _ = call("healthcheck")
    assert (status, body["status"]) == (200, "ok")
    assert body["checks"] == {"task_store": "ok", "data_release": "ok", "model": "ok", "inference_queue": "ok"}
    assert body["memory_usage_mb"] > 0


def test_what_is_not_there_yet_is_named_and_does_not_make_it_unhealthy(objects: ObjectStore) -> None:
    status, body, _ = call("healthcheck")
    assert (status, body["status"]) == (200, "ok")
    assert body["checks"]["model"] == "model_unavailable"
    assert body["checks"]["data_release"] == "release_unavailable"


def test_without_its_task_store_the_service_is_degraded(objects: ObjectStore) -> None:
    boto3.client("dynamodb").delete_table(TableName="tasks")
    status, body, _ = call("healthcheck")
    assert (status, body["status"], body["checks"]["task_store"]) == (503, "degraded", "task_store_unavailable")


def test_queues_are_counted(objects: ObjectStore) -> None:
    assert call("queues", headers=OPERATOR)[1]["inference"]["waiting"] == 0
    call("predict_async", body={"match_id": 1, "features": {"diff_elo": 1.0, "sex": 0}})
    body = call("queues", headers=OPERATOR)[1]
    assert body["inference"]["waiting"] == 1
    assert body["inference"]["oldest_age_seconds"] >= 0
    assert body["dead_letters"]["waiting"] == 0


def test_drift_is_null_before_any_report(objects: ObjectStore) -> None:
    assert call("drift", headers=OPERATOR)[1]["drift_score"] is None


def test_the_latest_drift_report_is_answered_and_refreshes_the_gauge(
    objects: ObjectStore, printed: pytest.CaptureFixture[str]
) -> None:
    report = {"drift_score": 0.25, "number_of_columns": 4, "drift_by_columns": {}}
    objects.put("reports/drift/latest.json", json.dumps(report).encode())
    body = call("drift", headers=OPERATOR)[1]
    assert (body["drift_score"], body["drift_by_columns"]) == (0.25, {})
    (gauge,) = [line for line in printed.readouterr().out.splitlines() if "FeatureDriftScore" in line]
    assert json.loads(gauge)["FeatureDriftScore"] == 0.25


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"drift_score": "high"}'])
def test_a_drift_report_that_cannot_be_read_is_503(objects: ObjectStore, body: bytes) -> None:
    objects.put("reports/drift/latest.json", body)
    status, answer, _ = call("drift", headers=OPERATOR)
    assert (status, answer["message"].split(":")[0]) == (503, "the latest drift report is malformed")


@pytest.mark.parametrize("function", [e.function for e in ENDPOINTS if e.access is Access.OPERATOR])
def test_operator_routes_demand_an_operator_key(aws: None, function: str) -> None:
    assert call(function)[0] == 401
    assert call(function, headers={"x-api-key": "wrong"})[0] == 401
    assert call(function, headers=CLIENT)[0] == 403


def test_client_routes_demand_a_key_where_the_stack_says_so(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_KEY_REQUIRED", "true")
    wiring.settings.cache_clear()
    mirror_model(objects)
    body: dict[str, Any] = {"match_id": 1, "features": {"diff_elo": 1.0, "sex": 0}}
    assert call("predict", body=body)[0] == 401
    for key in ("client-key", "old-client-key", "operator-key"):
        assert call("predict", body=body, headers={"X-API-Key": key})[0] == 200


def test_a_rotated_key_is_taken_without_a_new_sandbox(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS_CHECK_SECONDS", "0")
    assert call("drift", headers={"x-api-key": "new-key"})[0] == 401
    boto3.client("secretsmanager").put_secret_value(
        SecretId="soccer-test/api-keys", SecretString=json.dumps({"operator": ["new-key", "operator-key"]})
    )
    assert call("drift", headers={"x-api-key": "new-key"})[0] == 200
    assert call("drift", headers=OPERATOR)[0] == 200


def test_without_its_secret_an_operator_route_is_503_and_stays_closed(aws: None) -> None:
    boto3.client("secretsmanager").delete_secret(SecretId="soccer-test/api-keys", ForceDeleteWithoutRecovery=True)
    assert call("drift", headers=OPERATOR)[0] == 503


def test_a_key_is_never_logged(aws: None, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="soccer-predictions"):
        call("drift", headers=OPERATOR)
        call("drift", headers={"x-api-key": "a-wrong-secret"})
    printed = capsys.readouterr()
    everything = printed.out + printed.err + "".join(str(vars(record)) for record in caplog.records)
    assert "operator-key" not in everything
    assert "a-wrong-secret" not in everything


def test_an_unexpected_error_is_a_500_that_leaks_nothing(
    aws: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def info(self, stage: object) -> object:
            raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(wiring, "models", Broken)
    with caplog.at_level(logging.ERROR):
        status, body, headers = call("model_info")
    assert (status, body) == (
        500,
        {"statusCode": 500, "message": "internal error", "code": "internal_error", "detail": "internal error"},
    )
    assert headers["x-request-id"] == "request-1"
    assert any(record.exc_info for record in caplog.records)


def test_a_function_that_runs_out_of_time_answers_504_itself(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck:
        def current(self, stage: object) -> object:
            with contextlib.suppress(Exception):  # as libraries do that retry whatever happens
                time.sleep(30)
            raise AssertionError

    monkeypatch.setattr(wiring, "models", Stuck)
    event = make_event("predict", body={"match_id": 1, "features": {}})
    answer = app.predict(event, Context(milliseconds=600))
    assert answer["statusCode"] == 504
    assert json.loads(answer["body"])["statusCode"] == 504


def test_an_unknown_path_below_a_function_is_404(aws: None) -> None:
    status, body, _ = call("docs", path="/docs/../../etc/passwd")
    assert (status, body["statusCode"]) == (404, 404)


def test_every_documented_route_is_in_the_openapi_document(aws: None) -> None:
    status, body, _ = call("docs", path="/openapi.json")
    assert status == 200
    assert body["openapi"].startswith("3.1")
    canonical = {e.paths[0] for e in ENDPOINTS}
    assert {path.rstrip("/") for path in body["paths"]} >= canonical - {"/openapi.json"}


def test_every_answer_carries_the_security_headers(aws: None) -> None:
    headers = call("healthcheck")[2]
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" in headers


def test_a_request_is_logged_once_with_its_ids_and_counted_once(
    objects: ObjectStore, printed: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    mirror_model(objects)
    with caplog.at_level(logging.INFO):
        call("predict", body={"match_id": 42, "features": {"diff_elo": 1.0, "sex": 0}})
    (request,) = [vars(record) for record in caplog.records if record.message == "request"]
    assert request["match_id"] == 42
    assert request["model_run_id"] == "3f7a1c9d2e4b"
    assert request["status"] == "200"
    metrics = [json.loads(line) for line in printed.readouterr().out.splitlines() if "RequestLatency" in line]
    assert len(metrics) == 1
    assert (metrics[0]["status"], metrics[0]["stage"]) == ("200", "champion")
