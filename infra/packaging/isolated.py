"""A program in an interpreter that has only the standard library, as on Lambda before the package is unpacked."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def run_isolated(
    python: str,
    program: str,
    request: Mapping[str, Any],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program without site-packages, Python's own variables and the user's folder (`-I -S`).

    Args:
        python: The interpreter.
        program: Its source.
        request: What it reads from standard input, as JSON.
        environment: All variables it gets.
        folder: Where it runs; this process's own working directory if not given.
        seconds: Time limit.

    Raises:
        subprocess.TimeoutExpired: It ran longer.
    """
    return subprocess.run(
        [python, "-I", "-S", "-B", "-c", program],
        input=json.dumps(request),
        check=False,
        capture_output=True,
        text=True,
        env=dict(environment or {}),
        cwd=folder,
        timeout=seconds,
    )
