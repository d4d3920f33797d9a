"""The generated cores of the clients, from docs/openapi.json: `make openapi`.

`--python FOLDER` writes the Python core elsewhere, to compare it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.paths import ROOT

DOCUMENT: Final = ROOT / "docs" / "openapi.json"
PACKAGE: Final = ROOT / "clients" / "python"
CORE: Final = PACKAGE / "src" / "soccer_predictions" / "_generated"

# class numbers such as 0 are not attribute names: the generator invents some
_OUTCOMES: Final = {"field_0": "home", "field_1": "draw", "field_2": "away"}


def write_python_core(folder: Path) -> None:
    """Generate the Python client's core; the same document always gives the same files."""
    if folder.exists():
        shutil.rmtree(folder)
    tools = Path(sys.executable).parent
    command = [
        *(str(tools / "openapi-python-client"), "generate", "--meta", "none", "--path", str(DOCUMENT)),
        *("--config", str(PACKAGE / "generator.yaml"), "--output-path", str(folder)),
    ]
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    probabilities = folder / "models" / "probabilities.py"
    text = probabilities.read_text("utf-8")
    for generated, outcome in _OUTCOMES.items():
        text = re.sub(rf"\b{generated}\b", outcome, text)
    probabilities.write_text(text, "utf-8")
    subprocess.run(
        [str(tools / "ruff"), "format", "--quiet", "--isolated", "--line-length", "120", str(folder)], check=True
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, default=CORE, help="folder of the Python core")
    write_python_core(parser.parse_args(arguments).python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
