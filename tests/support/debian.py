"""Programs that tests need and a bare Debian lacks, installed when root."""

import os
import shutil
import subprocess
import sys
from typing import Final

_SECONDS: Final = 600


def install(package: str) -> bool:
    """Install a package of Debian's, which needs root."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print(f"installing Debian's {package}", file=sys.stderr)
    update = run(["apt-get", "update", "-qq"])
    return update and run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], DEBIAN_FRONTEND="noninteractive"
    )


def run(command: list[str], **variables: str) -> bool:
    """Run a command and show the end of its output if it fails."""
    try:
        ran = subprocess.run(
            command,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        print(f"{command[0]}: no end after {_SECONDS} s", file=sys.stderr)
        return False
    if ran.returncode != 0:
        print("\n".join(ran.stdout.strip().splitlines()[-3:]), file=sys.stderr)
    return ran.returncode == 0
