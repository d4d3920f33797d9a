"""What a deployment is made of and what is shown of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from infra.ops.deploy import Deployment, build_mark, changes, default_stack_name, main

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
    add, table, queue = changes(ChangeSet(), "arn")
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
