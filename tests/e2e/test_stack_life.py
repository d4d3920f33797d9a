"""A stack's life under the least rights of who deploys it: created, changed, failed and rolled back, repaired, deleted.

On the emulator of the shared stack, with rights enforced. CloudFormation's own calls are not checked there, so that the
rights of its role (infra/ops/deployer.yaml) are read and not measured.
"""

import io
import json
import time
import zipfile
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest
import requests
from botocore.exceptions import ClientError

from infra.ops.artifacts import artifacts_bucket
from infra.ops.deploy import DeployError, Deployment, deploy, destroy, repair
from infra.paths import DEPLOYER
from infra.stack.outputs import StackOutputs
from infra.stack.stages import stage_parameters
from tests.e2e.waiting import until
from tests.support.rights import Call, Right, rights_of, unused_rights
from tests.support.throwaway import RunningStack

NAME: Final = "soccer-second"
# Asked for on AWS and not on the emulator, or only in what this file does not do.
NOT_ASKED: Final = {
    "cloudformation:UpdateTerminationProtection": "stages of PROTECTED_STAGES only",
    "cloudformation:ContinueUpdateRollback": "the repair below is of a stack of another name",
    "iam:PassRole": "with ROLE=",
    "lambda:InvokeFunction": "after an update from a version whose files lists do not read",
}


@dataclass
class Life:
    """The second stack, and what is known of it."""

    stack: RunningStack
    deployment: Deployment
    outputs: StackOutputs | None = None

    @property
    def base_url(self) -> str:
        """Its API."""
        return f"{self.stack.system.emulator.endpoint_url}/_aws/execute-api/second/local"

    def parameters(self) -> dict[str, str]:
        """Its values as they are."""
        (stack,) = self.stack.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
        return {item["ParameterKey"]: item["ParameterValue"] for item in stack["Parameters"]}


@pytest.fixture(scope="module")
def life(stack: RunningStack) -> Life:
    """A deployment by a user who may do what infra/ops/deployer.yaml says and nothing else."""
    if not stack.system.emulator.enforce_iam:
        pytest.skip("ENFORCE_IAM=0")
    cloudformation, iam = stack.client("cloudformation"), stack.client("iam")
    cloudformation.create_stack(
        StackName=f"{NAME}-deployer",
        TemplateBody=DEPLOYER.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "Stack", "ParameterValue": NAME}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=f"{NAME}-deployer", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    (made,) = cloudformation.describe_stacks(StackName=f"{NAME}-deployer")["Stacks"]
    outputs = {item["OutputKey"]: item["OutputValue"] for item in made["Outputs"]}
    iam.create_user(UserName="deployer")
    iam.attach_user_policy(UserName="deployer", PolicyArn=outputs["DeployerPolicyArn"])
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    credentials = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    environment = {**stack.system.emulator.client_environment(), **credentials}
    values = {
        "Stage": "local",
        **stage_parameters("local"),
        "ApiId": "second",
        "SchedulesEnabled": "false",
        "MaxBacklog": "7",
    }
    return Life(stack, Deployment("local", NAME, values, environment, poll_seconds=0.2))


def test_a_stack_is_created_by_who_may_do_nothing_else(life: Life) -> None:
    life.outputs = deploy(life.deployment, lambda _: None)
    answer = requests.get(f"{life.base_url}/healthcheck/", timeout=60)
    assert (answer.status_code, answer.json()["checks"]["task_store"]) == (200, "ok")
    assert life.outputs.bucket.startswith(f"{NAME}-databucket-")


def test_a_second_deployment_changes_what_is_given_and_keeps_what_was(life: Life) -> None:
    given = {"Stage": "local", "LogRetentionDays": "7", "BoardOrigin": "https://a.example"}
    said: list[str] = []
    deploy(replace(life.deployment, parameters=given), said.append)
    values = life.parameters()
    assert (values["LogRetentionDays"], values["MaxBacklog"]) == ("7", "7")
    assert values["ApiId"] == "second"
    function = life.stack.client("lambda").get_function_configuration(FunctionName=f"{NAME}-predict_async")
    assert function["Environment"]["Variables"]["MAX_BACKLOG"] == "7"
    assert "the stack is deployed" in said
    # the gateway's own answers name the origin, which only a new deployment of the gateway publishes
    unknown = requests.get(f"{life.base_url}/no/such/path", timeout=60)
    assert unknown.headers["Access-Control-Allow-Origin"] == "https://a.example"


def test_a_run_that_nobody_waits_for_leaves_its_failure_in_the_queue(life: Life) -> None:
    (made,) = life.stack.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    queue = {item["OutputKey"]: item["OutputValue"] for item in made["Outputs"]}["FailedRunsQueueUrl"]
    # there are neither odds nor a release
    event = {"as_of": "2024-04-01T00:00:00Z"}
    life.stack.client("lambda").invoke(
        FunctionName=f"{NAME}-refresh_odds", InvocationType="Event", Payload=json.dumps(event).encode()
    )
    left: list[dict[str, Any]] = []

    def arrived() -> bool:
        answer = life.stack.client("sqs").receive_message(QueueUrl=queue)
        left.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return bool(left)

    assert until(arrived)
    assert left[0]["requestPayload"] == event
    assert left[0]["requestContext"]["condition"] == "RetriesExhausted"
    assert "there is no odds snapshot" in left[0]["responsePayload"]["errorMessage"]


def test_a_change_that_fails_is_rolled_back_with_its_reasons(life: Life) -> None:
    before = life.parameters()
    wrong = replace(life.deployment, parameters={"Stage": "local", "SweepSchedule": "whenever", "MaxBacklog": "9"})
    with pytest.raises(DeployError, match=r"UPDATE_ROLLBACK_COMPLETE(.|\n)*Sweep") as error:
        deploy(wrong, lambda _: None)
    assert "make repair" not in str(error.value)
    assert life.parameters() == before
    function = life.stack.client("lambda").get_function_configuration(FunctionName=f"{NAME}-predict_async")
    assert function["Environment"]["Variables"]["MAX_BACKLOG"] == "7"
    for endpoint in ("healthcheck/", "openapi.json"):
        assert requests.get(f"{life.base_url}/{endpoint}", timeout=60).status_code == 200


def test_a_change_that_is_not_confirmed_leaves_nothing_behind(life: Life) -> None:
    before = life.parameters()
    other = replace(life.deployment, parameters={"Stage": "local", "MaxBacklog": "10"})
    with pytest.raises(DeployError, match="nothing was changed"):
        deploy(other, lambda _: None, confirm=lambda: False)
    assert life.parameters() == before


def test_a_stack_that_is_destroyed_leaves_its_data(life: Life) -> None:
    assert life.outputs is not None
    said: list[str] = []
    destroy(life.deployment, said.append)
    assert said[-1] == f"kept with its data: bucket {life.outputs.bucket}, table {life.outputs.tasks_table}"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        life.stack.client("lambda").get_function(FunctionName=f"{NAME}-predict")
    life.stack.client("s3").head_bucket(Bucket=life.outputs.bucket)
    life.stack.client("dynamodb").describe_table(TableName=life.outputs.tasks_table)


def test_who_deploys_has_no_right_that_a_deployment_does_not_need(life: Life) -> None:
    iam = life.stack.client("iam")
    ((policy,),) = (iam.list_attached_user_policies(UserName="deployer")["AttachedPolicies"],)
    version = iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
    calls = set()
    for line in life.stack.iam_record.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if str(entry["principal"]).endswith("user/deployer"):
            calls.add(Call("deployer", entry["action"], entry["resource"], entry["allowed"]))
    assert {call for call in calls if not call.allowed} == set()
    rights = [right for right in rights_of("deployer", [document]) if not not_asked(right)]
    assert len(rights) > 10
    assert unused_rights(rights, calls) == []


def not_asked(right: Right) -> bool:
    """Whether the emulator never asks for a right, or nothing here does what needs it."""
    of_the_bucket = right.action == "s3:ListBucket" and "databucket" in right.resource
    return right.action in NOT_ASKED or "transform/" in right.resource or of_the_bucket


# ── A rollback that fails ───────────────────────────────────────────────────────────────────────────


def archive(text: str) -> bytes:
    """A function's code."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("main.py", f"def handle(event, context):\n    return {text!r}\n")
    return buffer.getvalue()


REPAIRABLE: Final = {
    "Parameters": {"Key": {"Type": "String"}, "Schedule": {"Type": "String"}, "Packages": {"Type": "String"}},
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ],
                }
            },
        },
        "Code": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": {"Fn::Sub": "${AWS::StackName}-code"},
                "Runtime": "python3.12",
                "Handler": "main.handle",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "Packages"}, "S3Key": {"Ref": "Key"}},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "DependsOn": "Code",
            "Properties": {"ScheduleExpression": {"Ref": "Schedule"}, "State": "DISABLED"},
        },
    },
}


def test_a_rollback_whose_package_is_gone_fails_and_is_repaired_once_it_is_back(stack: RunningStack) -> None:
    cloudformation, s3 = stack.client("cloudformation"), stack.client("s3")
    packages = artifacts_bucket(s3, "000000000000", "soccer-repair")
    small = Deployment("dev", "soccer-repair", {}, stack.system.emulator.client_environment(), poll_seconds=0.2)
    for version in ("one", "two"):
        s3.put_object(Bucket=packages, Key=f"{version}.zip", Body=archive(version))

    def values(key: str, schedule: str) -> list[dict[str, str]]:
        given = {"Key": key, "Schedule": schedule, "Packages": packages}
        return [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]

    made: dict[str, Any] = {
        "StackName": "soccer-repair",
        "TemplateBody": json.dumps(REPAIRABLE),
        "Capabilities": ["CAPABILITY_IAM"],
    }
    cloudformation.create_stack(**made, Parameters=values("one.zip", "rate(1 day)"))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="soccer-repair", WaiterConfig={"Delay": 1})
    # the package of the version that the rollback would go back to is cleaned away meanwhile
    s3.delete_object(Bucket=packages, Key="one.zip")
    cloudformation.update_stack(**made, Parameters=values("two.zip", "whenever"))
    assert ended(cloudformation, "soccer-repair") == "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(DeployError, match="UPDATE_ROLLBACK_FAILED"):
        repair(small, lambda _: None)
    s3.put_object(Bucket=packages, Key="one.zip", Body=archive("one"))
    said: list[str] = []
    repair(small, said.append)
    assert said == ["stack soccer-repair is as it was before the failed update"]
    answer = stack.client("lambda").invoke(FunctionName="soccer-repair-code")["Payload"].read()
    assert json.loads(answer) == "one"
    with pytest.raises(DeployError, match="nothing to repair"):
        repair(small, said.append)
    destroy(small, said.append)


def ended(cloudformation: Any, name: str) -> str:
    """The status of a stack once nothing is in progress."""
    while True:
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return str(found["StackStatus"])
        time.sleep(0.2)
