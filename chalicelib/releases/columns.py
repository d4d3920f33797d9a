"""The fields of each list, in order, and their SQL expressions.

In the expressions `m` is the row of the match, `o` of its odds, `r` of its region's returns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from chalicelib.contracts.lists import CardRow, MatchRow, OddsRow, PredictionRow
from chalicelib.domain import Outcome, Stage
from chalicelib.releases.schema import (
    MATCH_COLUMNS,
    ODDS_COLUMNS,
    STAGE_COLUMNS,
    STAGE_ODDS_COLUMNS,
)

LATE_FIELDS: Final = ("status", "is_correct", "price_age_seconds")
"""Fields of a card that depend on the time of the request or on its other fields; they come last."""

_BOOLEANS: Final = frozenset({"is_future", "in_sample", "suspended"})


def _time(column: str) -> str:
    return f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, 'unixepoch')"


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields of a list's rows.

    Args:
        names: Field names, in order.
        sql: Their expressions, separated by commas.
        booleans: Which of them are stored as 0 and 1.
    """

    names: tuple[str, ...]
    sql: str
    booleans: tuple[str, ...]

    def row(self, values: Iterable[Any]) -> dict[str, Any]:
        """A row of the list from a row of the statement, whose further columns are ignored."""
        row = dict(zip(self.names, values, strict=False))
        for name in self.booleans:
            if row[name] is not None:
                row[name] = row[name] == 1
        return row


def _columns(fields: Iterable[str], expressions: Mapping[str, str]) -> Columns:
    names = tuple(fields)
    sql = ", ".join(expressions[name] for name in names)
    return Columns(names, sql, tuple(name for name in names if name in _BOOLEANS))


def _match_expressions(stage: Stage) -> dict[str, str]:
    labels = " ".join(f"WHEN {int(outcome)} THEN '{outcome.label}'" for outcome in Outcome)
    return {
        **{name: f"m.{name}" for name in MATCH_COLUMNS},
        **{name: f"m.{stage}_{name}" for name in STAGE_COLUMNS},
        "match_date": _time("m.kickoff"),
        "predicted_label": f"CASE m.{stage}_predicted_class {labels} END",
        "model_run_id": ":model_run_id",
        "model_stage": f"'{stage}'",
    }


def _odds_expressions(stage: Stage) -> dict[str, str]:
    return {
        **{name: f"o.{name}" for name in ODDS_COLUMNS},
        **{name: f"o.{stage}_{name}" for name in STAGE_ODDS_COLUMNS},
    }


@lru_cache
def prediction_columns(stage: Stage) -> Columns:
    """The fields of `PredictionRow`."""
    return _columns(PredictionRow.model_fields, _match_expressions(stage))


MATCH: Final = _columns(MatchRow.model_fields, _match_expressions(Stage.CHAMPION))
"""The fields of `MatchRow`."""

ODDS: Final = _columns(
    OddsRow.model_fields, {**_odds_expressions(Stage.CHAMPION), "collected_at": _time("o.collected_at")}
)
"""The fields of `OddsRow`."""


@lru_cache
def card_columns(stage: Stage) -> Columns:
    """The fields of `CardRow` but for `LATE_FIELDS`; `m.kickoff` follows them in the statement's rows."""
    expressions = {
        **_odds_expressions(stage),
        **_match_expressions(stage),
        "odds_collected_at": _time("o.collected_at"),
        "fonbet_url": "o.url",
        "region_roi": "r.roi",
    }
    return _columns((name for name in CardRow.model_fields if name not in LATE_FIELDS), expressions)
