"""The registry through MLflow's own client, for people and pipelines, with all its ways to authenticate.

It supports every store that `MLFLOW_TRACKING_URI` can name; the functions, whose package has no room for it, use
`batch.mlflow.rest`.
"""

import tempfile
from pathlib import Path

from mlflow import artifacts
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient

from batch.mlflow.mirror import RegisteredVersion, Run
from chalicelib.domain import MODEL_NAME, Stage
from chalicelib.errors import RegistryUnavailable


class ClientRegistry:
    """A `batch.mlflow.mirror.Registry` on MLflow's client.

    Args:
        client: The client.
    """

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def version_of(self, stage: Stage) -> RegisteredVersion | None:
        """See `Registry.version_of`."""
        try:
            alias = self._client.get_model_version_by_alias(MODEL_NAME, stage.value)
        except MlflowException as error:
            if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST) or "not found" in str(error):
                return None
            raise RegistryUnavailable(f"the MLflow registry did not answer: {error}") from error
        return self.version(str(alias.version))

    def version(self, number: str) -> RegisteredVersion:
        """A version by its number.

        Raises:
            RegistryUnavailable: the registry does not answer, or has no such version.
        """
        try:
            version = self._client.get_model_version(MODEL_NAME, number)
            address = self._client.get_model_version_download_uri(MODEL_NAME, number)
        except MlflowException as error:
            raise RegistryUnavailable(f"the MLflow registry gives no version {number}: {error}") from error
        return RegisteredVersion(number, str(version.run_id), address)

    def run(self, run_id: str) -> Run:
        """See `Registry.run`."""
        try:
            run = self._client.get_run(run_id)
        except MlflowException as error:
            raise RegistryUnavailable(f"the MLflow registry gives no run {run_id}: {error}") from error
        return Run(dict(run.data.metrics), dict(run.data.params), run.info.artifact_uri, run.info.experiment_id)

    def file(self, artifact_uri: str, name: str) -> bytes | None:
        """See `Registry.file`."""
        folder, _, _ = name.rpartition("/")
        parent = f"{artifact_uri.rstrip('/')}/{folder}".rstrip("/")
        try:
            # a missing file fails differently in every kind of artifact store; listing works alike in all
            names = {Path(file.path).name for file in artifacts.list_artifacts(artifact_uri=parent)}
            if Path(name).name not in names:
                return None
            with tempfile.TemporaryDirectory() as into:
                uri = f"{artifact_uri.rstrip('/')}/{name}"
                return Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=into)).read_bytes()
        except (MlflowException, OSError) as error:
            raise RegistryUnavailable(f"the MLflow server did not return {name}: {error}") from error
