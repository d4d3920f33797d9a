"""Processor time of the projected tables of ten leagues: `python -m benchmarks.projections`."""

import statistics
import time

import numpy as np
import pandas as pd

from batch.projections import projections

LEAGUES = 10
TEAMS = 20
ROUNDS = 3


def leagues() -> pd.DataFrame:
    """Ten double round robins, each played to its half."""
    generator = np.random.default_rng(1)
    rows = []
    for league in range(LEAGUES):
        pairs = [(home, away) for home in range(TEAMS) for away in range(TEAMS) if home != away]
        for i, (home, away) in enumerate(pairs):
            played = i < len(pairs) // 2
            chances = generator.dirichlet([5, 3, 4])
            rows.append(
                {
                    "match_id": league * 1_000 + i,
                    "home_team": f"Team {home}",
                    "away_team": f"Team {away}",
                    "region": "Nowhere",
                    "league": f"League {league}",
                    "sex": 0,
                    "season": "2023/24",
                    "proba_home": chances[0],
                    "proba_draw": chances[1],
                    "proba_away": chances[2],
                    "is_future": not played,
                    "outcome_1x2": "home" if played else None,
                    "home_score": 1 if played else None,
                    "away_score": 0 if played else None,
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Print the median of a few rounds."""
    predictions = leagues()
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        table = projections(predictions)
        seconds.append(time.process_time() - began)
    assert len(table) == LEAGUES * TEAMS
    print(
        f"{LEAGUES} leagues of {TEAMS} teams: {statistics.median(seconds):.2f} s of processor time (median of {ROUNDS})"
    )


if __name__ == "__main__":
    main()
