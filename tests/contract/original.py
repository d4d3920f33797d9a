"""The description of the original system, row by row, as a client written against it relies on it.

Each row asserts what the original did. `test_original_clients.py` runs all of them: a row fails only where CHANGELOG.md
names the difference.
"""

import base64
import gzip
import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
import pytest

import app
from chalicelib import wiring
from chalicelib.access.throttle import KeyThrottle
from chalicelib.storage.objects import ObjectStore
from tests.handlers.calling import call
from tests.handlers.conftest import forget_wiring
from tests.support.builders import Context, make_event

FEATURES = {"diff_elo": 0.3, "home_rest_days": 0.6, "sex": 0}
# The original's request, with this test's model's features in place of the original's.
REQUEST = {"match_id": 99, "features": FEATURES}
OPERATOR = {"x-api-key": "operator-key"}
NO_NUMBERS: tuple[Any, ...] = ("1", True, [])
OUTCOMES = ("home", "draw", "away")


@dataclass(frozen=True)
class Stack:
    """What rows are asked of: 120 matches with odds, a champion, no challenger."""

    objects: ObjectStore
    patch: pytest.MonkeyPatch


@dataclass(frozen=True)
class Row:
    """One line of the description.

    Args:
        endpoint: Method and path, or `every endpoint`.
        part: What of it.
        holds: Raises AssertionError where it does not.
    """

    endpoint: str
    part: str
    holds: Callable[[Stack], None]


ROWS: list[Row] = []
FUNCTIONS = {
    "POST /predict/": "predict",
    "GET /predict/{match_id}": "predict_match",
    "POST /predict/async/": "predict_async",
    "GET /predict/precomputed/{match_id}": "precomputed",
    "GET /predict/predictions/": "predictions",
    "GET /predict/matches/": "matches",
    "GET /predict/odds/": "odds",
    "GET /predict/cards/": "cards",
    "GET /predict/region-roi/": "region_roi",
    "GET /predict/model/info": "model_info",
    "GET /monitoring/task_status/{task_id}": "task_status",
    "GET /healthcheck/": "healthcheck",
    "GET /metrics": "metrics",
    "GET /monitoring/queues": "queues",
    "GET /monitoring/workers": "workers",
    "GET /monitoring/drift": "drift",
    "GET /openapi.json": "docs",
    "GET /docs": "docs",
    "GET /ui/": "ui",
}
LISTS = [
    "GET /predict/predictions/",
    "GET /predict/matches/",
    "GET /predict/odds/",
    "GET /predict/cards/",
    "GET /predict/region-roi/",
]
POSTED = ["POST /predict/", "POST /predict/async/"]
CLIENT_ROUTES = [*POSTED, "GET /predict/{match_id}"]
OPERATOR_ROUTES = ["GET /metrics", "GET /monitoring/queues", "GET /monitoring/workers", "GET /monitoring/drift"]


def row(part: str, *endpoints: str) -> Callable[[Callable[[Stack, str], None]], Callable[[Stack, str], None]]:
    """Describe a part of these endpoints by a function that gets the stack and the endpoint's function."""

    def describe(holds: Callable[[Stack, str], None]) -> Callable[[Stack, str], None]:
        for endpoint in endpoints:
            function = FUNCTIONS.get(endpoint, endpoint)
            ROWS.append(Row(endpoint, part, lambda stack, function=function: holds(stack, function)))  # type: ignore[misc]
        return holds

    return describe


def asked(function: str) -> dict[str, Any]:
    """A request that the original answered with success."""
    if function in {"predict", "predict_async"}:
        return {"body": REQUEST}
    if function in {"predict_match", "precomputed"}:
        return {"match_id": 1}
    return {}


@contextmanager
def setting(stack: Stack, name: str, value: str) -> Iterator[None]:
    """Functions that start with another value of a setting."""
    with stack.patch.context() as patch:
        patch.setenv(name, value)
        forget_wiring()
        try:
            yield
        finally:
            forget_wiring()


def drained() -> None:
    """Let the inference function work on all that is queued."""
    sqs, queue = boto3.client("sqs"), wiring.settings().inference_queue_url
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            record = {"messageId": "1", "body": message["Body"], "attributes": {}}
            app.inference({"Records": [record]}, Context())
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


# ── Kinds of values ─────────────────────────────────────────────────────────────────────────────────

Kind = Callable[[Any], bool]


def whole(value: Any) -> bool:
    return type(value) is int


def number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def text(value: Any) -> bool:
    return type(value) is str


def truth(value: Any) -> bool:
    return type(value) is bool


def share(value: Any) -> bool:
    return number(value) and 0 <= value <= 1


def utc(value: Any) -> bool:
    return text(value) and value.endswith("Z") and datetime.fromisoformat(value).tzinfo is not None


def one_of(*values: Any) -> Kind:
    return lambda value: value in values


def or_null(kind: Kind) -> Kind:
    return lambda value: value is None or kind(value)


PREDICTION: dict[str, Kind] = {
    "predicted_class": one_of(0, 1, 2),
    "probabilities": lambda value: list(value) == ["0", "1", "2"] and all(map(share, value.values())),
    "model_version": text,
    "model_run_id": text,
    "features_computed_at": or_null(utc),
}
MATCH: dict[str, Kind] = {
    "match_id": whole, "home_team": text, "away_team": text, "match_date": or_null(utc), "region": text, "league": text
}  # fmt: skip
PREDICTION_ROW: dict[str, Kind] = {
    **MATCH,
    "proba_home": share, "proba_draw": share, "proba_away": share,
    "predicted_class": one_of(0, 1, 2), "predicted_label": one_of(*OUTCOMES), "is_future": truth,
    "model_run_id": text, "model_stage": text,
    "outcome_1x2": one_of(*OUTCOMES, None), "home_score": or_null(whole), "away_score": or_null(whole),
}  # fmt: skip
ROI_ROW: dict[str, Kind] = {
    "region": text, "bets": whole, "turnover": number, "profit": number, "roi": or_null(number),
    "roi_ci_low": or_null(number), "roi_ci_high": or_null(number),
}  # fmt: skip
ANSWERS: dict[str, dict[str, Kind]] = {
    "predict": {"match_id": whole, "prediction": lambda value: fits(value, PREDICTION)},
    "predict_match": {"match_id": whole, "prediction": lambda value: fits(value, PREDICTION)},
    "predict_async": {"task_id": text, "status": one_of("submitted"), "status_url": text},
    "precomputed": PREDICTION_ROW,
    "predictions": PREDICTION_ROW,
    "matches": {**MATCH, "sex": one_of(0, 1)},
    "odds": {
        "match_id": whole, "provider": text, "fonbet_event_id": or_null(text), "odds_home": or_null(number),
        "odds_draw": or_null(number), "odds_away": or_null(number), "margin": or_null(number), "suspended": truth,
        "collected_at": utc, "url": or_null(text),
    },
    "region_roi": ROI_ROW,
    "cards": {
        **PREDICTION_ROW,
        **{f"{kind}_{side}": or_null(number) for kind in ("odds", "implied", "edge") for side in OUTCOMES},
        "value_bet": one_of(*OUTCOMES, None), "status": one_of("upcoming", "live", "finished"),
        "live_score": or_null(text), "region_roi": or_null(number), "is_correct": or_null(truth),
        "fonbet_url": or_null(text),
    },
    "model_info": {
        "model_name": one_of("soccer_model"), "model_version": text, "model_run_id": text, "loaded": truth,
        "registered_version": text, "metrics": lambda value: all(map(number, value.values())),
        "params": lambda value: all(map(text, value.values())),
        "features": lambda value: all(list(feature) == ["name", "type", "required"] for feature in value),
    },
    "healthcheck": {
        "status": one_of("ok"), "worker_id": text, "memory_usage_mb": number,
        "checks": lambda value: {"task_store", "data_release"} <= value.keys(),
    },
    "queues": {"active": whole, "scheduled": whole, "reserved": whole},
    "workers": {"active": whole, "scheduled": whole, "reserved": whole},
    "drift": {"drift_score": or_null(number)},
}  # fmt: skip


def fits(value: Any, kinds: dict[str, Kind]) -> bool:
    """Whether an object has all of these fields, each of its kind."""
    wrong = {name for name, kind in kinds.items() if name not in value or not kind(value[name])}
    assert not wrong, {name: value.get(name, "missing") for name in wrong}
    return True


# ── Every endpoint ──────────────────────────────────────────────────────────────────────────────────


@row("status, content type and request id of a success", *FUNCTIONS)
def _succeeds(stack: Stack, function: str) -> None:
    for endpoint, name in FUNCTIONS.items():
        if name == function and function != "task_status":
            path = endpoint.split(" ")[1] if function == "docs" else None
            event = make_event(function, **{"path": path, **asked(function)}, headers=OPERATOR)
            answer = getattr(app, function)(event, Context())
            assert answer["statusCode"] == (202 if function == "predict_async" else 200), answer["body"]
            kind = {"metrics": "text/plain", "/docs": "text/html", "ui": "text/html"}.get(path or function)
            assert answer["headers"]["Content-Type"].startswith(kind or "application/json")
            assert answer["headers"]["x-request-id"] == "request-1"


@row("fields and their types", *(endpoint for endpoint, function in FUNCTIONS.items() if function in ANSWERS))
def _has_its_fields(stack: Stack, function: str) -> None:
    body = call(function, **asked(function), headers=OPERATOR)[1]
    rows = body if isinstance(body, list) else [body]
    assert rows
    for item in rows:
        assert fits(item, ANSWERS[function])


@row("order of the fields", *POSTED, "GET /predict/{match_id}", "GET /predict/precomputed/{match_id}", *LISTS[:3],
     "GET /predict/model/info", "GET /healthcheck/")  # fmt: skip
def _names_fields_in_order(stack: Stack, function: str) -> None:
    body = call(function, **asked(function))[1]
    assert list(body[0] if isinstance(body, list) else body) == list(ANSWERS[function])


@row("with and without the trailing slash", *FUNCTIONS)
def _answers_both_paths(stack: Stack, function: str) -> None:
    for endpoint, name in FUNCTIONS.items():
        if name == function:
            plain = endpoint.split(" ")[1].rstrip("/").format(match_id=1, task_id="0" * 36)
            answers = [
                getattr(app, function)(
                    make_event(function, **{**asked(function), "path": path}, headers=OPERATOR), Context()
                )
                for path in (plain, f"{plain}/")
            ]
            assert answers[0]["statusCode"] == answers[1]["statusCode"]
            assert answers[0]["headers"].keys() == answers[1]["headers"].keys()


@row("`detail` of an error", "every endpoint")
def _errors_have_detail(stack: Stack, _: str) -> None:
    assert type(call("precomputed", match_id=999)[1]["detail"]) is str
    (fault,) = call("predict", body={"features": {}})[1]["detail"]
    assert (fault["loc"], fault["type"], type(fault["msg"])) == (["body", "match_id"], "missing", str)


@row("error body", "every endpoint")
def _errors_have_detail_only(stack: Stack, _: str) -> None:
    assert set(call("precomputed", match_id=999)[1]) == {"detail"}


@row("query parameter that is not known", "every endpoint")
def _ignores_unknown_parameters(stack: Stack, _: str) -> None:
    assert call("odds", query={"verbose": "1"})[0] == 200


@row("query parameter `token`", "every endpoint")
def _takes_token(stack: Stack, _: str) -> None:
    assert call("drift", query={"token": "operator-key"})[0] == 200


@row("query parameter given twice", "every endpoint")
def _takes_the_last_of_two(stack: Stack, _: str) -> None:
    twice = {"queryStringParameters": {"stage": "champion"}, "multiValueQueryStringParameters": {"stage": ["x"] * 2}}
    assert app.model_info({**make_event("model_info"), **twice}, Context())["statusCode"] == 200


@row("request rate", "every endpoint")
def _serves_any_rate(stack: Stack, _: str) -> None:
    throttle = KeyThrottle(rate=1, burst=1)
    with stack.patch.context() as patch:
        patch.setattr(wiring, "key_throttle", lambda: throttle)
        assert [call("drift", headers=OPERATOR)[0] for _ in range(3)] == [200] * 3


@row("no API key", *CLIENT_ROUTES)
def _needs_no_client_key(stack: Stack, function: str) -> None:
    with setting(stack, "CLIENT_KEY_REQUIRED", "true"):
        assert call(function, **asked(function))[0] < 400


@row("no API key", *OPERATOR_ROUTES)
def _needs_no_operator_key(stack: Stack, function: str) -> None:
    assert call(function)[0] == 200


@row("answer packed with gzip for callers that accept it", "GET /predict/cards/")
def _packs(stack: Stack, function: str) -> None:
    event = make_event(function, headers={"accept-encoding": "gzip"})
    answer = app.cards(event, Context())
    assert (answer["headers"]["Content-Encoding"], answer["isBase64Encoded"]) == ("gzip", True)
    assert json.loads(gzip.decompress(base64.b64decode(answer["body"]))) == call("cards")[1]


# ── Predictions ─────────────────────────────────────────────────────────────────────────────────────


@row("text of the answer", "POST /predict/")
def _answers_this_text(stack: Stack, _: str) -> None:
    body = app.predict(make_event("predict", body=REQUEST), Context())["body"]
    pattern = (
        r'\{"match_id":99,"prediction":\{"predicted_class":[012],"probabilities":\{"0":0\.\d+,"1":0\.\d+,"2":0\.\d+\},'
        r'"model_version":"\w+","model_run_id":"3f7a1c9d2e4b","features_computed_at":null\}\}'
    )
    assert re.fullmatch(pattern, body)


@row("probabilities sum to 1, the class is the largest", "POST /predict/", "GET /predict/{match_id}")
def _predicts_the_most_probable(stack: Stack, function: str) -> None:
    prediction = call(function, **asked(function))[1]["prediction"]
    shares = list(prediction["probabilities"].values())
    assert math.isclose(sum(shares), 1, abs_tol=1e-6)
    assert prediction["predicted_class"] == shares.index(max(shares))


@row("`features_computed_at` is the release's time", "GET /predict/{match_id}")
def _dates_its_features(stack: Stack, _: str) -> None:
    assert call("predict_match", match_id=1)[1]["prediction"]["features_computed_at"] == "2024-05-01T12:00:00Z"


@row("`stage` chooses the model; `Production` is the default", "POST /predict/", "GET /predict/{match_id}",
     "GET /predict/model/info")  # fmt: skip
def _takes_stages(stack: Stack, function: str) -> None:
    default = call(function, **asked(function))[1]
    for stage in ("champion", "Production"):
        assert call(function, **asked(function), query={"stage": stage})[1] == default
    for stage in ("challenger", "Staging"):
        status, body, headers = call(function, **asked(function), query={"stage": stage})
        assert (status, headers["retry-after"].isdigit(), type(body["detail"])) == (503, True, str)
    assert call(function, **asked(function), query={"stage": "best"})[0] == 422


@row("`model_version`", "POST /predict/", "GET /predict/{match_id}", "GET /predict/model/info")
def _names_the_stage_production(stack: Stack, function: str) -> None:
    body = call(function, **asked(function))[1]
    assert body.get("prediction", body)["model_version"] == "Production"


@row("`model_version`", "GET /monitoring/task_status/{task_id}")
def _names_the_stage_of_a_task_production(stack: Stack, _: str) -> None:
    accepted = call("predict_async", body=REQUEST)[1]
    drained()
    result = call("task_status", path=accepted["status_url"])[1]["result"]
    assert result["model_version"] == "Production"


@row("unknown match", "GET /predict/{match_id}", "GET /predict/precomputed/{match_id}")
def _does_not_know_a_match(stack: Stack, function: str) -> None:
    assert call(function, match_id=999)[0] == 404


@row("unknown match", "POST /predict/async/")
def _does_not_know_a_match_without_features(stack: Stack, function: str) -> None:
    assert call(function, body={"match_id": 999})[0] == 404


@row("`match_id` below 1 or from 2^53", "GET /predict/{match_id}", "GET /predict/precomputed/{match_id}")
def _does_not_know_a_strange_match(stack: Stack, function: str) -> None:
    assert [call(function, match_id=match_id)[0] for match_id in (0, -1, 2**53)] == [404] * 3


@row("`match_id` below 1 or from 2^53", *POSTED)
def _takes_any_match_id(stack: Stack, function: str) -> None:
    found = [call(function, body={**REQUEST, "match_id": match_id})[0] for match_id in (0, -1, 2**53)]
    assert all(status < 400 for status in found)


@row("more than 1,000 features, or names of more than 200 characters", *POSTED)
def _takes_any_number_of_features(stack: Stack, function: str) -> None:
    for unknown in ({f"f{i}": 0 for i in range(1_001)}, {"n" * 201: 0}):
        assert call(function, body={"match_id": 99, "features": {**FEATURES, **unknown}})[0] < 400


@row("`sex` other than 0 or 1", *POSTED)
def _takes_any_sex(stack: Stack, function: str) -> None:
    assert call(function, body={"match_id": 99, "features": {**FEATURES, "sex": 2}})[0] < 400


@row("body over 64 KiB", *POSTED)
def _takes_a_large_body(stack: Stack, function: str) -> None:
    assert call(function, body=json.dumps(REQUEST) + " " * 65_536)[0] < 400


@row("name given twice in a body", *POSTED)
def _takes_the_last_of_two_names(stack: Stack, function: str) -> None:
    assert call(function, body=json.dumps(REQUEST).replace("{", '{"match_id": 98, ', 1))[0] < 400


@row("body that is not `application/json`", *POSTED)
def _refuses_a_form(stack: Stack, function: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert call(function, body="match_id=99", headers=headers)[0] == 422


@row("bodies and features that are refused", *POSTED)
def _refuses(stack: Stack, function: str) -> None:
    wrong = [
        "{", "[]", "null", {"features": FEATURES}, {**REQUEST, "match_id": "99"}, {**REQUEST, "match_id": 1.5},
        *({"match_id": 99, "features": {**FEATURES, "diff_elo": refused}} for refused in NO_NUMBERS),
        json.dumps(REQUEST).replace("0.3", "NaN"), json.dumps(REQUEST).replace("0.3", "Infinity"),
    ]  # fmt: skip
    for body in wrong:
        assert call(function, body=body)[0] == 422, body


@row("a required feature that is missing or null is named", "POST /predict/")
def _names_what_is_missing(stack: Stack, function: str) -> None:
    for features in ({"sex": 0}, {"sex": 0, "diff_elo": None}):
        status, body, _ = call(function, body={"match_id": 99, "features": features})
        assert (status, "diff_elo" in json.dumps(body["detail"])) == (422, True)


@row("an optional feature may be null or left out; unknown ones are named in `x-ignored-features`", "POST /predict/")
def _takes_what_is_optional(stack: Stack, function: str) -> None:
    for optional in ({}, {"home_rest_days": None}):
        assert call(function, body={"match_id": 99, "features": {"diff_elo": 1, "sex": 0, **optional}})[0] == 200
    status, _, headers = call(function, body={"match_id": 99, "features": {**FEATURES, "wind": 1, "rain": 0}})
    assert (status, set(headers["x-ignored-features"].split(","))) == (200, {"wind", "rain"})


@row("no batch over HTTP", "POST /predict/")
def _has_no_batch(stack: Stack, _: str) -> None:
    for path in ("/predict/batch", "/predict/batch/"):
        for method in ("GET", "POST"):
            event = {**make_event("predict_match", path=path, match_id="batch"), "httpMethod": method}
            assert app.predict_match(event, Context())["statusCode"] == 404


# ── Queued predictions ──────────────────────────────────────────────────────────────────────────────


@row("`status_url` leads to the task: pending, then success with the prediction", "POST /predict/async/",
     "GET /monitoring/task_status/{task_id}")  # fmt: skip
def _ends(stack: Stack, _: str) -> None:
    for body in (REQUEST, {"match_id": 1}):
        accepted = call("predict_async", body=body)[1]
        assert accepted["status_url"] == f"/monitoring/task_status/{accepted['task_id']}"
        pending = call("task_status", path=accepted["status_url"])[1]
        assert pending == {"task_id": accepted["task_id"], "status": "pending"}
        drained()
        ended = call("task_status", path=accepted["status_url"])[1]
        assert (list(ended), ended["status"]) == (["task_id", "status", "result"], "success")
        assert fits(ended["result"], PREDICTION)
        assert (ended["result"]["features_computed_at"] is None) == ("features" in body)


@row("a task that fails carries `error` with `type` and `message`", "GET /monitoring/task_status/{task_id}")
def _fails(stack: Stack, _: str) -> None:
    accepted = call("predict_async", body=REQUEST)[1]
    wiring.tasks().fail(accepted["task_id"], "features_rejected", "no good", wiring.real_now())
    ended = call("task_status", path=accepted["status_url"])[1]
    assert ended == {
        "task_id": accepted["task_id"], "status": "failed", "error": {"type": "features_rejected", "message": "no good"}
    }  # fmt: skip


@row("an id never issued", "GET /monitoring/task_status/{task_id}")
def _does_not_know_a_task(stack: Stack, function: str) -> None:
    for task_id in ("abc-123-def-456", "0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11"):
        assert call(function, task_id=task_id)[0] == 404


@row("`Idempotency-Key`: the same body the same task, another body 409", "POST /predict/async/")
def _knows_its_keys(stack: Stack, function: str) -> None:
    headers = {"idempotency-key": "order-1"}
    first, again = (call(function, body=REQUEST, headers=headers)[1] for _ in range(2))
    assert first == again
    assert call(function, body={"match_id": 1}, headers=headers)[0] == 409


@row("length of the queue", "POST /predict/async/")
def _takes_any_number_of_tasks(stack: Stack, function: str) -> None:
    with setting(stack, "MAX_BACKLOG", "1"):
        assert [call(function, body=REQUEST)[0] for _ in range(3)] == [202] * 3


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────


@row("rows without `limit`", *LISTS)
def _lists_everything(stack: Stack, function: str) -> None:
    assert "x-next-cursor" not in call(function)[2]


@row("a plain array, page by page with `limit` and `cursor`, each row once", *LISTS)
def _pages(stack: Stack, function: str) -> None:
    whole_list = call(function, query={"limit": "5000"})
    assert (type(whole_list[1]), "x-next-cursor" in whole_list[2]) == (list, False)
    rows: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        _, page, headers = call(function, query={"limit": "50", **cursor})
        rows += page
        if "x-next-cursor" not in headers:
            break
        cursor = {"cursor": headers["x-next-cursor"]}
    assert rows == whole_list[1]
    for limit in ("0", "5001", "x"):
        assert call(function, query={"limit": limit})[0] == 422


@row("`ETag` and `Last-Modified`; 304 for what is held", *LISTS)
def _knows_what_is_held(stack: Stack, function: str) -> None:
    _, _, headers = call(function)
    assert headers["last-modified"].endswith(" GMT")
    status, body, again = call(function, headers={"if-none-match": headers["etag"]})
    assert (status, body, again["etag"]) == (304, None, headers["etag"])


@row("`region` and `league`", *LISTS[:4])
def _filters_by_place(stack: Stack, function: str) -> None:
    whole_list = call(function, query={"limit": "5000"})[1]
    both = call(function, query={"region": "Spain", "league": "La Liga", "limit": "5000"})[1]
    assert [item["match_id"] for item in both] == [item["match_id"] for item in whole_list if not item["match_id"] % 2]
    assert call(function, query={"region": "Spain", "league": "Premier League"})[1] == []


@row("`region`", "GET /predict/region-roi/")
def _filters_returns(stack: Stack, function: str) -> None:
    assert [item["region"] for item in call(function, query={"region": "Region 7"})[1]] == ["Region 7"]


@row("`min_region_roi`", "GET /predict/region-roi/", "GET /predict/cards/")
def _filters_by_return(stack: Stack, function: str) -> None:
    rows = call(function, query={"min_region_roi": "0.15", "limit": "5000"})[1]
    assert {item["region"] for item in rows} == {"England"}


@row("`from` and `to`", *LISTS[:2], "GET /predict/cards/")
def _filters_by_kickoff(stack: Stack, function: str) -> None:
    query = {"from": "2024-05-03T12:00:00Z", "to": "2024-05-05T12:00:00Z", "limit": "5000"}
    assert [item["match_date"] for item in call(function, query=query)[1]] == [
        "2024-05-03T12:00:00Z", "2024-05-04T12:00:00Z"
    ]  # fmt: skip


@row("`status`", "GET /predict/predictions/", "GET /predict/odds/", "GET /predict/cards/")
def _filters_by_status(stack: Stack, function: str) -> None:
    found = {
        status: [item["match_id"] for item in call(function, query={"status": status, "limit": "5000"})[1]]
        for status in ("finished", "live", "upcoming")
    }
    everything = [item["match_id"] for item in call(function, query={"limit": "5000"})[1]]
    assert (found["finished"], found["live"], found["upcoming"]) == ([1], [2], everything[2:])


@row("upcoming matches only", "GET /predict/matches/")
def _lists_what_is_to_come(stack: Stack, function: str) -> None:
    assert len(call(function, query={"limit": "5000"})[1]) == 118


@row("`outcome_1x2` and scores once the match is over", "GET /predict/predictions/", "GET /predict/cards/")
def _shows_results(stack: Stack, function: str) -> None:
    first, second = call(function, query={"limit": "2"})[1]
    assert (first["outcome_1x2"], first["home_score"], first["away_score"]) == ("home", 2, 1)
    assert (second["outcome_1x2"], second["home_score"], second["away_score"]) == (None, None, None)


@row("`implied_*` without margin, `edge_*` = p·odds - 1, `is_correct`, null without a market", "GET /predict/cards/")
def _weighs_prices(stack: Stack, function: str) -> None:
    finished, live = call(function, query={"limit": "2"})[1]
    assert (finished["is_correct"], live["is_correct"]) == (True, None)
    assert math.isclose(sum(finished[f"implied_{side}"] for side in OUTCOMES), 1, abs_tol=1e-6)
    # 0.5 x 2.2 - 1, 0.25 x 3.4 - 1, 0.25 x 3.6 - 1
    edges = [finished[f"edge_{side}"] for side in OUTCOMES]
    assert all(math.isclose(*pair, abs_tol=1e-9) for pair in zip(edges, (0.1, -0.15, -0.1), strict=True))
    (unpriced,) = call(function, query={"match_id": "120"})[1]
    for kind in ("odds", "implied", "edge"):
        assert [unpriced[f"{kind}_{side}"] for side in OUTCOMES] == [None] * 3


@row("`value_bet` is the largest edge over the threshold; `value_only` leaves those", "GET /predict/cards/")
def _names_value_bets(stack: Stack, function: str) -> None:
    cards = call(function, query={"value_only": "true", "limit": "5000"})[1]
    assert [card["value_bet"] for card in cards] == ["home"] * 119


# ── Operations ──────────────────────────────────────────────────────────────────────────────────────


@row("the same at the path of Celery's time", "GET /monitoring/queues", "GET /monitoring/workers")
def _answers_at_the_old_path(stack: Stack, function: str) -> None:
    old = call(function, path=f"/monitoring/celery/{function}", headers=OPERATOR)
    assert (old[0], old[1].keys()) == (200, call(function, headers=OPERATOR)[1].keys())


@row("counts of waiting, in-flight, delayed and dead messages, and the age of the oldest", "GET /monitoring/queues")
def _counts_messages(stack: Stack, function: str) -> None:
    body = call(function, headers=OPERATOR)[1]
    for queue in ("inference", "dead_letters"):
        assert {"waiting", "in_flight", "delayed", "oldest_age_seconds"} <= body[queue].keys()


@row("state, last update, concurrency, event source mapping and ping of each", "GET /monitoring/workers")
def _describes_workers(stack: Stack, function: str) -> None:
    (worker,) = call(function, headers=OPERATOR)[1]["workers"]
    assert {"state", "last_update", "concurrency", "event_source_mapping", "ping"} <= worker.keys()


@row("null without a report", "GET /monitoring/drift")
def _has_no_drift_yet(stack: Stack, function: str) -> None:
    assert call(function, headers=OPERATOR)[1]["drift_score"] is None


@row("metric families", "GET /metrics")
def _exposes_metrics(stack: Stack, function: str) -> None:
    exposition = call(function, headers=OPERATOR)[1]
    families = set(re.findall(r"^# TYPE (\w+)", exposition, re.MULTILINE))
    assert families >= {
        "prediction_requests_total", "prediction_errors_total", "prediction_timeouts_total",
        "prediction_latency_seconds", "model_version_info", "inference_queue_messages", "inference_dead_letters",
        "feature_drift_score", "data_release_age_seconds", "cold_starts_total",
    }  # fmt: skip


@row("OpenAPI 3.1", "GET /openapi.json")
def _is_openapi(stack: Stack, function: str) -> None:
    assert call(function, path="/openapi.json")[1]["openapi"].startswith("3.1")


@row("503 with `Retry-After` while there is no release or model", *LISTS, "GET /predict/precomputed/{match_id}",
     "GET /predict/{match_id}", "GET /predict/model/info", "POST /predict/")  # fmt: skip
def _waits_for_data(stack: Stack, function: str) -> None:
    with emptied(stack):
        status, body, headers = call(function, **asked(function))
        assert (status, headers["retry-after"].isdigit(), type(body["detail"])) == (503, True, str)


@contextmanager
def emptied(stack: Stack) -> Iterator[None]:
    """A stack just deployed: no release, no model."""
    keys = ("releases/current.json", "models/champion/current.json")
    client = boto3.client("s3")
    held = {key: client.get_object(Bucket="data", Key=key)["Body"].read() for key in keys}
    for key in keys:
        client.delete_object(Bucket="data", Key=key)
    forget_wiring()
    try:
        yield
    finally:
        for key, content in held.items():
            client.put_object(Bucket="data", Key=key, Body=content)
        forget_wiring()


@row("500 and 504 are JSON and tell nothing of the inside", *CLIENT_ROUTES)
def _fails_in_its_own_words(stack: Stack, function: str) -> None:
    class Broken(Context):
        def get_remaining_time_in_millis(self) -> int:
            raise ZeroDivisionError("inside")

    event = make_event(function, **asked(function))
    for context, status in ((Broken(), 500), (Context(milliseconds=500.001), 504)):  # type: ignore[arg-type]
        answer = getattr(app, function)(event, context)
        assert (answer["statusCode"], "inside" in answer["body"]) == (status, False)
        assert type(json.loads(answer["body"])["detail"]) is str
