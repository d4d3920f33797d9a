"""The stack's functions as infrastructure sees them: which package, which layers, which role.

What a function is called by is in `chalicelib.endpoints`; memory, timeout and policy file of the API
package's functions are in `.chalice/config.json`; the batch functions' are in `infra/stack/template.yaml`.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from infra.paths import ROOT

API_POLICIES: Final = ROOT / ".chalice"
BATCH_POLICIES: Final = ROOT / "infra" / "stack" / "policies"


class Package(StrEnum):
    """The zip a function's code is in."""

    API = "api"
    BATCH = "batch"


class Layer(StrEnum):
    """A layer; the value is its archive's name."""

    LIGHTGBM = "lightgbm-native"
    PYARROW = "pyarrow"

    @property
    def logical_id(self) -> str:
        """Its resource in the template."""
        return {"lightgbm-native": "LightgbmNativeLayer", "pyarrow": "PyarrowLayer"}[self.value]


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function.

    Args:
        name: As `app.py` or `batch/handlers.py` declares it; the deployed name is `<stack>-<name>`.
        package: Where its code is.
        layers: What it imports beyond its package. A layer costs its size at each cold start, so
            a function lists only what it really loads.
    """

    name: str
    package: Package
    layers: tuple[Layer, ...] = ()

    @property
    def logical_id(self) -> str:
        """The resource's name in the template, as chalice derives it."""
        return "".join(part[0].upper() + part[1:] for part in self.name.split("_"))

    @property
    def role_logical_id(self) -> str:
        """The resource of its own role, as chalice derives it."""
        return f"{self.logical_id}Role"

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
    Function("predict", Package.API, _LIGHTGBM),
    Function("predict_match", Package.API, _BOTH),
    Function("predict_async", Package.API, _PYARROW),
    Function("precomputed", Package.API, _PYARROW),
    Function("predictions", Package.API, _PYARROW),
    Function("matches", Package.API, _PYARROW),
    Function("odds", Package.API, _PYARROW),
    Function("cards", Package.API, _PYARROW),
    Function("region_roi", Package.API),
    Function("model_info", Package.API),
    Function("task_status", Package.API),
    Function("healthcheck", Package.API),
    Function("metrics", Package.API),
    Function("queues", Package.API),
    Function("workers", Package.API),
    Function("drift", Package.API),
    Function("docs", Package.API),
    Function("ui", Package.API),
    Function("inference", Package.API, _LIGHTGBM),
    Function("dead_letters", Package.API),
    Function("sweep", Package.API),
    Function("rebuild", Package.BATCH, _BOTH),
    Function("refresh_odds", Package.BATCH, _PYARROW),
    Function("sync_models", Package.BATCH),
    Function("monitor_drift", Package.BATCH, _PYARROW),
    Function("export_table", Package.BATCH, _PYARROW),
)

BY_NAME: Final = {function.name: function for function in FUNCTIONS}
