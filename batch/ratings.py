"""Elo ratings of clubs, as they stood before each kickoff.

Pure: match columns in, ratings out. The rating of a club moves after a match by

    K (1 + |goal difference|) (S - E),   E = 1 / (1 + 10^(-(home - away + advantage) / 400))

with S = 1, 1/2 or 0 for a home win, draw or away win. Around that:

- **Home advantage** is fitted as the matches go by, league by league: after each match it moves by
  `advantage_rate` (S - E), so that it settles where the home sides win as often as expected.
- **Between seasons** a club moves back towards the mean of its league, 10 % a year.
- **Promoted and new clubs** start `newcomer_offset` below the mean of the league they enter; a club that comes
  from another league of the data and stood below its mean there (relegated) starts as far above.
  In a league's first season in the data nobody is new, and all start at `initial`.

Source: Elo (1978), logistic form with scale 400; the goal-difference factor, the return to the mean and the start of
promoted clubs are measured choices (docs/model.md).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

SCALE: Final = 400.0
"""Elo points at which one side is expected to take ten times the other's share of the points."""

YEAR_MS: Final = 365.25 * 86_400_000

LEAGUE_MIN_MATCHES_PER_CLUB: Final = 10
"""A competition whose clubs played fewer matches in the season before is a cup: nobody is promoted into it."""


@dataclass(frozen=True, slots=True)
class EloSettings:
    """Constants of the rating; all in Elo points unless said otherwise.

    Attributes:
        initial: Rating of every club at the start of a league's first season in the data.
        k: Step per unit of surprise in a draw; a win by g goals steps (1 + g) times as far.
        home_advantage: What the fitted home advantage of a league starts from.
        advantage_rate: Step of the fitted home advantage per unit of surprise.
        regression_per_year: Share of the distance to the mean that a club loses in a year, in [0, 1).
        newcomer_offset: How far below the mean of its new league a promoted or unknown club starts.
    """

    initial: float = 1500.0
    k: float = 9.0
    home_advantage: float = 65.0
    advantage_rate: float = 0.5
    regression_per_year: float = 0.10
    newcomer_offset: float = 90.0


@dataclass(frozen=True)
class MatchColumns:
    """The columns the ratings read; one entry a match, in any order.

    Attributes:
        home, away: Club codes 0..n_clubs-1; a code is one (region, sex, name).
        league: League codes 0..n_leagues-1; a code is one (region, sex, league).
        season: Season codes; equal exactly where the season's label is equal.
        asked_at: When the ratings are asked for, ms since 1970 UTC: kickoff, or as_of for what is still to come.
        known_at: When the result is known, ms; results with known_at < asked_at count.
        goal_difference: Home minus away goals; ignored where not `played`.
        played: Whether the result may be used at all.
    """

    home: npt.NDArray[np.int64]
    away: npt.NDArray[np.int64]
    league: npt.NDArray[np.int64]
    season: npt.NDArray[np.int64]
    asked_at: npt.NDArray[np.int64]
    known_at: npt.NDArray[np.int64]
    goal_difference: npt.NDArray[np.int64]
    played: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MatchRatings:
    """Ratings before each match, same order as the input; Elo points.

    Attributes:
        home, away: The clubs' ratings.
        advantage: The league's fitted home advantage.
    """

    home: npt.NDArray[np.float64]
    away: npt.NDArray[np.float64]
    advantage: npt.NDArray[np.float64]


def expected_home_points(
    home_elo: npt.NDArray[np.float64], away_elo: npt.NDArray[np.float64], advantage: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Expected share of the points for the home team, in (0, 1); a draw counts as one half.

    Source: Elo (1978), logistic form with scale 400.
    """
    return np.asarray(1.0 / (1.0 + 10.0 ** (-(home_elo - away_elo + advantage) / SCALE)))


def rate(matches: MatchColumns, settings: EloSettings) -> MatchRatings:
    """Ratings before every match, from results known before it was asked for.

    Linear in matches: one pass in the order of time, about 3 microseconds a match.
    """
    n = len(matches.home)
    played = np.flatnonzero(matches.played)
    # Asking comes before telling at the same instant: a result known at t serves only what is asked after t.
    moments = np.concatenate([matches.asked_at, matches.known_at[played]])
    told = np.concatenate([np.zeros(n, dtype=np.int8), np.ones(len(played), dtype=np.int8)])
    which = np.concatenate([np.arange(n), played])
    order = np.lexsort((told, moments))

    home, away = matches.home.tolist(), matches.away.tolist()
    league, season = matches.league.tolist(), matches.season.tolist()
    known_at, difference = matches.known_at.tolist(), matches.goal_difference.tolist()
    asked_at = matches.asked_at.tolist()
    table = _Table(settings, 1 + max(max(home, default=-1), max(away, default=-1)), 1 + max(league, default=-1))
    home_elo, away_elo, advantage = [0.0] * n, [0.0] * n, [0.0] * n
    ratings, place, advantages = table.rating, table.place, table.advantage
    k, rate_of_advantage = settings.k, settings.advantage_rate
    for match, is_result in zip(which[order].tolist(), told[order].tolist(), strict=True):
        h, a, lg = home[match], away[match], league[match]
        here = (lg, season[match])
        if is_result:
            if place[h] != here:
                table.enter(h, here, known_at[match])
            if place[a] != here:
                table.enter(a, here, known_at[match])
            gd = difference[match]
            surprise = (1.0 if gd > 0 else 0.5 if gd == 0 else 0.0) - 1.0 / (
                1.0 + 10.0 ** ((ratings[a] - ratings[h] - advantages[lg]) / SCALE)
            )
            step = k * (1 + abs(gd)) * surprise
            ratings[h] += step
            ratings[a] -= step
            advantages[lg] += rate_of_advantage * surprise
            table.count(here, h, a)
        else:
            home_elo[match] = ratings[h] if place[h] == here else table.on_entering(h, here, asked_at[match])
            away_elo[match] = ratings[a] if place[a] == here else table.on_entering(a, here, asked_at[match])
            advantage[match] = advantages[lg]
    return MatchRatings(np.array(home_elo), np.array(away_elo), np.array(advantage))


class _Table:
    """What is known of clubs and leagues at one moment of the pass through time."""

    def __init__(self, settings: EloSettings, n_clubs: int, n_leagues: int) -> None:
        self.settings = settings
        self.rating = [settings.initial] * n_clubs
        self.advantage = [settings.home_advantage] * n_leagues
        self.place: list[tuple[int, int] | None] = [None] * n_clubs
        """(league, season) of the club's last match."""
        self._season_began = [0] * n_clubs
        self._home_league = [-1] * n_clubs
        """The league, not cup, that the club was last seen in."""
        self._clubs: list[dict[int, int]] = [{} for _ in range(n_leagues)]
        """By league: club to number of matches, in the season under way."""
        self._before: list[dict[int, int]] = [{} for _ in range(n_leagues)]
        """The same in the season before."""
        self._mean = [settings.initial] * n_leagues
        """By league: mean rating of its clubs at the end of the season before."""
        self._seasons: list[list[int]] = [[] for _ in range(n_leagues)]
        """By league: the seasons seen, the one under way last."""
        self._entered: list[dict[int, int]] = [{} for _ in range(n_clubs)]
        """By club: league to the season it last played there."""

    def on_entering(self, club: int, place: tuple[int, int], moment: int) -> float:
        """The club's rating as it would be on entering this league and season."""
        league, season = place
        settings = self.settings
        last = self.place[club]
        before, mean = self._season_before(league, season)
        is_league = bool(before) and sum(before.values()) >= LEAGUE_MIN_MATCHES_PER_CLUB * len(before)
        if last is None:
            return mean - settings.newcomer_offset if is_league else mean
        rating = self.rating[club]
        if last[1] != season:
            years = (moment - self._season_began[club]) / YEAR_MS
            centre = self._mean_of(self._home_league[club], last[1])
            rating = centre + (rating - centre) * (1.0 - settings.regression_per_year) ** years
        if not is_league or club in before or self._entered[club].get(league) == season:
            return rating
        came_from = self._home_league[club]
        relegated = came_from not in (-1, league) and self.rating[club] < self._mean_of(came_from, last[1])
        return mean + settings.newcomer_offset if relegated else mean - settings.newcomer_offset

    def enter(self, club: int, place: tuple[int, int], moment: int) -> None:
        """Move the club into this league and season, for good."""
        league, season = place
        self.rating[club] = self.on_entering(club, place, moment)
        last = self.place[club]
        if last is None or last[1] != season:
            self._season_began[club] = moment
        self._entered[club][league] = season
        before = self._season_before(league, season)[0]
        # a cup (few matches a club) becomes the club's home league only while nothing better is known
        is_league = bool(before) and sum(before.values()) >= LEAGUE_MIN_MATCHES_PER_CLUB * len(before)
        if not before or is_league or self._home_league[club] < 0:
            self._home_league[club] = league
        self.place[club] = place

    def count(self, place: tuple[int, int], home: int, away: int) -> None:
        """Note that both clubs played in this league and season."""
        league, season = place
        seen = self._seasons[league]
        # a match of an old season played late does not turn the league back
        if season not in seen:
            if seen:
                self._mean[league] = self._mean_now(league)
                self._before[league], self._clubs[league] = self._clubs[league], {}
            seen.append(season)
        clubs = self._clubs[league]
        clubs[home] = clubs.get(home, 0) + 1
        clubs[away] = clubs.get(away, 0) + 1

    def _season_before(self, league: int, season: int) -> tuple[dict[int, int], float]:
        """Clubs of the league's season before this one, and their mean rating when it ended."""
        seen = self._seasons[league]
        if not seen or season in seen:
            return self._before[league], self._mean[league]
        return self._clubs[league], self._mean_now(league)

    def _mean_of(self, league: int, season: int) -> float:
        """Mean rating of the league's clubs in that season: as it ended, or now if it is under way."""
        seen = self._seasons[league]
        return self._mean_now(league) if not seen or season == seen[-1] else self._mean[league]

    def _mean_now(self, league: int) -> float:
        clubs = self._clubs[league]
        return sum(self.rating[club] for club in clubs) / len(clubs) if clubs else self.settings.initial
