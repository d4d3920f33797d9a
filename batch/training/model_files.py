"""A model as files: the folder that `batch.train --out` writes and that a release can be made from.

model.lgb          LightGBM text model
model.json         what model.lgb is: name, run, metrics, parameters, signature, checksum
report.json        the figures beside their baselines
reference.parquet  training rows that drift is measured against
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
    """What `model.json` says; stage and registered_version are null: only a registry gives those."""
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
    """Write the folder's four files; it is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.lgb").write_text(model.text, encoding="utf-8")
    (folder / "model.json").write_text(
        as_json(description(model, report, experiment.table.schema, run_id)), encoding="utf-8"
    )
    (folder / "report.json").write_text(as_json(report), encoding="utf-8")
    reference = experiment.reference(model.feature_names)
    reference.to_parquet(folder / "reference.parquet", index=False, compression="zstd")


def as_json(value: Any) -> str:
    """Indented JSON with a final newline, keys in the order they were put."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()
