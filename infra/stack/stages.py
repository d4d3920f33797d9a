"""The stages the stack is deployed to, and what their functions run on.

The wheels' runtime is a build parameter: LightGBM's, pyarrow's and numpy's wheels need glibc 2.27 or
2.28, which AWS's python3.11 runtime (Amazon Linux 2, glibc 2.26) does not have; python3.12 and later
run on Amazon Linux 2023 (glibc 2.34). The emulator runs functions in its own interpreter, so the local
stage is built for the interpreter that runs this.
"""

import json
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from infra.paths import ROOT

Architecture = Literal["x86_64", "arm64"]

LOCAL_STAGE: Final = "local"
STAGES: Final = (LOCAL_STAGE, "dev", "prod")
PARAMETERS: Final = ROOT / "infra" / "stack" / "parameters"
AWS_RUNTIME: Final = "python3.12"


@dataclass(frozen=True, slots=True)
class Target:
    """What a package is built for.

    Args:
        python: `major.minor` of the runtime's interpreter.
        architecture: Lambda's name of the processor architecture.
        local: Whether it is built for this machine instead of AWS.
    """

    python: str
    architecture: Architecture
    local: bool

    @property
    def runtime(self) -> str:
        """Lambda's name of the runtime."""
        return f"python{self.python}"

    @property
    def machine(self) -> str:
        """The architecture as wheels and ELF call it."""
        return "aarch64" if self.architecture == "arm64" else "x86_64"

    @property
    def uv_platform(self) -> str:
        """The platform as `uv pip install --python-platform` calls it."""
        return f"{self.machine}-manylinux_2_28"

    @property
    def pip_platforms(self) -> tuple[str, ...]:
        """The platforms as `pip install --platform` calls them, newest first."""
        versions = [f"manylinux_2_{minor}" for minor in (28, 27, 24, 17)]
        return tuple(f"{version}_{self.machine}" for version in [*versions, "manylinux2014"])

    @property
    def label(self) -> str:
        """A folder name for what is built for it."""
        return f"py{self.python}-{self.architecture}"


def _this_machine() -> Architecture:
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def target_of(stage: str, runtime: str | None = None, architecture: str | None = None) -> Target:
    """What a stage's functions run on.

    Args:
        stage: One of `STAGES`.
        runtime: Lambda runtime such as `python3.13`; default environment variable `RUNTIME`, else python3.12.
        architecture: `x86_64` or `arm64`; default environment variable `ARCH`, else x86_64.

    Raises:
        ValueError: No such stage, or a runtime or architecture that cannot work.
    """
    if stage not in STAGES:
        raise ValueError(f"no stage {stage!r}; there are {', '.join(STAGES)}")
    if stage == LOCAL_STAGE:
        return Target(f"{sys.version_info.major}.{sys.version_info.minor}", _this_machine(), local=True)
    runtime = runtime or os.environ.get("RUNTIME") or AWS_RUNTIME
    architecture = architecture or os.environ.get("ARCH") or "x86_64"
    if not runtime.startswith("python3.") or int(runtime.removeprefix("python3.")) < 12:  # noqa: PLR2004 - 3.12
        raise ValueError(f"runtime {runtime} cannot load the wheels (glibc too old); use python3.12 or later")
    if architecture not in ("x86_64", "arm64"):
        raise ValueError(f"architecture {architecture!r} is neither x86_64 nor arm64")
    return Target(runtime.removeprefix("python"), "arm64" if architecture == "arm64" else "x86_64", local=False)


def stage_parameters(stage: str) -> dict[str, str]:
    """The stack parameters committed for a stage (`infra/stack/parameters/<stage>.json`)."""
    path: Path = PARAMETERS / f"{stage}.json"
    return {name: str(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()}
