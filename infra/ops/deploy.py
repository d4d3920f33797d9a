"""Deploy a stage: `python -m infra.ops.deploy --stage dev`.

The same steps for AWS and the emulator: `chalice package --merge-template` (infra.packaging.build), `aws cloudformation
package` (upload), then a change set, which is what `aws cloudformation deploy` makes. On AWS it is shown and confirmed
before it is executed.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from chalicelib import NAME
from infra.ops.api_keys import ensure_keys
from infra.packaging.build import PackagingError, build_stage, output_folder, source_fingerprint
from infra.packaging.package_checks import oversized, sizes
from infra.stack.outputs import StackOutputs, read_outputs
from infra.stack.stages import LOCAL_STAGE, STAGES, stage_parameters, target_of
from infra.stack.template import TemplateError

Progress = Callable[[str], None]

_CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
_NO_CHANGE: Final = ("didn't contain changes", "No updates are to be performed")
_BROKEN: Final = frozenset({"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_FAILED", "DELETE_FAILED"})


class DeployError(Exception):
    """The deployment did not succeed; the message has CloudFormation's reasons."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a stage goes.

    Args:
        stage: `local`, `dev` or `prod`.
        stack_name: The CloudFormation stack.
        parameters: Stack parameters that differ from the template's defaults.
        environment: Variables for the AWS tools (endpoint, region, credentials) beside the process's own.
        poll_seconds: How often to look at a running change.
    """

    stage: str
    stack_name: str
    parameters: Mapping[str, str]
    environment: Mapping[str, str]
    poll_seconds: float = 5.0

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
    text = json.dumps([sources, dict(deployment.parameters)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_stack_name(stage: str) -> str:
    """The stack of a stage."""
    return os.environ.get("STACK_NAME") or f"soccer-{stage}"


def artifacts_bucket(deployment: Deployment) -> str:
    """The bucket packages are uploaded to, made if it is not there."""
    account = deployment.client("sts").get_caller_identity()["Account"]
    s3 = deployment.client("s3")
    region = s3.meta.region_name
    bucket = f"{deployment.stack_name}-artifacts-{account}-{region}"
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)
        s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )
    return bucket


def upload(deployment: Deployment, out: Path, bucket: str) -> Path:
    """Run `aws cloudformation package`: archives to S3 under their hash, their addresses into the template.

    Raises:
        DeployError: The upload failed.
    """
    packaged = out / "packaged.json"
    command = [sys.executable, "-m", "awscli", "cloudformation", "package", "--use-json"]
    command += ["--template-file", str(out / "sam.json"), "--s3-bucket", bucket]
    command += ["--output-template-file", str(packaged)]
    result = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, **deployment.environment}
    )
    if result.returncode != 0:
        raise DeployError(f"aws cloudformation package failed:\n{result.stdout}{result.stderr}")
    return packaged


def _template_url(deployment: Deployment, packaged: Path, bucket: str) -> str:
    """The template in S3; inline templates end at 51,200 bytes and this one is larger."""
    s3 = deployment.client("s3")
    key = f"templates/{deployment.stack_name}.json"
    s3.upload_file(str(packaged), bucket, key)
    host = deployment.environment.get("AWS_ENDPOINT_URL")
    return f"{host}/{bucket}/{key}" if host else f"https://{bucket}.s3.{s3.meta.region_name}.amazonaws.com/{key}"


def _stack_status(cloudformation: Any, stack_name: str) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]["StackStatus"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise


def _create_change_set(deployment: Deployment, cloudformation: Any, template_url: str, *, create: bool) -> str | None:
    """Make a change set and wait until it can be executed; None if there is nothing to change.

    Raises:
        DeployError: CloudFormation refused it.
    """
    known = set(json.loads((output_folder(deployment.stage) / "sam.json").read_text(encoding="utf-8"))["Parameters"])
    unknown = set(deployment.parameters) - known
    if unknown:
        raise DeployError(f"the template has no parameter {', '.join(sorted(unknown))}")
    parameters = {**deployment.parameters, "Build": build_mark(deployment)}
    name = f"deploy-{int(time.time())}"
    arn: str = cloudformation.create_change_set(
        StackName=deployment.stack_name,
        ChangeSetName=name,
        ChangeSetType="CREATE" if create else "UPDATE",
        TemplateURL=template_url,
        Capabilities=_CAPABILITIES,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Tags=[{"Key": "service", "Value": NAME}, {"Key": "stage", "Value": deployment.stage}],
    )["Id"]
    while True:
        change_set = cloudformation.describe_change_set(ChangeSetName=arn)
        if change_set["Status"] == "CREATE_COMPLETE":
            return arn
        if change_set["Status"] == "FAILED":
            reason = change_set.get("StatusReason", "")
            if any(text in reason for text in _NO_CHANGE):
                return None
            raise DeployError(f"CloudFormation refused the change: {reason}")
        time.sleep(deployment.poll_seconds)


def changes(cloudformation: Any, change_set: str) -> list[str]:
    """A change set as readable lines."""
    lines = []
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
    for page in pages:
        for change in page["Changes"]:
            resource = change["ResourceChange"]
            replaced = "  REPLACED" if resource.get("Replacement") == "True" else ""
            lines.append(
                f"{resource['Action']:<8}{resource['ResourceType']:<36}{resource['LogicalResourceId']}{replaced}"
            )
    return sorted(lines)


def _failures(cloudformation: Any, stack_name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
    reasons = [
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return "\n".join(reasons[:10]) or "  (no reasons given)"


def _execute(deployment: Deployment, cloudformation: Any, change_set: str) -> None:
    cloudformation.execute_change_set(ChangeSetName=change_set)
    while True:
        status = _stack_status(cloudformation, deployment.stack_name) or "gone"
        if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return
        if not status.endswith(("_IN_PROGRESS", "_CLEANUP_IN_PROGRESS")):
            raise DeployError(
                f"stack {deployment.stack_name} is {status}:\n{_failures(cloudformation, deployment.stack_name)}"
            )
        time.sleep(deployment.poll_seconds)


def _delete_broken(deployment: Deployment, cloudformation: Any) -> None:
    """Remove a stack whose creation failed; CloudFormation cannot update it."""
    cloudformation.delete_stack(StackName=deployment.stack_name)
    while (_stack_status(cloudformation, deployment.stack_name) or "DELETE_COMPLETE") != "DELETE_COMPLETE":
        time.sleep(deployment.poll_seconds)


def deploy(deployment: Deployment, say: Progress, confirm: Callable[[], bool] = lambda: True) -> StackOutputs:
    """Build, upload and deploy a stage, and make sure that there are API keys.

    Args:
        deployment: Where it goes.
        say: Takes progress lines.
        confirm: Asked after the change set was shown.

    Raises:
        DeployError: It was refused or rolled back.
        PackagingError: The packages cannot be built.
    """
    out = build_stage(deployment.stage, target_of(deployment.stage))
    faults = oversized(sizes(out))
    if faults:
        raise DeployError("too large for Lambda:\n" + "\n".join(faults))
    say("packages and template are built")
    bucket = artifacts_bucket(deployment)
    template_url = _template_url(deployment, upload(deployment, out, bucket), bucket)
    say("packages are uploaded")
    cloudformation = deployment.client("cloudformation")
    status = _stack_status(cloudformation, deployment.stack_name)
    if status in _BROKEN:
        _delete_broken(deployment, cloudformation)
        status = None
    create = status is None or status == "DELETE_COMPLETE"
    change_set = _create_change_set(deployment, cloudformation, template_url, create=create)
    if change_set is None:
        say("the stack is up to date")
    else:
        lines = changes(cloudformation, change_set)
        if deployment.stage != LOCAL_STAGE:
            print("\n".join(lines))
        say(f"{len(lines)} changes to stack {deployment.stack_name}")
        if not confirm():
            cloudformation.delete_change_set(ChangeSetName=change_set)
            if create:
                cloudformation.delete_stack(StackName=deployment.stack_name)
            raise DeployError("not confirmed: nothing was changed")
        _execute(deployment, cloudformation, change_set)
        say("the stack is deployed")
    outputs = read_outputs(cloudformation, deployment.stack_name)
    if outputs is None:
        raise DeployError(f"stack {deployment.stack_name} has no outputs")
    ensure_keys(deployment.client("secretsmanager"), outputs.api_keys_secret_id)
    return outputs


def destroy(deployment: Deployment, say: Progress) -> None:
    """Delete the stack. What holds data (bucket and tasks table) is kept, as the template says, and named.

    Raises:
        DeployError: There is no such stack, or it cannot be deleted.
    """
    cloudformation = deployment.client("cloudformation")
    outputs = read_outputs(cloudformation, deployment.stack_name)
    if _stack_status(cloudformation, deployment.stack_name) is None:
        raise DeployError(f"there is no stack {deployment.stack_name}")
    cloudformation.delete_stack(StackName=deployment.stack_name)
    while True:
        status = _stack_status(cloudformation, deployment.stack_name)
        if status in {None, "DELETE_COMPLETE"}:
            break
        if status == "DELETE_FAILED":
            raise DeployError(f"not deleted:\n{_failures(cloudformation, deployment.stack_name)}")
        time.sleep(deployment.poll_seconds)
    say(f"stack {deployment.stack_name} is deleted")
    if outputs is not None:
        say(f"kept with its data: bucket {outputs.bucket}, table {outputs.tasks_table}")


def main(arguments: list[str] | None = None) -> int:
    """Deploy or destroy a stage on AWS (or wherever AWS_ENDPOINT_URL points)."""
    parser = argparse.ArgumentParser(prog="python -m infra.ops.deploy", description=__doc__)
    parser.add_argument("action", nargs="?", choices=["deploy", "destroy"], default="deploy")
    parser.add_argument("--stage", choices=[stage for stage in STAGES if stage != LOCAL_STAGE], required=True)
    parser.add_argument("--yes", action="store_true", help="do not ask before executing the change set")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a stack parameter")
    options = parser.parse_args(arguments)
    given = dict(item.split("=", 1) for item in options.set)
    parameters = {"Stage": options.stage, **stage_parameters(options.stage), **given}
    names = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    # A session token or profile stays with boto3's own chain; only an emulator's address is passed on.
    environment = (
        {name: os.environ[name] for name in names if name in os.environ} if "AWS_ENDPOINT_URL" in os.environ else {}
    )
    deployment = Deployment(options.stage, default_stack_name(options.stage), parameters, environment)

    def confirm() -> bool:
        return options.yes or input("Execute this change set? [y/N] ").strip().lower() in {"y", "yes"}

    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", flush=True)

    try:
        if options.action == "destroy":
            if not options.yes and input(f"Delete stack {deployment.stack_name}? [y/N] ").strip().lower() != "y":
                return 1
            destroy(deployment, say)
            return 0
        outputs = deploy(deployment, say, confirm)
    except (DeployError, PackagingError, TemplateError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"API   {outputs.base_url}\nkeys  secret {outputs.api_keys_secret_id}\ndata  s3://{outputs.bucket}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
