"""The whole stack's template, as far as chalice does not make it: what `chalice package --merge-template` gets."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from chalicelib import NAME
from chalicelib.endpoints import Layer
from infra.paths import TEMPLATE
from infra.stack import cfn_yaml
from infra.stack.functions import FUNCTIONS, LAYER_LOGICAL_IDS, Function, Package
from infra.stack.gateway_definition import gateway_resources
from infra.stack.monitoring import monitoring_template
from infra.stack.setting_parameters import setting_parameters
from infra.stack.stages import Target

_TAGGED: Final = frozenset(
    {
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::DynamoDB::Table",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
    }
)


class TemplateError(Exception):
    """The merged template would not work."""


def _policy(function: Function) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(function.policy_file.read_text(encoding="utf-8"))
    return document


def _batch_role(function: Function) -> dict[str, Any]:
    """The role chalice would make, for a function it does not know."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
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
            "Policies": [{"PolicyDocument": _policy(function), "PolicyName": f"{function.role_logical_id}Policy"}],
        },
    }


def function_overlay(function: Function, target: Target) -> dict[str, Any]:
    """What every function gets beside what chalice or the template says: name, runtime, layers, role, log group."""
    log_group = f"{function.logical_id}Logs"
    properties: dict[str, Any] = {
        # A name of our own, because the log group and the policy that allows writing to it need it beforehand.
        "FunctionName": {"Fn::Sub": f"${{AWS::StackName}}-{function.name}"},
        "Runtime": target.runtime,
        "Architectures": [target.architecture],
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout_seconds,
        "Role": {"Fn::GetAtt": [function.role_logical_id, "Arn"]},
        # chalice writes PassThrough into each of its functions, which would win over the template's Globals
        "Tracing": {"Ref": "Tracing"},
        "LoggingConfig": {"LogGroup": {"Ref": log_group}},
    }
    if function.layers:
        properties["Layers"] = [{"Ref": LAYER_LOGICAL_IDS[layer]} for layer in function.layers]
    resources: dict[str, Any] = {
        function.logical_id: {"Type": "AWS::Serverless::Function", "Properties": properties},
        log_group: {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{function.name}"},
                "RetentionInDays": {"Ref": "LogRetentionDays"},
            },
        },
    }
    if function.package is Package.BATCH:
        resources[function.role_logical_id] = _batch_role(function)
    return resources


def _merge(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`base` with `extra` laid over it, dictionaries key by key (chalice's own rule)."""
    merged = dict(base)
    for key, value in extra.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def merge_template(deployed: Iterable[Function], target: Target) -> dict[str, Any]:
    """What chalice merges over its own output: template, gateway, monitoring and the functions' common parts.

    Args:
        deployed: The functions there is code for.
        target: What they run on.
    """
    functions = {function.name: function for function in deployed}
    template = _merge(cfn_yaml.load(TEMPLATE), monitoring_template())
    template["Parameters"] |= setting_parameters(template)
    absent = {function.logical_id for function in FUNCTIONS} - {function.logical_id for function in functions.values()}
    resources = {name: resource for name, resource in template["Resources"].items() if name not in absent}
    for layer in Layer:
        resources[LAYER_LOGICAL_IDS[layer]]["Properties"] |= {
            "CompatibleRuntimes": [target.runtime],
            "CompatibleArchitectures": [target.architecture],
        }
    for function in functions.values():
        resources = _merge(resources, function_overlay(function, target))
    template["Resources"] = resources | gateway_resources(functions)
    _label(template)
    return template


def _label(template: dict[str, Any]) -> None:
    """Put the service's name and stage on whatever costs money, and the name into the functions' logs."""
    tags = {"service": NAME, "stage": {"Ref": "Stage"}}
    functions = template["Globals"]["Function"]
    functions["Tags"] = tags
    functions["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] = NAME
    for resource in template["Resources"].values():
        if resource["Type"] in _TAGGED:
            own = [{"Key": key, "Value": value} for key, value in tags.items()]
            resource["Properties"]["Tags"] = own + resource["Properties"].get("Tags", [])


def _walk(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _walk(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}/{index}")


def check_template(template: dict[str, Any]) -> None:
    """Refuse what chalice's merge can silently break.

    Raises:
        TemplateError: An object has two intrinsics, or a function kept a policy or role that is not its own.
    """
    for path, value in _walk(template["Resources"], ""):
        intrinsics = [key for key in value if key == "Ref" or key.startswith("Fn::")]
        if intrinsics and len(value) > 1:
            raise TemplateError(
                f"{path} has {', '.join(sorted(value))} at once: the template and app.py both set it; name queues in "
                f"app.py by queue_arn (a string), which the template's intrinsic replaces"
            )
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            role = resource["Properties"].get("Role")
            if role != {"Fn::GetAtt": [f"{name}Role", "Arn"]}:
                raise TemplateError(f"function {name} has the role {role} instead of its own")
