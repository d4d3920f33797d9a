"""Set by API what the emulator's CloudFormation drops: TTL, bucket lifecycle, concurrency, batch sizes."""

import json
from collections.abc import Mapping
from typing import Any, Final

from infra.ops.deploy import Deployment
from infra.packaging.build import output_folder
from infra.stack.functions import BY_NAME
from infra.stack.outputs import StackOutputs

_RESERVABLE: Final = {"inference": "InferenceReservedConcurrency", "rebuild": "RebuildReservedConcurrency"}


def apply_dropped_properties(deployment: Deployment, outputs: StackOutputs) -> None:
    """Complete a deployed stack; not needed on AWS."""
    template = json.loads((output_folder(deployment.stage) / "sam.json").read_text(encoding="utf-8"))
    resources = template["Resources"]
    values = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    values |= deployment.parameters
    dynamodb = deployment.client("dynamodb")
    current = dynamodb.describe_time_to_live(TableName=outputs.tasks_table)["TimeToLiveDescription"]
    if current["TimeToLiveStatus"] not in {"ENABLED", "ENABLING"}:
        specification = resources["TasksTable"]["Properties"]["TimeToLiveSpecification"]
        dynamodb.update_time_to_live(TableName=outputs.tasks_table, TimeToLiveSpecification=specification)
    deployment.client("s3").put_bucket_lifecycle_configuration(
        Bucket=outputs.bucket, LifecycleConfiguration={"Rules": lifecycle_rules(resources["DataBucket"], values)}
    )
    awslambda = deployment.client("lambda")
    for function, parameter in _RESERVABLE.items():
        reserved = int(values[parameter])
        if reserved >= 0 and BY_NAME[function].logical_id in resources:
            awslambda.put_function_concurrency(
                FunctionName=f"{deployment.stack_name}-{function}", ReservedConcurrentExecutions=reserved
            )
    # the emulator passes parameters as text, which its queue poller cannot compare with numbers
    for function in ("inference", "dead_letters"):
        if BY_NAME[function].logical_id not in resources:
            continue
        events = resources[BY_NAME[function].logical_id]["Properties"]["Events"]
        properties = next(event["Properties"] for event in events.values() if event["Type"] == "SQS")
        mappings = awslambda.list_event_source_mappings(FunctionName=f"{deployment.stack_name}-{function}")
        for mapping in mappings["EventSourceMappings"]:
            awslambda.update_event_source_mapping(
                UUID=mapping["UUID"],
                BatchSize=_number(properties["BatchSize"], values),
                MaximumBatchingWindowInSeconds=_number(properties["MaximumBatchingWindowInSeconds"], values),
                ScalingConfig={
                    "MaximumConcurrency": _number(properties["ScalingConfig"]["MaximumConcurrency"], values)
                },
            )


def _number(value: Any, parameters: Mapping[str, Any]) -> int:
    """A template's number: a literal or a reference to a parameter."""
    return int(parameters[value["Ref"]] if isinstance(value, dict) else value)


def lifecycle_rules(bucket: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A bucket resource's lifecycle rules in the form of the S3 API.

    Args:
        bucket: The resource in the template.
        parameters: Values of the stack's parameters.
    """
    rules = []
    for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]:
        translated = {"ID": rule["Id"], "Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
        for key in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
            if key in rule:
                translated[key] = rule[key]
        if "ExpirationInDays" in rule:
            translated["Expiration"] = {"Days": _number(rule["ExpirationInDays"], parameters)}
        if "ExpiredObjectDeleteMarker" in rule:
            translated["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
        rules.append(translated)
    return rules
