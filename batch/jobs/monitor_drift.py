"""Measure feature drift and write the report."""

import hashlib
import io
from datetime import datetime
from typing import Final

import pandas as pd

from batch.drift.measure import drift_report, windows
from batch.drift.page import render
from batch.jobs.context import Event, as_of
from batch.jobs.datasets import as_input, frame_of, model_params
from batch.mlflow.run_log import BatchRun, InputFile
from batch.release import iso, read_pointer
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import InvalidModel, ReleaseUnavailable
from chalicelib.models.store import ModelStore
from chalicelib.releases.drift_report import DRIFT_REPORT_KEY
from chalicelib.releases.pointer import MATCH_FEATURES, PREDICTIONS
from chalicelib.storage.checksummed import sealed
from chalicelib.storage.objects import read
from chalicelib.timestamps import as_utc

MEASURED: Final = (
    "drift_score",
    "number_of_columns",
    "number_of_drifted_columns",
    "number_of_columns_beyond_noise",
    "reference_rows",
    "current_rows",
    "sufficient_sample",
)
"""Figures of the report that are logged as MLflow metrics."""


def run(event: Event, batch_run: BatchRun) -> Event:
    """Compare the features of recent and coming matches with those the champion was trained on."""
    objects, moment = wiring.objects(), as_of(event)
    batch_run.params["as_of"] = iso(moment)
    info = ModelStore(objects, check_seconds=0).info(Stage.CHAMPION)
    batch_run.params |= model_params(info)
    pointer, _ = read_pointer(objects)
    features, predictions = frame_of(objects, pointer, MATCH_FEATURES), frame_of(objects, pointer, PREDICTIONS)
    if features is None or predictions is None:
        raise ReleaseUnavailable("there is no release with features to compare")
    assert pointer is not None  # noqa: S101 - the frames come from it
    batch_run.params["release_id"] = pointer.release_id
    batch_run.inputs += [as_input(pointer, MATCH_FEATURES), as_input(pointer, PREDICTIONS)]
    match_date = predictions.set_index("match_id")["match_date"].reindex(features["match_id"]).reset_index(drop=True)
    trained_before = datetime.fromisoformat(info.params.get("validate_from") or iso(moment))
    sample = windows(features, match_date, as_utc(trained_before), moment)
    # the rows kept by the training run, if any: the raw matches of that time may no longer exist
    reference = sample.reference
    if info.reference_key:
        body = read(objects, info.reference_key).body
        if info.reference_sha256 not in (None, hashlib.sha256(body).hexdigest()):
            raise InvalidModel(f"{info.reference_key} does not have the recorded checksum")
        batch_run.inputs.append(InputFile(info.reference_key, hashlib.sha256(body).hexdigest()))
        reference = pd.read_parquet(io.BytesIO(body)).drop(columns="match_id", errors="ignore")
    report = {
        **drift_report(reference, sample.current, moment),
        "model_run_id": info.model_run_id,
        "registered_version": info.registered_version,
        "release_id": pointer.release_id,
        "mlflow_run_id": batch_run.mlflow_run_id,
    }
    batch_run.report = report
    batch_run.metrics |= {name: float(report[name]) for name in MEASURED if report[name] is not None}
    body = sealed(report)
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
