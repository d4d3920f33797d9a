"""Requests and answers of the original system, as its clients know them: paths, bodies and names to the byte."""

import json
from typing import Any

import boto3
import pytest

import app
from chalicelib import wiring
from chalicelib.endpoints import ENDPOINTS
from chalicelib.storage.objects import ObjectStore
from tests.handlers.calling import call
from tests.support.builders import Context, make_event, make_odds, make_predictions, mirror_model, publish

# The original's request, with this test's model's features in place of the original's.
REQUEST = '{"match_id": 99, "features": {"diff_elo": 0.3, "home_rest_days": 0.6, "sex": 0}}'
OPERATOR = {"x-api-key": "operator-key"}
ROI = "region,bets,turnover,profit,roi,roi_ci_low,roi_ci_high,clv\nEngland,2,2.0,0.4,0.2,-1.0,1.4,\n"

PREDICTION = ["predicted_class", "probabilities", "model_version", "model_run_id", "features_computed_at"]
ROW = [
    "match_id", "home_team", "away_team", "match_date", "region", "league", "proba_home", "proba_draw", "proba_away",
    "predicted_class", "predicted_label", "is_future", "model_run_id", "model_stage", "outcome_1x2", "home_score",
    "away_score",
]  # fmt: skip
ODDS = [
    "match_id", "provider", "fonbet_event_id", "odds_home", "odds_draw", "odds_away", "margin", "suspended",
    "collected_at", "url",
]  # fmt: skip
CARD = {
    *ROW, "odds_home", "odds_draw", "odds_away", "implied_home", "implied_draw", "implied_away", "edge_home",
    "edge_draw", "edge_away", "value_bet", "status", "live_score", "region_roi", "is_correct", "fonbet_url",
}  # fmt: skip


@pytest.fixture
def filled(objects: ObjectStore) -> ObjectStore:
    """A stack with a model and a full release."""
    mirror_model(objects)
    publish(objects, predictions=make_predictions(5), odds=make_odds([1, 3]), region_roi=ROI, projections=[])
    return objects


def test_the_original_prediction_request_gets_the_original_answer(filled: ObjectStore) -> None:
    status, body, _ = call("predict", body=REQUEST)
    assert status == 200
    assert list(body) == ["match_id", "prediction"]
    assert list(body["prediction"]) == PREDICTION
    assert list(body["prediction"]["probabilities"]) == ["0", "1", "2"]
    assert type(body["match_id"]) is int
    assert type(body["prediction"]["predicted_class"]) is int
    assert sum(body["prediction"]["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert body["prediction"]["features_computed_at"] is None


def test_the_text_of_an_answer_is_the_originals_but_for_spaces(filled: ObjectStore) -> None:
    answer = app.predict(make_event("predict", body=REQUEST), Context())
    start = '{"match_id":99,"prediction":{"predicted_class":'
    end = '"model_version":"champion","model_run_id":"3f7a1c9d2e4b","features_computed_at":null}}'
    assert answer["body"].startswith(start)
    assert answer["body"].endswith(end)
    assert answer["headers"]["Content-Type"] == "application/json"


def test_an_accepted_task_is_polled_under_its_status_url(filled: ObjectStore) -> None:
    status, body, _ = call("predict_async", body=REQUEST)
    assert (status, list(body)) == (202, ["task_id", "status", "status_url"])
    assert (body["status"], body["status_url"]) == ("submitted", f"/monitoring/task_status/{body['task_id']}")
    assert call("task_status", path=body["status_url"])[1] == {"task_id": body["task_id"], "status": "pending"}
    (message,) = boto3.client("sqs").receive_message(QueueUrl=wiring.settings().inference_queue_url)["Messages"]
    app.inference({"Records": [{"messageId": "1", "body": message["Body"], "attributes": {}}]}, Context())
    ended = call("task_status", path=body["status_url"])[1]
    assert list(ended) == ["task_id", "status", "result"]
    assert list(ended["result"]) == PREDICTION


@pytest.mark.parametrize(
    ("function", "names"),
    [
        ("predictions", ROW),
        ("odds", ODDS),
        ("matches", ["match_id", "home_team", "away_team", "match_date", "region", "league", "sex"]),
        (
            "region_roi",
            [
                "region",
                "bets",
                "turnover",
                "profit",
                "roi",
                "roi_ci_low",
                "roi_ci_high",
                "clv",
                "clv_ci_low",
                "clv_ci_high",
            ],
        ),
    ],
)
def test_a_list_is_a_plain_array_of_rows_with_exactly_these_names(
    filled: ObjectStore, function: str, names: list[str]
) -> None:
    _, body, _ = call(function)
    assert type(body) is list
    assert [list(row) for row in body] == [names] * len(body)


def test_a_card_has_every_name_of_the_contract(filled: ObjectStore) -> None:
    for card in call("cards")[1]:
        assert set(card) >= CARD


def test_model_info_has_exactly_these_names(filled: ObjectStore) -> None:
    body = call("model_info")[1]
    assert list(body) == [
        "model_name", "model_version", "model_run_id", "loaded", "registered_version", "metrics", "params", "features"
    ]  # fmt: skip
    assert list(body["features"][0]) == ["name", "type", "required"]


def test_health_has_exactly_these_names(filled: ObjectStore) -> None:
    assert list(call("healthcheck")[1]) == ["status", "worker_id", "memory_usage_mb", "checks"]


@pytest.mark.parametrize(
    ("function", "event"),
    [
        ("predict_match", {"match_id": 999}),
        ("predict", {"body": "{"}),
        ("precomputed", {"match_id": 999}),
        ("task_status", {"task_id": "abc-123-def-456"}),
        ("queues", {}),
        ("cards", {"query": {"cursor": "x"}}),
    ],
)
def test_an_error_has_exactly_these_names(filled: ObjectStore, function: str, event: dict[str, Any]) -> None:
    status, body, headers = call(function, **event)
    assert list(body)[:2] == ["statusCode", "message"]
    assert set(body) <= {"statusCode", "message", "code", "detail", "details"}
    assert body["detail"] == body.get("details", body["message"])
    assert body["statusCode"] == status
    assert headers["x-request-id"] == "request-1"
    for fault in body.get("details", []):
        assert set(fault) == {"loc", "msg", "type"}


# Without metrics, whose every answer counts the call before.
PATHS = [
    (endpoint, path)
    for endpoint in ENDPOINTS
    for path in endpoint.paths
    if "{asset+}" not in path and endpoint.function != "metrics"
]


@pytest.mark.parametrize(("endpoint", "path"), PATHS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_path_answers_alike_with_and_without_its_trailing_slash(
    filled: ObjectStore, endpoint: Any, path: str
) -> None:
    parameters = {"match_id": 1, "task_id": "0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11"}
    plain = path.format(**parameters)
    body = REQUEST if endpoint.method == "POST" else None
    answers = []
    for actual in (plain, f"{plain}/"):
        answer = getattr(app, endpoint.function)(
            make_event(endpoint.function, path=actual, body=body, headers=OPERATOR), Context()
        )
        names = json.loads(answer["body"]).keys() if answer["body"].startswith("{") else None
        answers.append((answer["statusCode"], names, sorted(answer["headers"])))
    assert answers[0] == answers[1]
    # 422: the original prediction request is no body of the what-if.
    assert answers[0][0] in {200, 202, 404, 422}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("path", ["/predict/batch", "/predict/batch/"])
def test_there_is_no_batch_over_http(filled: ObjectStore, method: str, path: str) -> None:
    event = make_event("predict_match", path=path, match_id="batch")
    answer = app.predict_match({**event, "httpMethod": method}, Context())
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["code"]) == (404, "not_found")
