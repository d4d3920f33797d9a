"""Every documented status of every operation, provoked; each answer as the OpenAPI document describes it."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import pytest

import app
from chalicelib import wiring
from chalicelib.storage.objects import ObjectStore
from tests.contract.documented import check, operation, strict_document
from tests.handlers.calling import call
from tests.support.builders import (
    Context,
    make_event,
    make_history,
    make_odds,
    make_predictions,
    make_track_record,
    mirror_model,
    publish,
)
from tests.support.fakes import InMemoryObjectStore

ROI = "region,bets,turnover,profit,roi,roi_ci_low,roi_ci_high,clv\nEngland,2,2.0,0.4,0.2,-1.0,1.4,\n"
FEATURES = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}
BODY = {"match_id": 99, "features": FEATURES}
OPERATOR = {"x-api-key": "operator-key"}
CLIENT = {"x-api-key": "client-key"}
TASK = "0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11"

Arrange = Callable[[ObjectStore], None]


@pytest.fixture
def objects(aws: None, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The bucket in memory; queues, tasks and keys are moto's."""
    bucket = InMemoryObjectStore()
    monkeypatch.setattr(wiring, "objects", lambda: bucket)
    return bucket


@cache
def track_record() -> dict[str, Any]:
    """Made once: each of a hundred releases has the same."""
    return make_track_record(make_predictions(5), make_odds([1, 3]))


def filled(objects: ObjectStore) -> None:
    """A model and a release with everything."""
    mirror_model(objects)
    history = make_history(1, ("2024-04-29T12:00:00Z", 2.1), ("2024-04-30T12:00:00Z", 2.2))
    publish(
        objects,
        predictions=make_predictions(5),
        odds=make_odds([1, 3]),
        region_roi=ROI,
        projections=[],
        history=history,
        record=track_record(),
    )


def nothing(_: ObjectStore) -> None:
    """A stack just deployed."""


def no_task_store(objects: ObjectStore) -> None:
    filled(objects)
    boto3.client("dynamodb").delete_table(TableName="tasks")


def no_secret(_: ObjectStore) -> None:
    boto3.client("secretsmanager").delete_secret(SecretId="soccer-test/api-keys", ForceDeleteWithoutRecovery=True)


def no_queue(_: ObjectStore) -> None:
    boto3.client("sqs").delete_queue(QueueUrl=wiring.settings().inference_queue_url)


def used_key(objects: ObjectStore) -> None:
    filled(objects)
    call("predict_async", body={"match_id": 1}, headers={"idempotency-key": "k"})


def full_queue(objects: ObjectStore) -> None:
    used_key(objects)
    wiring.inference_queue.cache_clear()


@dataclass(frozen=True)
class Case:
    """One request and the status it must have.

    Args:
        operation: The operation's id in the document; aliases have their own.
        status: The status.
        event: What `make_event` takes.
        arrange: What the stack holds.
        settings: Environment variables that differ.
    """

    operation: str
    status: int
    event: dict[str, Any] = field(default_factory=dict)
    arrange: Arrange = filled
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def function(self) -> str:
        return {"openapi_document": "docs"}.get(self.operation, self.operation.removesuffix("_alias"))


KEYS = {"CLIENT_KEY_REQUIRED": "true"}
LISTS = ("predictions", "matches", "odds", "cards", "region_roi")
GUARDED = {
    "metrics": {},
    "queues": {},
    "workers": {},
    "drift": {},
    "queues_alias": {"path": "/monitoring/celery/queues/"},
    "workers_alias": {"path": "/monitoring/celery/workers/"},
}

# As the first version of this service issued them.
CURSOR_OF_VERSION_1 = base64.urlsafe_b64encode(b'["0123456789abcdef", 100, 1714564800, "[]"]').decode().rstrip("=")

CASES = [
    Case("predict", 200, {"body": BODY}),
    Case("predict", 200, {"body": {**BODY, "features": {**FEATURES, "wind": 1}}}),
    Case("predict", 200, {"body": BODY, "query": {"explain": "true"}}),
    Case("predict", 401, {"body": BODY}, settings=KEYS),
    Case("predict", 413, {"body": "x" * 70_000}),
    Case("predict", 415, {"body": "a=1", "headers": {"content-type": "application/x-www-form-urlencoded"}}),
    Case("predict", 422, {"body": {"match_id": "99", "features": {}}}),
    Case("predict", 422, {"body": {"match_id": 99, "features": {}}}),
    Case("predict", 503, {"body": BODY}, nothing),
    Case("predict_match", 200, {"match_id": 1}),
    Case("predict_match", 401, {"match_id": 1}, settings=KEYS),
    Case("predict_match", 404, {"match_id": 999}),
    Case("predict_match", 422, {"match_id": "seven"}),
    Case("predict_match", 503, {"match_id": 1}, nothing),
    Case("features", 200, {"match_id": 1}),
    Case("features", 401, {"match_id": 1}, settings=KEYS),
    Case("features", 404, {"match_id": 999}),
    Case("features", 422, {"match_id": "seven"}),
    Case("features", 503, {"match_id": 1}, nothing),
    Case("what_if", 200, {"match_id": 1, "body": {"changes": {"diff_elo": 1.0}}}),
    Case("what_if", 401, {"match_id": 1, "body": {"changes": {}}}, settings=KEYS),
    Case("what_if", 404, {"match_id": 999, "body": {"changes": {}}}),
    Case("what_if", 413, {"match_id": 1, "body": "x" * 70_000}),
    Case("what_if", 415, {"match_id": 1, "body": "a", "headers": {"content-type": "text/plain"}}),
    Case("what_if", 422, {"match_id": 1, "body": {"changes": {"wind": 1}}}),
    Case("what_if", 503, {"match_id": 1, "body": {"changes": {}}}, nothing),
    Case("predict_async", 202, {"body": BODY}),
    Case("predict_async", 202, {"body": {"match_id": 1}}),
    Case("predict_async", 401, {"body": BODY}, settings=KEYS),
    Case("predict_async", 404, {"body": {"match_id": 999}}),
    Case("predict_async", 409, {"body": {"match_id": 2}, "headers": {"idempotency-key": "k"}}, used_key),
    Case("predict_async", 413, {"body": "x" * 70_000}),
    Case("predict_async", 415, {"body": "a", "headers": {"content-type": "text/plain"}}),
    Case("predict_async", 422, {"body": []}),
    Case("predict_async", 422, {"body": BODY, "headers": {"idempotency-key": "k" * 256}}),
    Case("predict_async", 429, {"body": {"match_id": 1}}, full_queue, {"MAX_BACKLOG": "1"}),
    Case("predict_async", 503, {"body": BODY}, no_task_store),
    Case("task_status", 404, {"task_id": TASK}),
    Case("task_status", 422, {"task_id": "a" * 300}),
    Case("task_status", 503, {"task_id": TASK}, no_task_store),
    Case("precomputed", 200, {"match_id": 1}),
    Case("precomputed", 200, {"match_id": 3}),
    Case("precomputed", 404, {"match_id": 999}),
    Case("precomputed", 422, {"match_id": "0"}),
    Case("precomputed", 503, {"match_id": 1}, nothing),
    *(Case(name, 200) for name in LISTS),
    *(Case(name, 200, {"query": {"limit": "1"}}) for name in LISTS),
    *(Case(name, 304, {"headers": {"if-none-match": "*"}}) for name in LISTS),
    *(Case(name, 410, {"query": {"cursor": CURSOR_OF_VERSION_1}}) for name in LISTS),
    *(Case(name, 422, {"query": {"limit": "0"}}) for name in LISTS),
    Case("prices", 200, {"match_id": 1}),
    Case("prices", 200, {"match_id": 2}),
    Case("prices", 304, {"match_id": 1, "headers": {"if-none-match": "*"}}),
    Case("prices", 404, {"match_id": 999}),
    Case("prices", 422, {"match_id": "seven"}),
    Case("prices", 503, {"match_id": 1}, nothing),
    Case("track_record", 200),
    Case("track_record", 304, {"headers": {"if-none-match": "*"}}),
    Case("track_record", 503, arrange=nothing),
    Case("regions", 200),
    Case("regions", 304, {"headers": {"if-none-match": "*"}}),
    Case("regions", 503, arrange=nothing),
    *(Case(name, 503, arrange=nothing) for name in LISTS),
    *(Case(name, 200) for name in ("projections", "clubs", "calendar")),
    *(Case(name, 304, {"headers": {"if-none-match": "*"}}) for name in ("clubs", "calendar")),
    *(Case(name, 422, {"query": {"region": "x" * 101}}) for name in ("clubs", "calendar")),
    *(Case(name, 503, arrange=nothing) for name in ("clubs", "calendar")),
    Case("calendar", 200, {"query": {"match_id": "1"}}),
    Case("calendar", 404, {"query": {"match_id": "999"}}),
    Case("projections", 304, {"headers": {"if-none-match": "*"}}),
    Case("projections", 422, {"query": {"league": "x" * 101}}),
    Case("projections", 503, arrange=nothing),
    Case("model_info", 200),
    Case("model_info", 422, {"query": {"stage": "best"}}),
    Case("model_info", 503, {"query": {"stage": "challenger"}}),
    Case("healthcheck", 200),
    Case("healthcheck", 200, arrange=nothing),
    Case("healthcheck", 503, arrange=no_task_store),
    *(Case(name, 401, path) for name, path in GUARDED.items()),
    *(Case(name, 403, {**path, "headers": CLIENT}) for name, path in GUARDED.items()),
    *(Case(name, 503, {**path, "headers": OPERATOR}, no_secret) for name, path in GUARDED.items()),
    Case("metrics", 200, {"headers": OPERATOR}),
    Case("queues", 200, {"headers": OPERATOR}),
    Case("queues_alias", 200, {"path": "/monitoring/celery/queues", "headers": OPERATOR}),
    Case("queues", 503, {"headers": OPERATOR}, no_queue),
    Case("drift", 200, {"headers": OPERATOR}),
    Case("openapi_document", 200, {"path": "/openapi.json"}),
    Case("docs", 200, {"path": "/docs"}),
    Case("ui", 200, {"path": "/ui"}),
]


def named(case: Case) -> str:
    return f"{case.operation}-{case.status}"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_documented_status_is_answered_as_documented(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    for name, value in case.settings.items():
        monkeypatch.setenv(name, value)
    wiring.settings.cache_clear()
    case.arrange(objects)
    answer = getattr(app, case.function)(make_event(case.function, **case.event), Context())
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert answer["statusCode"] == case.status, answer["body"]
    described = operation(case.operation)["responses"][str(case.status)].get("content", {})
    if described:
        assert headers["content-type"].partition(";")[0] in {media.partition(";")[0] for media in described}
    is_json = "application/json" in described
    check(case.operation, case.status, json.loads(answer["body"]) if is_json else None, headers)


def test_no_documented_status_is_left_out() -> None:
    documented = {
        (found["operationId"], int(status))
        for item in strict_document()["paths"].values()
        for found in item.values()
        for status in found["responses"]
    }
    provoked = {(case.operation, case.status) for case in CASES}
    # Below, for every function alike; 429 is the gateway's (test_on_the_wire) or a key's (test_throttling), and the 422
    # that every operation has is that of an unknown parameter (test_requests, with the 304 of single resources).
    general = {(name, status) for name, status in documented if status in {405, 422, 429, 500, 504}}
    # In tests of their own: they need a task that has begun, and Lambda's answers.
    alone = {
        *(("task_status", 200), ("workers", 200), ("workers_alias", 200)),
        *((name, 304) for name in ("precomputed", "features", "model_info", "openapi_document")),
    }
    assert documented - general - alone - provoked == set()
    assert provoked - documented == set()


EVERY = sorted({case.function for case in CASES})


def request_of(function: str) -> dict[str, Any]:
    """An event that the function would answer with success."""
    wanted = (case for case in CASES if case.function == function)
    return make_event(function, **next(case.event for case in wanted))


@pytest.mark.parametrize("function", EVERY)
def test_an_unexpected_failure_is_a_500_that_tells_nothing(objects: ObjectStore, function: str) -> None:
    class Broken(Context):
        def get_remaining_time_in_millis(self) -> int:
            raise ZeroDivisionError("secret detail")

    answer = getattr(app, function)(request_of(function), Broken())
    assert json.loads(answer["body"]) == {
        "statusCode": 500, "message": "internal error", "code": "internal_error", "detail": "internal error"
    }  # fmt: skip
    assert (answer["statusCode"], answer["headers"]["x-request-id"]) == (500, "request-1")


@pytest.mark.parametrize("function", EVERY)
def test_a_wrong_method_is_answered_as_documented(objects: ObjectStore, function: str) -> None:
    event = {**request_of(function), "httpMethod": "DELETE"}
    answer = getattr(app, function)(event, Context())
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    check(function, 405, json.loads(answer["body"]), headers)


@pytest.mark.parametrize("function", EVERY)
def test_out_of_time_is_our_own_504(objects: ObjectStore, function: str) -> None:
    class Late(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 500.001  # type: ignore[return-value]  # a microsecond before the function gives up

    answer = getattr(app, function)(request_of(function), Late())
    assert answer["statusCode"] == 504
    assert json.loads(answer["body"])["code"] == "deadline_exceeded"


def test_a_task_is_pending_then_success_then_its_result_stays(objects: ObjectStore) -> None:
    filled(objects)
    accepted = call("predict_async", body=BODY)[1]
    task_id = accepted["task_id"]
    status, body, headers = call("task_status", task_id=task_id)
    check("task_status", status, body, headers)
    assert (body, headers["retry-after"]) == ({"task_id": task_id, "status": "pending"}, "1")
    (message,) = boto3.client("sqs").receive_message(QueueUrl=wiring.settings().inference_queue_url)["Messages"]
    app.inference({"Records": [{"messageId": "1", "body": message["Body"], "attributes": {}}]}, Context())
    for _ in range(2):
        status, body, headers = call("task_status", task_id=task_id)
        check("task_status", status, body, headers)
        assert (set(body), body["status"]) == ({"task_id", "status", "result"}, "success")
        assert "retry-after" not in headers


def test_a_failed_task_carries_its_error_and_no_result(objects: ObjectStore) -> None:
    # Without a model at hand nothing is checked before the task is accepted.
    task_id = call("predict_async", body={"match_id": 1, "features": {}})[1]["task_id"]
    filled(objects)
    (message,) = boto3.client("sqs").receive_message(QueueUrl=wiring.settings().inference_queue_url)["Messages"]
    app.inference({"Records": [{"messageId": "1", "body": message["Body"], "attributes": {}}]}, Context())
    status, body, headers = call("task_status", task_id=task_id)
    check("task_status", status, body, headers)
    assert (set(body), body["status"]) == ({"task_id", "status", "error"}, "failed")
    assert set(body["error"]) == {"type", "message"}


class Lambda:
    """Answers of the Lambda service about the inference function."""

    def get_function(self, **_: str) -> dict[str, Any]:
        modified = "2024-05-01T11:00:00.000+0000"
        return {"Configuration": {"FunctionName": "inference", "State": "Active", "LastModified": modified}}

    def list_event_source_mappings(self, **_: str) -> dict[str, Any]:
        scaling = {"MaximumConcurrency": 10}
        return {"EventSourceMappings": [{"State": "Enabled", "BatchSize": 100, "ScalingConfig": scaling}]}

    def invoke(self, **_: str) -> dict[str, Any]:
        return {"Payload": io.BytesIO(b'{"pong": true}')}


@pytest.mark.parametrize(
    ("name", "path"), [("workers", "/monitoring/workers"), ("workers_alias", "/monitoring/celery/workers")]
)
def test_the_workers_are_described(aws: None, monkeypatch: pytest.MonkeyPatch, name: str, path: str) -> None:
    others = wiring.aws_client
    monkeypatch.setattr(wiring, "aws_client", lambda service: Lambda() if service == "lambda" else others(service))
    status, body, headers = call("workers", path=path, headers=OPERATOR)
    check(name, status, body, headers)
    assert body["workers"][0]["ping"] == "ok"
