"""Build a stage twice from nothing and compare: `make reproducible STAGE=dev`.

Each build has its own copy of the sources, in a folder of another name with other file times, and an empty cache, so
neither paths, times nor directory order may affect the uploads.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from infra.packaging.dependencies import uv_program
from infra.paths import ROOT
from infra.stack.stages import STAGES


def checksums(out: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path in it."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """Names of the files that are not in both, or not the same."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def build(copy: Path, stage: str) -> dict[str, str]:
    """Build a stage in a copy of the sources; the checksums of what would be uploaded.

    Raises:
        CalledProcessError: It cannot be built.
    """
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    uv = uv_program()
    environment = {**os.environ, **({"UV": uv} if uv else {})}
    subprocess.run(
        [sys.executable, "-m", "infra.packaging.build", "--stage", stage], cwd=copy, check=True, env=environment
    )
    return checksums(copy / "build" / stage / "out")


def main(arguments: list[str] | None = None) -> int:
    """Build twice, print the checksums, fail on a difference."""
    parser = argparse.ArgumentParser(prog="python -m infra.packaging.reproducible", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="dev")
    stage: str = parser.parse_args(arguments).stage
    with tempfile.TemporaryDirectory() as folder:
        first = build(Path(folder) / "one", stage)
        time.sleep(2.1)  # zip archives count time in steps of two seconds
        second = build(Path(folder) / "quite-another-name" / "two", stage)
    for name, checksum in first.items():
        print(f"{checksum}  {name}")
    faults = differences(first, second)
    for name in faults:
        print(f"error: {name} differs between two builds of the same sources", file=sys.stderr)
    print("both builds are the same" if not faults else "the builds differ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
