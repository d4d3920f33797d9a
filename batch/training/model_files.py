"""A model as files: the folder that `batch.train --out` writes and `batch.rebuild` reads.

model.lgb          LightGBM text model
model.json         about model.lgb: name, run, metrics, parameters, signature, checksum
report.json        scores beside their baselines
reference.parquet  training rows, the reference of drift
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from batch.features import Feature
from batch.training.experiment import Experiment, metrics
from batch.training.fitting import FittedModel
from chalicelib.domain import MODEL_NAME

SCHEMA_VERSION: Final = 1


def description(model: FittedModel, report: dict[str, Any], schema: tuple[Feature, ...], run_id: str) -> dict[str, Any]:
    """Content of `model.json`; stage and registered_version are null without a registry."""
    by_name = {feature.name: feature for feature in schema}
    return {
        "schema_version": SCHEMA_VERSION,
        "model_name": MODEL_NAME,
        "stage": None,
        "registered_version": None,
        "model_run_id": run_id,
        "metrics": metrics(report["scores"]),
        "params": model.params,
        "features": [
            {"name": name, "type": by_name[name].type, "required": by_name[name].required}
            for name in model.feature_names
        ],
        "model_sha256": sha256(model.text.encode()),
    }


def write_model(folder: Path, model: FittedModel, report: dict[str, Any], experiment: Experiment, run_id: str) -> None:
    """Write the folder's four files; the folder is created if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.lgb").write_text(model.text, encoding="utf-8")
    (folder / "model.json").write_text(
        as_json(description(model, report, experiment.table.schema, run_id)), encoding="utf-8"
    )
    (folder / "report.json").write_text(as_json(report), encoding="utf-8")
    reference = experiment.reference(model.feature_names)
    reference.to_parquet(folder / "reference.parquet", index=False, compression="zstd")


def as_json(value: Any) -> str:
    """Indented JSON with a final newline, keys in insertion order."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()
