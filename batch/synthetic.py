"""Synthetic leagues of any size, for benchmarks and tests: round robins of clubs with lasting strengths.

Goals are Poisson with rates from the strengths and a home advantage, so that ratings and models can
learn something. The true probabilities are known, and a market that nearly knows them gives prices. Seeded: the same
world gives the same matches.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
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

MARGIN: Final = 0.05
"""The synthetic bookmaker's."""

MOST_GOALS: Final = 25
"""More goals by one side are too rare to matter."""


@dataclass(frozen=True, slots=True)
class World:
    """Parameters of the matches.

    Attributes:
        n: Number of matches.
        seed: Seed of all random numbers.
        seasons: Seasons of a league before another league begins.
        drift: Share of a club's strength that is new each season, in [0, 1]; 0 for lasting strengths.
    """

    n: int
    seed: int = 0
    seasons: int = SEASONS
    drift: float = 0.0

    def leagues(self) -> npt.NDArray[np.int64]:
        """The league of each match."""
        return np.arange(self.n) // (self.seasons * MATCHES_PER_SEASON)

    def differences(self, generator: np.random.Generator) -> npt.NDArray[np.float64]:
        """Home minus away strength of each match."""
        number, league = np.arange(self.n), self.leagues()
        season = number // MATCHES_PER_SEASON % self.seasons
        n_leagues = int(league.max(initial=-1)) + 1
        strength = np.empty((n_leagues, self.seasons, CLUBS_PER_LEAGUE))
        strength[:, 0] = generator.normal(0.0, STRENGTH_SPREAD, (n_leagues, CLUBS_PER_LEAGUE))
        innovation = np.random.default_rng([self.seed, 1]).normal(0.0, STRENGTH_SPREAD, strength.shape)
        for year in range(1, self.seasons):
            strength[:, year] = math.sqrt(1 - self.drift**2) * strength[:, year - 1] + self.drift * innovation[:, year]
        home_club, away_club = (side[number % MATCHES_PER_SEASON] for side in _round_robin())
        return np.asarray(strength[league, season, home_club] - strength[league, season, away_club])


def probabilities(world: World) -> npt.NDArray[np.float64]:
    """The true probabilities of home win, draw and away win, shape (n, 3)."""
    distinct, row_of_match = np.unique(world.differences(np.random.default_rng(world.seed)), return_inverse=True)
    goals = np.arange(MOST_GOALS)
    factorials = np.array([math.factorial(k) for k in goals], dtype=np.float64)
    rows = np.empty((len(distinct), 3))
    for start in range(0, len(distinct), 10_000):
        part = distinct[start : start + 10_000, None]
        home, away = HOME_GOALS * np.exp(part), AWAY_GOALS * np.exp(-part)
        scored = [rate**goals * np.exp(-rate) / factorials for rate in (home, away)]
        joint = scored[0][:, :, None] * scored[1][:, None, :]
        draw = np.trace(joint, axis1=1, axis2=2)
        win = np.tril(joint, -1).sum(axis=(1, 2))
        rows[start : start + len(part)] = np.column_stack([win, draw, 1 - win - draw])
    return rows[row_of_match]


def prices(world: World, noise: float = 0.0, margin: float = MARGIN) -> pd.DataFrame:
    """Prices by match_id of a market that knows the true probabilities up to `noise`.

    Args:
        world: The matches.
        noise: Standard deviation of the error in the logarithm of each price.
        margin: The bookmaker's margin.
    """
    generator = np.random.default_rng([world.seed, 2])
    fair = probabilities(world) * np.exp(noise * generator.normal(size=(world.n, 3)))
    odds = 1 / (fair / fair.sum(axis=1, keepdims=True) * (1 + margin))
    frame = pd.DataFrame(odds, columns=["odds_home", "odds_draw", "odds_away"])
    frame.insert(0, "match_id", np.arange(1, world.n + 1))
    return frame


def matches(n: int, seed: int = 0) -> pd.DataFrame:
    """`n` finished matches in the raw-matches schema, league by league and season by season.

    Leagues have 20 clubs and 380 matches a season over 20 seasons, so that 1,000,000 matches make 132 leagues. Every
    tenth league is a women's league.
    """
    return matches_of(World(n, seed))


def matches_of(world: World) -> pd.DataFrame:
    """The matches of a world, in the raw-matches schema."""
    generator = np.random.default_rng(world.seed)
    number, league = np.arange(world.n), world.leagues()
    season = number // MATCHES_PER_SEASON % world.seasons
    within = number % MATCHES_PER_SEASON
    n_leagues = int(league.max(initial=-1)) + 1
    home_club, away_club = (side[within] for side in _round_robin())
    difference = world.differences(generator)
    home_goals = generator.poisson(HOME_GOALS * np.exp(difference))
    away_goals = generator.poisson(AWAY_GOALS * np.exp(-difference))
    days = season * 365 + within // MATCHES_PER_ROUND * 7
    kickoff = FIRST_KICKOFF + pd.to_timedelta(days * 24 + within % 3 * 2, unit="h")
    year = FIRST_KICKOFF.year + season
    leagues = np.array([f"League {i:03d}" for i in range(n_leagues)], dtype=object)
    regions = np.array([f"Region {i:03d}" for i in range(n_leagues)], dtype=object)
    years = range(FIRST_KICKOFF.year, FIRST_KICKOFF.year + world.seasons)
    labels = np.array([f"{y}/{(y + 1) % 100:02d}" for y in years])
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


def side_by_side(n_leagues: int, each: int, seed: int = 0) -> pd.DataFrame:
    """Leagues that share no club and are played at the same time, in the raw-matches schema.

    Match ids are given in turn, so that in order of id, as in order of kickoff, one league follows another.

    Args:
        n_leagues: Number of leagues; every tenth is a women's league.
        each: Matches of each.
        seed: Of everything random.
    """
    leagues = []
    for number in range(n_leagues):
        league = matches_of(World(each, seed + number, seasons=-(-each // MATCHES_PER_SEASON)))
        name = pd.Series([f"{number:03d}"] * each, dtype="str")
        leagues.append(
            league.assign(
                match_id=(league["match_id"] - 1) * n_leagues + number + 1,
                region="Region " + name,
                league="League " + name,
                sex=np.int8(number % 10 == 9),  # noqa: PLR2004
            )
        )
    return pd.concat(leagues, ignore_index=True)


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
