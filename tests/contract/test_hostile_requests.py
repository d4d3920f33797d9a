"""Requests made to break something: each a clean 4xx of our form that tells nothing, and no secret in any log."""

import base64
import gzip
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import app
from chalicelib import wiring
from chalicelib.storage.objects import ObjectStore
from tests.handlers.calling import call
from tests.support.builders import Context, make_event, mirror_model, publish

FEATURES = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}
GOOD = json.dumps({"match_id": 99, "features": FEATURES})
SECRETS = ("operator-key", "client-key", "testing")


@pytest.fixture
def objects(in_memory: ObjectStore) -> ObjectStore:
    """The bucket, in memory: what is refused here never reaches a store."""
    return in_memory


def raw(function: str, **changes: Any) -> dict[str, Any]:
    """The answer to an event of which parts are replaced."""
    answer: dict[str, Any] = getattr(app, function)({**make_event(function), **changes}, Context())
    return answer


def assert_clean(answer: dict[str, Any], *statuses: int) -> None:
    """A client error of our form, without anything of the inside."""
    assert answer["statusCode"] in statuses, answer["body"][:300]
    body = json.loads(answer["body"])
    assert body["statusCode"] == answer["statusCode"]
    assert set(body) <= {"statusCode", "message", "code", "detail", "details"}
    for word in ("Traceback", "pydantic", "/work", "site-packages", ".py"):
        assert word not in answer["body"]
    assert len(answer["body"]) < 60_000


BODIES = {
    "deep lists": "[" * 30_000 + "]" * 30_000,
    "deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "deep features": '{"match_id": 1, "features": {"x": ' + "[" * 500 + "]" * 500 + "}}",
    "a list of a good request": f"[{GOOD}]",
    "NaN": '{"match_id": 99, "features": {"diff_elo": NaN, "sex": 0}}',
    "minus Infinity": '{"match_id": 99, "features": {"diff_elo": -Infinity, "sex": 0}}',
    "beyond a double": '{"match_id": 99, "features": {"diff_elo": 1e999, "sex": 0}}',
    "5,000 digits": '{"match_id": ' + "9" * 5_000 + ', "features": {}}',
    "300 digits": '{"match_id": ' + "9" * 300 + ', "features": {}}',
    "negative id": '{"match_id": -1, "features": {}}',
    "2**53": '{"match_id": 9007199254740992, "features": {}}',
    "duplicate keys": '{"match_id": 1, "match_id": 2, "features": {}}',
    "duplicate features": '{"match_id": 1, "features": {"sex": 0, "sex": 1}}',
    "two documents": GOOD + GOOD,
    "byte order mark": "\ufeff" + GOOD,
    "lone surrogate": '{"match_id": 99, "features": {"\\ud800": 1}}',
    "null byte": '{"match_id": 99, "features": "\\u0000"}',
    "raw null byte": '{"match_id": 99\x00, "features": {}}',
    "single quotes": "{'match_id': 99}",
    "comment": '{"match_id": 99 /* */, "features": {}}',
    "1,001 features": json.dumps({"match_id": 99, "features": {f"f{i}": 0 for i in range(1_001)}}),
    "a name of 60,000 letters": json.dumps({"match_id": 99, "features": {"n" * 60_000: "x"}}),
    "3,000 faults": json.dumps({"match_id": 99, "features": {f"f{i}": "x" for i in range(900)}}),
    "prototype": '{"__proto__": {"match_id": 1}, "constructor": 1}',
    "empty": "",
    "spaces": "   ",
    "cut off": "{",
    "null": "null",
    "text": '"text"',
    "a list": "[]",
    "no id": '{"features": {}}',
    "id as text": '{"match_id": "1", "features": {}}',
    "id as boolean": '{"match_id": true, "features": {}}',
    "id 0": '{"match_id": 0, "features": {}}',
    "id with a fraction": '{"match_id": 1.5, "features": {}}',
    "features as list": '{"match_id": 1, "features": []}',
    "nameless feature": '{"match_id": 1, "features": {"": 1}}',
}


@pytest.mark.parametrize("function", ["predict", "predict_async"])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_request_is_422(objects: ObjectStore, function: str, name: str) -> None:
    mirror_model(objects)
    for event in (
        {"body": BODIES[name]},
        {"body": base64.b64encode(BODIES[name].encode()).decode(), "isBase64Encoded": True},
    ):
        assert_clean(raw(function, **event), 422)


@pytest.mark.parametrize("size", [65_537, 100_000, 10_000_000])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_large_body_is_413_before_it_is_read(objects: ObjectStore, size: int, *, encoded: bool) -> None:
    body = "{" + " " * (size - 1)
    text = base64.b64encode(body.encode()).decode() if encoded else body
    assert_clean(raw("predict", body=text, isBase64Encoded=encoded), 413)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'{"match_id": 99, "features": {"\xe9": 1}}', b"\x80"])
def test_a_body_that_is_not_utf_8_is_422(objects: ObjectStore, content: bytes) -> None:
    answer = raw("predict", body=base64.b64encode(content).decode(), isBase64Encoded=True)
    assert_clean(answer, 422)
    assert json.loads(answer["body"])["details"][0]["type"] == "unicode_invalid"


@pytest.mark.parametrize("body", ["not base64!", "YQ", "Y" * 5, "é"])
def test_a_body_that_is_not_base64_though_the_gateway_says_so_is_422(objects: ObjectStore, body: str) -> None:
    assert_clean(raw("predict", body=body, isBase64Encoded=True), 422)


def test_a_base64_body_is_a_body(objects: ObjectStore) -> None:
    mirror_model(objects)
    encoded = raw("predict", body=base64.b64encode(GOOD.encode()).decode(), isBase64Encoded=True)
    assert encoded["statusCode"] == 200
    assert encoded["body"] == raw("predict", body=GOOD)["body"]


def test_other_scripts_are_as_good_as_ascii(objects: ObjectStore) -> None:
    mirror_model(objects)
    body = json.dumps({"match_id": 99, "features": {**FEATURES, "темп": 1}}, ensure_ascii=False)
    answer = raw("predict", body=base64.b64encode(body.encode()).decode(), isBase64Encoded=True)
    assert (answer["statusCode"], answer["headers"]["x-ignored-features"]) == (200, "????")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-type", "text/plain"),
        ("content-type", "text/html; charset=utf-8"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-type", "multipart/form-data; boundary=x"),
        ("content-type", "multipart/form-data"),
        ("content-type", "application/jsonp"),
        ("content-type", "application/json-patch+json"),
        ("content-type", "application/json; charset=utf-16"),
        ("content-type", "application/xml"),
        ("content-type", "\x00"),
        ("content-type", ""),
        ("content-encoding", "gzip"),
        ("content-encoding", "br, gzip"),
    ],
)
def test_another_media_type_is_415(objects: ObjectStore, name: str, value: str) -> None:
    headers = {**make_event("predict")["headers"], name: value}
    assert_clean(raw("predict", body=GOOD, headers=headers), 415)


@pytest.mark.parametrize(
    "value",
    ["application/json", "Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"'],
)
def test_json_is_json_however_it_is_spelt(objects: ObjectStore, value: str) -> None:
    mirror_model(objects)
    assert raw("predict", body=GOOD, headers={"Content-Type": value})["statusCode"] == 200


def test_without_a_type_a_body_is_taken_for_json(objects: ObjectStore) -> None:
    mirror_model(objects)
    assert raw("predict", body=GOOD, headers=None)["statusCode"] == 200


IDS = [
    "..", "../1", "..%2f1", "%2e%2e%2f1",
    "1/../2", "\uff11\uff12", "\u0661", "1.0", "1e3", "+1", " 1", "1 ", "1_0", "0x1", "-1", "0",

    "9007199254740992", "9" * 400, "1\x00", "\x00", "1\r\nX-Injected: yes", "null", "true", "[1]", "{}", "'", "1;drop",
    "🙂", "a" * 5_000, "\ud800", "%", "%00", "<script>", "$(id)",
]  # fmt: skip


@pytest.mark.parametrize("function", ["predict_match", "precomputed"])
@pytest.mark.parametrize("match_id", IDS, ids=range(len(IDS)))
def test_an_id_that_is_none_is_a_clean_refusal(objects: ObjectStore, function: str, match_id: str) -> None:
    publish(objects)
    event = make_event(function, match_id=1)
    path = event["path"].replace("/1/", f"/{match_id}/")
    answer = getattr(app, function)({**event, "path": path, "pathParameters": {"match_id": match_id}}, Context())
    assert_clean(answer, 404, 422)
    assert not any("\r" in value or "\n" in value for value in answer["headers"].values())


TASK_IDS = [
    "x",
    "../" * 12,
    "a" * 36,
    "-" * 36,
    "é" * 36,
    "0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b1\x00",
    "idempotency#k",
    "🙂" * 36,
]


@pytest.mark.parametrize("task_id", TASK_IDS, ids=range(len(TASK_IDS)))
def test_a_task_id_that_is_none_is_404_and_never_another_item_of_the_table(aws: None, task_id: str) -> None:
    event = make_event("task_status", task_id="1")
    changed = {**event, "path": f"/monitoring/task_status/{task_id}", "pathParameters": {"task_id": task_id}}
    assert_clean(app.task_status(changed, Context()), 404)


QUERIES: list[dict[str, list[str]]] = [
    {"limit": ["1", "2"]},
    {"region": ["a", "a"]},
    {"stage": ["champion", "challenger"]},
    {"limit": ["1" * 5_000]},
    {"limit": ["\uff11"]},
    {"limit": ["1.5"]},
    {"limit": [""]},
    {"region": ["r" * 101]},
    {"team": ["t" * 50_000]},
    {"from": ["0"]},
    {"from": ["2024-13-01"]},
    {"from": ["2024-05-01T25:00:00Z"]},
    {"to": ["99999-01-01"]},
    {"status": ["UPCOMING"]},
    {"value_only": ["yes"]},
    {"min_region_roi": ["inf"]},
    {"min_region_roi": ["1e999"]},
    {"min_region_roi": ["0x1p3"]},
    {"cursor": ["\x00"]},
    {"cursor": ["=" * 100]},
    {"cursor": ["A" * 2_001]},
    {"cursor": [base64.b64encode(b"[" * 1_000).decode()]},
    {"cursor": [base64.urlsafe_b64encode(b'["../../../secret", 0, 0, "[]"]').decode()]},
    {"cursor": [base64.urlsafe_b64encode(b'["abc", 1e400, 0, "[]"]').decode()]},
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: next(iter(query)))
def test_a_query_that_means_nothing_is_422(objects: ObjectStore, query: dict[str, list[str]]) -> None:
    publish(objects)
    single = {name: values[-1] for name, values in query.items()}
    answer = raw("cards", queryStringParameters=single, multiValueQueryStringParameters=query)
    assert_clean(answer, 422)


@pytest.mark.parametrize("value", ["\x00", "'; drop table", "../../etc/passwd", "%s%n", "🙂", "(?:z+)+$", "\ud800"])
def test_a_filter_is_text_and_nothing_else(objects: ObjectStore, value: str) -> None:
    publish(objects)
    for name in ("region", "league", "team"):
        answer = raw("cards", queryStringParameters={name: value}, multiValueQueryStringParameters={name: [value]})
        assert answer["statusCode"] in {200, 422}
        assert answer["statusCode"] == 422 or json.loads(answer["body"]) == []


@pytest.fixture
def published(objects: ObjectStore) -> ObjectStore:
    """A stack with a release."""
    publish(objects)
    return objects


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda content: base64.urlsafe_b64encode(content).decode()))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cursor_that_was_not_issued_is_422(published: ObjectStore, cursor: str) -> None:
    answer = raw(
        "cards", queryStringParameters={"cursor": cursor}, multiValueQueryStringParameters={"cursor": [cursor]}
    )
    assert_clean(answer, 422)


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1", "a\nb", "a\x00b", "a\x7f", "\u2028", "é"])
def test_no_feature_name_becomes_a_header_of_its_own(objects: ObjectStore, name: str) -> None:
    mirror_model(objects)
    answer = raw("predict", body=json.dumps({"match_id": 99, "features": {**FEATURES, name: 1}}))
    assert answer["statusCode"] == 200
    value = answer["headers"]["x-ignored-features"]
    assert value.isascii()
    assert value.isprintable()
    assert "Set-Cookie" not in answer["headers"]


def test_a_thousand_unknown_names_do_not_make_a_header_too_long_to_send(objects: ObjectStore) -> None:
    mirror_model(objects)
    unknown = {f"unknown_feature_{i}": 0 for i in range(900)}
    answer = raw("predict", body=json.dumps({"match_id": 99, "features": {**FEATURES, **unknown}}))
    assert answer["statusCode"] == 200
    assert len(answer["headers"]["x-ignored-features"]) <= 2_000


@pytest.mark.parametrize(
    "key", ["", " ", "operator-key ", "OPERATOR-KEY", "x" * 100_000, "\x00", "é", "\ud800", "*", "null"]
)
def test_a_key_that_is_none_is_401(aws: None, key: str) -> None:
    assert_clean(raw("drift", headers={"X-API-Key": key}), 401)


@pytest.mark.parametrize("value", ["k\r\nX: y", "\x00", "é" * 100, "🙂", "k" * 255])
def test_any_idempotency_key_is_only_compared(objects: ObjectStore, value: str) -> None:
    publish(objects)
    headers = {**make_event("predict_async")["headers"], "idempotency-key": value}
    lists = {name: [text] for name, text in headers.items()}
    event = {"body": '{"match_id": 1}', "headers": headers, "multiValueHeaders": lists}
    answers = [raw("predict_async", **event) for _ in range(2)]
    assert [answer["statusCode"] for answer in answers] == [202, 202]
    assert answers[0]["body"] == answers[1]["body"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "GET", "\x00"])
def test_another_method_is_405_with_those_there_are(objects: ObjectStore, method: str) -> None:
    answer = raw("predict", httpMethod=method)
    assert_clean(answer, 405)
    assert answer["headers"]["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("event", [{}, {"httpMethod": "GET"}, {"httpMethod": "POST", "path": None, "headers": None}])
def test_an_event_that_is_none_is_still_answered(objects: ObjectStore, event: dict[str, Any]) -> None:
    answer = app.predict(event, Context())
    assert 400 <= answer["statusCode"] <= 500
    assert "x-request-id" in answer["headers"]


def test_nothing_a_caller_sends_in_confidence_is_logged(
    aws: None, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    mirror_model(wiring.objects())
    publish(wiring.objects())
    # LOG_LEVEL sets our logger's level; libraries stay at Lambda's WARNING.
    with caplog.at_level(logging.DEBUG, logger="soccer-predictions"):
        for key in ("operator-key", "client-key", "a-wrong-secret"):
            headers = {"x-api-key": key, "authorization": "Bearer abc.def", "cookie": "session=topsecret"}
            call("drift", headers=headers)
            call("predict", body={"match_id": 99, "features": {"a-private-name": "a-private-value"}}, headers=headers)
            call("cards", query={"cursor": "a-strange-cursor"}, headers=headers)
    printed = capsys.readouterr()
    everything = printed.out + printed.err + "".join(str(vars(record)) for record in caplog.records)
    for word in (
        "operator-key",
        "client-key",
        "a-wrong-secret",
        "abc.def",
        "topsecret",
        "a-private",
        "a-strange-cursor",
    ):
        assert word not in everything


@pytest.mark.parametrize(
    ("header", "packed"),
    [
        ("gzip", True), ("gzip, deflate, br", True), ("*", True), ("GZIP", True), ("gzip;q=0.5", True),
        ("gzip;q=0", False), ("gzip; q=0.0", False), ("*;q=0", False), ("br", False), ("", False), ("identity", False),
        ("gzip;q=0, *", False),
    ],
)  # fmt: skip
def test_gzip_only_for_callers_that_want_it(objects: ObjectStore, header: str, *, packed: bool) -> None:
    publish(objects)
    answer = raw("cards", headers={"accept": "*/*", "accept-encoding": header})
    assert answer["isBase64Encoded"] is packed
    assert ("Content-Encoding" in answer["headers"]) is packed
    assert "Accept-Encoding" in answer["headers"]["Vary"]
    text = gzip.decompress(base64.b64decode(answer["body"])).decode() if packed else answer["body"]
    assert len(json.loads(text)) == 3


def test_a_caller_without_an_accept_header_gets_no_base64_that_nobody_unpacks(objects: ObjectStore) -> None:
    publish(objects)
    answer = raw("cards", headers={"accept-encoding": "gzip"})
    assert (answer["isBase64Encoded"], "Content-Encoding" in answer["headers"]) == (False, False)
    assert len(json.loads(answer["body"])) == 3
