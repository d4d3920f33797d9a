"""The templates that AWS gets, checked: `make lint-templates`.

Renders the stack's template and the nested ones as they are deployed to prod, and runs cfn-lint, `sam validate --lint`
and checkov over them side by side. None of them asks AWS for anything. What passed is not checked again until the
templates, the configuration or a tool changes.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.packaging.build import template_of_stage
from infra.paths import DEPLOYER, EDGE_ACL, LOCAL, LOCKS, ROOT
from infra.stack import bulk, function_alarms
from infra.stack.functions import FUNCTIONS
from infra.stack.stages import target_of

STAGE: Final = "prod"
CHECKOV_CONFIGURATION: Final = ROOT / "infra" / "stack" / "checkov.yaml"
PASSED: Final = LOCAL / "templates-passed"
_LOCKED_TOOLS: Final = ("dev.txt", "sam.txt", "checkov.txt")


@dataclass(frozen=True, slots=True)
class Check:
    """One run of one tool.

    Args:
        name: For people.
        command: The program and its arguments.
        environment: Variables beside the process's own.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


def checks(templates: Sequence[Path], sam: str, checkov: str) -> list[Check]:
    """The runs over these templates.

    Args:
        templates: Rendered templates, the stack's own first.
        sam: The program `sam`.
        checkov: The program `checkov`.
    """
    cfn_lint = str(Path(sys.executable).parent / "cfn-lint")
    paths = [str(template) for template in templates]
    # sam wants a region, though it asks nobody; it would report its use otherwise.
    offline = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    files = [argument for path in paths for argument in ("--file", path)]
    configuration = ["--config-file", str(CHECKOV_CONFIGURATION)]
    return [
        Check("cfn-lint", [cfn_lint, "--template", *paths], {}),
        # The others need no transformation, so that cfn-lint sees of them all there is.
        Check("sam validate", [sam, "validate", "--lint", "--template-file", paths[0]], offline),
        Check("checkov", [checkov, *configuration, *files], {}),
    ]


def render(folder: Path) -> list[Path]:
    """The templates as files, the stack's own first; the edge's access list and the deployer need no rendering."""
    contents = {
        "template.json": template_of_stage(STAGE, folder),
        bulk.FILE: bulk.bulk_template(target_of(STAGE)),
        function_alarms.FILE: function_alarms.function_alarms(FUNCTIONS),
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    return [*(folder / name for name in contents), EDGE_ACL, DEPLOYER]


def failed(runs: Sequence[Check]) -> list[tuple[str, str]]:
    """Run all side by side; name and output of each that found a fault."""
    started = [
        (
            run,
            subprocess.Popen(
                run.command,
                env={**os.environ, **run.environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ),
        )
        for run in runs
    ]
    ended = [(run.name, process.communicate()[0], process.returncode) for run, process in started]
    return [(name, output) for name, output, status in ended if status != 0]


def main(arguments: list[str] | None = None) -> int:
    """Check the templates; print what was found."""
    parser = argparse.ArgumentParser(prog="python -m infra.packaging.lint_templates", description=__doc__)
    parser.add_argument("--sam", required=True, help="the program sam")
    parser.add_argument("--checkov", required=True, help="the program checkov")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        templates = render(Path(folder))
        inputs = [*templates, CHECKOV_CONFIGURATION, *(LOCKS / name for name in _LOCKED_TOOLS)]
        digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in inputs)).hexdigest()
        if PASSED.exists() and PASSED.read_text(encoding="utf-8") == digest:
            return 0
        faults = failed(checks(templates, options.sam, options.checkov))
    for name, output in faults:
        print(f"── {name}\n{output}", file=sys.stderr)
    if not faults:
        PASSED.write_text(digest, encoding="utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
