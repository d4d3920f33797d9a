"""Measure feature drift and write the report."""

import io
import json
from datetime import datetime

import pandas as pd

from batch.drift import drift_report, windows
from batch.drift_report import render
from batch.jobs.context import Event, as_of, utc
from batch.jobs.published import frame_of
from batch.release import iso, read_pointer
from chalicelib import wiring
from chalicelib.data_release import DRIFT_REPORT_KEY, MATCH_FEATURES, PREDICTIONS
from chalicelib.domain import Stage
from chalicelib.errors import ReleaseUnavailable
from chalicelib.model_store import ModelStore


def run(event: Event) -> Event:
    """Compare the features of recent and coming matches with those the champion was trained on."""
    objects, moment = wiring.objects(), as_of(event)
    info = ModelStore(objects, check_seconds=0).info(Stage.CHAMPION)
    pointer, _ = read_pointer(objects)
    features, predictions = frame_of(objects, pointer, MATCH_FEATURES), frame_of(objects, pointer, PREDICTIONS)
    if features is None or predictions is None:
        raise ReleaseUnavailable("there is no release whose features could be compared")
    match_date = predictions.set_index("match_id")["match_date"].reindex(features["match_id"]).reset_index(drop=True)
    trained_before = datetime.fromisoformat(info.params.get("validate_from") or iso(moment))
    sample = windows(features, match_date, utc(trained_before), moment)
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
