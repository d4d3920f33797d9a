"""The MLflow model registry: log and register a version, read and move aliases.

A version's run carries parameters, metrics, tags, report, plots and the drift reference; its model directory holds
`MLmodel` with the signature and `model.lgb`, the LightGBM text model. Training sets an alias only where none exists
yet; from then on a person moves it (batch.promote).
"""

import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import lightgbm as lgb
import mlflow
import mlflow.lightgbm
import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, Schema, TensorSpec

from batch.features import FEATURES, Feature
from batch.training.model_files import as_json
from chalicelib.domain import MODEL_NAME, Stage
from chalicelib.errors import RegistryUnavailable

EXPERIMENT: Final = "soccer_model"

MODEL_FILE: Final = "model.lgb"
"""MLflow's own name for a LightGBM text model inside a logged model."""

REPORT_FOLDER: Final = "report"


class Registry:
    """The registry at a tracking URI.

    Args:
        tracking_uri: Default: MLFLOW_TRACKING_URI.

    Raises:
        RegistryUnavailable: no tracking URI is given or set.
    """

    def __init__(self, tracking_uri: str | None = None) -> None:
        uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            raise RegistryUnavailable("no MLflow server: set MLFLOW_TRACKING_URI, or use --out to train without one")
        # progress bars of small downloads would drown the output
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        mlflow.set_tracking_uri(uri)
        self.client = MlflowClient(uri)

    def version_of(self, stage: Stage) -> str | None:
        """The version an alias points to; None where there is no such alias or model yet."""
        try:
            version = self.client.get_registered_model(MODEL_NAME).aliases.get(stage.value)
        except MlflowException as error:
            if _is_absent(error):
                return None
            raise RegistryUnavailable(f"the MLflow registry did not answer: {error}") from error
        return None if version is None else str(version)

    def set_alias(self, stage: Stage, version: str) -> None:
        """Point an alias at a version."""
        self.client.set_registered_model_alias(MODEL_NAME, stage.value, version)

    def describe(self, version: str) -> dict[str, Any]:
        """Run id, tags and parameters of a version.

        Raises:
            KeyError: there is no such version.
        """
        try:
            registered = self.client.get_model_version(MODEL_NAME, version)
        except MlflowException as error:
            if _is_absent(error):
                raise KeyError(version) from error
            raise RegistryUnavailable(f"the MLflow registry did not answer: {error}") from error
        run = self.client.get_run(registered.run_id)
        return {"run_id": registered.run_id, "tags": dict(run.data.tags), "params": dict(run.data.params)}

    def booster(self, version: str) -> lgb.Booster:
        """The model of a version, downloaded."""
        return mlflow.lightgbm.load_model(f"models:/{MODEL_NAME}/{version}")

    def log(
        self,
        run_name: str,
        model_text: str,
        signature: ModelSignature,
        params: dict[str, Any],
        metrics: dict[str, float],
        tags: dict[str, str],
        report: dict[str, Any],
        files: list[Path],
    ) -> tuple[str, str]:
        """Log a run with its model and register the model.

        Args:
            run_name: Shown in MLflow.
            model_text: LightGBM text model.
            signature: Its signature, see `signature`.
            params: Parameters; nested ones get dotted names.
            metrics: Metrics by name.
            tags: Tags of the run.
            report: Written as report/report.json.
            files: Further files for the report folder.

        Returns:
            The run id and the registered version.
        """
        mlflow.set_experiment(EXPERIMENT)
        with mlflow.start_run(run_name=run_name, tags=tags) as run:
            mlflow.log_params(_flat(params))
            mlflow.log_metrics(metrics)
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "report.json").write_text(as_json(report), encoding="utf-8")
                for file in files:
                    (Path(folder) / file.name).write_bytes(file.read_bytes())
                mlflow.log_artifacts(folder, REPORT_FOLDER)
            logged = mlflow.lightgbm.log_model(
                lgb.Booster(model_str=model_text),
                name="model",
                signature=signature,
                registered_model_name=MODEL_NAME,
                # stated, because MLflow would load the model in a new process to find out
                pip_requirements=[f"lightgbm=={lgb.__version__}"],
            )
            return str(run.info.run_id), str(logged.registered_model_version)


def signature(names: Sequence[str], schema: Sequence[Feature] = FEATURES) -> ModelSignature:
    """A model's signature: its features as required or optional columns, three probabilities per row as output.

    Args:
        names: The model's features, in its order.
        schema: Describes them.
    """
    by_name = {feature.name: feature for feature in schema}
    inputs = Schema([ColSpec(by_name[name].type, name, required=by_name[name].required) for name in names])
    return ModelSignature(inputs=inputs, outputs=Schema([TensorSpec(np.dtype(np.float64), (-1, 3))]))


def _flat(params: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in params.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _is_absent(error: MlflowException) -> bool:
    return bool(error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST))
