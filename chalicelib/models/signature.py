"""A model's signature: which features it takes, in which order, and what their values may be."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chalicelib.errors import FeaturesRejected
from chalicelib.models.mirror import FeatureSpec

INTEGER_TYPES: Final = frozenset({"integer", "long"})


class Signature:
    """The inputs of a model, in the model's column order."""

    def __init__(self, features: Sequence[FeatureSpec]) -> None:
        self.names = [feature.name for feature in features]
        self._known = frozenset(self.names)
        # (name, may be null, must be a whole number), flat for the loop on every request
        self._columns = [(f.name, not f.required, f.type in INTEGER_TYPES) for f in features]

    def row(self, features: Mapping[str, float | None]) -> list[float]:
        """The model's input row: the signature's columns in order, NaN for null.

        Neither imputes nor transforms; names the signature does not know are left out.

        Raises:
            FeaturesRejected: a required feature is missing or null, an integer feature has a fraction, or a number
                is not finite. All faults are listed.
        """
        row: list[float] = []
        faults: list[Mapping[str, Any]] = []
        for name, nullable, is_integer in self._columns:
            try:
                value = features[name]
            except KeyError:
                # optional in MLflow's sense: the column may be left out, and LightGBM treats it as missing
                if nullable:
                    row.append(math.nan)
                else:
                    faults.append(_fault(name, "required feature is missing", "missing"))
                continue
            if value is None:
                if nullable:
                    row.append(math.nan)
                else:
                    faults.append(_fault(name, "feature must not be null", "null_not_allowed"))
                continue
            if not math.isfinite(value):
                faults.append(_fault(name, "feature must be a finite number", "finite_number"))
            elif is_integer and value != int(value):
                faults.append(_fault(name, "feature must be a whole number", "int_from_float"))
            row.append(value)
        if faults:
            rejected_names = ", ".join(str(fault["loc"][-1]) for fault in faults)
            raise FeaturesRejected(f"features do not fit the model's signature: {rejected_names}", faults)
        return row

    def ignored(self, features: Mapping[str, float | None]) -> list[str]:
        """Names in `features` that the signature does not know, sorted."""
        return sorted(features.keys() - self._known)


def _fault(name: str, message: str, kind: str) -> Mapping[str, Any]:
    return {"loc": ["body", "features", name], "msg": message, "type": kind}
