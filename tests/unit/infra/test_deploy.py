"""What a deployment is made of and what is shown of it."""

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from infra.ops.artifacts import ArtifactsError, artifacts_bucket
from infra.ops.change_set import (
    DeployError,
    changes,
    failures,
    parameter_differences,
    planned_parameters,
    resulting_values,
)
from infra.ops.deploy import Deployment, build_mark, default_stack_name, destroy, main, rebuild_if_outdated

DEV = Deployment("dev", "soccer-dev", {"Stage": "dev"}, {})


class ChangeSet:
    """CloudFormation that describes one change set on two pages."""

    def get_paginator(self, name: str) -> "ChangeSet":
        """Itself."""
        assert name == "describe_change_set"
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        """Both pages."""
        queue = {"Action": "Modify", "ResourceType": "AWS::SQS::Queue", "LogicalResourceId": "InferenceQueue"}
        table = {"Action": "Modify", "ResourceType": "AWS::DynamoDB::Table", "LogicalResourceId": "TasksTable"}
        alarm = {"Action": "Add", "ResourceType": "AWS::CloudWatch::Alarm", "LogicalResourceId": "DriftAlarm"}
        yield {"Changes": [{"ResourceChange": queue}, {"ResourceChange": {**table, "Replacement": "True"}}]}
        yield {"Changes": [{"ResourceChange": {**alarm, "Replacement": "False"}}]}


def test_what_would_be_replaced_stands_out_in_the_change_set() -> None:
    add, table, queue = changes(ChangeSet(), "soccer-dev", "arn")
    assert add.split() == ["Add", "AWS::CloudWatch::Alarm", "DriftAlarm"]
    assert table.split() == ["Modify", "AWS::DynamoDB::Table", "TasksTable", "REPLACED"]
    assert queue.split() == ["Modify", "AWS::SQS::Queue", "InferenceQueue"]


def test_another_parameter_is_another_deployment_and_the_same_is_the_same() -> None:
    assert build_mark(DEV) == build_mark(replace(DEV, environment={"AWS_DEFAULT_REGION": "eu-west-1"}))
    assert build_mark(DEV) != build_mark(replace(DEV, parameters={"Stage": "dev", "LogLevel": "DEBUG"}))


def test_one_account_can_hold_several_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACK_NAME", raising=False)
    assert default_stack_name("prod") == "soccer-prod"
    monkeypatch.setenv("STACK_NAME", "blue")
    assert default_stack_name("prod") == "blue"


def test_the_local_stage_is_not_deployed_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["deploy", "--stage", "local"])
    assert "invalid choice: 'local'" in capsys.readouterr().err


# ── Parameters ──────────────────────────────────────────────────────────────────────────────────────

KNOWN = dict.fromkeys(("Stage", "LogLevel", "ThrottleRate", "DomainName", "KeyRate", "Build"), "")
COMMITTED = {"ThrottleRate": "200", "KeyRate": "25"}


def test_a_value_given_once_stays_until_it_is_given_again() -> None:
    current = {"Stage": "prod", "LogLevel": "DEBUG", "DomainName": "api.example.org", "ThrottleRate": "50"}
    planned = planned_parameters(KNOWN, {"Stage": "prod", "Build": "2"}, COMMITTED, current)
    # None keeps what the stack has; KeyRate is new to it and comes from the stage's file
    expected = {"Stage": "prod", "Build": "2", "LogLevel": None, "DomainName": None, "ThrottleRate": None}
    assert planned == {**expected, "KeyRate": "25"}
    assert planned_parameters(KNOWN, {"LogLevel": "INFO"}, {}, current)["LogLevel"] == "INFO"


def test_a_new_stack_gets_the_stages_file_and_what_is_given() -> None:
    assert planned_parameters(KNOWN, {"KeyRate": "5"}, COMMITTED, {}) == {"KeyRate": "5", "ThrottleRate": "200"}


def test_a_parameter_that_the_template_does_not_have_is_refused() -> None:
    with pytest.raises(DeployError, match="no parameter LogLevle"):
        planned_parameters(KNOWN, {"LogLevle": "INFO"}, {}, {})


def test_what_changes_and_what_stays_against_the_file_is_shown() -> None:
    current = {"LogLevel": "INFO", "ThrottleRate": "50", "KeyRate": "25", "Build": "1"}
    planned = planned_parameters(KNOWN, {"LogLevel": "DEBUG", "DomainName": "x.org", "Build": "2"}, COMMITTED, current)
    assert parameter_differences(planned, KNOWN, COMMITTED, current) == [
        "DomainName: (new) -> 'x.org'",
        "LogLevel: 'INFO' -> 'DEBUG'",
        "ThrottleRate: stays '50'; the stage's file says '200' (FROM_FILE=1 takes it)",
    ]


# ── The bucket for packages ─────────────────────────────────────────────────────────────────────────


def s3() -> Any:
    """A client that reaches nobody."""
    return boto3.client("s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


BUCKET = "soccer-dev-artifacts-111122223333-eu-west-1"
LOOK = {"Bucket": BUCKET, "ExpectedBucketOwner": "111122223333"}


def test_a_bucket_of_the_guessable_name_that_is_another_accounts_gets_nothing() -> None:
    client = s3()
    with Stubber(client) as stub:
        stub.add_client_error("head_bucket", "403", expected_params=LOOK, http_status_code=403)
        with pytest.raises(ArtifactsError, match="nothing was uploaded"):
            artifacts_bucket(client, "111122223333", "soccer-dev")


def test_our_own_bucket_is_used_as_it_is() -> None:
    client = s3()
    with Stubber(client) as stub:
        stub.add_response("head_bucket", {}, LOOK)
        assert artifacts_bucket(client, "111122223333", "soccer-dev") == BUCKET


# ── Failures ────────────────────────────────────────────────────────────────────────────────────────


class Events:
    """CloudFormation with a stack's events on two pages, the newest first."""

    def get_paginator(self, name: str) -> "Events":
        """Itself."""
        assert name == "describe_stack_events"
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        """Both pages."""
        for page in (("Sweep", "3"), ("Rebuild", "2")), (("Inference", "1"),):
            yield {
                "StackEvents": [
                    {
                        "EventId": number,
                        "LogicalResourceId": name,
                        "ResourceStatus": "UPDATE_FAILED",
                        "ResourceStatusReason": f"reason {number}",
                    }
                    for name, number in page
                ]
            }


def test_failures_come_from_every_page_in_their_order_without_earlier_changes() -> None:
    assert failures(Events(), "s").splitlines() == [
        "  Inference: reason 1",
        "  Rebuild: reason 2",
        "  Sweep: reason 3",
    ]
    assert failures(Events(), "s", {"1"}).splitlines() == ["  Rebuild: reason 2", "  Sweep: reason 3"]


class Deletable:
    """CloudFormation with one stack, which cannot be deleted."""

    def __init__(self, *, protected: bool) -> None:
        self.status, self.protected = "CREATE_COMPLETE", protected

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """The stack."""
        return {"Stacks": [{"StackStatus": self.status, "EnableTerminationProtection": self.protected}]}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        """Fails."""
        self.status = "DELETE_FAILED"

    def get_paginator(self, name: str) -> Events:
        """Its events."""
        return Events().get_paginator(name)


class At(Deployment):
    """A deployment to a CloudFormation of the test."""

    def client(self, service: str) -> Any:
        """The one client."""
        return self.environment[service]


@pytest.mark.parametrize(("protected", "message"), [(False, "Inference: reason 1"), (True, "is protected")])
def test_a_stack_that_cannot_be_deleted_ends_with_its_reasons(*, protected: bool, message: str) -> None:
    where: Any = {"cloudformation": Deletable(protected=protected)}
    with pytest.raises(DeployError, match=message):
        destroy(At("prod", "soccer-prod", {}, where, poll_seconds=0), lambda _: None)


def test_without_credentials_nothing_is_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert main(["deploy", "--stage", "dev", "--yes"]) == 1
    assert "who you are" in capsys.readouterr().err


# ── After an update ─────────────────────────────────────────────────────────────────────────────────


class Bucket:
    """S3 with the release pointer of some version."""

    def __init__(self, datasets: Iterable[str] | None) -> None:
        self.datasets = datasets

    def get_object(self, **_: str) -> dict[str, Any]:
        """The pointer."""
        if self.datasets is None:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(json.dumps({"datasets": {key: {} for key in self.datasets}}).encode())}


class Invoked:
    """Lambda that notes what is invoked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803 - boto3's names
        """Note it."""
        assert Payload == b"{}"
        self.calls.append((FunctionName, InvocationType))


@pytest.mark.parametrize(
    ("datasets", "is_rebuilt"),
    [
        # 1.0 wrote tables only, which the lists of this version do not read
        (["predictions", "fonbet_odds"], True),
        (["predictions", "fonbet_odds", "serving", "serving_odds"], False),
        # a first deployment: there are no matches yet
        (None, False),
    ],
)
def test_lists_of_an_updated_stack_do_not_wait_for_the_next_schedule(
    datasets: list[str] | None, *, is_rebuilt: bool
) -> None:
    invoked, said = Invoked(), list[str]()
    where: Any = {"s3": Bucket(datasets), "lambda": invoked}
    rebuild_if_outdated(At("dev", "soccer-dev", {}, where), "the-bucket", said.append)
    assert invoked.calls == ([("soccer-dev-rebuild:live", "Event")] if is_rebuilt else [])
    assert bool(said) == is_rebuilt


# ── Values after a change ───────────────────────────────────────────────────────────────────────────


def test_what_a_parameter_will_be_is_given_kept_or_the_default() -> None:
    known = {"LogLevel": {"Default": "INFO"}, "KeyRate": {"Default": 25}, "DomainName": {"Default": ""}}
    planned = {"LogLevel": "DEBUG", "KeyRate": None}
    assert resulting_values(known, planned, {"KeyRate": "5"}) == {"LogLevel": "DEBUG", "KeyRate": "5", "DomainName": ""}
