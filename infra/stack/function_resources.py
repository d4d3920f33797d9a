"""What every function gets beside what chalice or `template.yaml` says of it.

Name, runtime, layers, role and log group; on AWS an alias that callers reach and that moves to a new version by
`rollout.yaml`; for what nobody waits for, a place for runs that failed; for what calls the MLflow server, the VPC of
`network.yaml`.
"""

import json
from typing import Any, Final

from infra.stack.function_alarms import errors_alarm
from infra.stack.functions import LAYER_LOGICAL_IDS, Function, Package
from infra.stack.stages import Target

ALIAS: Final = "live"
"""The alias in front of each function on AWS."""
FAILED_RUNS: Final = {"Fn::GetAtt": ["FailedRunsQueue", "Arn"]}
_OWN_STACK: Final = "AWS::StackName"
_NOTHING: Final = {"Ref": "AWS::NoValue"}


def reference(function: Function, target: Target) -> str:
    """What callers invoke, as `Ref` and `Fn::Sub` name it: the alias on AWS, the function on the emulator.

    The emulator's deployments must take effect at once and cannot be shifted by CodeDeploy.
    """
    return function.logical_id if target.local else f"{function.logical_id}Alias{ALIAS}"


def function_resources(function: Function, target: Target, declared: dict[str, Any]) -> dict[str, Any]:
    """The function's resources, to merge over what is declared of them.

    Args:
        function: The function.
        target: What it runs on.
        declared: Its properties in `template.yaml`.
    """
    properties: dict[str, Any] = {
        **basic_properties(function, target, _OWN_STACK),
        # chalice writes PassThrough into each of its functions, which would win over the template's Globals
        "Tracing": {"Ref": "Tracing"},
    }
    if function.layers:
        properties["Layers"] = [{"Ref": LAYER_LOGICAL_IDS[layer]} for layer in function.layers]
    if function.package is Package.BATCH:
        properties["VpcConfig"] = {"Fn::If": ["VpcGiven", _vpc(), _NOTHING]}
    if function.is_unattended:
        properties |= _failures(declared)
    resources: dict[str, Any] = {
        function.logical_id: {"Type": "AWS::Serverless::Function", "Properties": properties},
        **log_group(function, _OWN_STACK),
        function.role_logical_id: role(function),
    }
    if not target.local:
        properties |= _rollout(function)
        resources |= errors_alarm(function)
    return resources


def basic_properties(function: Function, target: Target, stack: str) -> dict[str, Any]:
    """What any function has, in the stack itself or nested in it.

    Args:
        function: The function.
        target: What it runs on.
        stack: The parameter that holds the name of the stack, the first part of the function's name.
    """
    return {
        # A name of our own, because the log group and the policy that allows writing to it need it beforehand.
        "FunctionName": {"Fn::Sub": f"${{{stack}}}-{function.name}"},
        "Runtime": target.runtime,
        "Architectures": [target.architecture],
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout_seconds,
        "Role": {"Fn::GetAtt": [function.role_logical_id, "Arn"]},
        "LoggingConfig": {"LogGroup": {"Ref": _log_group_id(function)}},
    }


def log_group(function: Function, stack: str) -> dict[str, Any]:
    """The function's log group, by its logical id; `stack` as for `basic_properties`."""
    properties = {
        "LogGroupName": {"Fn::Sub": f"/aws/lambda/${{{stack}}}-{function.name}"},
        "RetentionInDays": {"Ref": "LogRetentionDays"},
    }
    return {_log_group_id(function): {"Type": "AWS::Logs::LogGroup", "Properties": properties}}


def _log_group_id(function: Function) -> str:
    return f"{function.logical_id}Logs"


def _vpc() -> dict[str, Any]:
    return {name: {"Fn::Split": [",", {"Ref": name}]} for name in ("SubnetIds", "SecurityGroupIds")}


def _failures(declared: dict[str, Any]) -> dict[str, Any]:
    """Where runs go that failed for good, and events that could not be delivered."""
    destination = {"DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": FAILED_RUNS}}}
    schedules = {
        name: {"Properties": {"DeadLetterConfig": {"Arn": FAILED_RUNS}}}
        for name, event in declared.get("Events", {}).items()
        if event["Type"] == "Schedule"
    }
    return {"EventInvokeConfig": destination, **({"Events": schedules} if schedules else {})}


def role(function: Function) -> dict[str, Any]:
    """The role: what chalice leaves out of its own, and all of it for a function that chalice does not know."""
    limits: dict[str, Any] = {
        "Path": {"Ref": "RolePath"},
        "PermissionsBoundary": {"Fn::If": ["BoundaryGiven", {"Ref": "PermissionsBoundaryArn"}, _NOTHING]},
    }
    if function.package is Package.API:
        return {"Type": "AWS::IAM::Role", "Properties": limits}
    policy = json.loads(function.policy_file.read_text(encoding="utf-8"))
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            **limits,
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "",
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "Policies": [{"PolicyDocument": policy, "PolicyName": f"{function.role_logical_id}Policy"}],
        },
    }


def _rollout(function: Function) -> dict[str, Any]:
    """A version per deployment behind the alias, so that code, layers and configuration change at once.

    SAM sees a new version by the build's hash; Lambda makes one only of a function that has changed, which the
    description always has by then.
    """
    rollout: dict[str, Any] = {
        "AutoPublishAlias": ALIAS,
        "AutoPublishCodeSha256": {"Ref": "Build"},
        # Deployments go back by deploying the source before; old versions would only fill the account's code storage.
        "VersionDeletionPolicy": "Delete",
        "Description": {"Fn::Sub": "build ${Build}"},
        "DeploymentPreference": {
            "Enabled": {"Ref": "Canary"} if function.takes_traffic else False,
            "Type": {"Ref": "CanaryType"},
            "Role": {"Fn::GetAtt": ["CanaryRole", "Arn"]},
            "Alarms": [{"Ref": name} for name in ("DeploymentFailingAlarm", *errors_alarm(function))],
        },
    }
    if function.is_http:
        rollout["SnapStart"] = {"ApplyOn": {"Ref": "SnapStart"}}
    return rollout
