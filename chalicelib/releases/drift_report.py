"""The latest feature-drift report; not part of a release, since it concerns the model as much as the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from chalicelib.errors import DriftReportUnreadable
from chalicelib.storage.checksummed import unsealed
from chalicelib.storage.objects import ObjectStore, read_if_present

DRIFT_REPORT_KEY: Final = "reports/drift/latest.json"


@dataclass(frozen=True, slots=True)
class DriftSummary:
    """Summary of the latest drift report.

    Args:
        score: Share of drifted features, 0 to 1; None where nothing could be compared.
        sufficient_sample: Whether enough matches were compared for the score to mean anything: in a few matches drawn
            from the training data themselves, most features "drift".
    """

    score: float | None
    sufficient_sample: bool

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Self:
        """The summary of a stored report."""
        score = report.get("drift_score")
        return cls(None if score is None else float(score), report.get("sufficient_sample") is not False)


def read_drift_report(objects: ObjectStore) -> dict[str, Any] | None:
    """The latest drift report; None before the first.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
        DriftReportUnreadable: it is not a JSON object with a score.
    """
    stored = read_if_present(objects, DRIFT_REPORT_KEY)
    if stored is None:
        return None
    try:
        report = unsealed(stored.body)
        DriftSummary.of(report)
    except (ValueError, TypeError, AttributeError) as error:
        raise DriftReportUnreadable(f"the latest drift report is malformed: {error}") from error
    return report
