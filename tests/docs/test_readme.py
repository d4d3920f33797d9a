"""The README's commands are run as they stand there, and answer what it says."""

import json
import os
import re
import subprocess
import time
from typing import Any

import pytest

from infra.paths import ROOT
from tests.support.throwaway import RunningStack

README = (ROOT / "README.md").read_text("utf-8")

# What another run names differently: ids, names the deployment makes up, times of computing.
VOLATILE = {"model_run_id", "features_computed_at", "task_id", "status_url", "name", "worker_id"}


def commands() -> list[tuple[str, str]]:
    """Each command of a console block with the answer below it."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    return [
        (command, answer.strip())
        for block in blocks
        for command, answer in re.findall(r"^\$ (.*?)\n(.*?)(?=^\$ |\Z)", block, re.DOTALL | re.MULTILINE)
    ]


def stable(value: Any) -> Any:
    """The value without what another run names differently, and with rounded numbers."""
    if isinstance(value, dict):
        return {key: stable(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [stable(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def test_every_command_answers_what_the_readme_says(stack: RunningStack) -> None:
    environment = {"PATH": os.environ["PATH"], **stack.environment}
    examples = commands()
    assert examples
    for command, promised in examples:
        deadline = time.monotonic() + 30
        while True:
            process = subprocess.run(
                ["bash", "-c", command], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
            )
            answer = json.loads(process.stdout)
            # A queued prediction takes a moment.
            if not (isinstance(answer, dict) and answer.get("status") == "pending") or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert stable(answer) == stable(json.loads(promised)), command
        if isinstance(answer, dict) and "task_id" in answer:
            environment["TASK_ID"] = answer["task_id"]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_every_link_of_the_readme_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"`?make ([a-z-]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
