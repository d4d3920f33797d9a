"""The batch package's functions: take the event's time, run the step on the bucket, say what happened."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, wraps
from typing import Any, Final

from batch import export, model_mirror
from batch.matches import MatchesFile, combine, parse_file
from batch.rebuild import LoadedModel
from batch.rebuild import rebuild as rebuild_release
from batch.release import ReleaseWriter, forget_old_releases, iso, new_release_id, publish_release
from batch.settings import BatchSettings
from chalicelib import wiring
from chalicelib.data_release import ODDS, REGION_ROI
from chalicelib.domain import Stage
from chalicelib.errors import ModelUnavailable, ServiceError
from chalicelib.model_store import ModelStore
from chalicelib.object_store import ObjectMissing, S3ObjectStore
from chalicelib.observability import BATCH_RUNS, logger

RAW_MATCHES: Final = "raw/matches/"

Event = dict[str, Any]
Step = Callable[[Event, Any], Event]


@cache
def settings() -> BatchSettings:
    """This function's settings."""
    return BatchSettings.from_environment(os.environ)


def as_of(event: Event) -> datetime:
    """The time a run works for: the event's `as_of`, else the replay clock, else the schedule's time, else now.

    Raises:
        ValueError: the event names something that is not a time.
    """
    text = event.get("as_of") or settings().replay_as_of or event.get("time")
    moment = datetime.fromisoformat(text) if text else datetime.now(UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def step(function: Step) -> Step:
    """Log a run once, with its duration and outcome, and count it; failures are raised again for Lambda to retry."""

    @wraps(function)
    def run(event: Event, context: Any) -> Event:
        started = time.perf_counter()
        name = function.__name__
        request_id = getattr(context, "aws_request_id", "-")
        try:
            result = function(event or {}, context)
        except Exception as error:
            reason = error.code if isinstance(error, ServiceError) else type(error).__name__
            logger.exception("batch run failed", extra={"function": name, "request_id": request_id, "reason": reason})
            wiring.recorder().count(BATCH_RUNS, {"function": name, "outcome": reason})
            raise
        seconds = round(time.perf_counter() - started, 3)
        logger.info("batch run", extra={"function": name, "request_id": request_id, "seconds": seconds, **result})
        wiring.recorder().count(BATCH_RUNS, {"function": name, "outcome": "success"})
        return {**result, "seconds": seconds}

    return run


@step
def sync_models(event: Event, _context: Any) -> Event:  # noqa: ARG001 - a schedule's event says nothing we need
    """Mirror the registry's aliases into the bucket."""
    registry = model_mirror.MlflowRegistry(settings().mlflow_tracking_uri, _mlflow_token(), _read_s3)
    mirrored = [model_mirror.sync(registry, wiring.objects(), stage, datetime.now(UTC)) for stage in Stage]
    return {"stages": {str(one.stage): {"outcome": one.outcome, "version": one.registered_version} for one in mirrored}}


@step
def rebuild(event: Event, _context: Any) -> Event:
    """Compute features and predictions from the raw matches and publish them as a release."""
    objects = wiring.objects()
    moment, now = as_of(event), datetime.now(UTC)
    writer = ReleaseWriter(objects, new_release_id(now), moment, now)
    keys = objects.keys(RAW_MATCHES)
    matches = combine(_parsed(key, etag) for key, etag in keys)
    rebuilt = rebuild_release(matches, _models(), moment)
    entries = {
        dataset.name: writer.write(dataset.file_name, dataset.content, dataset.rows, dataset.model)
        for dataset in rebuilt.datasets
    }
    report = {**rebuilt.report, "release_id": writer.release_id, "inputs": [{"key": k, "etag": e} for k, e in keys]}
    objects.put(f"releases/{writer.release_id}/run.json", json.dumps(report, sort_keys=True, indent=1).encode())
    published = publish_release(
        objects, writer, entries, keep=frozenset({ODDS, REGION_ROI}), backwards=bool(event.get("backwards"))
    )
    forgotten = forget_old_releases(objects, published.pointer, now, settings().kept_releases)
    return {
        "release_id": writer.release_id,
        "published": published.moved,
        "as_of": iso(moment),
        "rows": report["rows"],
        "matches": report["matches"],
        "forgotten_files": len(forgotten),
    }


@step
def export_table(event: Event, _context: Any) -> Event:
    """Write the task table, or the table the event names, to a parquet file in the bucket."""
    table = event.get("table") or settings().tasks_table
    content, rows = export.parquet_of(export.scan(wiring.aws_client("dynamodb"), table))
    key = export.export_key(table, datetime.now(UTC))
    wiring.objects().put(key, content)
    return {"table": table, "rows": rows, "key": key}


def _models() -> list[LoadedModel]:
    """The mirrored models; a missing challenger is nothing unusual, a missing champion is."""
    store = ModelStore(wiring.objects(), check_seconds=0)
    loaded = []
    for stage in Stage:
        try:
            model = store.current(stage)
        except ModelUnavailable:
            if stage is Stage.CHAMPION:
                raise
            continue
        loaded.append(LoadedModel(model.info, model.native))
    return loaded


# A sandbox that is used again reads only the files that are new or changed.
_parsed_files: dict[tuple[str, str], MatchesFile] = {}


def _parsed(key: str, etag: str) -> MatchesFile:
    if (key, etag) not in _parsed_files:
        found = wiring.objects().get(key)
        assert found is not None  # noqa: S101 - no ETag was given
        for old in [known for known in _parsed_files if known[0] == key]:
            del _parsed_files[old]
        _parsed_files[key, etag] = parse_file(key.removeprefix(RAW_MATCHES), found.body)
    return _parsed_files[key, etag]


def _mlflow_token() -> str | None:
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
