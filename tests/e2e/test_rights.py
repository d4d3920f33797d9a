"""Each function under its own role: it does its job, no right is needless, and what it must not do is denied.

The emulator enforces role policies and records its decisions (infra/iam_recorder.py). What it does not ask for is
derived from the template in tests/security.
"""

import io
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pyarrow.parquet as pq
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.functions import FUNCTIONS
from infra.rights import Call, Right, asked_locally, not_needed, recorded_calls, rights_of
from infra.throwaway import RunningStack

MATCHES = 3
# More releases than a rebuild keeps, so that it has some to delete.
OLD_RELEASES = 20


@pytest.fixture(scope="module")
def enforced(stack: RunningStack) -> RunningStack:
    """The stack, if rights are enforced on it."""
    if not stack.system.emulator.enforce_iam:
        pytest.skip("ENFORCE_IAM=0")
    return stack


def role_of(stack: RunningStack, function: str) -> str:
    """Name of a function's role."""
    configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.function_name(function))
    return str(configuration["Role"].rpartition("/")[2])


def eventually(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until the condition is true.

    Raises:
        AssertionError: It did not become true in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


# ── Every function through its real path ────────────────────────────────────────────────────────────


@contextmanager
def keys_demanded(stack: RunningStack, functions: tuple[str, ...]) -> Iterator[None]:
    """Client routes as in production, where they read the keys; the local stage leaves them open."""
    client = stack.client("lambda")
    before = {
        name: client.get_function_configuration(FunctionName=stack.function_name(name))["Environment"]["Variables"]
        for name in functions
    }

    def change(**variables: str) -> None:
        for name, own in before.items():
            client.update_function_configuration(
                FunctionName=stack.function_name(name), Environment={"Variables": {**own, **variables}}
            )

    change(CLIENT_KEY_REQUIRED="true")
    try:
        yield
    finally:
        change()


@contextmanager
def queue_refused(stack: RunningStack) -> Iterator[None]:
    """The queue out of reach for predict_async."""
    role, iam = role_of(stack, "predict_async"), stack.client("iam")
    statement = {"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="refuse", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="refuse")


def a_match_with_features(stack: RunningStack) -> tuple[int, dict[str, Any]]:
    """A match of the release and what a caller would send for it."""
    s3 = stack.client("s3")
    pointer = json.loads(s3.get_object(Bucket=stack.outputs.bucket, Key="releases/current.json")["Body"].read())
    key = pointer["datasets"]["match_features"]["key"]
    content = s3.get_object(Bucket=stack.outputs.bucket, Key=key)["Body"].read()
    row = pq.read_table(io.BytesIO(content)).slice(0, 1).to_pylist()[0]
    return row.pop("match_id"), row


def pending_task(stack: RunningStack, match_id: int, features: dict[str, Any], age_seconds: float) -> tuple[str, str]:
    """A task that waits since then, written past the API; its id and its message."""
    task_id, submitted = str(uuid.uuid4()), time.time() - age_seconds
    content = {"task_id": task_id, "match_id": match_id, "stage": "champion", "features": features}
    message = json.dumps({**content, "submitted_at": "2024-04-01T00:00:00Z"})
    stack.client("dynamodb").put_item(
        TableName=stack.outputs.tasks_table,
        Item={
            "task_id": {"S": task_id},
            "status": {"S": "pending"},
            "message": {"S": message},
            "submitted_at": {"N": repr(submitted)},
            "sends": {"N": "0"},
            "next_send_at": {"N": repr(submitted)},
            "pending_shard": {"S": "0"},
            "expires_at": {"N": str(int(submitted) + 86_400)},
        },
    )
    return task_id, message


@pytest.fixture(scope="module")
def calls(enforced: RunningStack) -> set[Call]:
    """What every function asked AWS for when it did each part of its job once."""
    stack = enforced
    session = requests.Session()

    def answer(method: str, path: str, status: int = 200, **request: Any) -> Any:
        response = session.request(method, f"{stack.base_url}/{path}", timeout=30, **request)
        assert response.status_code == status, f"{path}: {response.status_code} {response.text[:300]}"
        return response

    def task_state(task_id: str) -> str:
        return str(answer("GET", f"monitoring/task_status/{task_id}").json()["status"])

    # Scheduled and other functions that are invoked directly.
    s3, bucket = stack.client("s3"), stack.outputs.bucket
    for number in range(OLD_RELEASES):
        s3.put_object(
            Bucket=bucket, Key=f"releases/20200101T0000{number:02}Z-00000000/predictions.parquet", Body=b"old"
        )
    session.headers["X-API-Key"] = stack.keys.client
    take_alias_away_and_give_it_back(stack)
    assert stack.invoke("rebuild", {"as_of": "2024-04-01T00:00:00Z"})["forgotten_files"] >= 1
    stack.invoke("refresh_odds", {"as_of": "2024-04-01T00:00:00Z"})
    stack.invoke("monitor_drift", {"as_of": "2024-04-01T00:00:00Z"})
    assert stack.invoke("export_table")["key"].startswith("exports/")

    # Predictions, with keys demanded and the queue refused once.
    match_id, features = a_match_with_features(stack)
    with keys_demanded(stack, ("predict", "predict_match", "predict_async")):
        answer("POST", "predict", json={"match_id": match_id, "features": features})
        answer("GET", f"predict/{match_id}")
        with queue_refused(stack):
            answer("POST", "predict/async", 503, json={"match_id": match_id})
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        task = answer("POST", "predict/async", 202, json={"match_id": match_id}, headers=headers).json()["task_id"]
        again = answer("POST", "predict/async", 202, json={"match_id": match_id}, headers=headers).json()["task_id"]
        assert again == task
    eventually(lambda: task_state(task) == "success", "the queued prediction")

    # Behind the dead-letter queue, and what the sweep finds.
    doomed, message = pending_task(stack, match_id, features, age_seconds=0)
    stack.client("sqs").send_message(QueueUrl=stack.outputs.dead_letter_queue_url, MessageBody=message)
    eventually(lambda: task_state(doomed) == "failed", "the dead letter's task")
    lost, _ = pending_task(stack, match_id, features, age_seconds=3_600)
    eventually(lambda: stack.invoke("sweep")["sent"] >= 1, "the sweep")
    eventually(lambda: task_state(lost) == "success", "the lost task")

    # Readers.
    answer("GET", f"predict/precomputed/{match_id}")
    for path in ("predictions", "matches", "odds", "cards", "region-roi", "model/info"):
        answer("GET", f"predict/{path}")
    assert set(answer("GET", "healthcheck").json()["checks"].values()) == {"ok"}
    session.headers["X-API-Key"] = stack.keys.operator
    for path in ("metrics", "monitoring/queues", "monitoring/workers", "monitoring/drift", "openapi.json"):
        answer("GET", path)
    session.get(f"{stack.base_url}/ui", timeout=30)
    return recorded_calls(stack.system.emulator.iam_record, stack.outputs.stack_name)


def take_alias_away_and_give_it_back(stack: RunningStack) -> None:
    """Make sync_models remove a mirror and write it again."""
    api = f"{stack.mlflow_tracking_uri}/api/2.0/mlflow/registered-models/alias"
    alias = {"name": "soccer_model", "alias": "challenger"}
    version = requests.get(api, params=alias, timeout=10).json()["model_version"]["version"]
    requests.delete(api, json=alias, timeout=10).raise_for_status()
    try:
        stack.invoke("sync_models")
    finally:
        requests.post(api, json={**alias, "version": version}, timeout=10).raise_for_status()
    stack.invoke("sync_models")


def deployed_rights(stack: RunningStack) -> list[Right]:
    """Every right of every function as it is deployed."""
    iam = stack.client("iam")
    rights = []
    for function in FUNCTIONS:
        role = role_of(stack, function.name)
        documents = [
            iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        rights += rights_of(function.name, documents)
    return rights


def test_every_function_does_its_job_and_none_is_denied_anything(calls: set[Call]) -> None:
    # The one refusal is ours: predict_async with its queue out of reach.
    denied = {(call.function, call.action) for call in calls if not call.allowed}
    assert denied <= {("predict_async", "sqs:SendMessage")}
    silent = {function.name for function in FUNCTIONS} - {call.function for call in calls}
    assert silent <= {"docs", "ui"}


def test_no_role_has_a_right_that_its_function_does_not_need(enforced: RunningStack, calls: set[Call]) -> None:
    rights = [right for right in deployed_rights(enforced) if asked_locally(right)]
    assert len(rights) > 50
    assert not_needed(rights, calls) == []


# ── What each role must not do ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Attempt:
    """Something a role may try, and the functions whose job it is."""

    name: str
    service: str
    operation: str
    arguments: dict[str, Any]
    may: frozenset[str] = frozenset()


READERS = {"predict_match", "predict_async", "precomputed", "predictions", "matches", "odds", "cards", "region_roi"}
MODEL_READERS = {"predict", "predict_match", "model_info", "inference", "rebuild", "monitor_drift", "sync_models"}
BATCH_READERS = {"rebuild", "refresh_odds", "monitor_drift"}
TASK_READERS = {"predict_async", "task_status", "healthcheck", "dead_letters", "sweep"}
TASK_ENDERS = {"predict_async", "inference", "dead_letters", "sweep"}
ENQUEUERS = {"predict_async", "sweep"}
GUARDED = {"predict", "predict_match", "predict_async", "metrics", "queues", "workers", "drift"}


def attempts(stack: RunningStack) -> list[Attempt]:
    """What an intruder in a function would try."""
    out = stack.outputs
    bucket, packages = out.bucket, f"{out.stack_name}-artifacts-000000000000-us-east-1"
    task: dict[str, Any] = {"TableName": out.tasks_table, "Key": {"task_id": {"S": "healthcheck"}}}
    end: dict[str, Any] = {"UpdateExpression": "SET x = x", "ConditionExpression": "attribute_exists(nothing)"}
    pending: dict[str, Any] = {
        "KeyConditionExpression": "pending_shard = :s",
        "ExpressionAttributeValues": {":s": {"S": "x"}},
    }

    def s3(name: str, operation: str, key: str, may: set[str] | None = None) -> Attempt:
        body = {"Body": b"x"} if operation == "put_object" else {}
        return Attempt(name, "s3", operation, {"Bucket": bucket, "Key": key, **body}, frozenset(may or ()))

    def one(name: str, service: str, operation: str, may: set[str] | None = None, **arguments: Any) -> Attempt:
        return Attempt(name, service, operation, arguments, frozenset(may or ()))

    table, keys = out.tasks_table, out.api_keys_secret_id
    inference, dead = out.inference_queue_url, out.dead_letter_queue_url
    return [
        s3("read the raw matches", "get_object", "raw/matches/matches.parquet", {"rebuild"}),
        s3("read the raw odds", "get_object", "raw/odds/odds.parquet", {"refresh_odds"}),
        s3("read a release", "get_object", "releases/x/predictions.parquet", READERS | BATCH_READERS),
        s3(
            "read the release pointer", "get_object", "releases/current.json",
            READERS | BATCH_READERS | {"healthcheck", "metrics", "sweep"},
        ),
        s3("read a model", "get_object", "models/champion/x.lgb", MODEL_READERS),
        s3("read an export of the tasks", "get_object", "exports/x.parquet"),
        s3("read a drift report", "get_object", "reports/drift/latest.json", {"drift", "metrics", "sweep"}),
        s3("replace raw matches", "put_object", "raw/matches/matches.parquet"),
        s3("replace raw odds", "put_object", "raw/odds/x.json", {"refresh_odds"}),
        s3("move the release pointer", "put_object", "releases/current.json", {"rebuild", "refresh_odds"}),
        s3("replace the model", "put_object", "models/champion/current.json", {"sync_models"}),
        s3("write a drift report", "put_object", "reports/drift/latest.json", {"monitor_drift"}),
        s3("write an export", "put_object", "exports/x.parquet", {"export_table"}),
        s3("delete a release", "delete_object", "releases/x/predictions.parquet", {"rebuild"}),
        s3("delete the model", "delete_object", "models/champion/x", {"sync_models"}),
        s3("delete raw matches", "delete_object", "raw/matches/x"),
        one("delete the bucket", "s3", "delete_bucket", Bucket=bucket),
        one("open the bucket", "s3", "put_bucket_policy", Bucket=bucket, Policy="{}"),
        one("list all buckets", "s3", "list_buckets"),
        one("read the packages", "s3", "get_object", Bucket=packages, Key="x"),
        one("read a task", "dynamodb", "get_item", TASK_READERS, **task),
        one("write a task", "dynamodb", "put_item", {"predict_async"}, TableName=table, Item=task["Key"]),
        one("end a task", "dynamodb", "update_item", TASK_ENDERS, **task, **end),
        one("delete a task", "dynamodb", "delete_item", **task),
        one("read all tasks", "dynamodb", "scan", {"export_table"}, TableName=table, Limit=1),
        one(
            "find pending tasks", "dynamodb", "query", {"queues", "sweep", "metrics"},
            TableName=table, IndexName="pending", Limit=1, **pending,
        ),
        one("delete the table", "dynamodb", "delete_table", TableName=table),
        one("queue a prediction", "sqs", "send_message", ENQUEUERS, QueueUrl=inference, MessageBody="x"),
        one("queue a dead letter", "sqs", "send_message", QueueUrl=dead, MessageBody="x"),
        one("take from the queue", "sqs", "receive_message", {"inference"}, QueueUrl=inference),
        one("take dead letters", "sqs", "receive_message", {"dead_letters"}, QueueUrl=dead),
        one("empty the queue", "sqs", "purge_queue", QueueUrl=inference),
        one("delete the queue", "sqs", "delete_queue", QueueUrl=inference),
        one("read the API keys", "secretsmanager", "get_secret_value", GUARDED, SecretId=keys),
        one("replace the API keys", "secretsmanager", "put_secret_value", SecretId=keys, SecretString="{}"),
        one("list secrets", "secretsmanager", "list_secrets"),
        one("invoke another function", "lambda", "invoke", FunctionName=stack.function_name("rebuild")),
        one("replace code", "lambda", "update_function_code", FunctionName=stack.function_name("ui"), ZipFile=b"x"),
        one("read another function", "lambda", "get_function", FunctionName=stack.function_name("rebuild")),
        one("give itself rights", "iam", "put_role_policy", RoleName="x", PolicyName="x", PolicyDocument="{}"),
        one("read metrics", "cloudwatch", "list_metrics", {"metrics"}),
        one("delete the stack", "cloudformation", "delete_stack", StackName="no-such-stack"),
        one("read logs", "logs", "filter_log_events", logGroupName=f"/aws/lambda/{stack.function_name('predict')}"),
    ]  # fmt: skip


def client_as(stack: RunningStack, session: boto3.Session, function: str) -> Callable[[str], Any]:
    """Clients with the rights of a function's role; one session for all, which reads each service's model once."""
    arn = f"arn:aws:iam::000000000000:role/{role_of(stack, function)}"
    given = stack.client("sts").assume_role(RoleArn=arn, RoleSessionName="intruder")["Credentials"]
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(
                service,  # type: ignore[call-overload]  # any of the services by name
                endpoint_url=stack.system.emulator.endpoint_url,
                region_name="us-east-1",
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given["SessionToken"],
                config=Config(retries={"max_attempts": 1, "mode": "standard"}),
            )
        return clients[service]

    return client


def denied(client: Any, attempt: Attempt) -> bool:
    """Whether the attempt was refused for want of a right."""
    try:
        getattr(client, attempt.operation)(**attempt.arguments)
    except ClientError as error:
        return "AccessDenied" in error.response["Error"]["Code"]
    return False


def test_no_role_can_do_what_is_not_its_functions_job(enforced: RunningStack) -> None:
    tried, wrong, session = 0, [], boto3.Session()
    for function in FUNCTIONS:
        client = client_as(enforced, session, function.name)
        for attempt in attempts(enforced):
            # What it may do is proved by doing it (above), and would do harm here.
            if function.name not in attempt.may:
                tried += 1
                if not denied(client(attempt.service), attempt):
                    wrong.append(f"{function.name} could {attempt.name}")
    assert wrong == []
    assert tried > 900
