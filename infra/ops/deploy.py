"""Deploy a stage: `python -m infra.ops.deploy deploy --stage dev`.

The same steps for AWS and the emulator: `chalice package --merge-template` (infra.packaging.build), `aws cloudformation
package` (infra.ops.artifacts), then a change set (infra.ops.change_set), which on AWS is shown and confirmed before it
is executed. A value given once stays until it is given again.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import NAME
from chalicelib.releases.pointer import POINTER_KEY, SERVING, SERVING_ODDS
from infra.ops import change_set
from infra.ops.api_keys import ensure_keys
from infra.ops.artifacts import ArtifactsError, artifacts_bucket, template_url, upload
from infra.ops.change_set import DeployError, stack_of
from infra.packaging.build import PackagingError, build_stage, source_fingerprint
from infra.packaging.package_checks import oversized, sizes
from infra.stack.function_resources import ALIAS
from infra.stack.gateway_definition import published
from infra.stack.outputs import StackOutputs, read_outputs
from infra.stack.stages import LOCAL_STAGE, STAGES, stage_parameters, target_of
from infra.stack.template import TemplateError

__all__ = ["DeployError", "Deployment", "build_mark", "deploy", "destroy", "rebuild_if_outdated", "repair"]

Progress = Callable[[str], None]

PROTECTED_STAGES: Final = frozenset({"prod"})
"""Stages whose stack can only be deleted after its protection was taken away."""

_NEVER_WORKED: Final = frozenset({"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_FAILED", "DELETE_FAILED"})
"""A stack that cannot be updated, only deleted."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a stage goes.

    Args:
        stage: `local`, `dev` or `prod`.
        stack_name: The CloudFormation stack.
        parameters: Stack parameters to set, whatever the stack has.
        environment: Variables for the AWS tools (endpoint, region, credentials) beside the process's own.
        poll_seconds: How often to look at a running change.
        committed: Parameters for what the stack does not have yet.
        role_arn: Role that CloudFormation works under; the caller's own rights if None.
    """

    stage: str
    stack_name: str
    parameters: Mapping[str, str]
    environment: Mapping[str, str]
    poll_seconds: float = 5.0
    committed: Mapping[str, str] = field(default_factory=dict)
    role_arn: str | None = None

    def client(self, service: str) -> Any:
        """A boto3 client for where it goes."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # any of the services by name
            endpoint_url=self.environment.get("AWS_ENDPOINT_URL"),
            region_name=self.environment.get("AWS_DEFAULT_REGION"),
            aws_access_key_id=self.environment.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=self.environment.get("AWS_SECRET_ACCESS_KEY"),
        )


def build_mark(deployment: Deployment) -> str:
    """A hash of everything a deployment consists of; the stack carries it as its output `Build`."""
    sources = source_fingerprint(deployment.stage, target_of(deployment.stage))
    text = json.dumps([sources, {**deployment.committed, **deployment.parameters}], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_stack_name(stage: str) -> str:
    """The stack of a stage."""
    return os.environ.get("STACK_NAME") or f"soccer-{stage}"


def _account(deployment: Deployment) -> str:
    """The account it goes to, asked before anything is built.

    Raises:
        DeployError: there are no credentials, or they are not good.
    """
    try:
        return str(deployment.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"AWS cannot be asked who you are: {error}") from error


def deploy(deployment: Deployment, say: Progress, confirm: Callable[[], bool] = lambda: True) -> StackOutputs:
    """Build, upload and deploy a stage, and make sure that there are API keys.

    Args:
        deployment: Where it goes.
        say: Takes progress lines.
        confirm: Asked after the change set was shown, and before a stack that never worked is deleted.

    Raises:
        DeployError: It was refused or rolled back.
        PackagingError: The packages cannot be built.
    """
    account = _account(deployment)
    out = build_stage(deployment.stage, target_of(deployment.stage))
    if faults := oversized(sizes(out)):
        raise DeployError("too large for Lambda:\n" + "\n".join(faults))
    say("packages and template are built")
    cloudformation, s3, name = deployment.client("cloudformation"), deployment.client("s3"), deployment.stack_name
    stack = _usable_stack(deployment, cloudformation, say, confirm)
    known = json.loads((out / "sam.json").read_text(encoding="utf-8"))["Parameters"]
    current = change_set.current_parameters(stack)
    given = {**deployment.parameters, "Build": build_mark(deployment)}
    planned = change_set.planned_parameters(known, given, deployment.committed, current)
    try:
        bucket = artifacts_bucket(s3, account, name)
        packaged = upload(out, bucket, deployment.environment)
    except ArtifactsError as error:
        raise DeployError(str(error)) from error
    template = published(packaged, change_set.resulting_values(known, planned, current))
    # Versions are named after the build. AWS expands functions with the values given, the emulator with the defaults.
    template["Parameters"]["Build"]["Default"] = given["Build"]
    url = template_url(s3, template, bucket, name, deployment.environment.get("AWS_ENDPOINT_URL"))
    say("packages are uploaded")
    arn = change_set.create(
        cloudformation,
        name,
        url,
        planned,
        new=stack is None,
        tags={"service": NAME, "stage": deployment.stage},
        role_arn=deployment.role_arn,
        poll_seconds=deployment.poll_seconds,
    )
    if arn is None:
        say("the stack is up to date")
    else:
        lines = change_set.changes(cloudformation, name, arn)
        if deployment.stage != LOCAL_STAGE:
            differences = change_set.parameter_differences(planned, known, deployment.committed, current)
            print("\n".join([*lines, "", *(differences or ["no parameter changes"])]))
        say(f"{len(lines)} changes to stack {name}")
        if not confirm():
            cloudformation.delete_change_set(StackName=name, ChangeSetName=arn)
            if stack is None:
                cloudformation.delete_stack(StackName=name)
            raise DeployError("not confirmed: nothing was changed")
        change_set.execute(cloudformation, name, arn, deployment.poll_seconds)
        say("the stack is deployed")
    if deployment.stage in PROTECTED_STAGES:
        cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=True)
    outputs = read_outputs(cloudformation, name)
    if outputs is None:
        raise DeployError(f"stack {name} has no outputs")
    ensure_keys(deployment.client("secretsmanager"), outputs.api_keys_secret_id)
    rebuild_if_outdated(deployment, outputs.bucket, say)
    return outputs


def rebuild_if_outdated(deployment: Deployment, bucket: str, say: Progress) -> None:
    """Start a rebuild where the release was made by a version whose files the lists of this one do not read."""
    live = "" if deployment.stage == LOCAL_STAGE else f":{ALIAS}"
    function = f"{deployment.stack_name}-rebuild{live}"
    try:
        found = deployment.client("s3").get_object(Bucket=bucket, Key=POINTER_KEY)
        datasets = json.loads(found["Body"].read())["datasets"]
        if {SERVING, SERVING_ODDS} <= datasets.keys():
            return
        deployment.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b"{}")
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
            say(f"whether lists answer 503 could not be seen ({error}); if they do: aws lambda invoke on {function}")
        return
    say(f"the release is of an earlier version: {function} was started; lists answer 503 until it is done")


def _usable_stack(
    deployment: Deployment, cloudformation: Any, say: Progress, confirm: Callable[[], bool]
) -> dict[str, Any] | None:
    """The stack to update; None where one is to be created, after one that never worked was deleted on a yes."""
    stack = stack_of(cloudformation, deployment.stack_name)
    if stack is None or stack["StackStatus"] not in _NEVER_WORKED:
        return stack
    say(f"stack {deployment.stack_name} is {stack['StackStatus']}: it must be deleted before it can be created anew")
    if not confirm():
        raise DeployError("not confirmed: nothing was changed")
    _delete(deployment, cloudformation)
    return None


def repair(deployment: Deployment, say: Progress) -> None:
    """Go on with a rollback that failed, after a person has removed the cause.

    Raises:
        DeployError: there is nothing to go on with, or it failed again.
    """
    cloudformation, name = deployment.client("cloudformation"), deployment.stack_name
    stack = stack_of(cloudformation, name)
    status = stack["StackStatus"] if stack else "not there"
    if status != "UPDATE_ROLLBACK_FAILED":
        raise DeployError(f"stack {name} is {status}: nothing to repair")
    cloudformation.continue_update_rollback(
        StackName=name, **({"RoleARN": deployment.role_arn} if deployment.role_arn else {})
    )
    status = change_set.wait(cloudformation, name, deployment.poll_seconds)
    if status != "UPDATE_ROLLBACK_COMPLETE":
        raise DeployError(f"stack {name} is {status}:\n{change_set.failures(cloudformation, name)}")
    say(f"stack {name} is as it was before the failed update")


def _delete(deployment: Deployment, cloudformation: Any) -> None:
    cloudformation.delete_stack(
        StackName=deployment.stack_name, **({"RoleARN": deployment.role_arn} if deployment.role_arn else {})
    )
    if change_set.wait(cloudformation, deployment.stack_name, deployment.poll_seconds) != "DELETE_COMPLETE":
        raise DeployError(f"not deleted:\n{change_set.failures(cloudformation, deployment.stack_name)}")


def destroy(deployment: Deployment, say: Progress) -> None:
    """Delete the stack. What holds data (bucket and tasks table) is kept, as the template says, and named.

    Raises:
        DeployError: There is no such stack, it is protected, or it cannot be deleted.
    """
    cloudformation, name = deployment.client("cloudformation"), deployment.stack_name
    stack = stack_of(cloudformation, name)
    if stack is None:
        raise DeployError(f"there is no stack {name}")
    if stack.get("EnableTerminationProtection"):
        raise DeployError(
            f"stack {name} is protected; on purpose: aws cloudformation update-termination-protection "
            f"--no-enable-termination-protection --stack-name {name}"
        )
    outputs = read_outputs(cloudformation, name)
    _delete(deployment, cloudformation)
    say(f"stack {name} is deleted")
    if outputs is not None:
        say(f"kept with its data: bucket {outputs.bucket}, table {outputs.tasks_table}")


def _deployment(options: argparse.Namespace) -> Deployment:
    """Where the command line says; a session token or profile stays with boto3's own chain."""
    names = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    at_emulator = "AWS_ENDPOINT_URL" in os.environ
    environment = {name: os.environ[name] for name in names if name in os.environ} if at_emulator else {}
    committed = stage_parameters(options.stage)
    given = dict(item.split("=", 1) for item in options.set)
    return Deployment(
        options.stage,
        default_stack_name(options.stage),
        {"Stage": options.stage, **(committed if options.from_file else {}), **given},
        environment,
        poll_seconds=1.0 if at_emulator else 5.0,
        committed=committed,
        role_arn=options.role_arn,
    )


def main(arguments: list[str] | None = None) -> int:
    """Deploy, repair or destroy a stage on AWS (or wherever AWS_ENDPOINT_URL points)."""
    parser = argparse.ArgumentParser(prog="python -m infra.ops.deploy", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["deploy", "repair", "destroy"], default="deploy")
    parser.add_argument("--stage", choices=[stage for stage in STAGES if stage != LOCAL_STAGE], required=True)
    parser.add_argument("--yes", action="store_true", help="do not ask before executing the change set")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a stack parameter")
    parser.add_argument("--from-file", action="store_true", help="the stage's file replaces what the stack has")
    parser.add_argument("--role-arn", help="role that CloudFormation works under")
    options = parser.parse_args(arguments)
    if wrong := [item for item in options.set if "=" not in item]:
        parser.error(f"--set takes NAME=VALUE, not {', '.join(wrong)}")
    deployment = _deployment(options)
    started = time.monotonic()

    def confirm(question: str = "Go on?") -> bool:
        return options.yes or input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", flush=True)

    try:
        if options.action == "destroy":
            if not confirm(f"Delete stack {deployment.stack_name}?"):
                return 1
            destroy(deployment, say)
        elif options.action == "repair":
            repair(deployment, say)
        else:
            outputs = deploy(deployment, say, confirm)
            print(f"API   {outputs.base_url}\nkeys  secret {outputs.api_keys_secret_id}\ndata  s3://{outputs.bucket}")
    except (DeployError, PackagingError, TemplateError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
