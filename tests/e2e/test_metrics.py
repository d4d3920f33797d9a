"""Every figure that the system shows of itself equals what was done to it, exactly."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from chalicelib.telemetry.prometheus import CONTENT_TYPE
from tests.e2e.waiting import until
from tests.support.throwaway import RunningStack

pytestmark = pytest.mark.alone

Figures = Counter[tuple[str, ...]]
MARKER = ("http_requests_total", "docs", "200")


@pytest.fixture(scope="module")
def http(stack: RunningStack) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["X-API-Key"] = stack.keys.operator
        yield session


def counters(stack: RunningStack, http: requests.Session) -> Figures:
    """Every counter and histogram line but those of the scrapes themselves."""
    answer = http.get(f"{stack.base_url}/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, CONTENT_TYPE)
    figures: Figures = Counter()
    for family in text_string_to_metric_families(answer.text):
        if family.type in ("counter", "histogram"):
            for sample in family.samples:
                labels = dict(sample.labels)
                if labels.get("function") != "metrics":
                    figures[sample.name, *(labels[name] for name in sorted(labels))] = sample.value  # type: ignore[assignment]
    return figures


def settled(stack: RunningStack, http: requests.Session) -> Figures:
    """The counters once everything done so far has been relayed, without the marks this makes.

    A mark that shows up says that one reading of the logs began before it; all of an earlier time are in when a
    second one shows up. Marks are repeated, and the inference function is pinged, because the emulator now and then
    hands a function's last lines over only with its next call.
    """
    stack.invoke("inference", {"ping": True})
    for _ in range(2):
        before = counters(stack, http)[MARKER]

        def marked(before: float = before) -> bool:
            assert http.get(f"{stack.base_url}/openapi.json").status_code == 200
            return counters(stack, http)[MARKER] > before

        assert until(marked)
    figures = counters(stack, http)
    del figures[MARKER]
    return figures


@contextmanager
def changed(stack: RunningStack, function: str, environment: dict[str, str], timeout: int) -> Iterator[None]:
    """A function with other variables and time limit, hence in new sandboxes; put back afterwards."""
    client, name = stack.client("lambda"), stack.function_name(function)
    before = client.get_function_configuration(FunctionName=name)
    variables = before["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": variables | environment}, Timeout=timeout
    )
    try:
        yield
    finally:
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}, Timeout=before["Timeout"]
        )


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_every_figure_equals_what_was_done(stack: RunningStack, http: requests.Session) -> None:  # noqa: C901 - a list of calls
    url = stack.base_url
    first = http.get(f"{url}/predict/predictions/", params={"limit": 1}).json()[0]["match_id"]
    model = http.get(f"{url}/predict/model/info").json()
    good = {"match_id": first, "features": {f["name"]: 1 for f in model["features"]}}
    # Sandboxes that are there already: cold starts below are those that the test brings about.
    for _ in range(2):
        assert http.post(f"{url}/predict/", json=good).status_code == 200
        assert http.get(f"{url}/predict/{first}").status_code == 200
        task = http.post(f"{url}/predict/async/", json=good).json()["task_id"]
        assert until(lambda task=task: ended(stack, http, task) == "success")  # type: ignore[misc]
    before = settled(stack, http)

    def send(method: str, path: str, status: int, **arguments: Any) -> requests.Response:
        answer = http.request(method, f"{url}{path}", **arguments)
        assert answer.status_code == status, answer.text
        return answer

    for _ in range(5):
        send("POST", "/predict/", 200, json=good)
    for _ in range(3):
        send("POST", "/predict/?stage=challenger", 200, json=good)
    for _ in range(4):
        send("POST", "/predict/", 422, json={"match_id": first, "features": {}})
    send("POST", "/predict/?stage=challenger", 422, data="{", headers={"Content-Type": "application/json"})
    send("POST", "/predict/?stage=production", 422, json=good)
    for _ in range(2):
        send("GET", f"/predict/{first}", 200)
    for _ in range(3):
        send("GET", "/predict/1", 404)
    tasks = [send("POST", "/predict/async/", 202, json=good).json()["task_id"] for _ in range(6)]
    for _ in range(2):
        send("POST", "/predict/async/?stage=challenger", 422, json={"match_id": first, "features": {}})
    send("POST", "/predict/async/", 404, json={"match_id": 1})
    send("GET", "/predict/precomputed/1", 404)
    states = Counter(wait_for_end(stack, http, task) for task in tasks)
    assert states == {"success": 6}
    with silent_server() as nobody, changed(stack, "predict", {"AWS_ENDPOINT_URL": nobody}, timeout=2):
        # new sandboxes, whose bucket does not answer in time
        for _ in range(2):
            send("POST", "/predict/", 504, json=good)

    difference = settled(stack, http) - before
    latency = {key: difference.pop(key) for key in list(difference) if key[0].startswith("prediction_latency_seconds")}
    for key in [key for key in difference if key[:2] == ("http_requests_total", "task_status")]:
        del difference[key]  # as often as it had to be polled
    cold = {key[1]: difference.pop(key) for key in list(difference) if key[0] == "cold_starts_total"}
    assert difference == {
        ("prediction_requests_total", "sync", "champion"): 5 + 4 + 2 + 3 + 2,
        ("prediction_requests_total", "sync", "challenger"): 3 + 1,
        ("prediction_requests_total", "sync", "unknown"): 1,
        ("prediction_requests_total", "async", "champion"): 6 + 1,
        ("prediction_requests_total", "async", "challenger"): 2,
        ("prediction_errors_total", "features_rejected", "sync"): 4,
        ("prediction_errors_total", "invalid_request", "sync"): 2,
        ("prediction_errors_total", "match_not_found", "sync"): 3,
        ("prediction_errors_total", "deadline_exceeded", "sync"): 2,
        ("prediction_errors_total", "match_not_found", "async"): 1,
        ("prediction_errors_total", "features_rejected", "async"): 2,
        ("prediction_timeouts_total",): 2,
        ("http_requests_total", "predict", "200"): 8,
        ("http_requests_total", "predict", "422"): 6,
        ("http_requests_total", "predict", "504"): 2,
        ("http_requests_total", "predict_match", "200"): 2,
        ("http_requests_total", "predict_match", "404"): 3,
        ("http_requests_total", "predict_async", "202"): 6,
        ("http_requests_total", "predict_async", "422"): 2,
        ("http_requests_total", "predict_async", "404"): 1,
        ("http_requests_total", "precomputed", "404"): 1,
    }
    assert cold.pop("predict") == 1
    # the first call of a route this test does not warm, and consumers scaled out by the queue
    assert set(cold) <= {"precomputed", "task_status", "inference", "predict_match"}
    sync, queued = (latency["prediction_latency_seconds_count", source] for source in ("sync", "async"))
    assert (sync, queued) == (21, 6)
    assert latency["prediction_latency_seconds_bucket", "+Inf", "sync"] == 21
    assert latency["prediction_latency_seconds_bucket", "2.5", "sync"] == 21
    # two requests waited until 0.5 s before a limit of 2 s
    assert latency["prediction_latency_seconds_bucket", "1.0", "sync"] == 19
    assert 3 < latency["prediction_latency_seconds_sum", "sync"] < 21


def ended(stack: RunningStack, http: requests.Session, task: str) -> str:
    state: str = http.get(f"{stack.base_url}/monitoring/task_status/{task}").json()["status"]
    return state


def wait_for_end(stack: RunningStack, http: requests.Session, task: str) -> str:
    assert until(lambda: ended(stack, http, task) != "pending")
    return ended(stack, http, task)


def test_cloudwatch_holds_the_same_figures(stack: RunningStack, http: requests.Session) -> None:
    scraped = settled(stack, http)
    client = stack.client("cloudwatch")
    for function, status in [("predict", "200"), ("predict", "504"), ("predict_async", "202")]:
        answer = client.get_metric_statistics(
            Namespace=f"SoccerPredictions/{stack.outputs.stack_name}",
            MetricName="RequestLatency",
            Dimensions=[{"Name": "function", "Value": function}, {"Name": "status", "Value": status}],
            StartTime=datetime.now(UTC) - timedelta(days=1),
            EndTime=datetime.now(UTC) + timedelta(minutes=5),
            Period=86_400,
            Statistics=["SampleCount"],
        )
        total = sum(point["SampleCount"] for point in answer["Datapoints"])
        assert total == scraped["http_requests_total", function, status]


def test_counters_continue_over_a_redeployed_function(stack: RunningStack, http: requests.Session) -> None:
    before = settled(stack, http)
    with changed(stack, "region_roi", {"MARK": "1"}, timeout=10):
        for _ in range(3):
            assert http.get(f"{stack.base_url}/predict/region-roi/").status_code == 200
    assert http.get(f"{stack.base_url}/predict/region-roi/").status_code == 200
    assert settled(stack, http) - before == {
        ("http_requests_total", "region_roi", "200"): 4,
        ("cold_starts_total", "region_roi"): 2,
    }


def test_a_message_that_fails_too_often_is_counted_as_dead_letter(stack: RunningStack, http: requests.Session) -> None:
    before = settled(stack, http)
    sqs, queue = stack.client("sqs"), stack.outputs.inference_queue_url
    wait = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"neither": "a task"}))
        assert until(lambda: (counters(stack, http) - before)["dead_letters_total",] == 1)
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=wait)
    difference = settled(stack, http) - before
    assert {key: value for key, value in difference.items() if key[0] != "cold_starts_total"} == {
        ("dead_letters_total",): 1
    }


def test_a_warm_scrape_takes_less_than_a_second(stack: RunningStack, http: requests.Session) -> None:
    counters(stack, http)
    assert min(http.get(f"{stack.base_url}/metrics").elapsed.total_seconds() for _ in range(3)) < 1
