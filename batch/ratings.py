"""Ratings of clubs before each kickoff: Elo from results, and a second rating from past prices.

Pure: match columns in, ratings out. The Elo rating of a club moves after a match by

    K (1 + |goal difference|) (S - E),   E = 1 / (1 + 10^(-(home - away + advantage) / 400))

with S = 1, 1/2 or 0 for a home win, draw or away win. Around that:

- **Home advantage** is fitted match by match in each league: after each match it moves by
  `advantage_rate` (S - E), so that it settles where the home sides win as often as expected.
- **Between seasons** a club moves back towards the mean of its league, 10 % a year.
- **Promoted and new clubs** start `newcomer_offset` below the mean of the league they enter; a club that comes
  from another league of the data and stood below its mean there (relegated) starts as far above.
  In a league's first season in the data all clubs start at `initial`.

The market rating (`rate_by_prices`) treats clubs, seasons and leagues alike, but learns from the prices of past
matches. With q the margin-free closing probabilities of a match and E_q = q_home + q_draw / 2:

    at kickoff     m = 400 log10(E_q / (1 - E_q)),  i = m - advantage - (home - away)
                   home += 0.275 i,  away -= 0.275 i,  advantage += 0.02 i
    at the result  home += 4 (1 + |gd|) (S - E_q),  away -= the same

A match without a price moves it as it moves Elo, so missing prices cost nothing.

Source: Elo (1978), logistic form with scale 400; the goal-difference factor, the return to the mean, the start of
promoted clubs and the constants of the market rating are measured choices (docs/model.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

SCALE: Final = 400.0
"""Elo points at which one side is expected to take ten times the other's share of the points."""

YEAR_MS: Final = 365.25 * 86_400_000

MARKET_EXPECTED_MARGIN: Final = 0.001
"""Market shares closer to 0 or 1 than this are moved this far away, where the logit is finite."""

_NEVER: Final = np.iinfo(np.int64).max

LEAGUE_MIN_MATCHES_PER_CLUB: Final = 10
"""A competition whose clubs played fewer matches in the season before is a cup: nobody is promoted into it."""


@dataclass(frozen=True, slots=True)
class EloSettings:
    """Constants of the rating; all in Elo points unless said otherwise.

    Attributes:
        initial: Rating of every club at the start of a league's first season in the data.
        k: Step per unit of surprise in a draw; a win by g goals steps (1 + g) times as far.
        home_advantage: Start value of a league's fitted home advantage.
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


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """Constants of the market rating.

    Attributes:
        elo: How clubs start, change seasons and are rated without prices.
        price_step: Share of the gap between the market's view of a match and the ratings that a price closes, per side.
        result_step: Step per unit of surprise of a priced match, in Elo points; as `EloSettings.k`.
        advantage_rate: Share of that gap by which the league's home advantage moves.
        priced_limit: More priced matches than this count as this many.
        stale_limit: More matches since the last price than this count as this many, as does never having had one.
    """

    elo: EloSettings = field(default_factory=lambda: EloSettings(newcomer_offset=80.0))
    price_step: float = 0.275
    result_step: float = 4.0
    advantage_rate: float = 0.02
    priced_limit: int = 60
    stale_limit: int = 99


@dataclass(frozen=True)
class MatchColumns:
    """The columns the ratings read; one entry per match, in any order.

    Attributes:
        home, away: Club codes 0..n_clubs-1; a code is one (region, sex, name).
        league: League codes 0..n_leagues-1; a code is one (region, sex, league).
        season: Season codes; equal exactly where the season's label is equal.
        asked_at: The time the ratings are as of, ms since 1970 UTC: kickoff, or as_of for matches to come.
        begins_at: Kickoff, or the end of the day where only that is known, ms; from then on the closing price is known.
        known_at: When the result is known, ms, not before `begins_at`; results with known_at < asked_at count.
        goal_difference: Home minus away goals; ignored where not `played`.
        played: Whether the result may be used at all.
    """

    home: npt.NDArray[np.int64]
    away: npt.NDArray[np.int64]
    league: npt.NDArray[np.int64]
    season: npt.NDArray[np.int64]
    asked_at: npt.NDArray[np.int64]
    begins_at: npt.NDArray[np.int64]
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


@dataclass(frozen=True)
class MarketRatings(MatchRatings):
    """Market ratings before each match, and how many prices support them.

    Attributes:
        priced: The smaller of both clubs' numbers of priced matches, at most `priced_limit`.
        stale: The larger of both clubs' numbers of matches since their last priced one, at most `stale_limit`.
    """

    priced: npt.NDArray[np.int64]
    stale: npt.NDArray[np.int64]


def expected_home_points(
    home_elo: npt.NDArray[np.float64], away_elo: npt.NDArray[np.float64], advantage: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Expected share of the points for the home team, in (0, 1); a draw counts as one half.

    Source: Elo (1978), logistic form with scale 400.
    """
    return np.asarray(1.0 / (1.0 + 10.0 ** (-(home_elo - away_elo + advantage) / SCALE)))


def rate(matches: MatchColumns, settings: EloSettings) -> MatchRatings:
    """Elo before every match, from results known before `asked_at`.

    Linear in matches: one pass in chronological order, about 3 microseconds per match.
    """
    table = _table(matches, settings)
    home, away, place = matches.home.tolist(), matches.away.tolist(), _places(matches)
    known_at, difference = matches.known_at.tolist(), matches.goal_difference.tolist()
    asked_at = matches.asked_at.tolist()
    n = len(home)
    home_elo, away_elo, advantage = [0.0] * n, [0.0] * n, [0.0] * n
    ratings, places, advantages = table.rating, table.place, table.advantage
    k, advantage_rate = settings.k, settings.advantage_rate
    for match, event in _timeline((_ASKED, matches.asked_at), (_RESULT, _known_from(matches.known_at, matches.played))):
        h, a, league_season = home[match], away[match], place[match]
        league = league_season[0]
        if event == _RESULT:
            if places[h] is not league_season:
                table.enter(h, league_season, known_at[match])
            if places[a] is not league_season:
                table.enter(a, league_season, known_at[match])
            gd = difference[match]
            surprise = (1.0 if gd > 0 else 0.5 if gd == 0 else 0.0) - 1.0 / (
                1.0 + 10.0 ** ((ratings[a] - ratings[h] - advantages[league]) / SCALE)
            )
            step = k * (1 + abs(gd)) * surprise
            ratings[h] += step
            ratings[a] -= step
            advantages[league] += advantage_rate * surprise
            table.count(league_season, h, a)
        else:
            home_elo[match] = (
                ratings[h] if places[h] is league_season else table.on_entering(h, league_season, asked_at[match])
            )
            away_elo[match] = (
                ratings[a] if places[a] is league_season else table.on_entering(a, league_season, asked_at[match])
            )
            advantage[match] = advantages[league]
    return MatchRatings(np.array(home_elo), np.array(away_elo), np.array(advantage))


def rate_by_prices(  # noqa: PLR0915  one loop over a million matches, where calls would cost
    matches: MatchColumns, market_expected_home: npt.NDArray[np.float64], settings: MarketSettings
) -> MarketRatings:
    """Market ratings before every match, from results and closing prices known before `asked_at`.

    Args:
        matches: The matches.
        market_expected_home: E_q of each match, the home team's expected share of the points by the margin-free
            closing price; NaN where there is no price. It counts from `begins_at` on.
        settings: Constants.
    """
    elo = settings.elo
    priced = np.isfinite(market_expected_home)
    share = np.clip(np.where(priced, market_expected_home, 0.5), MARKET_EXPECTED_MARGIN, 1 - MARKET_EXPECTED_MARGIN)
    gap_of_price = (SCALE * np.log10(share / (1 - share))).tolist()
    expected, has_price = share.tolist(), priced.tolist()
    table = _table(matches, elo)
    home, away, place = matches.home.tolist(), matches.away.tolist(), _places(matches)
    known_at, difference = matches.known_at.tolist(), matches.goal_difference.tolist()
    begins_at, asked_at = matches.begins_at.tolist(), matches.asked_at.tolist()
    n = len(home)
    home_rating, away_rating, advantage = [0.0] * n, [0.0] * n, [0.0] * n
    priced_matches, stale_matches = [0] * n, [0] * n
    ratings, places, advantages = table.rating, table.place, table.advantage
    n_priced, stale = [0] * len(ratings), [settings.stale_limit] * len(ratings)
    price_step, result_step, price_advantage_rate = settings.price_step, settings.result_step, settings.advantage_rate
    k, advantage_rate = elo.k, elo.advantage_rate
    for match, event in _timeline(
        (_ASKED, matches.asked_at),
        (_PRICE, _known_from(matches.begins_at, priced)),
        (_RESULT, _known_from(matches.known_at, matches.played)),
    ):
        h, a, league_season = home[match], away[match], place[match]
        league = league_season[0]
        if event == _ASKED:
            home_rating[match] = (
                ratings[h] if places[h] is league_season else table.on_entering(h, league_season, asked_at[match])
            )
            away_rating[match] = (
                ratings[a] if places[a] is league_season else table.on_entering(a, league_season, asked_at[match])
            )
            advantage[match] = advantages[league]
            priced_matches[match] = min(n_priced[h], n_priced[a])
            stale_matches[match] = max(stale[h], stale[a])
        elif event == _PRICE:
            if places[h] is not league_season:
                table.enter(h, league_season, begins_at[match])
            if places[a] is not league_season:
                table.enter(a, league_season, begins_at[match])
            gap = gap_of_price[match] - advantages[league] - ratings[h] + ratings[a]
            ratings[h] += price_step * gap
            ratings[a] -= price_step * gap
            advantages[league] += price_advantage_rate * gap
            n_priced[h] += 1
            n_priced[a] += 1
            stale[h] = stale[a] = 0
        else:
            if places[h] is not league_season:
                table.enter(h, league_season, known_at[match])
            if places[a] is not league_season:
                table.enter(a, league_season, known_at[match])
            gd = difference[match]
            points = 1.0 if gd > 0 else 0.5 if gd == 0 else 0.0
            if has_price[match]:
                step = result_step * (1 + abs(gd)) * (points - expected[match])
            else:
                surprise = points - 1.0 / (1.0 + 10.0 ** ((ratings[a] - ratings[h] - advantages[league]) / SCALE))
                step = k * (1 + abs(gd)) * surprise
                advantages[league] += advantage_rate * surprise
                stale[h] += 1
                stale[a] += 1
            ratings[h] += step
            ratings[a] -= step
            table.count(league_season, h, a)
    return MarketRatings(
        np.array(home_rating),
        np.array(away_rating),
        np.array(advantage),
        priced=np.minimum(np.array(priced_matches, dtype=np.int64), settings.priced_limit),
        stale=np.minimum(np.array(stale_matches, dtype=np.int64), settings.stale_limit),
    )


_ASKED, _PRICE, _RESULT = 0, 1, 2
"""Events at one instant come in this order: what becomes known at t is used only after t."""


def _known_from(moment: npt.NDArray[np.int64], where: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The times, and _NEVER where nothing will be known."""
    return np.where(where, moment, _NEVER)


def _timeline(*events: tuple[int, npt.NDArray[np.int64]]) -> Iterator[tuple[int, int]]:
    """(match, kind of event) in chronological order, ties by kind and then by match."""
    happens = [np.flatnonzero(moment != _NEVER) for _, moment in events]
    moments = np.concatenate([moment[where] for (_, moment), where in zip(events, happens, strict=True)])
    kinds = np.repeat(np.array([kind for kind, _ in events], dtype=np.int8), [len(where) for where in happens])
    matches = np.concatenate(happens)
    order = np.lexsort((kinds, moments))
    return zip(matches[order].tolist(), kinds[order].tolist(), strict=True)


def _table(matches: MatchColumns, settings: EloSettings) -> "_Table":
    n_clubs = 1 + int(max(matches.home.max(initial=-1), matches.away.max(initial=-1)))
    return _Table(settings, n_clubs, 1 + int(matches.league.max(initial=-1)))


def _places(matches: MatchColumns) -> list[tuple[int, int]]:
    """(league, season) of each match; equal pairs are one object."""
    n_seasons = 1 + int(matches.season.max(initial=-1))
    codes, code_of_match = np.unique(matches.league * n_seasons + matches.season, return_inverse=True)
    places = [divmod(code, n_seasons) for code in codes.tolist()]
    return [places[number] for number in code_of_match.tolist()]


class _Table:
    """The state of clubs and leagues during the pass through time."""

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
        before = self._clubs_before(league, season)
        is_league = bool(before) and sum(before.values()) >= LEAGUE_MIN_MATCHES_PER_CLUB * len(before)
        if last is None:
            mean = self._mean_before(league, season)
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
        mean = self._mean_before(league, season)
        return mean + settings.newcomer_offset if relegated else mean - settings.newcomer_offset

    def enter(self, club: int, place: tuple[int, int], moment: int) -> None:
        """Move the club into this league and season."""
        league, season = place
        self.rating[club] = self.on_entering(club, place, moment)
        last = self.place[club]
        if last is None or last[1] != season:
            self._season_began[club] = moment
        self._entered[club][league] = season
        before = self._clubs_before(league, season)
        # a cup (few matches per club) becomes the club's league only while no other is known
        is_league = bool(before) and sum(before.values()) >= LEAGUE_MIN_MATCHES_PER_CLUB * len(before)
        if not before or is_league or self._home_league[club] < 0:
            self._home_league[club] = league
        self.place[club] = place

    def count(self, place: tuple[int, int], home: int, away: int) -> None:
        """Count a match of both clubs in this league and season."""
        league, season = place
        seasons = self._seasons[league]
        # a match of an old season played late does not turn the league back
        if season not in seasons:
            if seasons:
                self._mean[league] = self._mean_now(league)
                self._before[league], self._clubs[league] = self._clubs[league], {}
            seasons.append(season)
        clubs = self._clubs[league]
        clubs[home] = clubs.get(home, 0) + 1
        clubs[away] = clubs.get(away, 0) + 1

    def _clubs_before(self, league: int, season: int) -> dict[int, int]:
        """Clubs of the league's season before this one, and how often they played in it."""
        seasons = self._seasons[league]
        return self._before[league] if not seasons or season in seasons else self._clubs[league]

    def _mean_before(self, league: int, season: int) -> float:
        """Mean rating of the clubs of the league's season before this one, when it ended."""
        seasons = self._seasons[league]
        return self._mean[league] if not seasons or season in seasons else self._mean_now(league)

    def _mean_of(self, league: int, season: int) -> float:
        """Mean rating of the league's clubs in that season: as it ended, or now if it is under way."""
        seasons = self._seasons[league]
        return self._mean_now(league) if not seasons or season == seasons[-1] else self._mean[league]

    def _mean_now(self, league: int) -> float:
        clubs = self._clubs[league]
        return sum(self.rating[club] for club in clubs) / len(clubs) if clubs else self.settings.initial
