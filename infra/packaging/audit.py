"""`python -m infra.packaging.audit`: known vulnerabilities in the locked packages, by pip-audit through uv.

It needs vulnerability services on the internet, so it is not part of `make test`. A mirror of the package index answers
without knowing any vulnerability; so a service counts only if it reports a release that is known to be vulnerable.
Without such a service nothing is audited, and the exit status is 3.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.paths import LOCAL, LOCKS

VERSION: Final = "2.10.1"
SERVICES: Final = ("pypi", "osv")
# CVE-2018-18074: a service that does not report it is not trusted
CANARY: Final = "requests==2.19.1"
LOCK_FILES: Final = ("api.txt", "batch.txt", "dev.txt")
CLEAN, VULNERABLE, UNREACHABLE = 0, 1, 3
_FINDS: Final = ("known vulnerabilit",)


def outcome_of(returncode: int, output: str) -> int:
    """Classify a run of pip-audit: CLEAN, VULNERABLE, or UNREACHABLE without a verdict."""
    if returncode == 0:
        return CLEAN
    return VULNERABLE if any(text in output for text in _FINDS) else UNREACHABLE


def _pip_audit() -> list[str]:
    """The command that runs pip-audit through uv, which keeps it in its cache.

    Raises:
        FileNotFoundError: uv is neither bootstrapped nor on the path.
        subprocess.CalledProcessError: uv cannot get this version.
    """
    bootstrapped = LOCAL / "boot" / "bin" / "uv"
    uv = str(bootstrapped) if bootstrapped.exists() else shutil.which("uv")
    if uv is None:
        raise FileNotFoundError("there is no uv")
    command = [uv, "tool", "run", "--quiet", "--from", f"pip-audit=={VERSION}", "pip-audit"]
    subprocess.run([*command, "--version"], check=True, stdout=subprocess.DEVNULL)
    return command


def _ask(program: list[str], service: str, requirements: Path, *options: str) -> tuple[int, str]:
    """A service's verdict on a requirements file, and its output."""
    command = [*program, "--disable-pip", "--no-deps", "--vulnerability-service", service, *options]
    command += ["--timeout", "10", "--progress-spinner", "off", "-r", str(requirements)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    output = ran.stdout + ran.stderr
    return outcome_of(ran.returncode, output), output.strip()


def working_service(program: list[str]) -> str | None:
    """The first service that can be reached and reports the canary; None if there is none."""
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary.txt"
        canary.write_text(CANARY + "\n", encoding="utf-8")
        for service in SERVICES:
            outcome, output = _ask(program, service, canary)
            if outcome == VULNERABLE:
                return service
            last = (
                output.splitlines()[-1][:120] if outcome == UNREACHABLE and output else f"it does not know of {CANARY}"
            )
            print(f"service {service} is not usable here: {last}")
    return None


def main(arguments: Sequence[str] | None = None) -> int:  # noqa: ARG001 - no options
    """Audit each lock file with the first usable service."""
    try:
        program = _pip_audit()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"NOT audited: pip-audit {VERSION} cannot be installed here ({error})", file=sys.stderr)
        return UNREACHABLE
    service = working_service(program)
    if service is None:
        print(
            "NOT audited: no vulnerability service can be reached; run `make audit` with internet access",
            file=sys.stderr,
        )
        return UNREACHABLE
    worst = CLEAN
    for lock in LOCK_FILES:
        outcome, output = _ask(program, service, LOCKS / lock, "--require-hashes")
        print(f"{lock}: {'no known vulnerability' if outcome == CLEAN else output}")
        worst = max(worst, outcome)
    return worst


if __name__ == "__main__":
    sys.exit(main())
