"""What roles may do beside what they did: finds rights nobody needs, and draws the table in docs/rights.md.

A right is one action on one resource pattern of one function's role. It is needed if a recorded call
(`tests.support.iam_recorder`) was allowed by it and by no other right of that role: without it, it would have been
denied.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from infra.paths import ROOT
from infra.stack.functions import FUNCTIONS, Function

TABLE: Final = ROOT / "docs" / "rights.md"

# What AWS asks for and the emulator does not; tests/security derives from the template who must have exactly these.
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
    """Whether the emulator asks for a right before it serves a call, so that a run shows who needs it."""
    polled = right.function in CONSUMERS and right.action == "sqs:GetQueueAttributes"
    return right.action not in NOT_ASKED_LOCALLY and not polled


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
    """One call that a function made, and what became of it."""

    function: str
    action: str
    resource: str
    allowed: bool


@cache
def _pattern(resource: str) -> re.Pattern[str]:
    text = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in resource)
    return re.compile(text, re.DOTALL)


def listed(value: Any) -> list[Any]:
    """A value that may be one or a list, as a list."""
    return value if isinstance(value, list) else [value]


def rights_of(function: str, documents: Iterable[Mapping[str, Any]]) -> list[Right]:
    """The rights in a role's policy documents, duplicates included."""
    return [
        Right(function, action, resource)
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def recorded_calls(record: Path, stack_name: str) -> set[Call]:
    """The calls that functions of a stack made under their own roles.

    Args:
        record: What `tests.support.iam_recorder` wrote.
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


def not_needed(rights: Iterable[Right], calls: Iterable[Call]) -> list[Right]:
    """The rights that could be taken away without any recorded call being denied; duplicates are among them."""
    held = list(rights)
    needed: set[int] = set()
    for call in calls:
        if call.allowed:
            by = [index for index, right in enumerate(held) if right.allows(call)]
            if len(by) == 1:
                needed.add(by[0])
    return [right for index, right in enumerate(held) if index not in needed]


# ── The table ───────────────────────────────────────────────────────────────────────────────────────


def _spell(resource: Any) -> str:
    """A resource of a policy file as the table shows it."""
    if resource == "*":
        return "any (AWS cannot restrict it)"
    (kind, value), *_ = resource.items()
    if kind == "Fn::GetAtt":
        return str(value[0])
    if kind == "Ref":
        return f"secret given as `{value}`"
    text = str(value).replace("${AWS::StackName}", "<stack>")
    for name in ("DataBucket", "TasksTable"):
        text = text.replace(f"${{{name}.Arn}}", name)
    return re.sub(r"^arn:\$\{AWS::Partition\}:(?:[a-z0-9-]+):[^ ]*?\$\{AWS::AccountId\}:", "", text).replace(
        "arn:${AWS::Partition}:s3:::", ""
    )


def _statements(function: Function) -> Iterator[tuple[str, dict[str, Any]]]:
    """A role's statements beside the condition they depend on, without what every role has (own log, X-Ray)."""
    for entry in json.loads(function.policy_file.read_text(encoding="utf-8"))["Statement"]:
        condition, statement = ("", entry) if "Fn::If" not in entry else entry["Fn::If"][:2]
        if statement["Sid"] not in {"WriteOwnLogs", "SendTraces"}:
            yield condition, statement


def table() -> str:
    """docs/rights.md: what each function's role may do."""
    lines = [
        "# What each function may do",
        "",
        "Made by `make rights` from `.chalice/policy-*.json` and `infra/stack/policies/*.json`; a test compares it",
        "with them. Beside these, every role may create streams of and write to its own function's log group, and send",
        "X-Ray traces where the stack parameter `Tracing` is `Active`. [security.md](security.md) says what proves it.",
        "",
        "| Function | Action | On | Why |",
        "|---|---|---|---|",
    ]
    for function in FUNCTIONS:
        rows = [
            (", ".join(listed(one["Action"])), ", ".join(map(_spell, listed(one["Resource"]))), one["Sid"], condition)
            for condition, one in _statements(function)
        ] or [("nothing else", "", "", "")]
        for index, (actions, resources, sid, condition) in enumerate(rows):
            name = f"`{function.name}`" if index == 0 else ""
            why = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", sid).lower() + (f", if `{condition}`" if condition else "")
            lines.append(f"| {name} | {actions} | {resources} | {why} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the table, or print what a recorded run used."""
    parser = argparse.ArgumentParser(prog="python -m infra.reference.rights", description=__doc__)
    parser.add_argument("--record", type=Path, help="print the calls of a recorded run instead of writing the table")
    parser.add_argument("--stack", default="soccer-local")
    options = parser.parse_args(arguments)
    if options.record:
        for call in sorted(recorded_calls(options.record, options.stack)):
            print(f"{call.function:<15}{'' if call.allowed else 'DENIED '}{call.action:<32}{call.resource}")
        return 0
    TABLE.write_text(table(), encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
