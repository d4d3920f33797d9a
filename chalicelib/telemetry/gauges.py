"""Gauges: the served models, the age of the data, the drift score.

Read directly from the bucket, not through the stores, which keep the last good state.
"""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.domain import Stage
from chalicelib.models.mirror import ModelInfo, mirror_key
from chalicelib.releases.drift_report import DriftSummary, read_drift_report
from chalicelib.releases.pointer import POINTER_KEY, Pointer
from chalicelib.storage.objects import ObjectStore, read_if_present
from chalicelib.telemetry.emf import Measurement
from chalicelib.telemetry.names import FEATURE_DRIFT_SCORE, OF_SERVICE
from chalicelib.timestamps import parse_utc


def drift(objects: ObjectStore) -> DriftSummary | None:
    """Summary of the latest drift report; None without one.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        DriftReportUnreadable: it is malformed.
    """
    report = read_drift_report(objects)
    return None if report is None else DriftSummary.of(report)


def drift_measurement(summary: DriftSummary) -> Measurement | None:
    """The drift score as a metric; None if too few matches were compared for an alarm."""
    if summary.score is None or not summary.sufficient_sample:
        return None
    return Measurement(FEATURE_DRIFT_SCORE, "None", summary.score, (OF_SERVICE,))


def release_ages(objects: ObjectStore, now: datetime) -> Mapping[str, float]:
    """Seconds since each data set of the current release was computed; empty while nothing was published.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        ReleaseUnavailable: the pointer is malformed.
    """
    body = _body(objects, POINTER_KEY)
    if body is None:
        return {}
    return {name: _age_seconds(entry.computed_at, now) for name, entry in Pointer.from_json(body).datasets.items()}


def served_models(objects: ObjectStore) -> list[ModelInfo]:
    """The mirrored model of each stage that has one.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        InvalidModel: a mirror is malformed.
    """
    bodies = {stage: _body(objects, mirror_key(stage)) for stage in Stage}
    return [ModelInfo.from_json(body, stage) for stage, body in bodies.items() if body is not None]


def _body(objects: ObjectStore, key: str) -> bytes | None:
    stored = read_if_present(objects, key)
    return None if stored is None else stored.body


def _age_seconds(moment: str, now: datetime) -> float:
    return max(0.0, (now - parse_utc(moment)).total_seconds())
