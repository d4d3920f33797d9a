"""Mirror the registry's aliases into the bucket."""

from datetime import UTC, datetime

from batch import model_mirror
from batch.jobs.context import Event, settings
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.object_store import ObjectMissing, S3ObjectStore


def run(_event: Event) -> Event:
    """Bring every alias's mirror in line with the registry; see `model_mirror.sync`."""
    registry = model_mirror.MlflowRegistry(settings().mlflow_tracking_uri, _token(), _read_s3)
    now, ui_url = datetime.now(UTC), settings().mlflow_ui_url
    mirrored = [model_mirror.sync(registry, wiring.objects(), stage, now, ui_url) for stage in Stage]
    return {"stages": {str(one.stage): {"outcome": one.outcome, "version": one.registered_version} for one in mirrored}}


def _token() -> str | None:
    if not settings().mlflow_token_secret_id:
        return None
    secrets = wiring.aws_client("secretsmanager")
    return str(secrets.get_secret_value(SecretId=settings().mlflow_token_secret_id)["SecretString"])


def _read_s3(bucket: str, key: str) -> bytes | None:
    try:
        found = S3ObjectStore(wiring.aws_client("s3"), bucket).get(key)
    except ObjectMissing:
        return None
    return None if found is None else found.body
