"""A match's features in the current release."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.errors import MatchNotFound
from chalicelib.releases.pointer import MATCH_FEATURES
from chalicelib.releases.store import ReleaseStore


@dataclass(frozen=True, slots=True)
class MatchFeatures:
    """A match's features and the time of the release they come from."""

    values: Mapping[str, float | None]
    computed_at: str


def match_features(match_id: int, releases: ReleaseStore) -> MatchFeatures:
    """A match's row of the current release's features.

    Raises:
        ReleaseUnavailable: no data release yet.
        DatasetUnavailable, ReleaseDamaged: it cannot be read.
        MatchNotFound: the match is not in it.
    """
    release = releases.current(with_odds=False)
    computed_at = releases.entry(release.pointer, MATCH_FEATURES).computed_at
    vectors = list(release.database.rows("SELECT vector FROM by_id WHERE match_id = :id", {"id": match_id}))
    if not vectors:
        raise MatchNotFound(match_id)
    columns: list[tuple[str, str]] = release.database.properties["features"]
    numbers = struct.unpack(f"<{len(columns)}d", vectors[0][0])
    values = {name: _value(number, kind) for (name, kind), number in zip(columns, numbers, strict=True)}
    return MatchFeatures(values, computed_at)


def _value(number: float, kind: str) -> float | None:
    if math.isnan(number):
        return None
    return int(number) if kind == "long" else number
