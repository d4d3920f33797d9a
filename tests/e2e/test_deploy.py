"""Deploying shows what it will change and waits for a yes; destroying keeps what holds data."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from infra.ops.deploy import DeployError, Deployment, deploy, destroy
from infra.stack.outputs import read_outputs
from tests.support.throwaway import RunningStack

SMALL = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "task_id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "task_id", "KeyType": "HASH"}],
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue"},
    },
    "Outputs": {
        **{name: {"Value": "x"} for name in ("ApiId", "ApiStage", "BaseUrl", "DeadLetterQueueUrl", "Build")},
        "ApiKeysSecretId": {"Value": "x"},
        "Bucket": {"Value": {"Ref": "Bucket"}},
        "TasksTable": {"Value": {"Ref": "Table"}},
        "InferenceQueueUrl": {"Value": {"Ref": "Queue"}},
    },
}


def test_a_change_set_that_nobody_confirms_changes_nothing(stack: RunningStack) -> None:
    cloudformation, before = stack.client("cloudformation"), stack.system.deployment
    known = cloudformation.list_change_sets(StackName=before.stack_name)["Summaries"]
    other = replace(before, parameters={**before.parameters, "LogRetentionDays": "7"})
    shown: list[str] = []
    with pytest.raises(DeployError, match="nothing was changed"):
        deploy(other, shown.append, confirm=lambda: any("changes to stack" in line for line in shown) and False)
    assert any("changes to stack" in line for line in shown)
    assert read_outputs(cloudformation, before.stack_name) == stack.outputs
    assert cloudformation.list_change_sets(StackName=before.stack_name)["Summaries"] == known


def test_a_parameter_that_the_template_does_not_know_is_refused(stack: RunningStack) -> None:
    before = stack.system.deployment
    other = replace(before, parameters={**before.parameters, "LogRetentionDay": "7"})
    with pytest.raises(DeployError, match="no parameter LogRetentionDay"):
        deploy(other, lambda _: None)


def test_destroying_keeps_bucket_and_table_and_names_them(stack: RunningStack) -> None:
    cloudformation = stack.client("cloudformation")
    small = Deployment("dev", "soccer-small", {}, stack.system.emulator.client_environment(), poll_seconds=0.1)
    cloudformation.create_stack(StackName="soccer-small", TemplateBody=json.dumps(SMALL))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="soccer-small", WaiterConfig={"Delay": 1})
    outputs = read_outputs(cloudformation, "soccer-small")
    assert outputs is not None
    said: list[str] = []
    destroy(small, said.append)
    assert said[-1] == f"kept with its data: bucket {outputs.bucket}, table {outputs.tasks_table}"
    stack.client("s3").head_bucket(Bucket=outputs.bucket)
    stack.client("dynamodb").describe_table(TableName=outputs.tasks_table)
    with pytest.raises(ClientError, match=r"NonExistentQueue|does not exist"):
        stack.client("sqs").get_queue_attributes(QueueUrl=outputs.inference_queue_url)
    with pytest.raises(DeployError, match="no stack soccer-small"):
        destroy(small, said.append)
    stack.client("s3").delete_bucket(Bucket=outputs.bucket)
    stack.client("dynamodb").delete_table(TableName=outputs.tasks_table)
