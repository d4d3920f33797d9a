"""Made-up leagues of any size, for benchmarks and tests: round robins of clubs with lasting strengths.

Goals are Poisson with rates from the strengths and a home advantage, so that ratings and models have something to
find. Seeded: the same (n, seed) gives the same matches.
"""

from typing import Final

import numpy as np
import pandas as pd

CLUBS_PER_LEAGUE: Final = 20
MATCHES_PER_SEASON: Final = CLUBS_PER_LEAGUE * (CLUBS_PER_LEAGUE - 1)
MATCHES_PER_ROUND: Final = CLUBS_PER_LEAGUE // 2
SEASONS: Final = 20
"""Seasons of a league before another league begins."""

FIRST_KICKOFF: Final = pd.Timestamp("2004-08-07 14:00", tz="UTC")

HOME_GOALS: Final = 1.5
AWAY_GOALS: Final = 1.15
STRENGTH_SPREAD: Final = 0.35
"""Standard deviation of a club's strength: the log of its goals per match against an average club."""


def matches(n: int, seed: int = 0) -> pd.DataFrame:
    """`n` finished matches in the raw-matches schema, league by league and season by season.

    Leagues have 20 clubs and 380 matches a season over 20 seasons, so that 1,000,000 matches make 132 leagues. Every
    tenth league is a women's league.
    """
    generator = np.random.default_rng(seed)
    number = np.arange(n)
    league = number // (SEASONS * MATCHES_PER_SEASON)
    season = number // MATCHES_PER_SEASON % SEASONS
    within = number % MATCHES_PER_SEASON
    n_leagues = int(league.max(initial=-1)) + 1
    home_club, away_club = (side[within] for side in _round_robin())

    strength = generator.normal(0.0, STRENGTH_SPREAD, (n_leagues, CLUBS_PER_LEAGUE))
    difference = strength[league, home_club] - strength[league, away_club]
    home_goals = generator.poisson(HOME_GOALS * np.exp(difference))
    away_goals = generator.poisson(AWAY_GOALS * np.exp(-difference))
    days = season * 365 + within // MATCHES_PER_ROUND * 7
    kickoff = FIRST_KICKOFF + pd.to_timedelta(days * 24 + within % 3 * 2, unit="h")
    year = FIRST_KICKOFF.year + season
    leagues = np.array([f"League {i:03d}" for i in range(n_leagues)], dtype=object)
    regions = np.array([f"Region {i:03d}" for i in range(n_leagues)], dtype=object)
    labels = np.array([f"{y}/{(y + 1) % 100:02d}" for y in range(FIRST_KICKOFF.year, FIRST_KICKOFF.year + SEASONS)])
    clubs = np.array([f"Club {i:02d}" for i in range(CLUBS_PER_LEAGUE)], dtype=object)
    return pd.DataFrame(
        {
            "match_id": number + 1,
            "kickoff": pd.Series(kickoff).dt.as_unit("ms"),
            "season": pd.Series(labels[year - FIRST_KICKOFF.year], dtype="str"),
            "region": pd.Series(regions[league], dtype="str"),
            "league": pd.Series(leagues[league], dtype="str"),
            "sex": (league % 10 == 9).astype(np.int8),  # noqa: PLR2004
            "home_team": pd.Series(clubs[home_club], dtype="str"),
            "away_team": pd.Series(clubs[away_club], dtype="str"),
            "home_goals": home_goals.astype(np.int16),
            "away_goals": away_goals.astype(np.int16),
        }
    )


def _round_robin() -> tuple[np.ndarray, np.ndarray]:
    """Home and away club of the 380 matches of a season, ten a round: the circle method, then the reverse."""
    ring = list(range(1, CLUBS_PER_LEAGUE))
    pairs = []
    for round_number in range(CLUBS_PER_LEAGUE - 1):
        circle = [0, *ring]
        for i in range(MATCHES_PER_ROUND):
            pair = (circle[i], circle[-1 - i])
            pairs.append(pair if (round_number + i) % 2 else pair[::-1])
        ring = ring[-1:] + ring[:-1]
    pairs += [(away, home) for home, away in pairs]
    home, away = np.array(pairs).T
    return home, away
