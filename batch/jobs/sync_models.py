"""Mirror the registry's aliases into the bucket."""

from datetime import UTC, datetime

from batch.jobs.context import Event, mlflow_server, settings
from batch.mlflow import mirror as model_mirror
from batch.mlflow.mirror import Mirrored
from batch.mlflow.run_log import BatchRun
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import InvalidModel
from chalicelib.storage.objects import ObjectStore, S3ObjectStore, read_if_present
from chalicelib.telemetry.log import logger
from chalicelib.telemetry.names import MODELS_REFUSED, OF_SERVICE


def run(_event: Event, batch_run: BatchRun) -> Event:
    """Bring every alias's mirror in line with the registry; see `model_mirror.sync`.

    A version that cannot be served is rejected: the last good one stays, the other aliases are still mirrored, and the
    rejection is logged and counted until the alias moves. Only runs that changed or rejected something are logged in
    MLflow.
    """
    registry = model_mirror.MlflowRegistry(mlflow_server(), _read_s3)
    return mirror_aliases(registry, wiring.objects(), batch_run, settings().mlflow_ui_url)


def mirror_aliases(
    registry: model_mirror.Registry, objects: ObjectStore, batch_run: BatchRun, ui_url: str = ""
) -> Event:
    """Mirror each alias, rejecting what cannot be served; see `run`."""
    results = []
    for stage in Stage:
        try:
            result = model_mirror.sync(registry, objects, stage, datetime.now(UTC), ui_url)
        except InvalidModel as error:
            logger.error("model refused", extra={"stage": stage.value, "reason": error.code, "detail": error.message})
            wiring.recorder().count(MODELS_REFUSED, OF_SERVICE)
            result = Mirrored(stage, "refused", None)
        batch_run.worth_logging |= result.outcome != "unchanged"
        batch_run.params |= {f"{stage}_outcome": result.outcome, f"{stage}_version": result.registered_version}
        results.append(result)
    return {
        "stages": {
            str(result.stage): {"outcome": result.outcome, "version": result.registered_version} for result in results
        }
    }


def _read_s3(bucket: str, key: str) -> bytes | None:
    artifact = read_if_present(S3ObjectStore(wiring.aws_client("s3"), bucket), key)
    return None if artifact is None else artifact.body
