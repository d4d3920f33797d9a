"""A whole system of its own for a test run: other ports, a temporary folder, gone afterwards."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from infra.as_of import parse_as_of
from infra.local.emulator import Emulator
from infra.local.mlflow_server import MlflowServer
from infra.local.processes import any_free_port
from infra.local.system import (
    DEFAULT_AS_OF,
    STACK_NAME,
    LocalSystem,
    Steps,
    fill,
    invoke,
    known_system,
    start,
    stop,
)
from infra.ops.api_keys import ApiKeys, ensure_keys
from infra.stack.outputs import StackOutputs, read_outputs

IAM_RECORDER: Final = Path(__file__).with_name("iam_recorder.py")
IAM_RECORD: Final = "iam.jsonl"
"""The recorder writes into its working directory, the emulator's folder."""
QUIET: Final = {"SchedulesEnabled": "false"}
"""Schedules would run in the middle of a test; tests invoke what they need."""


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A deployed system that answers.

    Args:
        system: Its parts.
        outputs: What the stack says about itself: bucket, table, queues.
        keys: A valid API key of each level.
    """

    system: LocalSystem
    outputs: StackOutputs
    keys: ApiKeys

    @property
    def base_url(self) -> str:
        """The API, without trailing slash."""
        return self.system.base_url

    @property
    def mlflow_tracking_uri(self) -> str:
        """The MLflow server."""
        return self.system.mlflow.tracking_uri

    @property
    def iam_record(self) -> Path:
        """What `tests/support/iam_recorder.py` writes where rights are enforced."""
        return self.system.emulator.home / IAM_RECORD

    @property
    def environment(self) -> dict[str, str]:
        """What `.local/demo.env` would hold."""
        return self.system.environment(self.outputs, self.keys)

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator."""
        return self.system.client(service)

    def invoke(self, function: str, event: Mapping[str, Any] | None = None) -> Any:
        """Run a function of the stack directly and return its result.

        Raises:
            LocalSystemError: It failed.
        """
        return invoke(self.system, function, event or {})

    def function_name(self, function: str) -> str:
        """A function's deployed name."""
        return f"{STACK_NAME}-{function}"


@contextmanager
def throwaway_stack(
    home: Path,
    *,
    as_of: str = DEFAULT_AS_OF,
    parameters: Mapping[str, str] | None = None,
    filled: bool = True,
    enforce_iam: bool | None = None,
) -> Iterator[RunningStack]:
    """Start a system on free ports, deploy, fill it, and take all of it down at the end.

    Args:
        home: Empty folder for its state and logs.
        as_of: Its replay clock.
        parameters: Stack parameters that differ from the local stage's.
        filled: Whether to upload the sample, train and rebuild; without it, the stack is empty.
        enforce_iam: Whether signatures and role policies are enforced; None asks the variable `ENFORCE_IAM` (1 or 0),
            and without it they are not.

    Raises:
        LocalSystemError: It cannot be started or filled.
        DeployError: It cannot be deployed.
    """
    enforce = os.environ.get("ENFORCE_IAM", "") == "1" if enforce_iam is None else enforce_iam
    emulator = Emulator(home / "emulator", any_free_port(), enforce, IAM_RECORDER if enforce else None)
    mlflow = MlflowServer(home / "mlflow", any_free_port(), emulator.endpoint_url)
    system = LocalSystem(home, emulator, mlflow, parse_as_of(as_of), {**QUIET, **(parameters or {})})
    steps = Steps()
    try:
        outputs = start(system, steps)
        if filled:
            fill(system, outputs, steps)
        yield _running(system, outputs)
    finally:
        stop(system, steps)


def running_stack(home: Path, *, enforce_iam: bool) -> RunningStack:
    """The system that another process started in a folder with `throwaway_stack` and no parameters of its own.

    Args:
        home: Its folder.
        enforce_iam: As it was started.
    """
    local_system = known_system(home)
    emulator = replace(local_system.emulator, enforce_iam=enforce_iam, launcher=IAM_RECORDER if enforce_iam else None)
    system = replace(local_system, emulator=emulator, parameters=QUIET)
    outputs = read_outputs(system.client("cloudformation"), STACK_NAME)
    assert outputs is not None
    return _running(system, outputs)


def _running(system: LocalSystem, outputs: StackOutputs) -> RunningStack:
    return RunningStack(system, outputs, ensure_keys(system.client("secretsmanager"), outputs.api_keys_secret_id))
