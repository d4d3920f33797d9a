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


_OF_ALL: Final = {"WriteOwnLogs", "SendTraces", "TellMissingFromDenied"}
_OF_SEVERAL: Final = {
    "ReadApiKeys", "HandOnFailedRuns", "ReadMlflowSecret", "DecryptWhatIsGiven", "UseTrackingServer", "UseVpc",
}  # fmt: skip
"""Statements that the page's head names, and those that its second table has once for all functions."""


def _rows(function: Function) -> Iterator[tuple[str, str]]:
    """A role's statements, each by its Sid and as the last two cells of its row, without the head's."""
    for entry in json.loads(function.policy_file.read_text(encoding="utf-8"))["Statement"]:
        condition, statement = ("", entry) if "Fn::If" not in entry else entry["Fn::If"][:2]
        sid = statement["Sid"]
        if sid not in _OF_ALL:
            actions = ", ".join(as_list(statement["Action"]))
            resources = ", ".join(map(_spell, as_list(statement["Resource"])))
            yield sid, f"{actions} | {resources}" + (f", if `{condition}`" if condition else "")


def table() -> str:
    """docs/rights.md: what each function's role may do."""
    head = ["| Function | Action | On |", "|---|---|---|"]
    lines = [
        "# What each function may do",
        "",
        "Made by `make rights` from `.chalice/policy-*.json` and `infra/stack/policies/*.json`; a test compares them.",
        "Every role may also write its function's log and, if `Tracing` is `Active`, send X-Ray traces; roles that",
        "read objects may list DataBucket, so that a missing one is 404 and not 403. `bulk_…`: rebuilds in items",
        "(`BulkRebuild`). The reason is the statement's `Sid`; what proves it: [security.md](security.md).",
        "",
        *head,
    ]
    functions_of: dict[tuple[str, ...], list[str]] = {}
    holders_of: dict[str, list[str]] = {}
    for function in (*FUNCTIONS, *BULK_FUNCTIONS):
        rows = list(_rows(function))
        own = tuple(row for sid, row in rows if sid not in _OF_SEVERAL)
        functions_of.setdefault(own or ("nothing more | ",), []).append(f"`{function.name}`")
        for sid, row in rows:
            if sid in _OF_SEVERAL:
                holders_of.setdefault(row, []).append(f"`{function.name}`")
    for own_rows, functions in functions_of.items():
        lines += [f"| {', '.join(functions) if row == own_rows[0] else ''} | {row} |" for row in own_rows]
    lines += ["", "What several have alike:", "", *head]
    lines += [f"| {', '.join(holders)} | {row} |" for row, holders in holders_of.items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the table."""
    TABLE.write_text(table(), encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
