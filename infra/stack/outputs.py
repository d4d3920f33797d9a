"""What a deployed stack says about itself."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True, slots=True)
class StackOutputs:
    """A deployed stack's outputs.

    Args:
        stack_name: The stack.
        api_id: Id of its REST API.
        api_stage: The API's stage, the last part of its own URL.
        base_url: The API's URL on AWS.
        bucket: The data bucket.
        tasks_table: The table of asynchronous tasks.
        inference_queue_url: The queue of asynchronous tasks.
        dead_letter_queue_url: The queue of messages that failed too often.
        api_keys_secret_id: The secret with the API keys.
        build: Hash of the sources and parameters it was deployed from.
    """

    stack_name: str
    api_id: str
    api_stage: str
    base_url: str
    bucket: str
    tasks_table: str
    inference_queue_url: str
    dead_letter_queue_url: str
    api_keys_secret_id: str
    build: str


def read_outputs(cloudformation: Any, stack_name: str) -> StackOutputs | None:
    """The outputs of a stack that was deployed completely by this version; None if there is none.

    Args:
        cloudformation: A boto3 client.
        stack_name: The stack.
    """
    try:
        stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}:
        return None
    values = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    try:
        return StackOutputs(
            stack_name=stack_name,
            api_id=values["ApiId"],
            api_stage=values["ApiStage"],
            base_url=values["BaseUrl"],
            bucket=values["Bucket"],
            tasks_table=values["TasksTable"],
            inference_queue_url=values["InferenceQueueUrl"],
            dead_letter_queue_url=values["DeadLetterQueueUrl"],
            api_keys_secret_id=values["ApiKeysSecretId"],
            build=values["Build"],
        )
    except KeyError:
        # A stack of an earlier version, which said less about itself.
        return None
