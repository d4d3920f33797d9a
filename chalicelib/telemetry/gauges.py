"""What can be measured at any moment: the models served, the age of the data, the drift score.

Read straight from the bucket, not through the stores that keep the last good state: a gauge shows what is there now.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from chalicelib.domain import Stage
from chalicelib.errors import DriftReportUnreadable
from chalicelib.models.store import ModelInfo, mirror_key
from chalicelib.releases.store import DRIFT_REPORT_KEY, POINTER_KEY, Pointer
from chalicelib.storage.objects import ObjectStore, read_if_there
from chalicelib.telemetry.observability import FEATURE_DRIFT_SCORE, OF_SERVICE, Measurement


def drift_report(objects: ObjectStore) -> dict[str, Any] | None:
    """The latest drift report; None while there is none.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        DriftReportUnreadable: it is not a JSON object with a score.
    """
    body = _body(objects, DRIFT_REPORT_KEY)
    if body is None:
        return None
    try:
        report: dict[str, Any] = json.loads(body)
        Drift.of(report)
    except (ValueError, TypeError, AttributeError) as error:
        raise DriftReportUnreadable(f"the latest drift report is malformed: {error}") from error
    return report


@dataclass(frozen=True, slots=True)
class Drift:
    """What the latest drift report comes to.

    Args:
        score: Share of drifted features, 0 to 1; None where nothing could be compared.
        sufficient_sample: Whether enough matches were compared for the score to mean anything: of a few matches drawn
            from the training data themselves, most features "drift".
    """

    score: float | None
    sufficient_sample: bool

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Self:
        """Of a report as it is stored."""
        score = report.get("drift_score")
        return cls(None if score is None else float(score), report.get("sufficient_sample") is not False)

    @property
    def measurement(self) -> Measurement | None:
        """The score as a metric, if it is one to measure and to raise an alarm on."""
        if self.score is None or not self.sufficient_sample:
            return None
        return Measurement(FEATURE_DRIFT_SCORE, "None", self.score, (OF_SERVICE,))


def drift(objects: ObjectStore) -> Drift | None:
    """The latest drift report in two figures; None while there is none.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        DriftReportUnreadable: it is malformed.
    """
    report = drift_report(objects)
    return None if report is None else Drift.of(report)


def release_ages(objects: ObjectStore, now: datetime) -> Mapping[str, float]:
    """Seconds since each data set of the current release was computed; empty while nothing was published.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        ReleaseUnavailable: the pointer is malformed.
    """
    body = _body(objects, POINTER_KEY)
    if body is None:
        return {}
    return {name: _age(entry.computed_at, now) for name, entry in Pointer.from_json(body).datasets.items()}


def served_models(objects: ObjectStore) -> list[ModelInfo]:
    """What is mirrored of each stage that has a model.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        InvalidModel: a mirror is malformed.
    """
    bodies = {stage: _body(objects, mirror_key(stage)) for stage in Stage}
    return [ModelInfo.from_json(body, stage) for stage, body in bodies.items() if body is not None]


def _body(objects: ObjectStore, key: str) -> bytes | None:
    found = read_if_there(objects, key)
    return None if found is None else found.body


def _age(moment: str, now: datetime) -> float:
    parsed = datetime.fromisoformat(moment)
    return max(0.0, (now - (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))).total_seconds())
