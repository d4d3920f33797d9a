"""How a new version reaches callers, where functions run, what limits roles, and what becomes of failures."""

import json
from typing import Any, Final

import pytest

from infra.stack.function_alarms import function_alarms
from infra.stack.functions import FUNCTIONS, Package
from infra.stack.stages import stage_parameters, target_of
from infra.stack.template import merge_template

NOTHING: Final = {"Ref": "AWS::NoValue"}
UNATTENDED: Final = {"Rebuild", "RefreshOdds", "SyncModels", "MonitorDrift", "ExportTable", "Sweep"}


def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of every function by logical id."""
    resources = template["Resources"].items()
    return {
        name: resource["Properties"] for name, resource in resources if resource["Type"] == "AWS::Serverless::Function"
    }


# ── Versions ────────────────────────────────────────────────────────────────────────────────────────


def test_code_layers_and_configuration_change_at_once_behind_an_alias(template: dict[str, Any]) -> None:
    for name, properties in functions(template).items():
        assert properties["AutoPublishAlias"] == "live", name
        # A value of a variable alone would move no alias; the build's hash covers sources and parameters.
        assert properties["AutoPublishCodeSha256"] == {"Ref": "Build"}, name
        # Lambda refuses a second version of a function that has not changed.
        assert properties["Description"] == {"Fn::Sub": "build ${Build}"}, name


def test_callers_reach_the_alias_and_never_a_function_that_is_being_changed(template: dict[str, Any]) -> None:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::ApiGateway::Method":
            assert "Aliaslive}/invocations" in resource["Properties"]["Integration"]["Uri"]["Fn::Sub"]
        if resource["Type"] == "AWS::Lambda::Permission" and "SourceArn" in resource["Properties"]:
            assert resource["Properties"]["FunctionName"]["Ref"].endswith("Aliaslive")
    environment = template["Globals"]["Function"]["Environment"]["Variables"]
    assert environment["INFERENCE_FUNCTION"]["Fn::Sub"].endswith("-inference:live")


def test_a_canary_is_rolled_back_by_failed_answers_and_by_crashes_of_its_function(template: dict[str, Any]) -> None:
    for function in FUNCTIONS:
        preference = functions(template)[function.logical_id]["DeploymentPreference"]
        if function.takes_traffic:
            assert preference["Enabled"] == {"Ref": "Canary"}
            assert preference["Type"] == {"Ref": "CanaryType"}
        else:
            # a run every ten minutes says nothing within five
            assert preference["Enabled"] is False
        alarms = [alarm["Ref"] for alarm in preference["Alarms"]]
        assert alarms == ["DeploymentFailingAlarm", f"{function.logical_id}ErrorsAlarm"]
        assert set(alarms) <= template["Resources"].keys()
    assert stage_parameters("prod")["Canary"] == "true"


def test_a_canary_that_fails_always_is_seen_through_the_nine_tenths_that_work(template: dict[str, Any]) -> None:
    alarm = template["Resources"]["DeploymentFailingAlarm"]["Properties"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("RequestFailed", "Average")
    assert alarm["Threshold"] < 0.1
    assert alarm["Period"] * alarm["EvaluationPeriods"] < 300


def test_the_emulator_gets_no_alias_that_would_lag_behind() -> None:
    local = merge_template(FUNCTIONS, target_of("local"))
    assert not any("AutoPublishAlias" in properties for properties in functions(local).values())
    assert local["Resources"]["MethodPredict"]["Properties"]["Integration"]["Uri"]["Fn::Sub"].endswith(
        "${Predict.Arn}/invocations"
    )


def test_snapshots_are_a_parameter_of_http_functions(template: dict[str, Any]) -> None:
    for function in FUNCTIONS:
        snapstart = functions(template)[function.logical_id].get("SnapStart")
        assert snapstart == ({"ApplyOn": {"Ref": "SnapStart"}} if function.is_http else None), function.name
    assert template["Parameters"]["SnapStart"]["Default"] == "None"


# ── Roles and network ───────────────────────────────────────────────────────────────────────────────


def test_every_role_has_the_boundary_and_the_path_that_an_account_demands(template: dict[str, Any]) -> None:
    roles = {name: one for name, one in template["Resources"].items() if one["Type"] == "AWS::IAM::Role"}
    assert len(roles) == len(FUNCTIONS) + 1
    for name, role in roles.items():
        assert role["Properties"]["Path"] == {"Ref": "RolePath"}, name
        boundary = {"Fn::If": ["BoundaryGiven", {"Ref": "PermissionsBoundaryArn"}, NOTHING]}
        assert role["Properties"]["PermissionsBoundary"] == boundary, name


def test_what_calls_the_mlflow_server_and_nothing_else_can_run_in_a_vpc(template: dict[str, Any]) -> None:
    for function in FUNCTIONS:
        properties = functions(template)[function.logical_id]
        calls_mlflow = "MLFLOW_TRACKING_URI" in properties.get("Environment", {}).get("Variables", {})
        assert calls_mlflow == (function.package is Package.BATCH)
        if calls_mlflow:
            (condition, vpc, otherwise) = properties["VpcConfig"]["Fn::If"]
            assert (condition, otherwise) == ("VpcGiven", NOTHING)
            assert vpc == {name: {"Fn::Split": [",", {"Ref": name}]} for name in ("SubnetIds", "SecurityGroupIds")}
        else:
            assert "VpcConfig" not in properties, function.name


def test_a_vpc_without_a_way_out_still_reaches_s3_and_dynamodb(template: dict[str, Any]) -> None:
    endpoints = {
        resource["Properties"]["ServiceName"]["Fn::Sub"].rpartition(".")[2]: resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::EC2::VPCEndpoint"
    }
    assert endpoints.keys() == {"s3", "dynamodb"}
    for endpoint in endpoints.values():
        assert endpoint["Condition"] == "EndpointsWanted"
        assert endpoint["Properties"]["VpcEndpointType"] == "Gateway"
        assert endpoint["Properties"]["RouteTableIds"] == {"Fn::Split": [",", {"Ref": "RouteTableIds"}]}


# ── Failures ────────────────────────────────────────────────────────────────────────────────────────


def test_what_nobody_waits_for_leaves_its_failures_where_somebody_looks(template: dict[str, Any]) -> None:
    queue = {"Fn::GetAtt": ["FailedRunsQueue", "Arn"]}
    found = functions(template)
    for name in found.keys() & UNATTENDED:
        destination = found[name]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        assert destination == {"Type": "SQS", "Destination": queue}, name
    schedules = {
        name: event["Properties"].get("DeadLetterConfig")
        for properties in found.values()
        for name, event in properties.get("Events", {}).items()
        if event["Type"] == "Schedule"
    }
    assert len(schedules) == 5
    assert all(dead_letters == {"Arn": queue} for dead_letters in schedules.values())
    assert {name for name, properties in found.items() if "EventInvokeConfig" in properties} == UNATTENDED


def test_only_this_stacks_schedules_may_leave_events_there(template: dict[str, Any]) -> None:
    statements = template["Resources"]["FailedRunsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = (statement for statement in statements if statement["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"].endswith(":rule/${AWS::StackName}-*")


def test_a_failed_run_rings_until_somebody_has_looked(template: dict[str, Any]) -> None:
    alarm = template["Resources"]["FailedRunsAlarm"]["Properties"]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["FailedRunsQueue", "QueueName"]}}]
    assert alarm["Threshold"] == 0


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_each_function_rings_for_what_it_cannot_count_itself(function: Any, template: dict[str, Any]) -> None:
    nested = function_alarms(FUNCTIONS)["Resources"]
    errors = template["Resources"][f"{function.logical_id}ErrorsAlarm"]
    throttles, duration = (nested[f"{function.logical_id}{name}Alarm"] for name in ("Throttles", "Duration"))
    assert "Condition" not in errors
    assert errors["Properties"]["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": function.logical_id}}]
    # The first time-out of a run that nobody waits for, some of an HTTP function's.
    assert errors["Properties"]["Threshold"] == (3 if function.is_http else 1)
    assert throttles["Properties"]["Dimensions"][0]["Value"] == {"Fn::Sub": f"${{Stack}}-{function.name}"}
    assert duration["Properties"]["Statistic"] == "Maximum"
    assert duration["Properties"]["Threshold"] == pytest.approx(800 * function.timeout_seconds)
    for alarm in (errors, throttles, duration):
        assert alarm["Properties"]["Namespace"] == "AWS/Lambda"
        assert alarm["Properties"]["AlarmActions"]["Fn::If"][0] == "AlarmTopicGiven"


def test_two_stacks_of_one_stage_share_neither_metrics_nor_alarms(template: dict[str, Any]) -> None:
    namespace = {"Fn::Sub": "SoccerPredictions/${AWS::StackName}"}
    assert template["Globals"]["Function"]["Environment"]["Variables"]["METRICS_NAMESPACE"] == namespace
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            assert resource["Properties"]["AlarmName"]["Fn::Sub"].startswith("${AWS::StackName}-")
    assert "SoccerPredictions/${Stage}" not in json.dumps(template)
