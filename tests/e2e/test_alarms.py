"""Each alarm rises by the fault it is for, on an empty stack of its own.

The emulator counts throttled calls as AWS does, but measures neither queues nor its gateway: for the three alarms on
AWS/SQS and AWS/ApiGateway, the fault is the figure that AWS would report of it.
"""

import contextlib
import json
import socket
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from batch.mlflow.rest import MlflowRest
from chalicelib.domain import MODEL_NAME
from infra.local.processes import LocalSystemError
from infra.local.system import STACK_NAME
from infra.stack.monitoring import alarms
from tests.e2e.waiting import until
from tests.support.throwaway import RunningStack, throwaway_stack

pytestmark = pytest.mark.emulator


RISEN: set[str] = set()
"""Alarms that a test of this file has seen in ALARM."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """No model, no release; a task is too old after one second."""
    parameters = {"TaskAgeAlarmSeconds": "1", "MaxBacklog": "3"}
    with throwaway_stack(tmp_path_factory.mktemp("empty"), filled=False, parameters=parameters) as running:
        yield running


def state(stack: RunningStack, alarm: str) -> str:
    (alarm_state,) = stack.client("cloudwatch").describe_alarms(AlarmNames=[f"{STACK_NAME}-{alarm}"])["MetricAlarms"]
    value: str = alarm_state["StateValue"]
    return value


def rises(stack: RunningStack, *alarms: str) -> bool:
    """Whether all of them rise; each failure keeps being counted by an ordinary request in between."""

    def all_risen() -> bool:
        return all(state(stack, alarm) == "ALARM" for alarm in alarms)

    risen = until(all_risen)
    RISEN.update(alarms if risen else ())
    return risen


def test_no_alarm_has_risen_before_anything_happened(empty: RunningStack) -> None:
    found = empty.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{STACK_NAME}-")["MetricAlarms"]
    assert len(found) == len(alarms())
    assert {alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"} == set()


def test_the_dashboard_is_there_and_its_names_are_filled_in(empty: RunningStack) -> None:
    body = empty.client("cloudwatch").get_dashboard(DashboardName=STACK_NAME)["DashboardBody"]
    assert "${" not in body
    assert len(json.loads(body)["widgets"]) == 15


def test_requests_without_a_model_burn_the_availability(empty: RunningStack) -> None:
    body = {"match_id": 1, "features": {}}
    for _ in range(5):
        assert requests.post(f"{empty.base_url}/predict/", json=body, timeout=30).status_code == 503
    assert rises(empty, "availability-fast-burn", "availability-slow-burn", "deployment-failing")


def test_a_damaged_object_is_noticed_by_the_sweep(empty: RunningStack) -> None:
    s3, mirror = empty.client("s3"), {"Bucket": empty.outputs.bucket, "Key": "models/challenger/current.json"}
    s3.put_object(**mirror, Body=b"{")
    try:
        empty.invoke("sweep")
        assert rises(empty, "damaged-objects")
    finally:
        s3.delete_object(**mirror)


def test_a_bucket_that_does_not_answer_burns_the_latency(empty: RunningStack) -> None:
    client, name = empty.client("lambda"), empty.function_name("predict")
    before = client.get_function_configuration(FunctionName=name)
    variables = before["Environment"]["Variables"]
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        nobody = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables | nobody}, Timeout=2
        )
        try:
            for _ in range(3):
                answer = requests.post(f"{empty.base_url}/predict/", json={"match_id": 1, "features": {}}, timeout=30)
                assert answer.status_code == 504
        finally:
            client.update_function_configuration(
                FunctionName=name, Environment={"Variables": variables}, Timeout=before["Timeout"]
            )
    assert rises(empty, "latency", "latency-fast-burn")


def test_tasks_that_wait_for_a_model_are_too_old_and_fill_the_backlog(empty: RunningStack) -> None:
    body = {"match_id": 1, "features": {"x": 1}}
    sqs, queue = empty.client("sqs"), empty.outputs.inference_queue_url
    (mapping,) = empty.client("lambda").list_event_source_mappings(FunctionName=empty.function_name("inference"))[
        "EventSourceMappings"
    ]
    empty.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:

        def refused() -> bool:
            return requests.post(f"{empty.base_url}/predict/async/", json=body, timeout=30).status_code == 429

        assert until(refused)

        def too_old() -> bool:
            empty.invoke("sweep")
            return state(empty, "task-age") == "ALARM"

        assert until(too_old)
        RISEN.add("task-age")
        assert rises(empty, "requests-refused")
    finally:
        sqs.purge_queue(QueueUrl=queue)
        empty.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def test_a_message_that_always_fails_is_a_dead_letter(empty: RunningStack) -> None:
    sqs, queue = empty.client("sqs"), empty.outputs.inference_queue_url
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        sqs.send_message(QueueUrl=queue, MessageBody="not a task")
        assert rises(empty, "dead-letters")
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)


def test_an_old_release_and_a_drifted_report_are_noticed_by_the_sweep(empty: RunningStack) -> None:
    old = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    entry = {"key": "k", "rows": 1, "bytes": 1, "sha256": "x", "as_of": old, "computed_at": old}
    pointer: dict[str, Any] = {"schema_version": 1, "release_id": "r", "as_of": old, "published_at": old}
    put(empty, "releases/current.json", {**pointer, "datasets": {"predictions": entry, "fonbet_odds": entry}})
    put(empty, "reports/drift/latest.json", {"drift_score": 0.75})
    empty.invoke("sweep")
    assert rises(empty, "stale-release", "stale-odds", "drift")


def put(stack: RunningStack, key: str, content: dict[str, Any]) -> None:
    stack.client("s3").put_object(Bucket=stack.outputs.bucket, Key=key, Body=json.dumps(content).encode())


def test_calls_without_concurrency_left_are_throttles(empty: RunningStack) -> None:
    client, name = empty.client("lambda"), empty.function_name("docs")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        assert requests.get(f"{empty.base_url}/openapi.json", timeout=30).status_code >= 429
    finally:
        client.delete_function_concurrency(FunctionName=name)
    # the emulator looks at its alarms when a metric of ours arrives
    assert requests.get(f"{empty.base_url}/openapi.json", timeout=30).status_code == 200
    assert rises(empty, "lambda-throttles")


@pytest.mark.parametrize(
    ("alarm", "figure", "unit"),
    [
        # a message nobody takes; TaskAgeAlarmSeconds is 1 here
        ("queue-age", 2.0, "Seconds"),
        # a dead letter nobody takes, a quarter of an hour long
        ("dead-letters-stuck", 1.0, "Count"),
        # a run that failed for good
        ("failed-runs", 1.0, "Count"),
        # a crash at start in one call of five
        ("gateway-errors", 0.2, "Count"),
    ],
)
def test_what_aws_measures_itself_raises_the_alarm_on_it(
    empty: RunningStack, alarm: str, figure: float, unit: str
) -> None:
    client = empty.client("cloudwatch")
    (watched,) = client.describe_alarms(AlarmNames=[f"{STACK_NAME}-{alarm}"])["MetricAlarms"]
    now, period = datetime.now(UTC), timedelta(seconds=watched["Period"])
    points = [
        {
            "MetricName": watched["MetricName"],
            "Dimensions": watched["Dimensions"],
            "Timestamp": now - number * period,
            "Value": figure,
            "Unit": unit,
        }
        for number in range(watched["EvaluationPeriods"])
    ]
    client.put_metric_data(Namespace=watched["Namespace"], MetricData=points)
    assert rises(empty, alarm)


def test_a_version_that_cannot_be_served_is_noticed(empty: RunningStack) -> None:
    # An alias of a version whose files are no model: what a training run of another origin may leave.
    server = MlflowRest(empty.system.mlflow.tracking_uri)
    server.post("registered-models/create", {"name": MODEL_NAME})
    experiment = server.post("experiments/create", {"name": "damaged"})["experiment_id"]
    run = server.post("runs/create", {"experiment_id": experiment})["run"]["info"]
    folder = f"{run['artifact_uri']}/model"
    signature = json.dumps([{"name": "x", "type": "double", "required": True}])
    path = urllib.parse.urlsplit(folder).path.strip("/")
    server.put_artifact(f"{path}/MLmodel", json.dumps({"signature": {"inputs": signature}}).encode())
    server.put_artifact(f"{path}/model.lgb", b"tree\nversion=v4\n\nTree=0\nnum_leaves=9\n")
    version = {"name": MODEL_NAME, "source": folder, "run_id": run["run_id"]}
    number = server.post("model-versions/create", version)["model_version"]["version"]
    server.post("registered-models/alias", {"name": MODEL_NAME, "alias": "champion", "version": str(number)})
    assert empty.invoke("sync_models")["stages"]["champion"]["outcome"] == "refused"
    assert rises(empty, "model-refused")


def test_an_unreachable_registry_is_noticed_by_the_mirror(empty: RunningStack) -> None:
    empty.system.mlflow.daemon.stop()
    for _ in range(2):
        with contextlib.suppress(LocalSystemError):
            empty.invoke("sync_models")
    assert rises(empty, "model-mirror", "batch-failed")


def test_every_alarm_has_risen_once(empty: RunningStack) -> None:
    # the last test: for a new alarm add its fault above
    alarms = empty.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{STACK_NAME}-")["MetricAlarms"]
    assert {alarm["AlarmName"].removeprefix(f"{STACK_NAME}-") for alarm in alarms} == RISEN
