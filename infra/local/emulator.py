"""The AWS emulator (ministack) as a background process with its own virtual environment.

Functions run in the emulator's interpreter and see its site-packages and its variables; the emulator's virtual
environment has only boto3, as Lambda's runtime does. So a function finds nothing that its package or
layers lack, as on AWS.
"""

import json
import os
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localstack_client.session import Session

from infra.local.preconditions import number_from_environment
from infra.local.processes import Daemon, LocalSystemError
from infra.paths import LOCAL, ROOT

DEFAULT_PORT: Final = 4566
REGION: Final = "us-east-1"
# The emulator's root user; it accepts any secret.
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 180.0
"""Saving takes seconds even with much data; the limit is for an emulator that hangs."""
_PROGRAM: Final = ROOT / "infra" / "local" / "emulator_program.py"
WORKERS_PER_FUNCTION: Final = 4
"""Most processes per function, for a laptop's memory and disk; further invocations wait."""
WARM_SECONDS: Final = 1_800
"""Idle time after which workers beyond a function's first are stopped."""


def emulator_python() -> Path:
    """The interpreter that functions run in."""
    return Path(os.environ.get("EMULATOR_VENV", LOCAL / "emulator-venv")) / "bin" / "python"


def answers(url: str, seconds: float = 2.0) -> bool:
    """Whether a GET of a local URL answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as response:  # noqa: S310 - our own http URLs
            return bool(response.status == 200)  # noqa: PLR2004 - HTTP OK
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Emulator:
    """One emulator.

    Args:
        home: Its folder: saved state, S3 objects, log, and the workers' temporary files.
        port: Where it listens, on the loopback address only.
        enforce_iam: Whether signatures and role policies are enforced.
        launcher: Program that starts the emulator in its own interpreter, inside `emulator_program`.
    """

    home: Path
    port: int
    enforce_iam: bool = False
    launcher: Path | None = None

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        return Daemon("emulator", self.home, _STOP_SECONDS)

    @property
    def endpoint_url(self) -> str:
        """Value of `AWS_ENDPOINT_URL` for AWS clients."""
        return f"http://localhost:{self.port}"

    def client_environment(self) -> dict[str, str]:
        """Environment variables that direct AWS clients and tools to this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            **CREDENTIALS,
        }

    def session(self) -> Session:
        """Clients of this emulator, as LocalStack's own library makes them."""
        session = Session(
            CREDENTIALS["AWS_ACCESS_KEY_ID"],
            CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        # AWS_ENDPOINT_URL in this process's environment may name another system and would override an argument
        session._service_endpoint_mapping = dict.fromkeys(session._service_endpoint_mapping, self.endpoint_url)  # noqa: SLF001
        return session

    def ready(self) -> bool:
        """Whether it answers."""
        return answers(f"{self.endpoint_url}/_ministack/ready")

    def discard_temporary(self) -> None:
        """Delete the unpacked code and layers of stopped workers, which never clean up.

        They are moved aside at once and deleted in the background, since deleting can take long.
        """
        temporary = self.home / "tmp"
        if temporary.exists():
            rubbish = self.home / f"tmp-{time.time_ns()}"
            temporary.rename(rubbish)
            deleting = subprocess.Popen(["rm", "-rf", str(rubbish)], start_new_session=True)
            deleting.returncode = 0  # not waited for

    def saved_at(self) -> float:
        """When the state was saved, in seconds since the epoch; 0 if never."""
        try:
            return float(json.loads((self.home / "state" / "saved.json").read_text(encoding="utf-8"))["at"])
        except (FileNotFoundError, ValueError, KeyError):
            return 0.0

    def start(self) -> None:
        """Start it with its saved data and wait until it answers.

        Raises:
            LocalSystemError: Its virtual environment is missing, or it does not start.
        """
        python = emulator_python()
        if not python.exists():
            raise LocalSystemError(f"{python} is missing: run `make setup`")
        temporary = self.home / "tmp"
        self.discard_temporary()
        temporary.mkdir(parents=True)
        environment = {
            # a clean environment: every variable here is inherited by every function
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(temporary),
            "LANG": "C.UTF-8",
            "TMPDIR": str(temporary),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.home / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.home / "s3"),
            "AUTH": "true" if self.enforce_iam else "false",
            "WORKERS_PER_FUNCTION": str(number_from_environment("WORKERS_PER_FUNCTION", WORKERS_PER_FUNCTION)),
            "LAMBDA_WARM_TTL_SECONDS": str(WARM_SECONDS),
            "LOG_LEVEL": os.environ.get("EMULATOR_LOG_LEVEL", "WARNING"),
        }
        # -P: the modules beside the program must not hide the emulator's
        program = ["-P", str(_PROGRAM), *([] if self.launcher is None else [str(self.launcher)])]
        self.daemon.start([str(python), *program], environment)
        self.daemon.wait_ready(self.ready, _READY_SECONDS)
