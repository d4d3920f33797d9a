"""Alarms on what Lambda counts of one function: all that the function's own metrics cannot see.

Errors (crashes, time-outs, lack of memory) are in the stack itself, where a canary is rolled back by them. Throttles
and Duration are a stack within it, for those who pay for them and because a stack holds at most 500 resources.
"""

from collections.abc import Iterable
from typing import Any, Final

from infra.stack.functions import Function
from infra.stack.monitoring import NOTIFY

FILE: Final = "function_alarms.json"
"""The nested stack's template, beside the stack's own."""
_FIRST_HTTP_ERRORS: Final = 3
"""Crashes and time-outs of an HTTP function in five minutes that alarm; of others one does."""
_NEAR_LIMIT: Final = 0.8


def errors_alarm(function: Function) -> dict[str, Any]:
    """The alarm on a function's Errors, by its logical id."""
    threshold = _FIRST_HTTP_ERRORS if function.is_http else 1
    name = {"Ref": function.logical_id}
    what = "crashed, ran out of time or of memory. Runbook - docs/runbooks.md#functions"
    return _alarm(function, "Errors", "Sum", threshold, what, name, "${AWS::StackName}")


def function_alarms(functions: Iterable[Function]) -> dict[str, Any]:
    """The nested stack with the alarms on Throttles and Duration."""
    resources: dict[str, Any] = {}
    for function in functions:
        name, stack = {"Fn::Sub": f"${{Stack}}-{function.name}"}, "${Stack}"
        throttled = "was refused for want of concurrency. Runbook - docs/runbooks.md#throttles"
        slow = f"took over {_NEAR_LIMIT:.0%} of its time limit. Runbook - docs/runbooks.md#functions"
        limit = _NEAR_LIMIT * function.timeout_seconds * 1_000
        resources |= _alarm(function, "Throttles", "Sum", 1, throttled, name, stack)
        resources |= _alarm(function, "Duration", "Maximum", limit, slow, name, stack)
    for resource in resources.values():
        resource["Properties"] |= NOTIFY
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Alarms on throttled calls and long runs of each function",
        "Parameters": {"Stack": {"Type": "String"}, "AlarmTopicArn": {"Type": "String"}},
        "Conditions": {"AlarmTopicGiven": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}},
        "Resources": resources,
    }


def nested_stack() -> dict[str, Any]:
    """The resource that brings them into the stack."""
    return {
        "FunctionAlarmsStack": {
            "Type": "AWS::CloudFormation::Stack",
            "Condition": "FunctionAlarmsOn",
            "Properties": {
                "TemplateURL": f"./{FILE}",
                "Parameters": {"Stack": {"Ref": "AWS::StackName"}, "AlarmTopicArn": {"Ref": "AlarmTopicArn"}},
            },
        }
    }


def _alarm(
    function: Function, metric: str, statistic: str, threshold: float, what: str, name: dict[str, str], stack: str
) -> dict[str, Any]:
    return {
        f"{function.logical_id}{metric}Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": {"Fn::Sub": f"{stack}-{function.name}-{metric.lower()}"},
                "AlarmDescription": f"{function.name} {what}",
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": name}],
                "Statistic": statistic,
                "Period": 300,
                "EvaluationPeriods": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "Threshold": threshold,
                "TreatMissingData": "notBreaching",
            },
        }
    }
