"""What a stranger meets first: reasons for refusals, misspelt parameters, other methods, absolute links."""

import json
import math
from pathlib import Path
from typing import Any

import boto3
import pytest

import app
from chalicelib import wiring
from chalicelib.access.throttle import WRONG_KEYS_AT_ONCE, KeyThrottle, WrongKeyThrottle
from chalicelib.api.request import source_address
from chalicelib.domain import Stage
from chalicelib.endpoints import ENDPOINTS
from chalicelib.storage.objects import ObjectStore
from tests.contract.documented import check
from tests.handlers.calling import call
from tests.support.builders import Context, make_event, make_odds, make_predictions, mirror_model, publish

FEATURES = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}
BODY = {"match_id": 99, "features": FEATURES}


def fill(objects: ObjectStore) -> None:
    """A model and a release."""
    mirror_model(objects)
    publish(objects, predictions=make_predictions(5), odds=make_odds([1, 3]))


@pytest.fixture
def filled(in_memory: ObjectStore) -> ObjectStore:
    """A stack with a model and a release."""
    fill(in_memory)
    return in_memory


def only_fault(body: Any) -> tuple[Any, str, str]:
    (fault,) = body["details"]
    return fault["loc"], fault["msg"], fault["type"]


# ── Reasons ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "loc", "message", "kind"),
    [
        ('{"match_id": 1, "features": {"a": NaN}}', ["features", "a"], "NaN is not a JSON number", "json_not_a_number"),
        (
            '{"match_id": -Infinity, "features": {}}',
            ["match_id"],
            "-Infinity is not a JSON number",
            "json_not_a_number",
        ),
        ('{"match_id": 1, "features": {"a": 1, "a": 2}}', ["features", "a"], "duplicate key", "json_duplicate_key"),
        ('{"x": [{}, {"y": 1, "y": 2}]}', ["x", 1, "y"], "duplicate key", "json_duplicate_key"),
        (f'{{"match_id": {"9" * 5_000}}}', ["match_id"], "a number of too many digits", "json_number_too_long"),
        ("[1]", [], "should be a JSON object, not an array", "json_object_type"),
        ('"text"', [], "should be a JSON object, not a string", "json_object_type"),
        ("7", [], "should be a JSON object, not a number", "json_object_type"),
        ('{"match_id": 1,}', [15], None, "json_invalid"),
        ("[" * 30_000, [], "nested too deeply", "json_too_deep"),
    ],
)
def test_a_bad_body_is_told_its_fault_and_where_it_is(
    filled: ObjectStore, body: str, loc: list[Any], message: str | None, kind: str
) -> None:
    status, answer, _ = call("predict", body=body)
    assert (status, answer["code"]) == (422, "invalid_request")
    found_loc, found_message, found_kind = only_fault(answer)
    assert (found_loc, found_kind) == (["body", *loc], kind)
    assert message is None or found_message == message


def test_every_fault_of_a_body_is_listed_in_the_order_of_the_text(filled: ObjectStore) -> None:
    body = '{"match_id": 1, "features": {"a": NaN, "b": Infinity, "c": 1, "c": 2}}'
    places = [fault["loc"][-1] for fault in call("predict", body=body)[1]["details"]]
    assert places == ["a", "b", "c"]


@pytest.mark.parametrize("value", [2, -1, 0.5, 7])
def test_a_sex_that_there_is_not_is_refused(filled: ObjectStore, value: float) -> None:
    for function in ("predict", "predict_async"):
        status, body, _ = call(function, body={"match_id": 99, "features": {**FEATURES, "sex": value}})
        assert (status, only_fault(body)[0]) == (422, ["body", "features", "sex"])


@pytest.mark.parametrize("value", ["application/json; Charset=utf-16", "application/json;CHARSET=latin-1"])
def test_the_charset_is_read_whatever_its_case(filled: ObjectStore, value: str) -> None:
    answer = app.predict(make_event("predict", body=BODY, headers={"content-type": value}), Context())
    assert answer["statusCode"] == 415


# ── Parameters ──────────────────────────────────────────────────────────────────────────────────────

API = [endpoint for endpoint in ENDPOINTS if endpoint.routes != "site"]


@pytest.mark.parametrize("endpoint", API, ids=lambda endpoint: endpoint.function)
def test_every_operation_refuses_a_parameter_it_does_not_take(filled: ObjectStore, endpoint: Any) -> None:
    parameters = {"match_id": 1, "task_id": "x"}
    named = {name: value for name, value in parameters.items() if f"{{{name}}}" in endpoint.path}
    event = {"headers": {"x-api-key": "operator-key"}, "query": {"no_such": "1"}, **named}
    status, body, _ = call(endpoint.function, body=BODY if endpoint.method == "POST" else None, **event)
    assert (status, only_fault(body)[0], only_fault(body)[2]) == (422, ["query", "no_such"], "unknown_parameter")


@pytest.mark.parametrize(
    ("function", "name", "advice"),
    [
        ("cards", "regoin", "did you mean region?"),
        ("cards", "Limit", "did you mean limit?"),
        ("predict", "explian", "did you mean explain?"),
        ("queues", "verbose", "takes no query parameters"),
        ("model_info", "token", "it takes stage"),
    ],
)
def test_the_nearest_parameter_is_named(filled: ObjectStore, function: str, name: str, advice: str) -> None:
    body = BODY if function == "predict" else None
    assert advice in only_fault(call(function, query={name: "x"}, body=body)[1])[1]


def test_a_filter_that_does_not_apply_is_refused_too(filled: ObjectStore) -> None:
    assert call("matches", query={"status": "finished"})[0] == 422


def test_a_page_takes_whatever_the_browser_keeps_in_its_address(filled: ObjectStore) -> None:
    assert app.ui(make_event("ui", path="/ui", query={"view": "finished"}), Context())["statusCode"] == 200


@pytest.mark.parametrize(("name", "stage"), [("Production", "champion"), ("Staging", "challenger")])
def test_the_former_stage_names_still_choose(filled: ObjectStore, name: str, stage: str) -> None:
    mirror_model(filled, Stage.CHALLENGER)
    status, body, _ = call("predict", body=BODY, query={"stage": name})
    assert (status, body["prediction"]["model_version"]) == (200, stage)


# ── Methods ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("function", ["cards", "precomputed", "model_info", "healthcheck", "docs", "ui"])
def test_head_is_get_without_the_body(filled: ObjectStore, function: str) -> None:
    event = make_event(function, match_id=1)
    got = getattr(app, function)(event, Context())
    asked = getattr(app, function)({**event, "httpMethod": "HEAD"}, Context())
    assert (got["statusCode"], asked["statusCode"], asked["body"]) == (200, 200, "")
    assert got["body"]
    assert asked["headers"].keys() == got["headers"].keys()


@pytest.mark.parametrize(
    ("function", "path", "parameters"),
    [
        ("predict_match", "/predict/batch/", {"match_id": "batch"}),
        ("predict_match", "/predict/nothing/", {"match_id": "nothing"}),
        ("docs", "/docs/nothing.js", {"asset": "nothing.js"}),
        ("ui", "/ui/nothing.js", {"asset": "nothing.js"}),
    ],
)
def test_options_of_a_path_that_does_not_exist_is_404(
    filled: ObjectStore, function: str, path: str, parameters: dict[str, str]
) -> None:
    event = {**make_event(function, path=path), "pathParameters": parameters, "httpMethod": "OPTIONS"}
    answer = getattr(app, function)(event, Context())
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "not_found")


def test_options_of_a_file_that_exists_lists_its_methods(filled: ObjectStore) -> None:
    event = {**make_event("ui", path="/ui/main.js"), "pathParameters": {"asset": "main.js"}, "httpMethod": "OPTIONS"}
    answer = app.ui(event, Context())
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_every_path_answers_alike_with_and_without_its_trailing_slash(filled: ObjectStore) -> None:
    for endpoint in ENDPOINTS:
        # Every answer of metrics counts the call before.
        for path in endpoint.paths if endpoint.function != "metrics" else ():
            plain = path.format(match_id=1, task_id="0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11", **{"asset+": "docs.css"})
            body = BODY if endpoint.method == "POST" else None
            answers = [
                getattr(app, endpoint.function)(
                    make_event(endpoint.function, path=actual, body=body, headers={"x-api-key": "operator-key"}),
                    Context(),
                )
                for actual in (plain, f"{plain}/")
            ]
            statuses = [answer["statusCode"] for answer in answers]
            assert statuses[0] == statuses[1] not in {405, 500}, path
            assert answers[0]["headers"].keys() == answers[1]["headers"].keys(), path


@pytest.mark.parametrize("path", ["/monitoring/celery/queues", "/monitoring/celery/queues/"])
def test_a_deprecated_path_says_so_and_what_takes_its_place(filled: ObjectStore, path: str) -> None:
    headers = {"x-api-key": "operator-key", "host": "api.example.org"}
    _, _, answered = call("queues", path=path, headers=headers)
    # 2026-11-21, 00:00 UTC
    assert answered["deprecation"] == "@1795219200"
    assert answered["link"] == '<https://api.example.org/test/monitoring/queues>; rel="successor-version"'
    assert "deprecation" not in call("queues", headers=headers)[2]


# ── Conditions ──────────────────────────────────────────────────────────────────────────────────────

SINGLE = {
    "precomputed": {"match_id": 1},
    "features": {"match_id": 1},
    "model_info": {},
    "docs": {"path": "/openapi.json"},
    "ui": {"path": "/ui"},
}


@pytest.mark.parametrize("function", SINGLE)
def test_what_is_held_is_not_sent_again(filled: ObjectStore, function: str) -> None:
    event = make_event(function, **SINGLE[function])  # type: ignore[arg-type]
    first = getattr(app, function)(event, Context())
    held = {**event, "headers": {**event["headers"], "if-none-match": first["headers"]["ETag"]}}
    again = getattr(app, function)(held, Context())
    assert (again["statusCode"], again["body"], again["headers"]["ETag"]) == (304, "", first["headers"]["ETag"])
    other = {**event, "headers": {**event["headers"], "if-none-match": '"another"'}}
    assert getattr(app, function)(other, Context())["statusCode"] == 200


def test_another_model_has_another_etag(filled: ObjectStore) -> None:
    before = call("model_info")[2]["etag"]
    mirror_model(filled, version="2")
    assert call("model_info")[2]["etag"] != before


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Fri, 01 Jan 2100 00:00:00 GMT", 304),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("yesterday", 200),
        ("Fri, 01 Jan 2100 00:00:00 -0000", 200),
        ("", 200),
    ],
)
def test_if_modified_since_counts_where_it_is_a_date(filled: ObjectStore, since: str, status: int) -> None:
    assert call("odds", headers={"if-modified-since": since})[0] == status


def test_an_etag_that_does_not_match_outweighs_the_date(filled: ObjectStore) -> None:
    headers = {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT", "if-none-match": '"another"'}
    assert call("odds", headers=headers)[0] == 200


# ── Links ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("context", "headers", "location"),
    [
        (
            {"domainName": "abc.execute-api.eu-west-1.amazonaws.com", "path": "/prod/predict/async/"},
            {"host": "evil.example", "x-forwarded-proto": "https"},
            "https://abc.execute-api.eu-west-1.amazonaws.com/prod",
        ),
        ({"domainName": "api.example.org", "path": "/predict/async/"}, {}, "https://api.example.org"),
        ({"path": "/dev/predict/async/"}, {"host": "127.0.0.1:4566", "x-forwarded-proto": "http"}, "http://127.0.0.1:4566/dev"),
    ],
)  # fmt: skip
def test_an_accepted_task_is_polled_at_its_location(
    filled: ObjectStore, context: dict[str, str], headers: dict[str, str], location: str
) -> None:
    event = make_event("predict_async", body=BODY, headers=headers)
    event["requestContext"] = {key: value for key, value in event["requestContext"].items() if key != "path"} | context
    answer = app.predict_async(event, Context())
    body = json.loads(answer["body"])
    assert answer["headers"]["Location"] == location + body["status_url"]
    assert answer["headers"]["Retry-After"] == "1"
    check("predict_async", 202, body, {name.lower(): value for name, value in answer["headers"].items()})


def test_the_operators_own_url_wins(filled: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://predictions.example.org/v1/")
    wiring.settings.cache_clear()
    _, body, headers = call("predict_async", body=BODY)
    assert headers["location"] == "https://predictions.example.org/v1" + body["status_url"]


# ── Queued predictions ──────────────────────────────────────────────────────────────────────────────


def test_features_are_checked_before_they_are_accepted(filled: ObjectStore) -> None:
    status, body, _ = call("predict_async", body={"match_id": 99, "features": {"sex": 0}})
    assert (status, body["code"], body["details"][0]["loc"]) == (
        422,
        "features_rejected",
        ["body", "features", "diff_elo"],
    )
    _, _, headers = call("predict_async", body={"match_id": 99, "features": {**FEATURES, "wind": 1}})
    assert headers["x-ignored-features"] == "wind"


def test_without_a_model_at_hand_they_are_accepted_unchecked(objects: ObjectStore) -> None:
    assert call("predict_async", body={"match_id": 99, "features": {"sex": 0}})[0] == 202


def test_each_api_key_has_idempotency_keys_of_its_own(filled: ObjectStore) -> None:
    tasks = {}
    for key in ("client-key", "old-client-key", None):
        headers = {"idempotency-key": "order-1"} | ({"x-api-key": key} if key else {})
        answers = [call("predict_async", body={"match_id": 1}, headers=headers)[1]["task_id"] for _ in range(2)]
        assert answers[0] == answers[1]
        tasks[key] = answers[0]
    assert len(set(tasks.values())) == 3


@pytest.mark.parametrize(("body", "query"), [({"match_id": 2}, {}), ({"match_id": 1}, {"stage": "challenger"})])
def test_a_conflict_names_both_of_its_causes(objects: ObjectStore, body: Any, query: dict[str, str]) -> None:
    fill(objects)
    headers = {"idempotency-key": "order-1"}
    call("predict_async", body={"match_id": 1}, headers=headers)
    status, answer, _ = call("predict_async", body=body, headers=headers, query=query)
    assert (status, answer["code"]) == (409, "idempotency_conflict")
    assert "another body or another stage" in answer["message"]


# ── Features ────────────────────────────────────────────────────────────────────────────────────────


def test_a_matchs_features_sent_back_predict_as_the_match_itself(filled: ObjectStore) -> None:
    status, body, _ = call("features", match_id=1)
    assert (status, list(body)) == (200, ["match_id", "features", "features_computed_at"])
    again = call("predict", body={"match_id": 1, "features": body["features"]})[1]
    live = call("predict_match", match_id=1)[1]
    assert again["prediction"]["probabilities"] == live["prediction"]["probabilities"]


# ── Explanations ────────────────────────────────────────────────────────────────────────────────────


def test_base_plus_contributions_through_softmax_is_the_prediction(filled: ObjectStore) -> None:
    body = call("predict", body=BODY, query={"explain": "true"})[1]
    scores = {
        side: body["base"][side] + sum(row[side] for row in body["contributions"]) for side in ("home", "draw", "away")
    }
    total = sum(math.exp(score) for score in scores.values())
    softmax = [math.exp(score) / total for score in scores.values()]
    assert softmax == pytest.approx(list(body["prediction"]["probabilities"].values()), abs=1e-9)


# ── Keys ────────────────────────────────────────────────────────────────────────────────────────────


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_wrong_keys_are_slowed_down_by_address(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    throttle = WrongKeyThrottle(clock=clock)
    monkeypatch.setattr(wiring, "wrong_key_throttle", lambda: throttle)
    guesses = [call("drift", headers={"x-api-key": f"guess {i}"}) for i in range(WRONG_KEYS_AT_ONCE + 1)]
    assert [status for status, _, _ in guesses] == [401] * WRONG_KEYS_AT_ONCE + [429]
    _, body, headers = guesses[-1]
    assert (body["code"], headers["retry-after"]) == ("too_many_wrong_keys", "1")
    # Not even a right guess is told apart while the address waits.
    assert call("drift", headers={"x-api-key": "operator-key"})[0] == 429
    other = make_event("drift", headers={"x-api-key": "operator-key"})
    other["requestContext"]["identity"] = {"sourceIp": "192.0.2.7"}
    assert app.drift(other, Context())["statusCode"] == 200
    clock.now = 1.0
    assert call("drift", headers={"x-api-key": "operator-key"})[0] == 200


def test_behind_cloudfront_the_address_is_the_callers_and_not_cloudfronts() -> None:
    event = make_event("drift", headers={"X-Caller-Address": "192.0.2.7"})
    assert source_address(event, behind_cdn=True) == "192.0.2.7"
    # without CloudFront anybody may write that header
    assert source_address(event, behind_cdn=False) == "127.0.0.1"


def test_a_public_list_tells_no_guesses_apart_either(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = WrongKeyThrottle(clock=Clock())
    monkeypatch.setattr(wiring, "wrong_key_throttle", lambda: throttle)
    monkeypatch.setenv("CLIENT_KEY_REQUIRED", "true")
    wiring.settings.cache_clear()
    publish(objects, predictions=make_predictions(501))

    def rows(key: str) -> int:
        status, body, _ = call("predictions", query={"limit": "5000"}, headers={"x-api-key": key})
        assert status == 200
        return len(body)

    assert rows("client-key") == 501
    assert {rows(f"guess {i}") for i in range(WRONG_KEYS_AT_ONCE)} == {500}
    assert rows("client-key") == 500
    assert call("drift", headers={"x-api-key": "operator-key"})[0] == 429


def test_the_quota_of_a_key_is_on_its_answers(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    throttle = KeyThrottle(0.5, 3, Clock())
    monkeypatch.setattr(wiring, "key_throttle", lambda: throttle)
    answers = [call("drift", headers={"x-api-key": "operator-key"}) for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429]
    assert {headers["ratelimit-policy"] for _, _, headers in answers} == {'"key";q=3;w=6'}
    assert [headers["ratelimit"] for _, _, headers in answers] == [
        '"key";r=2;t=2', '"key";r=1;t=4', '"key";r=0;t=6', '"key";r=0;t=2'
    ]  # fmt: skip
    assert answers[-1][2]["retry-after"] == "2"


def test_an_answer_that_no_quota_limits_names_none(objects: ObjectStore) -> None:
    assert "ratelimit" not in call("odds")[2]


# ── Operations ──────────────────────────────────────────────────────────────────────────────────────


def test_readiness_needs_what_predictions_need(objects: ObjectStore) -> None:
    ready = {"ready": "true"}
    assert (call("healthcheck")[0], call("healthcheck", query=ready)[0]) == (200, 503)
    publish(objects)
    status, body, headers = call("healthcheck", query=ready)
    assert (status, body["status"], body["checks"]["model"]) == (503, "degraded", "model_unavailable")
    assert headers["retry-after"] == "5"
    mirror_model(objects)
    assert call("healthcheck", query=ready)[0] == 200
    boto3.client("s3").delete_object(Bucket="data", Key="models/champion/1.lgb")
    wiring.models.cache_clear()
    assert (call("healthcheck")[0], call("healthcheck", query=ready)[0]) == (200, 503)


def test_memory_is_what_the_process_holds_now(objects: ObjectStore) -> None:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    resident = next(int(line.split()[1]) / 1_024 for line in lines if line.startswith("VmRSS"))
    assert call("healthcheck")[1]["memory_usage_mb"] == pytest.approx(resident, rel=0.1)


def test_the_queues_page_counts_in_celerys_words_too(objects: ObjectStore) -> None:
    call("predict_async", body=BODY)
    sqs = boto3.client("sqs")
    sqs.receive_message(QueueUrl=wiring.settings().inference_queue_url)
    body = call("queues", headers={"x-api-key": "operator-key"})[1]
    assert (body["active"], body["scheduled"], body["reserved"]) == (1, 0, 0)


def test_several_origins_may_call(objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOARD_ORIGIN", "https://board.example.org, http://localhost:8080")
    wiring.settings.cache_clear()
    for origin in ("https://board.example.org", "http://localhost:8080"):
        assert call("healthcheck", headers={"origin": origin})[2]["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in call("healthcheck", headers={"origin": "http://localhost"})[2]
