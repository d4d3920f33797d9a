"""Mirror the registry's aliases into the bucket."""

from datetime import UTC, datetime

from batch.jobs.context import Event, mlflow_token, settings
from batch.mlflow import mirror as model_mirror
from batch.mlflow.rest import MlflowRest
from batch.mlflow.run_log import BatchRun
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import InvalidModel
from chalicelib.storage.objects import S3ObjectStore, read_if_there


def run(_event: Event, this: BatchRun) -> Event:
    """Bring every alias's mirror in line with the registry; see `model_mirror.sync`.

    It runs every few minutes and mostly finds nothing to do; MLflow gets to see the runs that changed something or met
    a model that cannot be served.
    """
    registry = model_mirror.MlflowRegistry(MlflowRest(settings().mlflow_tracking_uri, mlflow_token()), _read_s3)
    ui_url, mirrored = settings().mlflow_ui_url, []
    for stage in Stage:
        this.params["stage"] = stage.value
        try:
            one = model_mirror.sync(registry, wiring.objects(), stage, datetime.now(UTC), ui_url)
        except InvalidModel:
            this.worth_logging = True
            raise
        this.worth_logging |= one.outcome != "unchanged"
        this.params |= {f"{stage}_outcome": one.outcome, f"{stage}_version": one.registered_version}
        mirrored.append(one)
    del this.params["stage"]
    return {"stages": {str(one.stage): {"outcome": one.outcome, "version": one.registered_version} for one in mirrored}}


def _read_s3(bucket: str, key: str) -> bytes | None:
    found = read_if_there(S3ObjectStore(wiring.aws_client("s3"), bucket), key)
    return None if found is None else found.body
