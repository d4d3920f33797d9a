"""The nested stack of rebuilds in items, as AWS gets it."""

import json
from typing import Any

import pytest

from batch import handlers
from batch.settings import BatchSettings
from infra.stack.bulk import bulk_template
from infra.stack.functions import BULK_FUNCTIONS
from infra.stack.stages import target_of


@pytest.fixture(scope="module")
def bulk() -> dict[str, Any]:
    return bulk_template(target_of("prod"))


@pytest.fixture(scope="module")
def machine(bulk: dict[str, Any]) -> dict[str, Any]:
    """The state machine's definition with its number put in, as CloudFormation does."""
    text = bulk["Resources"]["StateMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    definition: dict[str, Any] = json.loads(text.replace("${Concurrency}", "20"))
    return definition


def test_the_parent_gives_every_parameter(bulk: dict[str, Any], template: dict[str, Any]) -> None:
    nested = template["Resources"]["Bulk"]
    assert nested["Condition"] == "BulkOn"
    assert set(nested["Properties"]["Parameters"]) == set(bulk["Parameters"])
    assert template["Parameters"]["BulkRebuild"]["Default"] == "false"


def test_either_the_function_or_the_state_machine_is_scheduled(template: dict[str, Any]) -> None:
    event = template["Resources"]["Rebuild"]["Properties"]["Events"]["RebuildEvent"]["Properties"]
    assert event["State"] == {"Fn::If": ["RebuildScheduleOn", "ENABLED", "DISABLED"]}
    assert {"Fn::Not": [{"Condition": "BulkOn"}]} in template["Conditions"]["RebuildScheduleOn"]["Fn::And"]
    assert template["Resources"]["Bulk"]["Properties"]["Parameters"]["Schedule"] == {"Ref": "RebuildSchedule"}


def test_functions_have_code_a_role_of_their_own_and_every_setting(bulk: dict[str, Any]) -> None:
    required = {name.upper() for name, field in BatchSettings.model_fields.items() if field.is_required()}
    for function in BULK_FUNCTIONS:
        properties = bulk["Resources"][function.logical_id]["Properties"]
        assert required <= set(properties["Environment"]["Variables"])
        module, _, name = properties["Handler"].rpartition(".")
        assert (module, hasattr(handlers, name)) == ("batch.handlers", True)
        assert properties["Role"] == {"Fn::GetAtt": [f"{function.logical_id}Role", "Arn"]}


def test_no_role_may_touch_more_than_its_part_of_the_bucket(bulk: dict[str, Any]) -> None:
    for function in BULK_FUNCTIONS:
        for policy in bulk["Resources"][function.role_logical_id]["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                if "Fn::If" in statement or statement["Sid"] in {"WriteOwnLogs", "TellMissingFromDenied"}:
                    continue
                assert all("/" in resource["Fn::Sub"] for resource in statement["Resource"]), function.name
    trusts = {
        name: resource["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        for name, resource in bulk["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    assert trusts.pop("StateMachineRole") == "states.amazonaws.com"
    assert trusts.pop("ScheduleRole") == "events.amazonaws.com"
    assert set(trusts.values()) == {"lambda.amazonaws.com"}


def test_one_item_that_fails_fails_the_run(machine: dict[str, Any]) -> None:
    score = machine["States"]["Score"]
    assert not [name for name in score if name.startswith("Tolerated")]
    assert score["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert score["MaxConcurrency"] == 20
    (caught,) = score["Catch"]
    assert (caught["ErrorEquals"], caught["ResultPath"]) == (["States.ALL"], "$.failure")
    # It names the items, and cannot end well.
    naming = machine["States"][caught["Next"]]
    assert machine["States"][naming["Next"]]["Type"] == "Fail"


def test_only_what_can_be_done_again_is_done_again(machine: dict[str, Any]) -> None:
    item = machine["States"]["Score"]["ItemProcessor"]["States"]["ScoreItem"]
    assert [retry["ErrorEquals"] for retry in item["Retry"]] == [["States.ALL"]]
    for name in ("Plan", "Publish", "NameFailedItems"):
        (retry,) = machine["States"][name]["Retry"]
        assert all(error.startswith("Lambda.") for error in retry["ErrorEquals"]), name


def test_an_execution_that_did_not_succeed_pages(bulk: dict[str, Any]) -> None:
    alarms = [one["Properties"] for one in bulk["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert {alarm["MetricName"] for alarm in alarms} == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
    assert all("runbooks.md#bulk-rebuild-failed" in alarm["AlarmDescription"] for alarm in alarms)
