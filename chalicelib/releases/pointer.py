"""The pointer of a data release: one object that names every data set of a consistent rebuild.

A rebuild writes its files under its own id and then moves the pointer with a conditional write; an odds refresh
replaces only its own entry. Every pointer ever served is also kept under its content's hash, its *version*.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from chalicelib.errors import ReleaseUnavailable
from chalicelib.storage.checksummed import sealed, unsealed

POINTER_KEY: Final = "releases/current.json"
SCHEMA_VERSION: Final = 1

MATCH_FEATURES: Final = "match_features"
PREDICTIONS: Final = "predictions"
PREDICTIONS_CHALLENGER: Final = "predictions_challenger"
ODDS: Final = "fonbet_odds"
PAST_PRICES: Final = "past_prices"
"""Prices of matches that have begun, which ratings learn from; not served."""
PRICE_HISTORY: Final = "price_history"
"""How the price of each match moved; served from the file of the odds."""
REGION_ROI: Final = "roi_by_region"
TRACK_RECORD: Final = "track_record"
PROJECTIONS: Final = "projections"
SERVING: Final = "serving"
"""Matches, predictions and features as the lists read them; `chalicelib.releases.schema` describes both files."""
SERVING_ODDS: Final = "serving_odds"
"""Odds, edges and returns as the lists read them; it belongs to the `serving` beside it."""


def pointer_version_key(version: str) -> str:
    """Key of the kept copy of a pointer."""
    return f"releases/pointers/{version}.json"


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One data set of a release.

    Args:
        key: Object key; its content never changes.
        rows: Number of rows.
        bytes: Size of the object.
        sha256: Its SHA-256, in hex.
        as_of: The time up to which its data was known, ISO-8601.
        computed_at: When it was computed, ISO-8601.
        model_stage: Alias of the model its predictions come from, if it holds any.
        registered_version: That model's version in the registry.
        model_run_id: That model's MLflow run.
        etag: ETag of the object; None in releases of earlier versions.
    """

    key: str
    rows: int
    bytes: int
    sha256: str
    as_of: str
    computed_at: str
    model_stage: str | None = None
    registered_version: str | None = None
    model_run_id: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which files readers see.

    Args:
        release_id: Id of the rebuild that wrote the predictions.
        as_of: Its time.
        published_at: When the pointer moved, ISO-8601.
        datasets: Data set name to its entry.
    """

    release_id: str
    as_of: str
    published_at: str
    datasets: Mapping[str, DatasetEntry] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> bytes:
        """Canonical bytes: the same pointer gives the same bytes, hence the same version."""
        return sealed(asdict(self))

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Parse a pointer; entries and fields a later version added are ignored.

        Raises:
            ReleaseUnavailable: it is not a pointer, or is damaged.
        """
        try:
            raw: dict[str, Any] = unsealed(body)
            entry_fields = DatasetEntry.__dataclass_fields__
            return cls(
                release_id=raw["release_id"],
                as_of=raw["as_of"],
                published_at=raw["published_at"],
                datasets={
                    name: DatasetEntry(**{key: value for key, value in entry.items() if key in entry_fields})
                    for name, entry in raw["datasets"].items()
                },
                schema_version=raw["schema_version"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReleaseUnavailable(f"the release pointer is malformed: {error}") from error

    @property
    def version(self) -> str:
        """Hash that names exactly this state of all data sets."""
        return hashlib.sha256(self.to_json()).hexdigest()[:16]
