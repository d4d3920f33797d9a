"""The linters of the templates: what fails is shown, what is left out has a reason."""

import sys
from pathlib import Path

import yaml

from infra.packaging.lint_templates import CHECKOV_CONFIGURATION, Check, checks, failed


def test_every_template_is_linted_and_the_one_that_sam_transforms_validated() -> None:
    templates = [Path("stack.json"), Path("bulk.json")]
    runs = {check.name: check.command for check in checks(templates, "sam", "checkov")}
    assert set(runs) == {"cfn-lint", "sam validate", "checkov"}
    assert runs["sam validate"][-1] == "stack.json"
    for name in ("cfn-lint", "checkov"):
        assert {"stack.json", "bulk.json"} <= set(runs[name])


def test_a_tool_that_finds_a_fault_fails_and_is_quoted() -> None:
    fine = Check("fine", [sys.executable, "-c", "print('nothing')"], {})
    faulty = Check(
        "faulty", [sys.executable, "-c", "import os; raise SystemExit(os.environ['FAULT'])"], {"FAULT": "E1"}
    )
    assert failed([fine, faulty]) == [("faulty", "E1\n")]


def test_every_check_that_is_left_out_has_a_reason() -> None:
    text = CHECKOV_CONFIGURATION.read_text(encoding="utf-8")
    lines = text.partition("skip-check:\n")[2].splitlines()
    skipped = yaml.safe_load(text)["skip-check"]
    assert len(skipped) == len([line for line in lines if line.strip().startswith("- ")]) > 0
    for before, line in zip(["", *lines], lines, strict=False):
        if line.strip().startswith("- "):
            assert before.strip().startswith(("#", "- ")), line
    assert lines[0].strip().startswith("#")
