"""Metrics as log lines in CloudWatch's embedded metric format (EMF): no call is made while a request waits."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from chalicelib.telemetry.log import logger
from chalicelib.telemetry.names import Dimensions

# EMF's limit of values per metric and line
_VALUES_PER_LINE: Final = 100


Unit = Literal["Seconds", "Count", "None"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric's value or values, counted under each of the dimension sets.

    Args:
        name: One of this module's metric names.
        unit: CloudWatch unit.
        values: At most 100 of them.
        dimension_sets: Dimensions to count under; a dimension has one value in all measurements of a line.
    """

    name: str
    unit: Unit
    values: float | Sequence[float]
    dimension_sets: Sequence[Dimensions]


class Recorder:
    """Writes metrics as log lines (EMF).

    Not Powertools, whose metrics need lines besides the log line (ADR 0014). Format: the CloudWatch
    embedded metric format specification, version 0.

    Args:
        namespace: CloudWatch namespace.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def fields(self, *measurements: Measurement) -> dict[str, Any]:
        """The fields that make a JSON log line carry these measurements: `_aws`, dimensions and values.

        Raises:
            ValueError: two measurements have different values of one dimension.
        """
        line: dict[str, Any] = {}
        directives = []
        for measured in measurements:
            for dimensions in measured.dimension_sets:
                for key, text in dimensions.items():
                    if line.setdefault(key, text) != text:
                        raise ValueError(f"dimension {key} cannot be {line[key]!r} and {text!r} in one line")
            line[measured.name] = measured.values
            directives.append(
                {
                    "Namespace": self._namespace,
                    "Dimensions": [list(dimensions) for dimensions in measured.dimension_sets],
                    "Metrics": [{"Name": measured.name, "Unit": measured.unit}],
                }
            )
        return {"_aws": {"Timestamp": int(time.time() * 1_000), "CloudWatchMetrics": directives}, **line}

    def record(self, *measurements: Measurement) -> None:
        """Write one line.

        Raises:
            ValueError: as `fields`.
        """
        print(json.dumps(self.fields(*measurements), separators=(",", ":")))  # noqa: T201 - EMF is standard output

    def log(self, level: int, message: str, facts: Mapping[str, Any], *measurements: Measurement) -> None:
        """Write one log line with the measurements; if the level is disabled, only the measurements.

        One line, not two: each costs time here and money in CloudWatch Logs.

        Args:
            level: `logging.INFO` or `logging.WARNING`.
            message: What happened.
            facts: Further fields of the line; dimensions of the same name have precedence.
            measurements: The measurements.

        Raises:
            ValueError: as `fields`.
        """
        if level >= logger.log_level:
            write = logger.warning if level >= logging.WARNING else logger.info
            write(message, extra={**facts, **self.fields(*measurements)}, stacklevel=3)
        else:
            self.record(*measurements)

    def count(self, name: str, dimensions: Dimensions) -> None:
        """Add one to a counter."""
        self.record(Measurement(name, "Count", 1, (dimensions,)))

    def seconds(self, name: str, values: float | Sequence[float], *dimension_sets: Dimensions) -> None:
        """One measured duration, or many of the same kind."""
        if not isinstance(values, Sequence):
            values = (values,)
        for start in range(0, len(values), _VALUES_PER_LINE):
            self.record(Measurement(name, "Seconds", values[start : start + _VALUES_PER_LINE], dimension_sets))
