"""Requests generated from the OpenAPI document against a running stack: `python -m tests.fuzz.run`.

Takes BASE_URL, OPERATOR_KEY (both in `.local/demo.env`), FUZZ_EXAMPLES and FUZZ_SEED from the environment.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from chalicelib.api.openapi import document
from chalicelib.api.routes import all_routers
from infra.paths import ROOT
from tests.fuzz.live_document import narrowed

SETTINGS: Final = ROOT / "tests" / "fuzz" / "schemathesis.toml"
PARTS: Final = (
    (("prediction",), "examples,coverage,fuzzing,stateful"),
    (("lists",), "examples,coverage,fuzzing,stateful"),
    # Nothing here leads from one call to another.
    (("operations", "pages"), "examples,coverage,fuzzing"),
)
"""Tags tested side by side, and how: in processes, as Python 3.11 cannot parse in two threads at once (gh-106905)."""
DEFAULT_EXAMPLES: Final = 400
DEFAULT_SEED: Final = 20_240_401


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run found.

    Args:
        passed: Whether every check held in every case.
        cases: How many requests were made.
        operations: How many of the document's operations were tested.
        report: Schemathesis' own words.
    """

    passed: bool
    cases: int
    operations: int
    report: str


def fuzz(base_url: str, operator_key: str, *, examples: int, seed: int, home: Path) -> Outcome:
    """Generate requests from the document and check every answer against it.

    Args:
        base_url: The API, without trailing slash.
        operator_key: An operator key; it opens every operation.
        examples: Most generated cases per operation and phase.
        seed: The same seed generates the same requests.
        home: Folder for the document and the report.
    """
    text = json.dumps(narrowed(document(all_routers()), base_url))
    runs = []
    for part, phases in PARTS:
        folder = home / part[0]
        folder.mkdir()
        (folder / "openapi.json").write_text(text, "utf-8")
        tags = [word for tag in part for word in ("--include-tag", tag)]
        runs.append(
            subprocess.Popen(
                [
                    str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(SETTINGS), "--no-color",
                    "run", "openapi.json", "--url", base_url, "--checks", "all", *tags,
                    "--max-examples", str(examples), "--seed", str(seed), "--workers", "1", "--phases", phases,
                ],
                cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                env={**os.environ, "OPERATOR_KEY": operator_key},
            )
        )  # fmt: skip
    reports = [run.communicate()[0] for run in runs]
    passed = all(run.returncode == 0 for run in runs)
    cases, operations = (sum(_counted(words, report) for report in reports) for words in (_GENERATED, _TESTED))
    return Outcome(passed, cases, operations, "\n".join(report[-20_000:] for report in reports))


_GENERATED: Final = re.compile(r"(\d+) generated")
_TESTED: Final = re.compile(r"^\s*Tested: (\d+)", re.MULTILINE)


def _counted(words: re.Pattern[str], report: str) -> int:
    """A number that the report states in these words."""
    found = words.search(report)
    return int(found[1]) if found else 0


def main() -> int:
    """Fuzz the stack of the environment; 0 if every check held."""
    examples = int(os.environ.get("FUZZ_EXAMPLES", DEFAULT_EXAMPLES))
    seed = int(os.environ.get("FUZZ_SEED", DEFAULT_SEED))
    with TemporaryDirectory() as home:
        outcome = fuzz(
            os.environ["BASE_URL"], os.environ["OPERATOR_KEY"], examples=examples, seed=seed, home=Path(home)
        )
    print(outcome.report)  # noqa: T201 - a command's output
    verdict = "every check held" if outcome.passed else "checks failed"
    print(f"{outcome.cases} requests of {outcome.operations} operations, {verdict}")  # noqa: T201
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
