"""Each function under its own role: it does its job, no right is needless, and what it must not do is denied.

The emulator enforces role policies and records its decisions (tests/support/iam_recorder.py). What it does not ask for
is derived from the template in tests/security.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.processes import LocalSystemError
from infra.reference.rights import as_list
from infra.stack.functions import BULK_FUNCTIONS, FUNCTIONS
from tests.e2e.jobs import GivenUp, Jobs, role_of, variables
from tests.support.rights import Call, Right, asked_locally, recorded_calls, rights_of, unused_rights
from tests.support.throwaway import RunningStack

pytestmark = pytest.mark.alone
ALL_FUNCTIONS = (*FUNCTIONS, *BULK_FUNCTIONS)


@pytest.fixture(scope="module")
def enforced(stack: RunningStack) -> RunningStack:
    """The stack, if rights are enforced on it."""
    if not stack.system.emulator.enforce_iam:
        pytest.skip("ENFORCE_IAM=0")
    return stack


@pytest.fixture(scope="module")
def calls(enforced: RunningStack) -> set[Call]:
    """What every function asked AWS for when it did each part of its job once."""
    jobs = Jobs(enforced)
    for function in ALL_FUNCTIONS:
        jobs.run(function.name)
    return recorded_calls(enforced.iam_record, enforced.outputs.stack_name)


def deployed_rights(stack: RunningStack) -> list[Right]:
    """Every right of every function as it is deployed."""
    iam = stack.client("iam")
    rights = []
    for function in ALL_FUNCTIONS:
        role = role_of(stack, function.name)
        documents = [
            iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        rights += rights_of(function.name, documents)
    return rights


def test_every_function_does_its_job_and_none_is_denied_anything(calls: set[Call]) -> None:
    # The one refusal is ours: predict_async with its queue unreachable.
    denied = {(call.function, call.action) for call in calls if not call.allowed}
    assert denied <= {("predict_async", "sqs:SendMessage")}
    silent = {function.name for function in ALL_FUNCTIONS} - {call.function for call in calls}
    assert silent <= {"docs", "ui"}


def test_no_role_has_a_right_that_its_function_does_not_need(enforced: RunningStack, calls: set[Call]) -> None:
    rights = [right for right in deployed_rights(enforced) if asked_locally(right)]
    assert len(rights) > 50
    assert unused_rights(rights, calls) == []


def test_one_right_too_many_in_any_role_is_found(enforced: RunningStack, calls: set[Call]) -> None:
    rights = [right for right in deployed_rights(enforced) if asked_locally(right)]
    for function in ALL_FUNCTIONS:
        for action in ("s3:GetObject", "dynamodb:Scan", "sqs:PurgeQueue"):
            needless = Right(function.name, action, "arn:aws:s3:::else/*")
            assert unused_rights([*rights, needless], calls) == [needless]


# ── One right taken away ────────────────────────────────────────────────────────────────────────────

# Some of the quick ones; `make mutate-rights` takes away each right of each role, which takes minutes.
SOME = {
    ("task_status", "dynamodb:GetItem"),
    ("workers", "lambda:GetFunction"),
    ("healthcheck", "sqs:GetQueueAttributes"),
}


def without(right: Right, document: dict[str, Any]) -> dict[str, Any]:
    """A policy document without one action on one resource."""
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": resource}
        for statement in document["Statement"]
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if (action, resource) != (right.action, right.resource)
    ]
    return {"Version": "2012-10-17", "Statement": statements}


@contextmanager
def taken_away(stack: RunningStack, right: Right) -> Iterator[None]:
    """A role without one of its rights, its function in new sandboxes that remember nothing."""
    role, iam = role_of(stack, right.function), stack.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    before = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}

    def put(documents: dict[str, dict[str, Any]]) -> None:
        for name, document in documents.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

    put({name: without(right, document) for name, document in before.items()})
    try:
        with variables(stack, right.function, {"WITHOUT": f"{right.action} {right.resource}"}):
            yield
    finally:
        put(before)


def is_missed(stack: RunningStack, right: Right) -> str:
    """How the function's job shows that a right is gone; empty if it does not."""
    record, name = stack.iam_record, stack.outputs.stack_name
    calls_before = recorded_calls(record, name)

    def denied() -> set[Call]:
        return {call for call in recorded_calls(record, name) - calls_before if not call.allowed and right.allows(call)}

    with taken_away(stack, right):
        try:
            Jobs(stack, hopeless=lambda: bool(denied())).run(right.function)
        except (AssertionError, GivenUp, LocalSystemError) as error:
            return f"{type(error).__name__} {' '.join(str(error).split())[:120]}"
    return f"denied {min(call.resource for call in denied())}" if denied() else ""


def test_a_right_taken_away_is_missed(enforced: RunningStack, calls: set[Call]) -> None:
    rights = [right for right in deployed_rights(enforced) if asked_locally(right)]
    chosen_functions = os.environ.get("MUTATE_RIGHTS", "").split()
    chosen = [
        right
        for right in rights
        if (
            right.function in chosen_functions or chosen_functions == ["all"]
            if chosen_functions
            else (right.function, right.action) in SOME
        )
    ]
    assert chosen
    unnoticed = []
    for number, right in enumerate(chosen, 1):
        symptom = is_missed(enforced, right)
        line = f"{number:>3}/{len(chosen)} {right.function:<14}{right.action:<32}{symptom or 'NOT MISSED'}"
        print(line)  # noqa: T201 - minutes pass, shown by `pytest -s`
        if not symptom:
            unnoticed.append(right)
    assert unnoticed == []
    enforced.client("sqs").purge_queue(QueueUrl=enforced.outputs.inference_queue_url)


# ── What each role must not do ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Attempt:
    """Something a role may try, and the functions whose job it is."""

    name: str
    service: str
    operation: str
    arguments: dict[str, Any]
    may: frozenset[str] = frozenset()


LISTS = {"predictions", "matches", "odds", "cards", "region_roi"}
READERS = LISTS | {
    *("predict_match", "predict_async", "precomputed", "what_if", "features"),
    *("regions", "prices", "track_record", "projections", "clubs", "calendar"),
}
MODEL_READERS = {
    *("predict", "predict_match", "what_if", "model_info", "healthcheck", "inference", "sweep"),
    *("rebuild", "monitor_drift", "sync_models", "bulk_plan", "bulk_score"),
}
BATCH_READERS = {"rebuild", "refresh_odds", "monitor_drift", "bulk_plan", "bulk_publish"}
TASK_READERS = {"predict_async", "task_status", "healthcheck", "dead_letters", "sweep"}
TASK_ENDERS = {"predict_async", "inference", "dead_letters", "sweep"}
ENQUEUERS = {"predict_async", "sweep"}
GUARDED = LISTS | {
    *("predict", "predict_match", "predict_async", "what_if", "features"),
    *("metrics", "queues", "workers", "drift"),
}


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
        s3("read the raw matches", "get_object", "raw/matches/matches.parquet", {"rebuild", "bulk_plan"}),
        s3("read the raw odds", "get_object", "raw/odds/odds.parquet", {"rebuild", "refresh_odds", "bulk_plan"}),
        s3("read a release", "get_object", "releases/x/predictions.parquet", READERS | BATCH_READERS | {"sweep"}),
        s3(
            "read the release pointer", "get_object", "releases/current.json",
            READERS | BATCH_READERS | {"healthcheck", "metrics", "sweep"},
        ),
        s3("read a model", "get_object", "models/champion/x.lgb", MODEL_READERS),
        s3("read an export of the tasks", "get_object", "exports/x.parquet"),
        s3("read a drift report", "get_object", "reports/drift/latest.json", {"drift", "metrics", "sweep"}),
        s3("replace raw matches", "put_object", "raw/matches/matches.parquet"),
        s3("replace raw odds", "put_object", "raw/odds/x.json"),
        s3(
            "replace odds of a release", "put_object", "releases/x/odds.sqlite",
            {"rebuild", "refresh_odds", "sweep", "bulk_publish"},
        ),
        s3("replace predictions", "put_object", "releases/x/predictions.parquet", {"rebuild", "sweep", "bulk_publish"}),
        s3("replace what lists read", "put_object", "releases/x/serving.sqlite", {"rebuild", "sweep", "bulk_publish"}),
        s3("read an item of a rebuild", "get_object", "bulk/x/plan.json", {"bulk_score", "bulk_publish"}),
        s3("replace an item of a rebuild", "put_object", "bulk/x/plan.json", {"bulk_plan", "bulk_score"}),
        s3("delete an item of a rebuild", "delete_object", "bulk/x/plan.json", {"bulk_publish"}),
        s3(
            "move the release pointer", "put_object", "releases/current.json",
            {"rebuild", "refresh_odds", "sweep", "bulk_publish"},
        ),
        s3("replace the model", "put_object", "models/champion/current.json", {"sync_models", "sweep"}),
        s3("write a drift report", "put_object", "reports/drift/latest.json", {"monitor_drift"}),
        s3("write an export", "put_object", "exports/x.parquet", {"export_table"}),
        s3("delete a release", "delete_object", "releases/x/predictions.parquet", {"rebuild", "bulk_publish"}),
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
    credentials = stack.client("sts").assume_role(RoleArn=arn, RoleSessionName="intruder")["Credentials"]
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(
                service,  # type: ignore[call-overload]  # any of the services by name
                endpoint_url=stack.system.emulator.endpoint_url,
                region_name="us-east-1",
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials["SessionToken"],
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
    for function in ALL_FUNCTIONS:
        client = client_as(enforced, session, function.name)
        for attempt in attempts(enforced):
            # What it may do is proved by doing it (above), and would do harm here.
            if function.name not in attempt.may:
                tried += 1
                if not denied(client(attempt.service), attempt):
                    wrong.append(f"{function.name} could {attempt.name}")
    assert wrong == []
    assert tried > 900
