"""The stack's functions as infrastructure sees them: package, layers, memory, time limit, role.

An endpoint's facts come from its entry in `chalicelib.endpoints`; what invokes the other functions is in
`infra/stack/template.yaml`.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from chalicelib.endpoints import ENDPOINTS, Layer
from infra.paths import ROOT

API_POLICIES: Final = ROOT / ".chalice"
BATCH_POLICIES: Final = ROOT / "infra" / "stack" / "policies"


LAYER_LOGICAL_IDS: Final = {Layer.LIGHTGBM: "LightgbmNativeLayer", Layer.PYARROW: "PyarrowLayer"}
"""Each layer's resource in the template."""


_ENDPOINTS: Final = frozenset(endpoint.function for endpoint in ENDPOINTS)


class Package(StrEnum):
    """The zip a function's code is in."""

    API = "api"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function.

    Args:
        name: As `app.py` or `batch/handlers.py` declares it; the deployed name is `<stack>-<name>`.
        package: Where its code is.
        layers: What it imports beyond its package. A layer costs its size at each cold start, so
            a function lists only what it really loads.
        memory_mb: Memory, with which processor time grows; 1,769 MB is one processor.
        timeout_seconds: Time limit.
    """

    name: str
    package: Package
    layers: tuple[Layer, ...] = ()
    memory_mb: int = 512
    timeout_seconds: int = 10

    @property
    def logical_id(self) -> str:
        """The resource's name in the template, as chalice derives it."""
        return "".join(part[0].upper() + part[1:] for part in self.name.split("_"))

    @property
    def role_logical_id(self) -> str:
        """The resource of its own role, as chalice derives it."""
        return f"{self.logical_id}Role"

    @property
    def is_http(self) -> bool:
        """Whether the gateway calls it."""
        return self.name in _ENDPOINTS

    @property
    def is_unattended(self) -> bool:
        """Whether it is invoked by a schedule or otherwise without anybody waiting for its answer."""
        return self.package is Package.BATCH or self.name == "sweep"

    @property
    def takes_traffic(self) -> bool:
        """Whether it is called often enough for a new version to be tried on a part of the calls."""
        return self.is_http or self.name == "inference"

    @property
    def policy_file(self) -> Path:
        """The JSON document with exactly what it may do."""
        if self.package is Package.API:
            return API_POLICIES / f"policy-{self.name}.json"
        return BATCH_POLICIES / f"{self.name}.json"


_LIGHTGBM = (Layer.LIGHTGBM,)
_PYARROW = (Layer.PYARROW,)
_BOTH = (Layer.LIGHTGBM, Layer.PYARROW)

FUNCTIONS: Final = (
    *(
        Function(
            endpoint.function,
            Package.API,
            endpoint.layers,
            memory_mb=endpoint.memory_mb,
            timeout_seconds=endpoint.timeout_seconds,
        )
        for endpoint in ENDPOINTS
    ),
    Function("inference", Package.API, _LIGHTGBM, memory_mb=1024, timeout_seconds=30),
    Function("dead_letters", Package.API, memory_mb=512, timeout_seconds=30),
    Function("sweep", Package.API, memory_mb=512, timeout_seconds=300),
    Function("rebuild", Package.BATCH, _BOTH, memory_mb=4096, timeout_seconds=900),
    Function("refresh_odds", Package.BATCH, _PYARROW, memory_mb=1769, timeout_seconds=120),
    Function("sync_models", Package.BATCH, _LIGHTGBM, memory_mb=1024, timeout_seconds=120),
    Function("monitor_drift", Package.BATCH, _PYARROW, memory_mb=1769, timeout_seconds=300),
    Function("export_table", Package.BATCH, _PYARROW, memory_mb=1769, timeout_seconds=900),
)

BULK_FUNCTIONS: Final = (
    Function("bulk_plan", Package.BATCH, _BOTH, timeout_seconds=900),
    Function("bulk_score", Package.BATCH, _BOTH, memory_mb=1769, timeout_seconds=900),
    Function("bulk_publish", Package.BATCH, _PYARROW, timeout_seconds=900),
)
"""The functions of the nested stack infra/bulk.yaml; those without a memory of their own take the stack's parameter."""

BY_NAME: Final = {function.name: function for function in FUNCTIONS}
