"""Examine a model before it is served: check its text, then load it and predict in a process of its own.

Training stores golden rows with each version: rows of features and the model's probabilities. A candidate must
reproduce them here, with the library and the processor that serve it.
"""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from batch.mlflow import load_candidate
from batch.mlflow.model_text import CLASSES, check_model_text
from chalicelib.errors import InvalidModel

GOLDEN_FILE: Final = "golden.json"
"""Name of the golden rows among a training run's report files."""

LIMIT_SECONDS: Final = 20.0
LIMIT_BYTES: Final = 4 * 1024**3
"""Address-space limit of the loading process: LightGBM reserves far more than it uses."""

TOLERANCE: Final = 1e-6
"""Largest difference of probabilities between processors."""


@dataclass(frozen=True, slots=True)
class GoldenRows:
    """Rows of features and a model's probabilities at training.

    Args:
        features: Names of the columns.
        rows: Values in that order; None is missing.
        probabilities: Of home, draw, away, one triple per row.
    """

    features: tuple[str, ...]
    rows: tuple[tuple[float | None, ...], ...]
    probabilities: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, features: Sequence[str], rows: Any, probabilities: Any) -> Self:
        """From arrays of shape (n, features) and (n, 3); NaN is missing."""
        return cls(
            tuple(features),
            tuple(tuple(None if math.isnan(value) else float(value) for value in row) for row in rows),
            tuple(tuple(map(float, row)) for row in probabilities),
        )

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Parse a version's file.

        Raises:
            InvalidModel: it is damaged.
        """
        try:
            raw = json.loads(content)
            golden = cls(
                tuple(map(str, raw["features"])),
                tuple(tuple(None if value is None else float(value) for value in row) for row in raw["rows"]),
                tuple(tuple(map(float, row)) for row in raw["probabilities"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidModel(f"{GOLDEN_FILE} is damaged: {error}") from error
        widths = {len(row) for row in golden.rows}, {len(row) for row in golden.probabilities}
        if len(golden.rows) != len(golden.probabilities) or widths != ({len(golden.features)}, {CLASSES}):
            raise InvalidModel(f"{GOLDEN_FILE} has rows of the wrong length, or none")
        return golden

    def to_json(self) -> bytes:
        """Serialise, as training stores them."""
        return json.dumps(
            {"features": self.features, "rows": self.rows, "probabilities": self.probabilities}, allow_nan=False
        ).encode()


def validate(
    model: bytes, features: Sequence[str], golden: GoldenRows | None, limit_seconds: float = LIMIT_SECONDS
) -> None:
    """Reject a model that cannot be served.

    Args:
        model: LightGBM text model.
        features: The signature's columns, in order.
        golden: Known rows to reproduce; without them (a model of another origin) missing, zero and extreme values must
            give probabilities.
        limit_seconds: Time limit for loading and predicting.

    Raises:
        InvalidModel: it is damaged, crashes or stalls the process that loads it, or contradicts the golden rows.
    """
    check_model_text(model, features)
    if golden is not None and golden.features != tuple(features):
        raise InvalidModel(f"the columns of {GOLDEN_FILE} are not the signature's")
    probes: list[Sequence[float | None]] = [[value] * len(features) for value in (None, 0.0, -1e308, 1e308)]
    rows = [*(golden.rows if golden is not None else ()), *probes]
    with tempfile.NamedTemporaryFile(suffix=".lgb") as file:
        file.write(model)
        file.flush()
        probabilities = _predictions(file.name, rows, limit_seconds)
    for triple in probabilities:
        if not all(0 <= value <= 1 for value in triple) or abs(sum(triple) - 1) > TOLERANCE:
            raise InvalidModel(f"the model's output is not probabilities: {triple}")
    for number, (actual, expected) in enumerate(
        zip(probabilities, golden.probabilities if golden is not None else (), strict=False)
    ):
        if any(abs(a - e) > TOLERANCE for a, e in zip(actual, expected, strict=True)):
            raise InvalidModel(f"golden row {number} gives {actual}, but gave {expected} at training")


def _predictions(path: str, rows: Sequence[Sequence[float | None]], limit_seconds: float) -> list[tuple[float, ...]]:
    request = {"path": path, "rows": rows, "limit_bytes": LIMIT_BYTES}
    try:
        process = subprocess.run(
            [sys.executable, "-m", load_candidate.__name__],
            input=json.dumps(request),
            # Lambda and the emulator extend sys.path in the process only
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_seconds,
        )
    except subprocess.TimeoutExpired:
        raise InvalidModel(f"loading the model and predicting takes more than {limit_seconds:g} s") from None
    if process.returncode < 0:
        raise InvalidModel(f"the model crashes the process that loads it: {signal.Signals(-process.returncode).name}")
    try:
        answer = json.loads(process.stdout)
        if "refused" in answer:
            raise InvalidModel(str(answer["refused"]))
        return [tuple(map(float, row)) for row in answer["probabilities"]]
    except (ValueError, KeyError, TypeError):
        lines = process.stderr.strip().splitlines()
        raise InvalidModel(f"the model cannot be loaded: {lines[-1][:200] if lines else 'no answer'}") from None
