"""Feature rows of matches, from what was known before each kickoff: the one feature module of training and serving.

Pure: no clock, no file, no network. A result serves a feature only if it was known before the moment the feature stands
for, which is the match's kickoff, or `as_of` for a match still to come. Matches that kick off at the same instant
never see one another. Where only the date of a match is known, it is asked for at the start of that day and its result
is known when the day is over.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.ratings import EloSettings, MatchColumns, expected_home_points, rate

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EPOCH: Final = pd.Timestamp(0, tz="UTC")

DAY_MS: Final = 86_400_000

UNKNOWN_KICKOFF_MS: Final = np.iinfo(np.int64).max // 4
"""Stands for a kickoff that is not fixed yet: later than any as_of."""

DOUBLE: Final = "double"
LONG: Final = "long"

FORM_MATCHES: Final = 5
"""Matches shown as form, as in "WDLWW"."""


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """Windows and constants of the features.

    Attributes:
        win_windows: Numbers of last matches over which shares of wins are averaged.
        goals_windows: The same for goals.
        points_windows: The same for points.
        half_life: Matches after which a result weighs half in the exponentially weighted form.
        venue_half_life: The same for form at home (of the home team) and away (of the away team).
        rest_days_limit: Longer rests count as this many days: the summer says nothing more than a fortnight does.
        matches_limit: More matches than this count as this many.
        elo: Constants of the ratings.
    """

    win_windows: tuple[int, ...] = (5, 10)
    goals_windows: tuple[int, ...] = (3, 10)
    points_windows: tuple[int, ...] = (5,)
    half_life: float = 25.0
    venue_half_life: float = 12.0
    rest_days_limit: float = 14.0
    matches_limit: int = 60
    elo: EloSettings = field(default_factory=EloSettings)


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of the model's signature.

    Attributes:
        name: Column name.
        type: "double" or "long", as in an MLflow column schema.
        required: False where the value may be missing (null, NaN).
        unit: Its unit.
        doc: What it means.
    """

    name: str
    type: Literal["double", "long"]
    required: bool
    unit: str
    doc: str


@dataclass(frozen=True)
class FeatureTable:
    """Features and what is shown beside them, row for row the same matches, sorted by match_id.

    Attributes:
        features: `match_id` and the features in the order of the signature; shape (n_matches, 1 + n_features).
        display: match_id, home_team, away_team, match_date (datetime64[ms, UTC], NaT = not fixed), season, region,
            league, sex, home_goals, away_goals (Int16; missing unless known at as_of), is_future, home_elo, away_elo,
            home_form, away_form (last results, oldest first, "" if none).
    """

    features: pd.DataFrame
    display: pd.DataFrame


def feature_schema(settings: FeatureSettings) -> tuple[Feature, ...]:
    """The features in the order of the signature."""
    difference = "home minus away; 0 while either has no match yet"
    rows: list[Feature] = [
        Feature("home_elo_pre", DOUBLE, True, "Elo points", "Elo rating of the home team before the match"),
        Feature("away_elo_pre", DOUBLE, True, "Elo points", "Elo rating of the away team before the match"),
        Feature("diff_elo", DOUBLE, True, "Elo points", "home_elo_pre minus away_elo_pre"),
        Feature(
            "elo_expected_home",
            DOUBLE,
            True,
            "share of points",
            "Home team's expected share of the points by Elo, with the league's fitted home advantage; 0 to 1",
        ),
    ]
    for k in settings.win_windows:
        doc = f"Share of wins in the last {k} matches, {difference}"
        rows.append(Feature(f"diff_win_{k}_mean", DOUBLE, True, "share of matches", doc))
    for k in settings.points_windows:
        doc = f"Points (3, 1, 0) per match in the last {k}, {difference}"
        rows.append(Feature(f"diff_points_{k}_mean", DOUBLE, True, "points per match", doc))
    for k in settings.goals_windows:
        doc = f"Goals scored per match in the last {k}, {difference}"
        rows.append(Feature(f"diff_goals_for_{k}_mean", DOUBLE, True, "goals per match", doc))
        doc = f"Goals conceded per match in the last {k}, {difference}"
        rows.append(Feature(f"diff_goals_against_{k}_mean", DOUBLE, True, "goals per match", doc))
    weighted = f"all earlier matches, weights halving every {settings.half_life:g} matches"
    rows.append(
        Feature("diff_points_ew", DOUBLE, True, "points per match", f"Points per match, {weighted}; {difference}")
    )
    rows.append(
        Feature(
            "diff_goal_difference_ew",
            DOUBLE,
            True,
            "goals per match",
            f"Goal difference per match, {weighted}; {difference}",
        )
    )
    for side in ("home", "away"):
        for what, text in (("for", "scored"), ("against", "conceded")):
            doc = f"Goals {text} per match by the {side} team, {weighted}; missing before its first match"
            rows.append(Feature(f"{side}_goals_{what}_ew", DOUBLE, False, "goals per match", doc))
    venue = f"weights halving every {settings.venue_half_life:g} such matches; missing before the first"
    for side in ("home", "away"):
        where = "at home" if side == "home" else "away from home"
        doc = f"Goal difference per match of the {side} team {where}, {venue}"
        rows.append(Feature(f"{side}_venue_goal_difference_ew", DOUBLE, False, "goals per match", doc))
    for side in ("home", "away"):
        doc = (
            f"Days since the {side} team's last match, at most {settings.rest_days_limit:g}; "
            "missing before its first match or without a kickoff"
        )
        rows.append(Feature(f"{side}_rest_days", DOUBLE, False, "days", doc))
    for side in ("home", "away"):
        doc = f"Earlier matches of the {side} team in the data, at most {settings.matches_limit}"
        rows.append(Feature(f"{side}_matches_played", LONG, True, "matches", doc))
    for side in ("home", "away"):
        doc = f"Matches the {side} team has played in this league and season"
        rows.append(Feature(f"{side}_season_matches", LONG, True, "matches", doc))
    rows.append(Feature("sex", LONG, True, "code", "0 men, 1 women"))
    return tuple(rows)


DEFAULT_SETTINGS: Final = FeatureSettings()

FEATURES: Final = feature_schema(DEFAULT_SETTINGS)
"""The signature of the models trained with the default settings."""


def build_features(
    matches: pd.DataFrame, as_of: datetime | pd.Timestamp, settings: FeatureSettings = DEFAULT_SETTINGS
) -> FeatureTable:
    """Features of every match, as they were known at its kickoff or, for matches still to come, at `as_of`.

    Args:
        matches: Accepted matches (`batch.matches.MATCH_COLUMNS`), one row a match_id, in any order.
        as_of: The moment of knowledge, with its time zone. Results of matches with kickoff < as_of are known; later
            results are not looked at, whether they are in `matches` or not.
        settings: Windows and constants.

    Raises:
        ValueError: as_of has no time zone.
    """
    moment = pd.Timestamp(as_of)
    if moment.tzinfo is None:
        raise ValueError(f"as_of needs a time zone: {as_of}")
    matches = matches.sort_values("match_id", ignore_index=True)
    columns = _columns(matches, int((moment - EPOCH) // pd.Timedelta(milliseconds=1)))
    history = _History.of(columns)
    values = _feature_columns(matches, columns, history, settings)
    features = pd.DataFrame({"match_id": matches["match_id"].to_numpy(np.int64)} | values)
    schema = feature_schema(settings)
    features = features[["match_id", *(feature.name for feature in schema)]]
    return FeatureTable(features, _display(matches, columns, history, features))


@dataclass(frozen=True)
class _Columns:
    """Matches as arrays, in the order of match_id. Times are ms since 1970 UTC."""

    home: Ints
    away: Ints
    league: Ints
    season: Ints
    kickoff: Ints
    asked_at: Ints
    known_at: Ints
    started: npt.NDArray[np.bool_]
    played: npt.NDArray[np.bool_]
    home_goals: Ints
    away_goals: Ints


def _columns(matches: pd.DataFrame, as_of: int) -> _Columns:
    n = len(matches)
    region = pd.factorize(matches["region"])[0]
    group = region * 2 + matches["sex"].to_numpy(np.int64)
    names = pd.factorize(pd.concat([matches["home_team"], matches["away_team"]], ignore_index=True))[0]
    n_names = int(names.max(initial=-1)) + 1
    clubs = pd.factorize(np.concatenate([group, group]) * n_names + names)[0]
    league_names = pd.factorize(matches["league"])[0]
    leagues = pd.factorize(group * (int(league_names.max(initial=-1)) + 1) + league_names)[0]
    unscheduled = matches["kickoff"].isna().to_numpy()
    stamps = matches["kickoff"].dt.as_unit("ms").dt.tz_convert(None).to_numpy()
    kickoff = np.where(unscheduled, UNKNOWN_KICKOFF_MS, stamps.astype(np.int64))
    dated_only = (
        ~matches["kickoff_time_known"].to_numpy(bool) if "kickoff_time_known" in matches else np.zeros(n, dtype=bool)
    )
    # kickoff < as_of, not <=: a match that begins now has no result yet. Of a bare date only its end is certain.
    known_at = np.where(dated_only & ~unscheduled, kickoff + DAY_MS - 1, kickoff)
    started = known_at < as_of
    goals = [matches[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("home_goals", "away_goals")]
    return _Columns(
        home=clubs[:n].astype(np.int64),
        away=clubs[n:].astype(np.int64),
        league=leagues.astype(np.int64),
        season=pd.factorize(matches["season"])[0].astype(np.int64),
        kickoff=kickoff,
        asked_at=np.minimum(kickoff, as_of),
        known_at=known_at,
        started=started,
        played=started & ~np.isnan(goals[0]) & ~np.isnan(goals[1]),
        home_goals=np.nan_to_num(goals[0]).astype(np.int64),
        away_goals=np.nan_to_num(goals[1]).astype(np.int64),
    )


@dataclass(frozen=True)
class _Segments:
    """Appearances sorted by (segment, time known); a segment is a club, or a club at one venue, or in one season."""

    order: Ints
    keys: Ints
    times: Ints
    """The distinct times, sorted; a key is segment * (number of times + 1) + rank of the time."""

    @classmethod
    def of(cls, segment: Ints, known_at: Ints) -> "_Segments":
        times = np.unique(known_at)
        keys = segment * (len(times) + 1) + np.searchsorted(times, known_at)
        order = np.argsort(keys, kind="stable")
        return cls(order, keys[order], times)

    def before(self, segment: Ints, asked_at: Ints) -> tuple[Ints, Ints]:
        """Sorted positions [first, end) of the segment's appearances known before the moment asked for."""
        base = segment * (len(self.times) + 1)
        first = np.searchsorted(self.keys, base)
        end = np.searchsorted(self.keys, base + np.searchsorted(self.times, asked_at))
        return first, end


@dataclass(frozen=True)
class _History:
    """Every known result twice, once for each club."""

    club: Ints
    season: Ints
    """Codes of (league, season)."""
    at_home: npt.NDArray[np.bool_]
    known_at: Ints
    kickoff: Ints
    goals_for: Ints
    goals_against: Ints
    by_club: _Segments

    @classmethod
    def of(cls, columns: _Columns) -> "_History":
        # ties in time are broken by match_id, so that the order of the input rows cannot matter
        played = np.flatnonzero(columns.played)
        home_goals, away_goals = columns.home_goals[played], columns.away_goals[played]
        club = np.concatenate([columns.home[played], columns.away[played]])
        known_at = np.tile(columns.known_at[played], 2)
        return cls(
            club=club,
            season=np.tile(_league_season(columns)[played], 2),
            at_home=np.repeat([True, False], len(played)),
            known_at=known_at,
            kickoff=np.tile(columns.kickoff[played], 2),
            goals_for=np.concatenate([home_goals, away_goals]),
            goals_against=np.concatenate([away_goals, home_goals]),
            by_club=_Segments.of(club, known_at),
        )

    @property
    def result(self) -> Ints:
        """2 win, 1 draw, 0 loss."""
        return np.asarray(np.sign(self.goals_for - self.goals_against) + 1)


def _league_season(columns: _Columns) -> Ints:
    return columns.league * (int(columns.season.max(initial=-1)) + 1) + columns.season


def _feature_columns(
    matches: pd.DataFrame, columns: _Columns, history: _History, settings: FeatureSettings
) -> dict[str, npt.NDArray[np.float64 | np.int64]]:
    ratings = rate(
        MatchColumns(
            home=columns.home,
            away=columns.away,
            league=columns.league,
            season=columns.season,
            asked_at=columns.asked_at,
            known_at=columns.known_at,
            goal_difference=columns.home_goals - columns.away_goals,
            played=columns.played,
        ),
        settings.elo,
    )
    values: dict[str, npt.NDArray[np.float64 | np.int64]] = {
        "home_elo_pre": ratings.home,
        "away_elo_pre": ratings.away,
        "diff_elo": ratings.home - ratings.away,
        "elo_expected_home": expected_home_points(ratings.home, ratings.away, ratings.advantage),
        "sex": matches["sex"].to_numpy(np.int64),
    }
    sides = {
        "home": history.by_club.before(columns.home, columns.asked_at),
        "away": history.by_club.before(columns.away, columns.asked_at),
    }
    by_club = history.by_club.order
    points = np.array([0, 1, 3])[history.result]
    windows = [
        ("win", history.result == 2, settings.win_windows),  # noqa: PLR2004
        ("points", points, settings.points_windows),
        ("goals_for", history.goals_for, settings.goals_windows),
        ("goals_against", history.goals_against, settings.goals_windows),
    ]
    for name, per_match, lengths in windows:
        totals = np.concatenate([[0], np.cumsum(per_match[by_club], dtype=np.int64)])
        for k in lengths:
            values[f"diff_{name}_{k}_mean"] = _difference(
                _last_mean(totals, *sides["home"], k), _last_mean(totals, *sides["away"], k)
            )

    club = history.club[by_club]
    points_ew = _weighted(points[by_club], club, settings.half_life)
    for_ew = _weighted(history.goals_for[by_club], club, settings.half_life)
    against_ew = _weighted(history.goals_against[by_club], club, settings.half_life)
    values["diff_points_ew"] = _difference(*(_latest(points_ew, *sides[side]) for side in ("home", "away")))
    values["diff_goal_difference_ew"] = _difference(
        *(_latest(for_ew - against_ew, *sides[side]) for side in ("home", "away"))
    )
    del points_ew
    venue_club = history.club * 2 + history.at_home
    by_venue = _Segments.of(venue_club, history.known_at)
    margin = (history.goals_for - history.goals_against)[by_venue.order]
    venue_ew = _weighted(margin, venue_club[by_venue.order], settings.venue_half_life)
    last_kickoff = history.kickoff[by_club].astype(np.float64)
    n_seasons = int(history.season.max(initial=-1)) + 1
    in_season = _Segments.of(history.club * n_seasons + history.season, history.known_at)
    season = _league_season(columns)
    for side, side_club in (("home", columns.home), ("away", columns.away)):
        first, end = sides[side]
        values[f"{side}_goals_for_ew"] = _latest(for_ew, first, end)
        values[f"{side}_goals_against_ew"] = _latest(against_ew, first, end)
        at_venue = by_venue.before(side_club * 2 + (side == "home"), columns.asked_at)
        values[f"{side}_venue_goal_difference_ew"] = _latest(venue_ew, *at_venue)
        rest = (columns.kickoff - _latest(last_kickoff, first, end)) / DAY_MS
        rest[columns.kickoff == UNKNOWN_KICKOFF_MS] = np.nan
        values[f"{side}_rest_days"] = np.minimum(rest, settings.rest_days_limit)
        values[f"{side}_matches_played"] = np.minimum(end - first, settings.matches_limit)
        # a season no result is known of yet has no segment, and must not be taken for another club's
        known = season < n_seasons
        lower, upper = in_season.before(side_club * n_seasons + np.where(known, season, 0), columns.asked_at)
        values[f"{side}_season_matches"] = np.where(known, upper - lower, 0)
    return values


def _last_mean(totals: Ints, first: Ints, end: Ints, k: int) -> Floats:
    """Mean over the last k (or fewer) appearances; NaN where there is none. `totals` are running sums from 0."""
    begin = np.maximum(first, end - k)
    count = end - begin
    with np.errstate(invalid="ignore"):
        return np.asarray((totals[end] - totals[begin]) / count)


def _difference(home: Floats, away: Floats) -> Floats:
    """Home minus away; 0 while either side has no match: nothing speaks for either."""
    return np.nan_to_num(home - away, nan=0.0)


def _latest(values: Floats, first: Ints, end: Ints) -> Floats:
    """The value at the last appearance before the moment asked for; NaN where there is none."""
    if len(values) == 0:
        return np.full(len(end), np.nan)
    return np.where(end > first, values[np.maximum(end - 1, 0)], np.nan)


def _weighted(values: npt.NDArray[np.int64], segment: Ints, half_life: float) -> Floats:
    """Exponentially weighted mean up to and with each position, within runs of equal `segment`.

    Weight 1 for the newest, halving every `half_life` positions; the weights are divided by their sum. Computed by
    doubling, so that a value depends on its own run alone and not on where the run stands.
    """
    total, weight = values.astype(np.float64), np.ones(len(values))
    shift, decay = 1, 0.5 ** (1.0 / half_life)
    while shift < len(values) and decay**shift > 1e-12:  # noqa: PLR2004
        same = segment[shift:] == segment[:-shift]
        if not same.any():
            break
        factor = np.where(same, decay**shift, 0.0)
        total[shift:] += factor * total[:-shift]
        weight[shift:] += factor * weight[:-shift]
        shift *= 2
    return np.asarray(total / weight)


def _display(matches: pd.DataFrame, columns: _Columns, history: _History, features: pd.DataFrame) -> pd.DataFrame:
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
            "home_goals": matches["home_goals"].astype("Int16").where(columns.played),
            "away_goals": matches["away_goals"].astype("Int16").where(columns.played),
            "is_future": ~columns.started,
            "home_elo": features["home_elo_pre"],
            "away_elo": features["away_elo_pre"],
            "home_form": _form(history, columns.home, columns.asked_at),
            "away_form": _form(history, columns.away, columns.asked_at),
        }
    )


def _form(history: _History, club: Ints, asked_at: Ints) -> pd.Series:
    """The last results before the moment asked for, oldest first."""
    first, end = history.by_club.before(club, asked_at)
    results = history.result[history.by_club.order]
    # base-4 digits, 0 = no match: a few hundred distinct codes, each spelled once
    code = np.zeros(len(club), dtype=np.int64)
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
