"""Synchronous and queued predictions through the functions."""

import json
from typing import Any

import boto3
import lightgbm
import pytest

import app
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.storage.objects import ObjectStore
from tests.handlers.calling import call
from tests.support.builders import Context, mirror_model, model_text, publish

FEATURES: dict[str, Any] = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}


def predict(features: dict[str, Any] | None = None, **event: Any) -> tuple[int, Any, dict[str, str]]:
    """POST /predict/ for match 99."""
    body = {"match_id": 99, "features": FEATURES if features is None else features}
    return call("predict", body=body, **event)


def test_a_prediction_equals_the_boosters_own(objects: ObjectStore) -> None:
    mirror_model(objects)
    status, body, headers = predict()
    expected = lightgbm.Booster(model_str=model_text()).predict([[80.0, 6.0, 0.0]])[0]
    assert status == 200
    assert list(body["prediction"]["probabilities"].values()) == pytest.approx(list(expected), abs=1e-12)
    assert body == {
        "match_id": 99,
        "prediction": {
            "predicted_class": 0,
            "probabilities": body["prediction"]["probabilities"],
            "model_version": "champion",
            "model_run_id": "3f7a1c9d2e4b",
            "features_computed_at": None,
        },
    }
    assert headers["x-request-id"] == "request-1"


def test_the_stage_chooses_the_model(objects: ObjectStore) -> None:
    mirror_model(objects)
    mirror_model(objects, Stage.CHALLENGER, run_id="another", seed=1)
    _, body, _ = predict(query={"stage": "challenger"})
    assert body["prediction"]["model_version"] == "challenger"
    assert body["prediction"]["model_run_id"] == "another"


def test_an_unknown_stage_is_422(objects: ObjectStore) -> None:
    status, body, _ = predict(query={"stage": "production"})
    assert status == 422
    assert body["details"][0]["loc"] == ["query", "stage"]


def test_without_a_registered_model_it_is_503_and_says_when_to_come_back(objects: ObjectStore) -> None:
    status, body, headers = predict()
    assert (status, body["statusCode"], headers["retry-after"]) == (503, 503, "5")


def test_a_missing_required_feature_is_422_and_named(objects: ObjectStore) -> None:
    mirror_model(objects)
    status, body, _ = predict({"home_rest_days": 6.0})
    assert status == 422
    assert [fault["loc"] for fault in body["details"]] == [
        ["body", "features", "diff_elo"],
        ["body", "features", "sex"],
    ]
    assert "diff_elo" in body["message"]


@pytest.mark.parametrize("features", [{"diff_elo": 80.0, "home_rest_days": None, "sex": 0}, {"diff_elo": 80, "sex": 0}])
def test_an_optional_feature_may_be_null_or_left_out(objects: ObjectStore, features: dict[str, Any]) -> None:
    mirror_model(objects)
    assert predict(features)[0] == 200


def test_null_for_a_required_feature_is_422(objects: ObjectStore) -> None:
    mirror_model(objects)
    status, body, _ = predict({**FEATURES, "diff_elo": None})
    assert status == 422
    assert body["details"][0]["type"] == "null_not_allowed"


@pytest.mark.parametrize("value", ["80", True, [80], {"a": 1}])
def test_a_feature_that_is_no_number_is_422(objects: ObjectStore, value: Any) -> None:
    mirror_model(objects)
    status, body, _ = predict({**FEATURES, "diff_elo": value})
    assert status == 422
    assert body["details"][0]["loc"][:3] == ["body", "features", "diff_elo"]


def test_features_are_not_optional_here(objects: ObjectStore) -> None:
    mirror_model(objects)
    status, body, _ = call("predict", body={"match_id": 1})
    assert (status, body["details"][0]["loc"]) == (422, ["body", "features"])


def test_a_fraction_for_an_integer_feature_is_422(objects: ObjectStore) -> None:
    mirror_model(objects)
    status, body, _ = predict({**FEATURES, "sex": 0.5})
    assert (status, body["details"][0]["type"]) == (422, "sex_range")


def test_an_unknown_feature_is_ignored_and_listed(objects: ObjectStore) -> None:
    mirror_model(objects)
    status, _, headers = predict({**FEATURES, "wind": 3, "Änderung\r\nSet-Cookie: x": 1})
    assert status == 200
    assert headers["x-ignored-features"] == "wind,?nderung??Set-Cookie:?x"


def test_contributions_add_up_to_the_raw_scores(objects: ObjectStore) -> None:
    mirror_model(objects)
    _, body, _ = predict(query={"explain": "true"})
    booster = lightgbm.Booster(model_str=model_text())
    expected = booster.predict([[80.0, 6.0, 0.0]], pred_contrib=True)[0][:3]
    by_feature = {row["feature"]: row["home"] for row in body["contributions"]}
    assert [by_feature[name] for name in booster.feature_name()] == pytest.approx(list(expected))


def test_a_match_of_the_release_is_predicted_from_its_features(objects: ObjectStore) -> None:
    mirror_model(objects)
    publish(objects)
    status, body, _ = call("predict_match", match_id=2)
    expected = lightgbm.Booster(model_str=model_text()).predict([[40.0, float("nan"), 0.0]])[0]
    assert status == 200
    assert list(body["prediction"]["probabilities"].values()) == pytest.approx(list(expected), abs=1e-12)
    assert body["prediction"]["features_computed_at"] == "2024-05-01T12:00:00Z"


def test_a_match_that_is_not_in_the_release_is_404(objects: ObjectStore) -> None:
    mirror_model(objects)
    publish(objects)
    assert call("predict_match", match_id=4)[0] == 404


def test_a_match_before_any_release_is_503(objects: ObjectStore) -> None:
    mirror_model(objects)
    assert call("predict_match", match_id=1)[0] == 503


@pytest.mark.parametrize("match_id", ["abc", "-1", "0", "1.5", "..%2f..%2fetc", "99999999999999999999999"])
def test_a_match_id_that_is_none_is_422(objects: ObjectStore, match_id: str) -> None:
    assert call("predict_match", match_id=match_id)[0] == 422


def drain() -> list[dict[str, Any]]:
    """What the event source mapping does: receive and hand to the inference function."""
    sqs = boto3.client("sqs", region_name="us-east-1")
    url = wiring.settings().inference_queue_url
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    records = [{"messageId": m["MessageId"], "body": m["Body"], "attributes": {}} for m in messages]
    failures: list[dict[str, Any]] = app.inference({"Records": records}, Context())["batchItemFailures"]
    return failures


def test_a_queued_prediction_ends_with_the_synchronous_answer(objects: ObjectStore) -> None:
    mirror_model(objects)
    status, accepted, _ = call("predict_async", body={"match_id": 99, "features": FEATURES})
    assert (status, accepted["status"]) == (202, "submitted")
    task_id = accepted["task_id"]
    assert accepted["status_url"] == f"/monitoring/task_status/{task_id}"
    assert call("task_status", task_id=task_id)[1] == {"task_id": task_id, "status": "pending"}
    assert drain() == []
    assert call("task_status", task_id=task_id)[1] == {
        "task_id": task_id,
        "status": "success",
        "result": predict()[1]["prediction"],
    }


def test_a_queued_prediction_without_features_takes_those_of_the_release(objects: ObjectStore) -> None:
    mirror_model(objects)
    publish(objects)
    task_id = call("predict_async", body={"match_id": 1})[1]["task_id"]
    drain()
    result = call("task_status", task_id=task_id)[1]["result"]
    assert result == call("predict_match", match_id=1)[1]["prediction"]


def test_queueing_a_match_that_is_not_in_the_release_is_404(objects: ObjectStore) -> None:
    publish(objects)
    assert call("predict_async", body={"match_id": 77})[0] == 404


def test_features_that_the_model_rejects_end_the_task_as_failed_at_once(objects: ObjectStore) -> None:
    # Accepted while there was no model to check it with.
    task_id = call("predict_async", body={"match_id": 99, "features": {"sex": 0}})[1]["task_id"]
    mirror_model(objects)
    assert drain() == []
    status = call("task_status", task_id=task_id)[1]
    assert (status["status"], status["error"]["type"]) == ("failed", "features_rejected")


def test_without_a_model_the_messages_are_retried(objects: ObjectStore) -> None:
    task_id = call("predict_async", body={"match_id": 99, "features": FEATURES})[1]["task_id"]
    assert len(drain()) == 1
    assert call("task_status", task_id=task_id)[1]["status"] == "pending"


def test_the_same_key_and_body_answer_the_same_task(objects: ObjectStore) -> None:
    body = {"match_id": 99, "features": FEATURES}
    first = call("predict_async", body=body, headers={"idempotency-key": "k1"})[1]
    repeated = call("predict_async", body=json.dumps(body, indent=2), headers={"idempotency-key": "k1"})[1]
    assert first == repeated


def test_the_same_key_with_another_body_is_409(objects: ObjectStore) -> None:
    call("predict_async", body={"match_id": 99, "features": FEATURES}, headers={"idempotency-key": "k1"})
    status, _, _ = call("predict_async", body={"match_id": 98, "features": FEATURES}, headers={"idempotency-key": "k1"})
    assert status == 409


@pytest.mark.parametrize("task_id", ["0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11", "nonsense", "key#abc", "a" * 150])
def test_a_task_never_issued_is_404(objects: ObjectStore, task_id: str) -> None:
    assert call("task_status", task_id=task_id)[0] == 404


def test_a_dead_letter_ends_its_task_as_failed(objects: ObjectStore) -> None:
    accepted = call("predict_async", body={"match_id": 99, "features": FEATURES})[1]
    record = {"messageId": "m1", "body": json.dumps({"task_id": accepted["task_id"]}), "attributes": {}}
    app.dead_letters({"Records": [record, {"messageId": "m2", "body": "not json"}]}, Context())
    status = call("task_status", task_id=accepted["task_id"])[1]
    assert (status["status"], status["error"]["type"]) == ("failed", "dead_letter")


def test_the_inference_function_answers_a_ping(aws: None) -> None:
    assert app.inference({"ping": True}, Context()) == {"pong": True}
