"""From log lines to CloudWatch data: every line once, whatever the logs are read like."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from chalicelib.telemetry.emf import Measurement, Recorder
from infra.local import metrics_relay
from infra.local.metrics_relay import MetricsRelay, metric_data, pause_after

GROUP = "/aws/lambda/stack-predict"


def emf(latency: float = 0.25, second: int = 1_700_000_000) -> str:
    """A line as the functions write it."""
    out = io.StringIO()
    with redirect_stdout(out):
        Recorder("ns").record(
            Measurement("Latency", "Seconds", latency, ({"function": "predict"}, {"source": "sync"})),
            Measurement("Failed", "None", 0, ({"service": "s"},)),
        )
    line = json.loads(out.getvalue())
    line["_aws"]["Timestamp"] = second * 1_000 + 7
    return json.dumps(line)


def test_each_dimension_set_gets_the_value_and_equal_ones_are_counted() -> None:
    ((namespace, data),) = metric_data([emf(), emf(), emf(0.5)])
    assert namespace == "ns"
    by_name = {(datum["MetricName"], datum["Dimensions"][0]["Name"]): datum for datum in data}
    assert set(by_name) == {("Latency", "function"), ("Latency", "source"), ("Failed", "service")}
    latency = by_name["Latency", "source"]
    assert (latency["Values"], latency["Counts"]) == ([0.25, 0.5], [2.0, 1.0])
    assert (latency["Unit"], latency["Timestamp"]) == ("Seconds", 1_700_000_000)


def test_values_in_a_list_are_all_counted() -> None:
    line = json.loads(emf())
    line["Latency"] = [1.0, 1.0, 3.0]
    ((_, data),) = metric_data([json.dumps(line)])
    assert next(datum for datum in data if datum["MetricName"] == "Latency")["Counts"] == [2.0, 1.0]


@pytest.mark.parametrize(
    "line", ["", "START RequestId: 1", '{"message": "x"}', '{"CloudWatchMetrics"', '"CloudWatchMetrics"']
)
def test_a_line_that_is_not_a_metric_is_left_out(line: str) -> None:
    assert list(metric_data([line])) == []


def test_a_metric_is_found_behind_what_lambda_puts_before_a_line() -> None:
    ((_, data),) = metric_data([f"2026-11-21T05:00:00Z request-1 INFO {emf()}"])
    assert len(data) == 3


class Logs:
    """The emulator's logs: one stream per invocation, at most a page, oldest first, no token."""

    def __init__(self, page: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.page = page

    def add(self, stream: str, timestamp: int, lines: int = 1) -> None:
        for _ in range(lines):
            self.events.append({"timestamp": timestamp, "message": emf(), "logStreamName": stream})

    def get_paginator(self, name: str) -> "Logs":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"logGroups": [{"logGroupName": GROUP}]}]

    def filter_log_events(self, *, startTime: int, **_: Any) -> dict[str, Any]:  # noqa: N803 - the SDK's name
        events = sorted((e for e in self.events if e["timestamp"] >= startTime), key=lambda e: e["timestamp"])
        return {"events": events[: self.page]}


class CloudWatch:
    """Counts what it is given; `reachable = False` makes it fail."""

    def __init__(self) -> None:
        self.requests = 0.0
        self.reachable = True

    def put_metric_data(self, *, MetricData: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803 - the SDK's name
        if not self.reachable:
            raise ConnectionError
        self.requests += sum(sum(datum["Counts"]) for datum in MetricData if datum["MetricName"] == "Failed")


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Logs:
    monkeypatch.setattr(metrics_relay, "_EVENTS_PER_PAGE", 10)
    return Logs(page=10)


def test_every_line_is_relayed_once_over_pages_and_readings(logs: Logs, tmp_path: Path) -> None:
    cloudwatch = CloudWatch()
    relay = MetricsRelay(logs, cloudwatch, "/aws/lambda/stack-", tmp_path / "memory.json")
    for index in range(37):
        logs.add(f"s{index}", 1_000_000 + index // 3, lines=1 + index % 2)
    assert relay.relay() == 55
    assert relay.relay() == 0
    logs.add("late", 1_000_000)  # stamped before what was read last
    logs.add("new", 1_000_100)
    assert relay.relay() == 2
    assert cloudwatch.requests == 57


def test_a_relay_that_starts_again_continues_where_it_was(logs: Logs, tmp_path: Path) -> None:
    cloudwatch, memory = CloudWatch(), tmp_path / "memory.json"
    logs.add("one", 1_000_000)
    MetricsRelay(logs, cloudwatch, "/aws/lambda/stack-", memory).relay()
    logs.add("two", 1_000_001)
    MetricsRelay(logs, cloudwatch, "/aws/lambda/stack-", memory).relay()
    assert cloudwatch.requests == 2


def test_what_could_not_be_delivered_is_relayed_the_next_time(logs: Logs, tmp_path: Path) -> None:
    cloudwatch = CloudWatch()
    relay = MetricsRelay(logs, cloudwatch, "/aws/lambda/stack-", tmp_path / "memory.json")
    logs.add("one", 1_000_000)
    cloudwatch.reachable = False
    with pytest.raises(ConnectionError):
        relay.relay()
    cloudwatch.reachable = True
    assert relay.relay() == 1
    assert cloudwatch.requests == 1


@pytest.mark.parametrize(("reading", "pause"), [(0.01, 1.0), (0.2, 1.8), (60.0, 5.0)])
def test_a_slow_reading_lengthens_the_pause_but_not_for_long(reading: float, pause: float) -> None:
    assert pause_after(reading) == pytest.approx(pause)


def test_a_page_of_one_millisecond_ends_too(logs: Logs, tmp_path: Path) -> None:
    logs.add("busy", 1_000_000, lines=10)
    logs.add("next", 1_000_001)
    relay = MetricsRelay(logs, CloudWatch(), "/aws/lambda/stack-", tmp_path / "memory.json")
    assert relay.relay() == 11
