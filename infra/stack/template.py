"""The whole stack's template, as far as chalice does not make it: what `chalice package --merge-template` gets."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from chalicelib import NAME
from chalicelib.endpoints import Layer
from infra.paths import TEMPLATE
from infra.stack import cfn_yaml
from infra.stack.function_alarms import nested_stack
from infra.stack.function_resources import ALIAS, function_resources
from infra.stack.functions import FUNCTIONS, LAYER_LOGICAL_IDS, Function
from infra.stack.gateway_definition import gateway_resources
from infra.stack.monitoring import NOTIFY, monitoring_template
from infra.stack.setting_parameters import setting_parameters
from infra.stack.stages import Target

_TAGGED: Final = frozenset(
    {
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::CloudFront::Distribution",
        "AWS::DynamoDB::Table",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
        "AWS::WAFv2::WebACL",
    }
)


PARTS: Final = ("network.yaml", "rollout.yaml", "edge.yaml")
"""The template's further parts, by subject."""


class TemplateError(Exception):
    """The merged template would not work."""


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
    for part in PARTS:
        template = _merge(template, cfn_yaml.load(TEMPLATE.parent / part))
    template["Parameters"] |= setting_parameters(template)
    absent = {function.logical_id for function in FUNCTIONS} - {function.logical_id for function in functions.values()}
    resources = {name: resource for name, resource in template["Resources"].items() if name not in absent}
    for layer in Layer:
        resources[LAYER_LOGICAL_IDS[layer]]["Properties"] |= {
            "CompatibleRuntimes": [target.runtime],
            "CompatibleArchitectures": [target.architecture],
        }
    for function in functions.values():
        declared = resources.get(function.logical_id, {}).get("Properties", {})
        resources = _merge(resources, function_resources(function, target, declared))
    resources |= nested_stack()
    if not target.local:
        # The mapping that GET /monitoring/workers shows is the alias's.
        region = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
        inference = f"{region}:function:${{AWS::StackName}}-inference:{ALIAS}"
        template["Globals"]["Function"]["Environment"]["Variables"]["INFERENCE_FUNCTION"] = {"Fn::Sub": inference}
    for resource in resources.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            resource["Properties"] |= NOTIFY
    template["Resources"] = resources | gateway_resources(functions, target)
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
