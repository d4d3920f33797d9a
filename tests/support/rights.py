"""Rights compared with use: the calls of a recorded run, and the rights that no call needed.

A right is one action on one resource pattern of one function's role. It is needed if a recorded call
(`tests.support.iam_recorder`) was allowed by it and by no other right of that role: without it, the call would have
been denied.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from infra.reference.rights import as_list

# rights that AWS checks and the emulator does not; tests/security derives from the template who must have them
NOT_ASKED_LOCALLY: Final = {
    "logs:CreateLogStream": "Lambda writes logs under the function's role",
    "logs:PutLogEvents": "Lambda writes logs under the function's role",
    "sqs:ReceiveMessage": "Lambda polls an event source under the function's role",
    "sqs:DeleteMessage": "Lambda deletes what the function handled under its role",
    "xray:PutTelemetryRecords": "only where the stack parameter Tracing is Active",
    "xray:PutTraceSegments": "only where the stack parameter Tracing is Active",
    "s3:ListBucket": "S3 answers 403 instead of 404 for a missing object to a caller without it",
}
CONSUMERS: Final = frozenset({"inference", "dead_letters"})


def asked_locally(right: "Right") -> bool:
    """Whether the emulator checks a right, so that a run shows who needs it."""
    polled = right.function in CONSUMERS and right.action == "sqs:GetQueueAttributes"
    # Lambda hands on what failed for good under the function's role
    handed_on = right.action == "sqs:SendMessage" and "FailedRunsQueue" in right.resource
    return right.action not in NOT_ASKED_LOCALLY and not polled and not handed_on


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One action on one resource pattern.

    Args:
        function: Whose role has it.
        action: As IAM names it, `service:Operation`.
        resource: ARN, in which `*` and `?` stand for any text and any character.
    """

    function: str
    action: str
    resource: str

    def allows(self, call: "Call") -> bool:
        """Whether it lets the call through."""
        return (
            self.function == call.function
            and self.action.lower() == call.action.lower()
            and _pattern(self.resource).fullmatch(call.resource) is not None
        )


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One call of a function, and whether it was allowed."""

    function: str
    action: str
    resource: str
    allowed: bool


@cache
def _pattern(resource: str) -> re.Pattern[str]:
    text = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in resource)
    return re.compile(text, re.DOTALL)


def rights_of(function: str, documents: Iterable[Mapping[str, Any]]) -> list[Right]:
    """The rights in a role's policy documents, duplicates included."""
    return [
        Right(function, action, resource)
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


def recorded_calls(record: Path, stack_name: str) -> set[Call]:
    """The calls that functions of a stack made under their own roles.

    Args:
        record: File of `tests.support.iam_recorder`.
        stack_name: Its functions are named `<stack>-<function>`, and Lambda names sessions after functions.
    """
    calls = set()
    for line in record.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        session = str(entry["principal"]).rpartition("/")[2]
        if session.startswith(f"{stack_name}-"):
            name = session.removeprefix(f"{stack_name}-")
            calls.add(Call(name, entry["action"], entry["resource"], entry["allowed"]))
    return calls


def unused_rights(rights: Iterable[Right], calls: Iterable[Call]) -> list[Right]:
    """The rights that could be removed without a recorded call being denied, duplicates included."""
    all_rights = list(rights)
    needed_rights: set[int] = set()
    for call in calls:
        if call.allowed:
            allowing = [index for index, right in enumerate(all_rights) if right.allows(call)]
            if len(allowing) == 1:
                needed_rights.add(allowing[0])
    return [right for index, right in enumerate(all_rights) if index not in needed_rights]
