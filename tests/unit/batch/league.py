"""Small leagues for the tests: only what matters is named."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

START = pd.Timestamp("2023-08-05 15:00", tz="UTC")

Row = dict[str, Any]


def match(match_id: int, home: str, away: str, goals: tuple[int, int] | None = (1, 1), **changes: Any) -> Row:
    """One row of the raw-matches schema; kickoffs a day apart in the order of ids."""
    home_goals, away_goals = goals or (None, None)
    return {
        "match_id": match_id,
        "kickoff": START + pd.Timedelta(days=match_id),
        "season": "2023/24",
        "region": "England",
        "league": "Premier League",
        "sex": 0,
        "home_team": home,
        "away_team": away,
        "home_goals": home_goals,
        "away_goals": away_goals,
    } | changes


def accepted(rows: Sequence[Row]) -> pd.DataFrame:
    """The rows as `batch.matches` hands them on."""
    frame = pd.DataFrame(list(rows))
    frame["kickoff"] = pd.to_datetime(frame["kickoff"], utc=True).dt.as_unit("ms")
    return frame.astype({"home_goals": "Int16", "away_goals": "Int16", "sex": "int8"})
