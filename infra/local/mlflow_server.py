"""A real MLflow server beside the emulator: registry in SQLite, artifacts in the emulator's S3."""

import os
import sys
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.emulator import CREDENTIALS, REGION, answers
from infra.local.processes import Daemon

DEFAULT_PORT: Final = 5000
ARTIFACTS_BUCKET: Final = "mlflow-artifacts"
_READY_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class MlflowServer:
    """One MLflow server.

    Args:
        home: Its folder: database and log.
        port: Where it listens, on the loopback address only.
        s3_endpoint_url: The emulator that keeps its artifacts.
    """

    home: Path
    port: int
    s3_endpoint_url: str

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        return Daemon("mlflow", self.home)

    @property
    def tracking_uri(self) -> str:
        """Value of `MLFLOW_TRACKING_URI` for clients."""
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> bool:
        """Whether it answers."""
        return answers(f"{self.tracking_uri}/health")

    def start(self) -> None:
        """Start it without waiting, since it takes seconds."""
        self.home.mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS,
            "MLFLOW_S3_ENDPOINT_URL": self.s3_endpoint_url,
            # otherwise the server also starts a dozen unused job processes
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        }
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self.home / 'mlflow.db'}"]
        command += ["--artifacts-destination", f"s3://{ARTIFACTS_BUCKET}"]
        self.daemon.start(command, environment)

    def has_aliases(self, model: str, aliases: Iterable[str]) -> bool:
        """Whether every alias of a registered model names a version; over REST, which is faster than the client."""
        return all(
            answers(
                f"{self.tracking_uri}/api/2.0/mlflow/registered-models/alias?"
                + urllib.parse.urlencode({"name": model, "alias": alias})
            )
            for alias in aliases
        )

    def wait_ready(self) -> None:
        """Wait until it answers.

        Raises:
            LocalSystemError: It died or did not answer in time.
        """
        self.daemon.wait_ready(self.ready, _READY_SECONDS)
