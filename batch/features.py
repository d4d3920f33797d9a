"""Feature rows of matches, from what was known before each kickoff: the one feature module of training and serving.

Pure: no clock, no file, no network. A result or a price is used only if it was known before the time the
feature is as of, which is the match's kickoff, or `as_of` for a match still to come (`batch.history` says when things
are known). Matches that kick off at the same instant never see one another, and a match's own price is never among its
features.

A feature is one entry of the registry (`feature_schema`): its name, type, unit, meaning, and how it is computed from
`FeatureInputs`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.history import (
    DAY_MS,
    UNKNOWN_KICKOFF_MS,
    Appearances,
    Floats,
    Ints,
    MatchArrays,
    Segments,
    last_mean,
    latest,
    weighted_mean,
)
from batch.odds.past_prices import expected_home_share
from batch.ratings import (
    EloSettings,
    MarketRatings,
    MarketSettings,
    MatchColumns,
    MatchRatings,
    expected_home_points,
    rate,
    rate_by_prices,
)

Values: TypeAlias = npt.NDArray[np.float64 | np.int64]
Side: TypeAlias = Literal["home", "away"]

EPOCH: Final = pd.Timestamp(0, tz="UTC")

DOUBLE: Final = "double"
LONG: Final = "long"

SIDES: Final[tuple[Side, Side]] = ("home", "away")

FORM_MATCHES: Final = 5
"""Number of results in a form such as "WDLWW"."""


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """Windows and constants of the features.

    Attributes:
        win_windows: Numbers of last matches over which shares of wins are averaged.
        goals_windows: The same for goals.
        points_windows: The same for points.
        half_life: Matches after which a result weighs half in the exponentially weighted form.
        venue_half_life: The same for form at home (of the home team) and away (of the away team).
        rest_days_limit: Longer rests count as this many days: a summer says no more than a fortnight.
        matches_limit: More matches than this count as this many.
        elo: Constants of the ratings by results.
        market: Constants of the ratings by prices.
        extra_columns: Numeric columns of the matches that become features: pairs such as `xg_home`, `xg_away`, known
            when the result is.
    """

    win_windows: tuple[int, ...] = (5, 10)
    goals_windows: tuple[int, ...] = (3, 10)
    points_windows: tuple[int, ...] = (5,)
    half_life: float = 25.0
    venue_half_life: float = 12.0
    rest_days_limit: float = 14.0
    matches_limit: int = 60
    elo: EloSettings = field(default_factory=EloSettings)
    market: MarketSettings = field(default_factory=MarketSettings)
    extra_columns: tuple[str, ...] = ()


class FeatureInputs:
    """What features are computed from: the matches, every club's known history and the ratings, each computed once.

    Args:
        matches: Accepted matches, sorted by match_id.
        as_of: The time up to which data is known, ms since 1970 UTC.
        prices: Closing (else last known) prices by match_id, see `batch.odds.past_prices`; None without any.
        settings: Windows and constants.
    """

    def __init__(
        self, matches: pd.DataFrame, as_of: int, prices: pd.DataFrame | None, settings: FeatureSettings
    ) -> None:
        self.matches = matches
        self.settings = settings
        self.arrays = MatchArrays.of(matches, as_of)
        self.appearances = Appearances.of(self.arrays)
        self._prices = prices
        self._before: dict[Side, tuple[Ints, Ints]] = {}
        self._totals: dict[str, Ints] = {}

    def club(self, side: Side) -> Ints:
        """Club codes of one side."""
        return self.arrays.home if side == "home" else self.arrays.away

    def appeared(self, side: Side) -> tuple[Ints, Ints]:
        """The side's earlier appearances: positions [first, end) in the order of `by_club`."""
        if side not in self._before:
            self._before[side] = self.appearances.by_club.before(self.club(side), self.arrays.asked_at)
        return self._before[side]

    def by_club(self, per_appearance: npt.NDArray[np.int64] | Floats) -> npt.NDArray[np.int64] | Floats:
        """Values of appearances in the order of `appeared`."""
        return per_appearance[self.appearances.by_club.order]

    @cached_property
    def elo(self) -> MatchRatings:
        """Ratings by results."""
        return rate(self._rating_columns, self.settings.elo)

    @cached_property
    def market(self) -> MarketRatings:
        """Ratings by past prices."""
        share = expected_home_share(self._prices, self.matches["match_id"])
        return rate_by_prices(self._rating_columns, share, self.settings.market)

    @cached_property
    def points_ew(self) -> Floats:
        """Weighted points up to each appearance, in the order of `by_club`."""
        return self.weighted(_POINTS[self.appearances.result])

    @cached_property
    def goals_for_ew(self) -> Floats:
        """The same for goals scored."""
        return self.weighted(self.appearances.goals_for)

    @cached_property
    def goals_against_ew(self) -> Floats:
        """The same for goals conceded."""
        return self.weighted(self.appearances.goals_against)

    def weighted(self, per_appearance: npt.NDArray[np.int64] | Floats) -> Floats:
        """Exponentially weighted mean of a club's values up to each appearance, in the order of `by_club`."""
        return weighted_mean(
            self.by_club(per_appearance), self.by_club(self.appearances.club).astype(np.int64), self.settings.half_life
        )

    def latest(self, side: Side, values: Floats) -> Floats:
        """One side's value at its last appearance; NaN before its first."""
        return latest(values, *self.appeared(side))

    def difference(self, values: Floats) -> Floats:
        """The latest value of the home side minus the away side's; 0 while either has none."""
        return _difference(self.latest("home", values), self.latest("away", values))

    def window(self, name: str, k: int) -> Floats:
        """Mean over the last k appearances, home minus away, of wins, points, goals_for or goals_against."""
        if name not in self._totals:
            counted = self.by_club(self._counted(name))
            self._totals[name] = np.concatenate([[0], np.cumsum(counted, dtype=np.int64)])
        means = [last_mean(self._totals[name], *self.appeared(side), k) for side in SIDES]
        return _difference(means[0], means[1])

    def _counted(self, name: str) -> Ints:
        """Wins, points, goals_for or goals_against of each appearance."""
        appearances = self.appearances
        if name in {"win", "points"}:
            return np.asarray((_WINS if name == "win" else _POINTS)[appearances.result])
        return appearances.goals_for if name == "goals_for" else appearances.goals_against

    @cached_property
    def venue_goal_difference_ew(self) -> dict[Side, Floats]:
        """Weighted goal difference of the home side at home and of the away side away."""
        appearances = self.appearances
        venue_club = appearances.club * 2 + appearances.at_home
        by_venue = Segments.of(venue_club, appearances.known_at)
        margin = (appearances.goals_for - appearances.goals_against)[by_venue.order]
        weighted = weighted_mean(margin, venue_club[by_venue.order], self.settings.venue_half_life)
        return {
            side: latest(weighted, *by_venue.before(self.club(side) * 2 + (side == "home"), self.arrays.asked_at))
            for side in SIDES
        }

    @cached_property
    def rest_days(self) -> dict[Side, Floats]:
        """Days since each side's last match before this one, played or still to be; NaN where there is none.

        A match between `asked_at` and kickoff counts too, although its result is unknown: a team that plays on
        Wednesday has rested three days on Saturday. One that should be over and has no result was not played.
        """
        arrays, n = self.arrays, len(self.arrays.home)
        match_of_side = np.tile(np.arange(n), 2)
        schedule = Segments.of(np.concatenate([arrays.home, arrays.away]), arrays.kickoff[match_of_side])
        last_played = self.by_club(self.appearances.kickoff).astype(np.float64)
        rest_days: dict[Side, Floats] = {}
        for side in SIDES:
            since = latest(last_played, *self.appeared(side))
            first, end = schedule.before(self.club(side), arrays.kickoff)
            before = match_of_side[schedule.order[np.maximum(end - 1, 0)]] if n else np.zeros(0, dtype=np.int64)
            pending = (end > first) & (arrays.known_at[before] >= arrays.asked_at)
            days = (arrays.kickoff - np.where(pending, arrays.kickoff[before], since)) / DAY_MS
            days[arrays.kickoff == UNKNOWN_KICKOFF_MS] = np.nan
            rest_days[side] = np.minimum(days, self.settings.rest_days_limit)
        return rest_days

    def matches_played(self, side: Side) -> Ints:
        """Earlier appearances of the side, at most `matches_limit`."""
        first, end = self.appeared(side)
        return np.asarray(np.minimum(end - first, self.settings.matches_limit))

    @cached_property
    def season_matches(self) -> dict[Side, Ints]:
        """Earlier appearances of each side in the match's league and season."""
        appearances = self.appearances
        n_seasons = int(appearances.season.max(initial=-1)) + 1
        in_season = Segments.of(appearances.club * n_seasons + appearances.season, appearances.known_at)
        season = self.arrays.league_season
        # a season without results has no segment; its key must not match another club's
        known = season < n_seasons
        counts: dict[Side, Ints] = {}
        for side in SIDES:
            segment = self.club(side) * n_seasons + np.where(known, season, 0)
            first, end = in_season.before(segment, self.arrays.asked_at)
            counts[side] = np.where(known, end - first, 0)
        return counts

    def extra_ew(self, stem: str, *, conceded: bool) -> Floats:
        """Weighted mean of a column pair's own (or the opponent's) value up to each appearance."""
        match = self.appearances.match
        own_home = self.appearances.at_home ^ conceded
        pair = [self.matches[f"{stem}_{side}"].to_numpy(np.float64, na_value=np.nan) for side in SIDES]
        return self.weighted(np.where(own_home, pair[0][match], pair[1][match]))

    @cached_property
    def _rating_columns(self) -> MatchColumns:
        arrays = self.arrays
        return MatchColumns(
            home=arrays.home,
            away=arrays.away,
            league=arrays.league,
            season=arrays.season,
            asked_at=arrays.asked_at,
            begins_at=arrays.begins_at,
            known_at=arrays.known_at,
            goal_difference=arrays.home_goals - arrays.away_goals,
            played=arrays.played,
        )


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of the registry.

    Attributes:
        name: Column name.
        type: "double" or "long", as in an MLflow column schema.
        required: False where the value may be missing (null, NaN).
        unit: Its unit.
        doc: Its meaning.
        compute: Computes its values, one per match, from the inputs.
        source: What it is computed from: "results", "prices" (of past matches), or "extra" columns of the matches.
    """

    name: str
    type: Literal["double", "long"]
    required: bool
    unit: str
    doc: str
    compute: Callable[[FeatureInputs], Values] = field(compare=False, repr=False)
    source: Literal["results", "prices", "extra"] = "results"


@dataclass(frozen=True)
class FeatureTable:
    """Features and display columns of the same matches, row by row, sorted by match_id.

    Attributes:
        features: `match_id` and the features in the order of the signature; shape (n_matches, 1 + n_features).
        display: match_id, home_team, away_team, match_date (datetime64[ms, UTC], NaT = not fixed), season, region,
            league, sex, home_goals, away_goals (Int16; missing unless known at as_of), is_future, home_elo, away_elo,
            home_form, away_form (last results, oldest first, "" if none).
        schema: The features' descriptions, in order.
    """

    features: pd.DataFrame
    display: pd.DataFrame
    schema: tuple[Feature, ...]


def feature_schema(settings: FeatureSettings) -> tuple[Feature, ...]:
    """The registry: the features in the order of the signature."""
    return (
        *_elo_features(),
        *_window_features(settings),
        *_weighted_features(settings),
        *_schedule_features(settings),
        Feature("sex", LONG, True, "code", "0 men, 1 women", lambda inputs: inputs.matches["sex"].to_numpy(np.int64)),
        *_market_features(settings.market),
        *_extra_features(settings),
    )


def _elo_features() -> Iterable[Feature]:
    points = "Elo points"
    doc = "Elo rating of the {} team before the match"
    yield Feature("home_elo_pre", DOUBLE, True, points, doc.format("home"), lambda inputs: inputs.elo.home)
    yield Feature("away_elo_pre", DOUBLE, True, points, doc.format("away"), lambda inputs: inputs.elo.away)
    doc = "home_elo_pre minus away_elo_pre"
    yield Feature("diff_elo", DOUBLE, True, points, doc, lambda inputs: inputs.elo.home - inputs.elo.away)
    doc = "Home team's expected share of the points by Elo, with the league's fitted home advantage; 0 to 1"
    yield Feature("elo_expected_home", DOUBLE, True, "share of points", doc, lambda inputs: _expected_home(inputs.elo))


def _window_features(settings: FeatureSettings) -> Iterable[Feature]:
    for k in settings.win_windows:
        yield _window("win", k, f"Share of wins in the last {k} matches", "share of matches")
    for k in settings.points_windows:
        yield _window("points", k, f"Points (3, 1, 0) per match in the last {k}", "points per match")
    for k in settings.goals_windows:
        yield _window("goals_for", k, f"Goals scored per match in the last {k}", "goals per match")
        yield _window("goals_against", k, f"Goals conceded per match in the last {k}", "goals per match")


def _window(name: str, k: int, doc: str, unit: str) -> Feature:
    return Feature(
        f"diff_{name}_{k}_mean", DOUBLE, True, unit, f"{doc}, {_DIFFERENCE}", lambda inputs: inputs.window(name, k)
    )


def _weighted_features(settings: FeatureSettings) -> Iterable[Feature]:
    weighted = _weighted_doc(settings)
    doc = f"Points per match, {weighted}; {_DIFFERENCE}"
    yield Feature(
        "diff_points_ew", DOUBLE, True, "points per match", doc, lambda inputs: inputs.difference(inputs.points_ew)
    )
    doc = f"Goal difference per match, {weighted}; {_DIFFERENCE}"
    yield Feature(
        "diff_goal_difference_ew",
        DOUBLE,
        True,
        "goals per match",
        doc,
        lambda inputs: inputs.difference(inputs.goals_for_ew - inputs.goals_against_ew),
    )
    for side in SIDES:
        yield _goals_for(side, weighted)
        yield _goals_against(side, weighted)
    venue = f"weights halving every {settings.venue_half_life:g} such matches; missing before the first"
    for side in SIDES:
        yield _venue(side, venue)


def _goals_for(side: Side, weighted: str) -> Feature:
    doc = f"Goals scored per match by the {side} team, {weighted}; missing before its first match"
    name = f"{side}_goals_for_ew"
    return Feature(name, DOUBLE, False, "goals per match", doc, lambda inputs: inputs.latest(side, inputs.goals_for_ew))


def _goals_against(side: Side, weighted: str) -> Feature:
    doc = f"Goals conceded per match by the {side} team, {weighted}; missing before its first match"
    name = f"{side}_goals_against_ew"
    return Feature(
        name, DOUBLE, False, "goals per match", doc, lambda inputs: inputs.latest(side, inputs.goals_against_ew)
    )


def _venue(side: Side, venue: str) -> Feature:
    where = "at home" if side == "home" else "away from home"
    doc = f"Goal difference per match of the {side} team {where}, {venue}"
    name = f"{side}_venue_goal_difference_ew"
    return Feature(name, DOUBLE, False, "goals per match", doc, lambda inputs: inputs.venue_goal_difference_ew[side])


def _schedule_features(settings: FeatureSettings) -> Iterable[Feature]:
    rest_doc = (
        f"Days since the {{}} team's last match, at most {settings.rest_days_limit:g}; "
        "missing before its first match or without a kickoff"
    )
    played = f"Earlier matches of the {{}} team in the data, at most {settings.matches_limit}"
    season = "Matches the {} team has played in this league and season"
    for side in SIDES:
        yield _per_side(f"{side}_rest_days", "days", rest_doc.format(side), _rest_days(side), required=False)
    for side in SIDES:
        yield _per_side(f"{side}_matches_played", "matches", played.format(side), _matches_played(side), type_=LONG)
    for side in SIDES:
        yield _per_side(f"{side}_season_matches", "matches", season.format(side), _season_matches(side), type_=LONG)


def _market_features(settings: MarketSettings) -> Iterable[Feature]:
    doc = "Home team's expected share of the points by the market rating, from the prices of past matches; 0 to 1"
    yield Feature(
        "market_expected_home",
        DOUBLE,
        True,
        "share of points",
        doc,
        lambda inputs: _expected_home(inputs.market),
        "prices",
    )
    doc = f"Earlier matches with a known price, of the side that has fewer, at most {settings.priced_limit}"
    yield Feature("market_priced_matches", LONG, True, "matches", doc, lambda inputs: inputs.market.priced, "prices")
    doc = (
        f"Matches since the last one with a known price, of the side for which it is longer ago, at most "
        f"{settings.stale_limit}, also where there was none"
    )
    yield Feature("market_stale_matches", LONG, True, "matches", doc, lambda inputs: inputs.market.stale, "prices")


def _extra_features(settings: FeatureSettings) -> Iterable[Feature]:
    weighted = _weighted_doc(settings)
    for stem in extra_pairs(settings.extra_columns):
        for side in SIDES:
            yield _extra(stem, side, weighted, conceded=False)
            yield _extra(stem, side, weighted, conceded=True)


def _extra(stem: str, side: Side, weighted: str, *, conceded: bool) -> Feature:
    direction = "against" if conceded else "for"
    doc = f"{stem} {direction} the {side} team per match, {weighted}; missing before the first known value"
    return Feature(
        f"{side}_{stem}_{direction}_ew",
        DOUBLE,
        False,
        f"{stem} per match",
        doc,
        lambda inputs: inputs.latest(side, inputs.extra_ew(stem, conceded=conceded)),
        "extra",
    )


def extra_pairs(columns: Iterable[str]) -> tuple[str, ...]:
    """The stems of column pairs: `xg` of `xg_home` and `xg_away`.

    Raises:
        ValueError: a column has no partner.
    """
    names = sorted(set(columns))
    stems = sorted({name.removesuffix("_home").removesuffix("_away") for name in names})
    if names != sorted(f"{stem}_{side}" for stem in stems for side in SIDES):
        raise ValueError(f"extra columns come in pairs NAME_home and NAME_away; given {', '.join(names)}")
    return tuple(stems)


DEFAULT_SETTINGS: Final = FeatureSettings()

_DIFFERENCE: Final = "home minus away"

_POINTS: Final = np.array([0, 1, 3])
"""Points of a loss, a draw, a win."""

_WINS: Final = np.array([0, 0, 1])
"""Wins in a loss, a draw, a win."""


def build_features(
    matches: pd.DataFrame,
    as_of: datetime | pd.Timestamp,
    settings: FeatureSettings = DEFAULT_SETTINGS,
    prices: pd.DataFrame | None = None,
) -> FeatureTable:
    """Features of every match, as they were known at its kickoff or, for matches still to come, at `as_of`.

    Args:
        matches: Accepted matches (`batch.matches.schema.MATCH_COLUMNS`), one row per match_id, in any order; with
            the settings' `extra_columns`.
        as_of: The time up to which data is known, with its time zone. Results of matches that kicked off at
            least two hours before it are known, and prices of matches that have begun; later ones are ignored.
        settings: Windows and constants.
        prices: Prices of past matches (`batch.odds.past_prices.PAST_PRICES_SCHEMA`), one row per match_id, in any
            order.

    Raises:
        ValueError: as_of has no time zone, or an extra column no partner.
    """
    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        raise ValueError(f"as_of needs a time zone: {as_of}")
    matches = matches.sort_values("match_id", ignore_index=True)
    inputs = FeatureInputs(matches, int((moment - EPOCH) // pd.Timedelta(milliseconds=1)), prices, settings)
    schema = feature_schema(settings)
    values: dict[str, Values] = {"match_id": matches["match_id"].to_numpy(np.int64)}
    features = pd.DataFrame(values | {feature.name: feature.compute(inputs) for feature in schema})
    return FeatureTable(features, _display(matches, inputs, features), schema)


def _weighted_doc(settings: FeatureSettings) -> str:
    return f"all earlier matches, weights halving every {settings.half_life:g} matches"


def _per_side(
    name: str,
    unit: str,
    doc: str,
    compute: Callable[[FeatureInputs], Values],
    *,
    type_: Literal["double", "long"] = DOUBLE,
    required: bool = True,
) -> Feature:
    return Feature(name, type_, required, unit, doc, compute)


def _rest_days(side: Side) -> Callable[[FeatureInputs], Values]:
    return lambda inputs: inputs.rest_days[side]


def _matches_played(side: Side) -> Callable[[FeatureInputs], Values]:
    return lambda inputs: inputs.matches_played(side)


def _season_matches(side: Side) -> Callable[[FeatureInputs], Values]:
    return lambda inputs: inputs.season_matches[side]


def _expected_home(ratings: MatchRatings) -> Floats:
    return expected_home_points(ratings.home, ratings.away, ratings.advantage)


def _difference(home: Floats, away: Floats) -> Floats:
    """Home minus away; 0 while either side has no match, as nothing favours either."""
    return np.nan_to_num(home - away, nan=0.0)


def _display(matches: pd.DataFrame, inputs: "FeatureInputs", features: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "match_id": features["match_id"],
            "home_team": matches["home_team"],
            "away_team": matches["away_team"],
            "match_date": matches["kickoff"].dt.as_unit("ms"),
            "season": matches["season"],
            "region": matches["region"],
            "league": matches["league"],
            "sex": matches["sex"].astype(np.int8),
            "home_goals": matches["home_goals"].astype("Int16").where(inputs.arrays.played),
            "away_goals": matches["away_goals"].astype("Int16").where(inputs.arrays.played),
            "is_future": ~inputs.arrays.started,
            "home_elo": features["home_elo_pre"],
            "away_elo": features["away_elo_pre"],
            "home_form": _form(inputs, "home"),
            "away_form": _form(inputs, "away"),
        }
    )


def _form(inputs: "FeatureInputs", side: Side) -> pd.Series:
    """The last results before `asked_at`, oldest first."""
    first, end = inputs.appeared(side)
    results = inputs.by_club(inputs.appearances.result)
    # base-4 digits, 0 = no match: only a few hundred distinct codes to spell
    code = np.zeros(len(end), dtype=np.int64)
    for back in range(FORM_MATCHES, 0, -1):
        at = end - back
        digit = np.where(at >= first, results[np.maximum(at, 0)] + 1, 0) if len(results) else 0
        code = code * 4 + digit
    codes, spelled = np.unique(code, return_inverse=True)
    texts = np.array(
        ["".join("LDW"[digit - 1] for digit in _digits(int(value)) if digit) for value in codes], dtype=object
    )
    return pd.Series(texts[spelled], dtype="str")


def _digits(code: int) -> list[int]:
    return [code // 4**power % 4 for power in range(FORM_MATCHES - 1, -1, -1)]


FEATURES: Final = feature_schema(DEFAULT_SETTINGS)
"""The registry under the default settings."""

RESULT_FEATURES: Final = tuple(feature.name for feature in FEATURES if feature.source == "results")
"""Names of the features made from results alone."""

MARKET_FEATURES: Final = tuple(feature.name for feature in FEATURES if feature.source in {"results", "prices"})
"""Names of these and of the features made from past prices."""
