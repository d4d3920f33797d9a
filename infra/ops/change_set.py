"""A change set: which parameters it carries, what it would change, its execution and what went wrong."""

import time
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

_CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NO_CHANGE: Final = ("didn't contain changes", "No updates are to be performed")
_SHOWN_REASONS: Final = 20


class DeployError(Exception):
    """The deployment did not succeed; the message has CloudFormation's reasons."""


def stack_of(cloudformation: Any, stack_name: str) -> dict[str, Any] | None:
    """The stack as CloudFormation describes it; None where there is none."""
    try:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def current_parameters(stack: Mapping[str, Any] | None) -> dict[str, str]:
    """The values that a stack has now."""
    return {item["ParameterKey"]: item["ParameterValue"] for item in (stack or {}).get("Parameters", [])}


def planned_parameters(
    known: Mapping[str, Any], given: Mapping[str, str], committed: Mapping[str, str], current: Mapping[str, str]
) -> dict[str, str | None]:
    """The parameters of a change: what is given now, else what the stack has, else what is committed for the stage.

    Args:
        known: The template's parameters.
        given: Values of this deployment.
        committed: The stage's committed values, for parameters that the stack does not have yet.
        current: The stack's values.

    Returns:
        Name to value; None keeps the stack's. What is left out takes the template's default.

    Raises:
        DeployError: a value is for no parameter of the template.
    """
    if unknown := (given.keys() | committed.keys()) - known.keys():
        raise DeployError(f"the template has no parameter {', '.join(sorted(unknown))}")
    return {
        name: given[name] if name in given else None if name in current else committed[name]
        for name in known
        if name in given or name in current or name in committed
    }


def resulting_values(
    known: Mapping[str, Any], planned: Mapping[str, str | None], current: Mapping[str, str]
) -> dict[str, str | None]:
    """What each parameter of the template will be after the change."""
    return {
        name: str(parameter.get("Default"))
        if name not in planned
        else current[name]
        if planned[name] is None
        else planned[name]
        for name, parameter in known.items()
    }


def parameter_differences(
    planned: Mapping[str, str | None],
    known: Mapping[str, Any],
    committed: Mapping[str, str],
    current: Mapping[str, str],
) -> list[str]:
    """What changes of the parameters, and what stays although the committed files say otherwise; as readable lines."""
    lines = []
    for name in sorted(known):
        old, new = current.get(name), planned.get(name)
        if name == "Build":
            continue
        if new is not None and old != new:
            lines.append(f"{name}: {'(new)' if old is None else repr(old)} -> {new!r}")
        elif new is None and name in committed and old != committed[name]:
            lines.append(f"{name}: stays {old!r}; the stage's file says {committed[name]!r} (FROM_FILE=1 takes it)")
    return lines


def create(
    cloudformation: Any,
    stack_name: str,
    template_url: str,
    planned: Mapping[str, str | None],
    *,
    new: bool,
    tags: Mapping[str, str],
    role_arn: str | None,
    poll_seconds: float,
) -> str | None:
    """Make a change set and wait until it can be executed; None if there is nothing to change.

    Raises:
        DeployError: CloudFormation refused it.
    """
    parameters = [
        {"ParameterKey": name, "UsePreviousValue": True}
        if value is None
        else {"ParameterKey": name, "ParameterValue": value}
        for name, value in planned.items()
    ]
    try:
        arn: str = cloudformation.create_change_set(
            StackName=stack_name,
            ChangeSetName=f"deploy-{int(time.time())}",
            ChangeSetType="CREATE" if new else "UPDATE",
            TemplateURL=template_url,
            Capabilities=_CAPABILITIES,
            Parameters=parameters,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            **({"RoleARN": role_arn} if role_arn else {}),
        )["Id"]
    except ClientError as error:
        raise DeployError(f"CloudFormation refused the change: {error.response['Error'].get('Message')}") from error
    while True:
        change_set = cloudformation.describe_change_set(StackName=stack_name, ChangeSetName=arn)
        if change_set["Status"] == "CREATE_COMPLETE":
            return arn
        if change_set["Status"] == "FAILED":
            reason = change_set.get("StatusReason", "")
            cloudformation.delete_change_set(StackName=stack_name, ChangeSetName=arn)
            if any(text in reason for text in _NO_CHANGE):
                return None
            raise DeployError(f"CloudFormation refused the change: {reason}")
        time.sleep(poll_seconds)


def changes(cloudformation: Any, stack_name: str, change_set: str) -> list[str]:
    """A change set as readable lines."""
    lines = []
    pages = cloudformation.get_paginator("describe_change_set").paginate(StackName=stack_name, ChangeSetName=change_set)
    for page in pages:
        for change in page["Changes"]:
            resource = change["ResourceChange"]
            replaced = "  REPLACED" if resource.get("Replacement") == "True" else ""
            lines.append(
                f"{resource['Action']:<8}{resource['ResourceType']:<36}{resource['LogicalResourceId']}{replaced}"
            )
    return sorted(lines)


def execute(cloudformation: Any, stack_name: str, change_set: str, poll_seconds: float) -> None:
    """Execute a change set and wait for its end.

    Raises:
        DeployError: it failed, and CloudFormation has rolled back or could not.
    """
    seen = {event["EventId"] for event in _events(cloudformation, stack_name)}
    cloudformation.execute_change_set(StackName=stack_name, ChangeSetName=change_set)
    status = wait(cloudformation, stack_name, poll_seconds)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        advice = "\nrepair it with: make repair" if status == "UPDATE_ROLLBACK_FAILED" else ""
        raise DeployError(f"stack {stack_name} is {status}:\n{failures(cloudformation, stack_name, seen)}{advice}")


def wait(cloudformation: Any, stack_name: str, poll_seconds: float) -> str:
    """Wait until nothing is in progress; the status, `DELETE_COMPLETE` where the stack is gone."""
    while True:
        stack = stack_of(cloudformation, stack_name)
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        if not status.endswith("_IN_PROGRESS"):
            return str(status)
        time.sleep(poll_seconds)


def failures(cloudformation: Any, stack_name: str, seen: set[str] | frozenset[str] = frozenset()) -> str:
    """CloudFormation's reasons, the first failure first, without those of earlier changes."""
    reasons = [
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
        for event in reversed(_events(cloudformation, stack_name))
        if event["ResourceStatus"].endswith("_FAILED") and event["EventId"] not in seen
    ]
    return "\n".join(reasons[:_SHOWN_REASONS]) or "  (no reasons given)"


def _events(cloudformation: Any, stack_name: str) -> list[dict[str, Any]]:
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_name)
    return [event for page in pages for event in page["StackEvents"]]
