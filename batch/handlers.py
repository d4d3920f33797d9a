"""The batch package's functions: take the event's time, run the step on the bucket, say what happened."""

import io
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from typing import Any, Final

import pandas as pd

from batch import export, model_mirror, odds_refresh
from batch.drift import drift_report, windows
from batch.drift_report import render
from batch.matches import MatchesFile, combine, parse_file
from batch.odds_providers.base import trust
from batch.odds_sources import (
    SNAPSHOTS,
    confirmed_clubs,
    keep_confirmed_clubs,
    keep_snapshot,
    last_good,
    odds_provider,
)
from batch.rebuild import LoadedModel
from batch.rebuild import rebuild as rebuild_release
from batch.release import (
    ReleaseWriter,
    forget_old_releases,
    iso,
    new_release_id,
    publish_datasets,
    publish_release,
    read_pointer,
)
from batch.settings import BatchSettings
from chalicelib import wiring
from chalicelib.data_release import (
    DRIFT_REPORT_KEY,
    MATCH_FEATURES,
    ODDS,
    PREDICTIONS,
    REGION_ROI,
    TRACK_RECORD,
    DatasetEntry,
    ReleaseStore,
)
from chalicelib.domain import Stage
from chalicelib.errors import ModelUnavailable, ReleaseUnavailable, ServiceError
from chalicelib.model_store import ModelStore
from chalicelib.object_store import ObjectMissing, S3ObjectStore
from chalicelib.observability import BATCH_RUNS, logger

RAW_MATCHES: Final = "raw/matches/"

REFRESH_ATTEMPTS: Final = 3
"""How often odds are matched again because a rebuild replaced the release meanwhile."""

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
    return _utc(datetime.fromisoformat(text) if text else datetime.now(UTC))


def _utc(moment: datetime) -> datetime:
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
    entries |= _returns(writer, rebuilt.predictions[Stage.CHAMPION], _published(ODDS))
    objects.put(f"releases/{writer.release_id}/run.json", json.dumps(report, sort_keys=True, indent=1).encode())
    published = publish_release(
        objects, writer, entries, keep=frozenset({ODDS}), backwards=bool(event.get("backwards"))
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
def refresh_odds(event: Event, _context: Any) -> Event:
    """Fetch the provider's odds, find our match for each, and replace odds and returns in the current release."""
    objects = wiring.objects()
    moment, now = as_of(event), datetime.now(UTC)
    live = settings().odds_provider != SNAPSHOTS
    snapshot = odds_refresh.fetch(
        odds_provider(settings(), objects, _odds_api_key), moment, timedelta(days=settings().odds_replay_ahead_days)
    )
    distrusted = False
    if live:
        verdict = trust(snapshot, last_good(objects, snapshot.provider))
        keep_snapshot(objects, snapshot, distrusted=verdict.distrusted)
        snapshot, distrusted = verdict.snapshot, verdict.distrusted
    for _ in range(REFRESH_ATTEMPTS):
        pointer, _etag = read_pointer(objects)
        if pointer is None:
            raise ReleaseUnavailable("there is no release whose matches could be priced")
        writer = ReleaseWriter(objects, new_release_id(now), moment, now)
        predictions = _published(PREDICTIONS)
        assert predictions is not None  # noqa: S101 - every release has them
        # Stored sightings answer for any time by themselves; a live line forgets what is over.
        refreshed = odds_refresh.refresh(
            predictions, snapshot, _published(ODDS) if live else None, confirmed_clubs(objects)
        )
        entries = {ODDS: writer.write(f"{ODDS}.parquet", refreshed.parquet(), len(refreshed.odds))}
        entries |= _returns(writer, predictions, refreshed.odds)
        report = {**refreshed.report, "as_of": iso(moment), "release_id": pointer.release_id, "distrusted": distrusted}
        objects.put(
            f"releases/{writer.release_id}/odds_run.json", json.dumps(report, indent=1, sort_keys=True).encode()
        )
        published = publish_datasets(objects, pointer, entries, now)
        if published.moved:
            keep_confirmed_clubs(objects, refreshed.confirmed)
            return {name: report[name] for name in ("provider", "markets", "matched", "unmatched", "rows", "notes")}
    raise ReleaseUnavailable(f"the release was replaced {REFRESH_ATTEMPTS} times while odds were matched to it")


@step
def monitor_drift(event: Event, _context: Any) -> Event:
    """Compare the features of recent and coming matches with those the champion was trained on."""
    objects, moment = wiring.objects(), as_of(event)
    info = ModelStore(objects, check_seconds=0).info(Stage.CHAMPION)
    features, predictions = _published(MATCH_FEATURES), _published(PREDICTIONS)
    if features is None or predictions is None:
        raise ReleaseUnavailable("there is no release whose features could be compared")
    match_date = predictions.set_index("match_id")["match_date"].reindex(features["match_id"]).reset_index(drop=True)
    trained_before = datetime.fromisoformat(info.params.get("validate_from") or iso(moment))
    sample = windows(features, match_date, _utc(trained_before), moment)
    # What the training run kept of its rows, if anything: the raw matches of that time may be gone by now.
    reference = _frame(info.reference_key)[list(sample.current.columns)] if info.reference_key else sample.reference
    report = {
        **drift_report(reference, sample.current, moment),
        "model_run_id": info.model_run_id,
        "registered_version": info.registered_version,
    }
    body = json.dumps(report, sort_keys=True, indent=1).encode()
    stamp = iso(moment).replace(":", "")
    for key, content in (
        (f"reports/drift/{stamp}.json", body),
        ("reports/drift/latest.html", render(report, reference, sample.current)),
        (DRIFT_REPORT_KEY, body),
    ):
        objects.put(key, content)
    return {
        name: report[name]
        for name in ("drift_score", "dataset_drift", "number_of_columns", "number_of_drifted_columns", "note")
    }


def _frame(key: str) -> pd.DataFrame:
    found = wiring.objects().get(key)
    assert found is not None  # noqa: S101 - no ETag was given
    return pd.read_parquet(io.BytesIO(found.body))


def _returns(writer: ReleaseWriter, predictions: pd.DataFrame, odds: pd.DataFrame | None) -> dict[str, DatasetEntry]:
    """ROI and track record of a release, if there are odds to compute them from."""
    if odds is None:
        return {}
    record = odds_refresh.returns(predictions, odds)
    return {
        REGION_ROI: writer.write(f"{REGION_ROI}.csv", record.roi_csv, record.regions),
        TRACK_RECORD: writer.write(f"{TRACK_RECORD}.json", record.track_record_json(), record.track_record["matches"]),
    }


def _published(dataset: str) -> pd.DataFrame | None:
    """A parquet data set of the current release as a frame; None where there is none."""
    pointer, _ = read_pointer(wiring.objects())
    if pointer is None or dataset not in pointer.datasets:
        return None
    store = ReleaseStore(wiring.objects(), check_seconds=0)
    frame: pd.DataFrame = store.table(pointer.datasets[dataset]).to_pandas()
    return frame


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


def _odds_api_key() -> str:
    secrets = wiring.aws_client("secretsmanager")
    return str(secrets.get_secret_value(SecretId=settings().odds_api_key_secret_id)["SecretString"])


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
