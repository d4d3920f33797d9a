"""`GET /metrics`: what it shows is what was done, whichever sandbox did it."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from prometheus_client.parser import text_string_to_metric_families

import app
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.releases.drift_report import DRIFT_REPORT_KEY
from chalicelib.storage.objects import ObjectStore, ObjectStoreUnavailable
from chalicelib.telemetry.cloudwatch import CloudWatchCounters, CountersUnavailable, Series
from chalicelib.telemetry.cold_start import cold_start
from chalicelib.telemetry.log import logger
from infra.local.metrics_relay import metric_data
from infra.paths import ROOT
from tests.handlers.test_prediction import drain
from tests.support.builders import Context, make_event, mirror_model, publish
from tests.support.fakes import InMemoryTaskStore

GOOD: dict[str, Any] = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}


@pytest.fixture(autouse=True)
def new_sandbox() -> Iterator[None]:
    """Each test is a new sandbox."""
    cold_start.pending = True
    yield
    cold_start.pending = True


def call(function: str, **event: Any) -> int:
    status: int = getattr(app, function)(make_event(function, **event), Context())["statusCode"]
    return status


def relay(printed: pytest.CaptureFixture[str]) -> None:
    """What CloudWatch does with the lines printed so far."""
    client: Any = boto3.client("cloudwatch", region_name="us-east-1")
    lines = [line for line in printed.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    for namespace, data in metric_data(lines):
        client.put_metric_data(Namespace=namespace, MetricData=data)


def scrape() -> tuple[dict[str, Any], str]:
    """The answer, and its text."""
    answer = app.metrics(make_event("metrics", headers={"x-api-key": "operator-key"}), Context())
    assert answer["statusCode"] == 200
    return answer, answer["body"]


def figures(text: str) -> dict[tuple[str, ...], float]:
    """(name, label values in the order of their names) to value, of everything that is not 0."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value
    }


def test_only_operators_read_metrics(aws: None) -> None:
    assert call("metrics") == 401
    assert call("metrics", headers={"x-api-key": "client-key"}) == 403


def test_the_content_type_is_the_one_prometheus_demands(objects: ObjectStore) -> None:
    answer, _ = scrape()
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_every_family_is_there_before_anything_happened(objects: ObjectStore) -> None:
    families = {family.name: family for family in text_string_to_metric_families(scrape()[1])}
    assert set(families) >= {
        "prediction_requests",
        "prediction_errors",
        "prediction_timeouts",
        "prediction_latency_seconds",
        "model_version_info",
        "inference_queue_messages",
        "inference_dead_letters",
        "inference_oldest_task_age_seconds",
        "feature_drift_score",
        "feature_drift_sample_sufficient",
        "data_release_age_seconds",
        "cold_starts",
    }
    requests = {tuple(sorted(s.labels.items())): s.value for s in families["prediction_requests"].samples}
    assert requests[("source", "sync"), ("stage", "champion")] == 0
    assert requests[("source", "async"), ("stage", "challenger")] == 0
    assert [s.value for s in families["prediction_timeouts"].samples] == [0]
    states = {s.labels["state"] for s in families["inference_queue_messages"].samples}
    assert states == {"waiting", "in_flight", "delayed"}


def test_the_page_on_metrics_lists_every_family(objects: ObjectStore) -> None:
    mirror_model(objects)
    served = set(re.findall(r"^# TYPE (\w+) (\w+)$", scrape()[1], re.MULTILINE))
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").partition("## GET /metrics")[2]
    assert set(re.findall(r"^\| `(\w+)` \| (\w+)", page, re.MULTILINE)) == served


def test_a_scrape_makes_the_calls_that_the_page_says_it_costs(objects: ObjectStore) -> None:
    scrape()
    calls: Counter[str] = Counter()

    def note(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    for service in ("cloudwatch", "dynamodb", "s3", "sqs"):
        wiring.aws_client(service).meta.events.register("before-call", note)
    scrape()
    documented = re.search(r"Calls: (.+?); so", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"), re.DOTALL)
    assert documented is not None
    assert calls == {name: int(count) for name, count in re.findall(r"`(\w+)`\s+(\d+)", documented[1])}


def test_what_was_served_is_what_is_shown(objects: ObjectStore, printed: pytest.CaptureFixture[str]) -> None:
    mirror_model(objects)
    publish(objects)
    assert [call("predict", body={"match_id": 9, "features": GOOD}) for _ in range(3)] == [200] * 3
    assert call("predict", body={"match_id": 9, "features": {}}) == 422
    assert call("predict", body="{", query={"stage": "challenger"}) == 422
    assert call("predict", body={"match_id": 9, "features": GOOD}, query={"stage": "nonsense"}) == 422
    assert call("predict", body={"match_id": 9, "features": GOOD}, query={"stage": "challenger"}) == 503
    assert call("predict_match", match_id=1) == 200
    assert call("predict_match", match_id=77) == 404
    assert call("predict_async", body={"match_id": 1}) == 202
    assert call("predict_async", body={"match_id": 1}) == 202
    champion = wiring.objects().get("models/champion/current.json")
    assert champion is not None
    boto3.client("s3").delete_object(Bucket="data", Key="models/champion/current.json")
    # With no model at hand nothing is checked before the task is accepted.
    assert call("predict_async", body={"match_id": 9, "features": {"sex": 0}}) == 202
    objects.put("models/champion/current.json", champion.body)
    assert call("predict_async", body={"match_id": 77}) == 404
    cold_start.pending = True
    assert drain() == []
    relay(printed)
    scraped = figures(scrape()[1])
    assert {key: value for key, value in scraped.items() if key[0].startswith(("prediction_requests", "cold"))} == {
        ("prediction_requests_total", "sync", "champion"): 6,
        ("prediction_requests_total", "sync", "challenger"): 2,
        ("prediction_requests_total", "sync", "unknown"): 1,
        ("prediction_requests_total", "async", "champion"): 4,
        ("cold_starts_total", "predict"): 1,
        ("cold_starts_total", "inference"): 1,
    }
    assert {key[1:]: value for key, value in scraped.items() if key[0] == "prediction_errors_total"} == {
        ("features_rejected", "sync"): 1,
        ("invalid_request", "sync"): 2,
        ("model_unavailable", "sync"): 1,
        ("match_not_found", "sync"): 1,
        ("match_not_found", "async"): 1,
        ("features_rejected", "async"): 1,
    }
    assert scraped["prediction_latency_seconds_count", "sync"] == 9
    assert scraped["prediction_latency_seconds_bucket", "+Inf", "sync"] == 9
    assert scraped["prediction_latency_seconds_count", "async"] == 3
    assert 0 < scraped["prediction_latency_seconds_sum", "sync"] < 9
    assert scraped["http_requests_total", "predict", "422"] == 3
    assert scraped["inference_queue_messages", "in_flight"] == 3  # moto: received, never deleted
    assert scraped["model_version_info", "3f7a1c9d2e4b", "1", "champion"] == 1


def test_a_timeout_is_counted_as_request_error_and_timeout(
    aws: None, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> None:
    class Stuck:
        def current(self, stage: object) -> object:
            import time  # noqa: PLC0415

            time.sleep(30)
            raise AssertionError

    monkeypatch.setattr(wiring, "models", Stuck)
    event = make_event("predict", body={"match_id": 1, "features": {}})
    assert app.predict(event, Context(milliseconds=600))["statusCode"] == 504
    relay(printed)
    scraped = figures(scrape()[1])
    assert scraped["prediction_timeouts_total",] == 1
    assert scraped["prediction_errors_total", "deadline_exceeded", "sync"] == 1
    assert scraped["prediction_requests_total", "sync", "champion"] == 1


def test_dead_letters_and_the_sweeps_cold_starts_are_counted(
    objects: ObjectStore, printed: pytest.CaptureFixture[str]
) -> None:
    assert call("predict_async", body={"match_id": 9, "features": GOOD}) == 202
    sqs = boto3.client("sqs", region_name="us-east-1")
    (message,) = sqs.receive_message(QueueUrl=wiring.settings().inference_queue_url)["Messages"]
    cold_start.pending = True
    records = [
        {"messageId": "m1", "body": message["Body"], "attributes": {}},
        {"messageId": "m2", "body": "not ours", "attributes": {}},
    ]
    app.dead_letters({"Records": records}, Context())
    cold_start.pending = True
    app.sweep({}, Context())
    relay(printed)
    scraped = figures(scrape()[1])
    assert scraped["dead_letters_total",] == 2
    assert scraped["prediction_errors_total", "dead_letter", "async"] == 1
    assert scraped["cold_starts_total", "dead_letters"] == scraped["cold_starts_total", "sweep"] == 1


def test_a_ping_that_starts_a_sandbox_is_its_cold_start(aws: None, printed: pytest.CaptureFixture[str]) -> None:
    app.inference({"ping": True}, Context())
    app.inference({"ping": True}, Context())
    relay(printed)
    assert figures(scrape()[1])["cold_starts_total", "inference"] == 1


def test_counters_continue_in_another_sandbox(objects: ObjectStore, printed: pytest.CaptureFixture[str]) -> None:
    mirror_model(objects)
    call("predict", body={"match_id": 9, "features": GOOD})
    relay(printed)
    assert figures(scrape()[1])["prediction_requests_total", "sync", "champion"] == 1
    wiring.counters.cache_clear()
    call("predict", body={"match_id": 9, "features": GOOD})
    relay(printed)
    assert figures(scrape()[1])["prediction_requests_total", "sync", "champion"] == 2


def test_a_counter_never_falls_when_cloudwatch_answers_with_an_older_state(aws: None) -> None:
    class Forgetful:
        def __init__(self) -> None:
            self.answers = [[5.0], [3.0], [8.0]]

        def get_paginator(self, name: str) -> "Forgetful":
            return self

        def paginate(self, **_: Any) -> list[dict[str, Any]]:
            return [{"MetricDataResults": [{"Id": "m0", "Values": self.answers.pop(0), "StatusCode": "Complete"}]}]

    total = (Series.of("X", source="sync"), "SampleCount")
    counters = CloudWatchCounters(Forgetful(), "test")  # type: ignore[arg-type]
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert [counters.totals([total], now)[total] for _ in range(3)] == [5, 5, 8]  # type: ignore[list-item, index]


def test_an_answer_that_is_not_complete_is_not_an_answer(aws: None) -> None:
    class Broken:
        def get_paginator(self, name: str) -> "Broken":
            return self

        def paginate(self, **_: Any) -> list[dict[str, Any]]:
            return [{"MetricDataResults": [{"Id": "m0", "Values": [], "StatusCode": "InternalError"}]}]

    with pytest.raises(CountersUnavailable):
        CloudWatchCounters(Broken(), "test").totals(  # type: ignore[arg-type]
            [(Series.of("X", source="sync"), "Sum")], datetime(2026, 11, 21, tzinfo=UTC)
        )


def test_a_source_that_fails_takes_only_its_own_families_along(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror_model(objects)
    boto3.client("sqs", region_name="us-east-1").delete_queue(QueueUrl=wiring.settings().inference_queue_url)
    text = scrape()[1]
    scraped = figures(text)
    assert 'scrape_source_up{source="queues"} 0' in text
    assert scraped["scrape_source_up", "cloudwatch"] == scraped["scrape_source_up", "model_mirror"] == 1
    assert scraped["model_version_info", "3f7a1c9d2e4b", "1", "champion"] == 1
    assert "inference_queue_messages{" not in text


def test_without_the_bucket_the_counters_are_still_served(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unreachable:
        def get(self, key: str, unless_etag: str | None = None) -> None:
            raise ObjectStoreUnavailable("the bucket does not answer")

    monkeypatch.setattr(wiring, "objects", Unreachable)
    text = scrape()[1]
    for source in ("model_mirror", "data_release", "drift_report"):
        assert f'scrape_source_up{{source="{source}"}} 0' in text
    assert 'prediction_requests_total{source="sync",stage="champion"} 0' in text


def test_gauges_are_nan_while_nothing_is_known_and_values_afterwards(objects: ObjectStore) -> None:
    before = scrape()[1]
    assert "feature_drift_score NaN" in before
    assert "feature_drift_sample_sufficient NaN" in before
    assert 'data_release_age_seconds{dataset="predictions"} NaN' in before
    publish(objects, now=datetime.now(UTC) - timedelta(hours=1))
    objects.put(DRIFT_REPORT_KEY, json.dumps({"drift_score": 0.125}).encode())
    scraped = figures(scrape()[1])
    assert scraped["feature_drift_score",] == 0.125
    assert scraped["feature_drift_sample_sufficient",] == 1
    assert scraped["data_release_age_seconds", "predictions"] == pytest.approx(3_600, abs=60)


def test_the_age_of_the_oldest_task_is_that_of_the_one_that_waits_longest(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "inference_oldest_task_age_seconds 0\n" in scrape()[1]
    store, now = InMemoryTaskStore(), datetime.now(UTC)
    store.submit("older", "{}", now - timedelta(hours=2))
    store.submit("newer", "{}", now - timedelta(hours=1))
    monkeypatch.setattr(wiring, "tasks", lambda: store)
    assert figures(scrape()[1])["inference_oldest_task_age_seconds",] == pytest.approx(7_200, abs=60)


def test_the_models_of_both_stages_are_named(objects: ObjectStore) -> None:
    mirror_model(objects)
    mirror_model(objects, Stage.CHALLENGER, version="2", run_id="another", seed=1)
    scraped = figures(scrape()[1])
    assert scraped["model_version_info", "another", "2", "challenger"] == 1


def test_the_sweep_measures_what_only_time_makes_worse(
    objects: ObjectStore, printed: pytest.CaptureFixture[str]
) -> None:
    publish(objects, now=datetime.now(UTC) - timedelta(hours=2))
    objects.put(DRIFT_REPORT_KEY, json.dumps({"drift_score": 0.5}).encode())
    call("predict_async", body={"match_id": 1})
    printed.readouterr()
    app.sweep({}, Context())
    lines = [json.loads(line) for line in printed.readouterr().out.splitlines() if "CloudWatchMetrics" in line]
    values = {(name, line.get("dataset")): line[name] for line in lines for name in line if name[0].isupper()}
    assert values["DataReleaseAge", "predictions"] == [pytest.approx(7_200, abs=60)]
    assert values["FeatureDriftScore", None] == 0.5
    assert values["OldestTaskAge", None] == [pytest.approx(0, abs=60)]


@pytest.mark.parametrize("drift_score", [0.9, None])
def test_a_drift_report_on_too_few_matches_is_shown_as_such_and_raises_no_alarm(
    objects: ObjectStore, printed: pytest.CaptureFixture[str], drift_score: float | None
) -> None:
    report = {"drift_score": drift_score, "sufficient_sample": False}
    objects.put(DRIFT_REPORT_KEY, json.dumps(report).encode())
    text = scrape()[1]
    assert f"feature_drift_score {'NaN' if drift_score is None else drift_score}" in text
    assert "feature_drift_sample_sufficient 0" in text
    printed.readouterr()
    app.sweep({}, Context())
    assert call("drift", headers={"x-api-key": "operator-key"}) == 200
    assert "FeatureDriftScore" not in printed.readouterr().out


def test_a_sweep_that_cannot_read_the_bucket_still_sweeps(objects: ObjectStore) -> None:
    objects.put(DRIFT_REPORT_KEY, b"not json")
    assert app.sweep({}, Context())["sent"] == 0


def test_the_openapi_document_names_the_content_type(aws: None) -> None:
    answer = app.docs(make_event("docs", path="/openapi.json"), Context())
    content = json.loads(answer["body"])["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert list(content) == ["text/plain; version=0.0.4; charset=utf-8"]


def test_metrics_are_written_also_where_the_log_level_hides_the_line(
    objects: ObjectStore, printed: pytest.CaptureFixture[str]
) -> None:
    logger.setLevel("ERROR")
    try:
        call("healthcheck")
    finally:
        logger.setLevel("INFO")
    (line,) = printed.readouterr().out.splitlines()
    assert json.loads(line)["RequestFailed"] == 0
    assert "message" not in json.loads(line)


def test_the_grafana_dashboard_asks_only_for_metrics_that_are_served(objects: ObjectStore) -> None:
    served = {family.name for family in text_string_to_metric_families(scrape()[1])}
    dashboard = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queried = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b(?=[{\[]|$)", target["expr"])
    }
    assert len(queried) > 10
    assert {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in queried} <= served
