"""docs/rights.md: what each function's role may do, from the policy files: `make rights`."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

from infra.paths import ROOT
from infra.stack.functions import BULK_FUNCTIONS, FUNCTIONS, Function

TABLE: Final = ROOT / "docs" / "rights.md"


def as_list(value: Any) -> list[Any]:
    """A value that may be one or a list, as a list."""
    return value if isinstance(value, list) else [value]


def _spell(resource: Any) -> str:
    """A resource of a policy file as the table shows it."""
    if resource == "*":
        return "any (AWS cannot restrict it)"
    (kind, value), *_ = resource.items()
    if kind == "Fn::GetAtt":
        return str(value[0])
    if kind == "Ref":
        return f"what `{value}` names"
    if kind == "Fn::If":
        # on AWS, else on the emulator
        return _spell(value[1])
    text = str(value).replace("${AWS::StackName}", "<stack>")
    for name in ("DataBucket", "TasksTable"):
        text = text.replace(f"${{{name}.Arn}}", name).replace(f"arn:${{AWS::Partition}}:s3:::${{{name}}}", name)
    return re.sub(r"^arn:\$\{AWS::Partition\}:(?:[a-z0-9-]+):[^ ]*?\$\{AWS::AccountId\}:", "", text).replace(
        "arn:${AWS::Partition}:s3:::", ""
    )


def _statements(function: Function) -> Iterator[tuple[str, dict[str, Any]]]:
    """A role's statements with the condition they depend on, without the common ones that the page's head names."""
    for entry in json.loads(function.policy_file.read_text(encoding="utf-8"))["Statement"]:
        condition, statement = ("", entry) if "Fn::If" not in entry else entry["Fn::If"][:2]
        if statement["Sid"] not in {"WriteOwnLogs", "SendTraces", "TellMissingFromDenied"}:
            yield condition, statement


def table() -> str:
    """docs/rights.md: what each function's role may do."""
    lines = [
        "# What each function may do",
        "",
        "Made by `make rights` from `.chalice/policy-*.json` and `infra/stack/policies/*.json`; a test compares them.",
        "In addition, every role may write to its own function's log group and, if `Tracing` is `Active`, send X-Ray",
        "traces; roles that read objects may list DataBucket, so that a missing object is 404 and not 403. What proves",
        "it: [security.md](security.md). `bulk_…` are the functions of rebuilds in items (`BulkRebuild`).",
        "",
        "| Function | Action | On | Why |",
        "|---|---|---|---|",
    ]
    functions_of: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for function in (*FUNCTIONS, *BULK_FUNCTIONS):
        rows = [
            (
                ", ".join(as_list(statement["Action"])),
                ", ".join(map(_spell, as_list(statement["Resource"]))),
                statement["Sid"],
                condition,
            )
            for condition, statement in _statements(function)
        ] or [("nothing else", "", "", "")]
        functions_of.setdefault(tuple(rows), []).append(f"`{function.name}`")
    for shared_rows, functions in functions_of.items():
        for index, (actions, resources, sid, condition) in enumerate(shared_rows):
            name = ", ".join(functions) if index == 0 else ""
            why = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", sid).lower() + (f", if `{condition}`" if condition else "")
            lines.append(f"| {name} | {actions} | {resources} | {why} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the table."""
    TABLE.write_text(table(), encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
