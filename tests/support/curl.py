"""curl, which the examples of README.md and docs/api.md call: `python -m tests.support.curl` installs a missing one."""

import shutil
import sys

from tests.support.debian import install


def main() -> int:
    """0 if it is there now."""
    if shutil.which("curl") or install("curl"):
        return 0
    print("the examples of the documentation need curl: apt-get install curl", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
