"""The state machine of rebuilds in items on the real stack: the release of one run, or none."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.jobs import AS_OF, variables
from tests.support.throwaway import RunningStack

# It moves the release pointer.
pytestmark = pytest.mark.alone


@pytest.fixture
def pointer_before(stack: RunningStack) -> Iterator[dict[str, Any]]:
    """The release of one run, which is the one before."""
    stack.invoke("rebuild", AS_OF)
    yield pointer(stack)
    stack.invoke("rebuild", AS_OF)


def pointer(stack: RunningStack) -> dict[str, Any]:
    body = stack.client("s3").get_object(Bucket=stack.outputs.bucket, Key="releases/current.json")["Body"].read()
    document: dict[str, Any] = json.loads(body)
    return document


def checksums(of: dict[str, Any]) -> dict[str, str]:
    return {name: entry["sha256"] for name, entry in of["datasets"].items()}


def executed(stack: RunningStack) -> dict[str, Any]:
    """Run the state machine to its end."""
    machine = f"arn:aws:states:us-east-1:000000000000:stateMachine:{stack.outputs.stack_name}-bulk-rebuild"
    states, end = stack.client("stepfunctions"), time.monotonic() + 120
    arn = states.start_execution(stateMachineArn=machine, input=json.dumps({**AS_OF, "smallest_item": 1}))[
        "executionArn"
    ]
    while (execution := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < end, "the rebuild in items did not end"
        time.sleep(0.1)
    found: dict[str, Any] = execution
    return found


def test_the_state_machine_publishes_the_release_of_one_run(
    stack: RunningStack, pointer_before: dict[str, Any]
) -> None:
    execution = executed(stack)
    assert execution["status"] == "SUCCEEDED", execution
    result = json.loads(execution["output"])
    after = pointer(stack)
    assert (after["release_id"], result["published"]) == (result["release_id"], True)
    # Five divisions of the sample that share no club.
    assert result["items"] == 5
    assert after["release_id"] != pointer_before["release_id"]
    assert checksums(after) == checksums(pointer_before)


def test_an_item_that_fails_is_named_and_nothing_is_published(
    stack: RunningStack, pointer_before: dict[str, Any]
) -> None:
    with variables(stack, "bulk_score", {"DATA_BUCKET": "no-such-bucket"}):
        execution = executed(stack)
    assert execution["status"] == "FAILED"
    assert "5 of 5 items have no result: 00000 (" in execution["cause"]
    assert pointer(stack) == pointer_before
