"""A match's features in the current release."""

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.errors import (
    MatchNotFound,
)
from chalicelib.releases.pointer import MATCH_FEATURES
from chalicelib.releases.store import ReleaseStore

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class MatchFeatures:
    """A match's features and the time of the release they come from."""

    values: Mapping[str, float | None]
    computed_at: str


def match_features(match_id: int, releases: ReleaseStore) -> MatchFeatures:
    """A match's row of the current release's features.

    Raises:
        ReleaseUnavailable: no data release yet.
        DatasetUnavailable: it carries no features.
        MatchNotFound: the match is not in it.
    """
    entry = releases.entry(releases.pointer(), MATCH_FEATURES)
    table: pa.Table = releases.view("features", (entry,), lambda: releases.table(entry))
    ids = table.column("match_id")
    # The file is sorted by match_id: no index to build or keep for a million rows.
    position = bisect.bisect_left(range(table.num_rows), match_id, key=lambda i: ids[i].as_py())
    if position == table.num_rows or ids[position].as_py() != match_id:
        raise MatchNotFound(match_id)
    (row,) = table.slice(position, 1).to_pylist()
    del row["match_id"]
    return MatchFeatures(row, entry.computed_at)
