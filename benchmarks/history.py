"""The figures of earlier runs, in docs/benchmarks."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from infra.paths import ROOT

FOLDER: Final = ROOT / "docs" / "benchmarks"


def append(path: Path, report: Mapping[str, Any]) -> None:
    """Add a run's figures to a file of runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    runs = json.loads(path.read_text("utf-8")) if path.exists() else []
    path.write_text(json.dumps([*runs, report], indent=1) + "\n", "utf-8")


def heading(facts: Mapping[str, Any]) -> str:
    """When and on what figures were measured, from `benchmarks.timing.machine`."""
    return (
        f"{facts['date']}, commit {facts['commit']}, {facts['cpu']}, {facts['cores']} cores, "
        f"Python {facts['python']}, load {facts['load_1m_at_start']}"
    )
