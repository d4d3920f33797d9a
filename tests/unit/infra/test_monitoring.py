"""Alarms and dashboard as the template holds them."""

import json
import re

import pytest

from chalicelib.telemetry import names
from infra.paths import ROOT
from infra.stack.monitoring import DASHBOARD, alarms, monitoring_template

ALARMS = alarms()
OURS = {
    value
    for name, value in vars(names).items()
    if name.isupper() and isinstance(value, str)
    if re.fullmatch(r"([A-Z][a-z]+)+", value)
}


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_names_a_runbook_that_exists(alarm: str) -> None:
    anchor = re.search(r"docs/runbooks\.md#([a-z-]+)$", ALARMS[alarm]["AlarmDescription"])
    assert anchor is not None
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor[1] in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_watches_a_metric_that_is_written_and_says_what_silence_means(alarm: str) -> None:
    properties = ALARMS[alarm]
    if properties["Namespace"] in ("AWS/SQS", "AWS/Lambda", "AWS/ApiGateway"):
        assert "TreatMissingData" in properties
        return
    assert properties["Namespace"] == {"Fn::Sub": "SoccerPredictions/${AWS::StackName}"}
    assert properties["MetricName"] in OURS
    assert properties["TreatMissingData"] in ("breaching", "notBreaching", "ignore")


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_looks_back_no_further_than_cloudwatch_allows(alarm: str) -> None:
    properties = ALARMS[alarm]
    window = properties["Period"] * properties["EvaluationPeriods"]
    assert window <= (86_400 if properties["Period"] < 3_600 else 7 * 86_400)


def test_the_page_on_metrics_lists_every_metric_that_is_written_and_no_other() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    table = page.partition("## CloudWatch")[2].partition("## GET /metrics")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == OURS


def test_the_dashboard_shows_every_alarm_and_metrics_that_are_written() -> None:
    text = monitoring_template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    body = json.loads(text)
    alarms_shown = {arn.split(":alarm:")[1] for arn in body["widgets"][0]["properties"]["alarms"]}
    assert alarms_shown == {alarm["AlarmName"]["Fn::Sub"] for alarm in ALARMS.values()}
    metrics_shown = set(re.findall(r'MetricName=\\"(\w+)\\"', DASHBOARD.read_text(encoding="utf-8")))
    metrics_shown |= {
        metric[1]
        for widget in body["widgets"]
        for metric in widget["properties"].get("metrics", [])
        if isinstance(metric[0], str) and metric[0].startswith("SoccerPredictions")
    }
    assert metrics_shown <= OURS
