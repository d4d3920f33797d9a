"""A Chromium for the tests of the board: `python -m tests.support.chromium` finds or installs one.

In this order: the program that `CHROMIUM` names, one that is installed, Playwright's own download (into
`.local/browsers`), Debian's package when root. Playwright's driver, a Node of its own, must start too: on a minimal
Debian it lacks a library, which is installed when root.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.paths import LOCAL
from tests.support.debian import install, run

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_DOWNLOADS: Final = LOCAL / "browsers"
_PROGRAMS: Final = ("chrome-headless-shell", "headless_shell", "chrome")

ADVICE: Final = """No browser for the tests of the match board: none is installed or can be installed.
Options:
  - install Chromium or Chrome with your system's package manager (on Debian as root: apt-get install chromium)
  - CHROMIUM=/path/to/chrome make test
  - BROWSER=0 make test            leaves these tests out"""


DRIVER_ADVICE: Final = """Playwright's driver does not start here, so the tests of the match board cannot run.
Options:
  - install what it says above that it lacks (on Debian as root: apt-get install libatomic1)
  - BROWSER=0 make test            leaves these tests out"""


class BrowserMissing(Exception):
    """No Chromium, or nothing to drive it with, is installed or can be installed; the message has advice."""


def left_out() -> bool:
    """Whether the tests in a browser are left out on request (`BROWSER=0`)."""
    return os.environ.get("BROWSER") == "0"


def installed() -> Path | None:
    """A Chromium that starts on this machine, if there is one."""
    if configured := os.environ.get("CHROMIUM"):
        candidates = [Path(configured)]
    else:
        candidates = [Path(program) for name in _NAMES if (program := shutil.which(name))]
        candidates += [path for name in _PROGRAMS for path in sorted(_DOWNLOADS.glob(f"chromium*/*/{name}"))]
    return next((path for path in candidates if _starts(path)), None)


def _starts(program: Path) -> bool:
    """Whether it runs at all: a download can lack the system libraries it needs."""
    try:
        ran = subprocess.run([program, "--no-sandbox", "--version"], capture_output=True, check=False, timeout=60)
    except OSError:
        return False
    return ran.returncode == 0


def bring() -> Path:
    """A Chromium that starts, installed if need be, and a driver for it.

    Raises:
        BrowserMissing: One of them is missing and cannot be installed.
    """
    if not _driver_starts() and not (install("libatomic1") and _driver_starts()):
        raise BrowserMissing(DRIVER_ADVICE)
    program = installed()
    for attempt in (_download, _install_package):
        if program is None and "CHROMIUM" not in os.environ and attempt():
            program = installed()
    if program is None:
        raise BrowserMissing(ADVICE)
    return program


def _driver_starts() -> bool:
    """Whether Playwright can run at all."""
    return run([sys.executable, "-m", "playwright", "--version"])


def _download() -> bool:
    """Playwright's own build, into the project's folder."""
    print("no browser is installed: downloading Playwright's", file=sys.stderr)
    command = [sys.executable, "-m", "playwright", "install", "--only-shell", "--no-progress", "chromium"]
    return run(command, PLAYWRIGHT_BROWSERS_PATH=str(_DOWNLOADS))


def _install_package() -> bool:
    """Debian's package."""
    return install("chromium")


def main() -> int:
    """Find or install a browser, and print which."""
    if left_out():
        print("BROWSER=0: the tests of the match board in a browser are LEFT OUT", file=sys.stderr)
        return 0
    try:
        print(f"browser: {bring()}")
    except BrowserMissing as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
