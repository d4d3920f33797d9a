"""What can be measured at any moment: the models served, the age of the data, the drift score.

Read straight from the bucket, not through the stores that keep the last good state: a gauge shows what is there now.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.data_release import DRIFT_REPORT_KEY, POINTER_KEY, Pointer
from chalicelib.domain import Stage
from chalicelib.model_store import ModelInfo, mirror_key
from chalicelib.object_store import ObjectMissing, ObjectStore


def drift_report(objects: ObjectStore) -> dict[str, Any] | None:
    """The latest drift report; None while there is none.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        ValueError: it is not JSON.
    """
    body = _body(objects, DRIFT_REPORT_KEY)
    report: dict[str, Any] | None = None if body is None else json.loads(body)
    return report


def drift_score(objects: ObjectStore) -> float | None:
    """The score of the latest drift report; None while there is none, or where it could not be computed.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        ValueError: the report is malformed.
    """
    score = (drift_report(objects) or {}).get("drift_score")
    return None if score is None else float(score)


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
    try:
        found = objects.get(key)
    except ObjectMissing:
        return None
    assert found is not None  # noqa: S101 - no ETag was given
    return found.body


def _age(moment: str, now: datetime) -> float:
    parsed = datetime.fromisoformat(moment)
    return max(0.0, (now - (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))).total_seconds())
