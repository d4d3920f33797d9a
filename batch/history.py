"""What is known about clubs at a given time: matches as arrays, and each club's appearances in chronological order.

Pure. A result is known two hours after kickoff, a closing price at kickoff; where only the date of a match is known,
features are as of the start of that day, and price and result are known when the day is over.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

DAY_MS: Final = 86_400_000

RESULT_KNOWN_AFTER_MS: Final = 2 * 3_600_000
"""From kickoff to when a result counts as known: two halves, the break and stoppage time."""

UNKNOWN_KICKOFF_MS: Final = np.iinfo(np.int64).max // 4
"""Placeholder for a kickoff that is not fixed yet: later than any as_of."""


@dataclass(frozen=True)
class MatchTimes:
    """When a match begins and its result is known, ms since 1970 UTC.

    Attributes:
        kickoff: Start of the day where only the date is known; UNKNOWN_KICKOFF_MS where not even that.
        begins_at: When the match has certainly begun.
        known_at: When its result is known.
    """

    kickoff: Ints
    begins_at: Ints
    known_at: Ints

    @classmethod
    def of(cls, matches: pd.DataFrame) -> "MatchTimes":
        """From matches with `kickoff` and optionally `kickoff_time_known`."""
        unscheduled = matches["kickoff"].isna().to_numpy(bool)
        stamps = matches["kickoff"].dt.as_unit("ms").dt.tz_convert(None).to_numpy()
        kickoff = np.where(unscheduled, UNKNOWN_KICKOFF_MS, stamps.astype(np.int64))
        date_only = np.zeros(len(matches), dtype=bool)
        if "kickoff_time_known" in matches:
            date_only = ~matches["kickoff_time_known"].to_numpy(bool) & ~unscheduled
        # with a bare date only the end of the day is certain
        begins_at = np.where(date_only, kickoff + DAY_MS - 1, kickoff)
        return cls(kickoff, begins_at, np.where(date_only, begins_at, kickoff + RESULT_KNOWN_AFTER_MS))


@dataclass(frozen=True)
class MatchArrays:
    """Matches as arrays, one entry per match. Times are ms since 1970 UTC.

    Attributes:
        home, away: Club codes; a club is (region, sex, name).
        league: League codes; a league is (region, sex, league).
        season: Codes of the season's label.
        kickoff, begins_at, known_at: See `MatchTimes`.
        asked_at: The time a match's features are as of: kickoff, or as_of for matches to come.
        started: Whether it has certainly begun at as_of.
        played: Whether its result is known at as_of.
        home_goals, away_goals: 0 where not played.
    """

    home: Ints
    away: Ints
    league: Ints
    season: Ints
    kickoff: Ints
    begins_at: Ints
    known_at: Ints
    asked_at: Ints
    started: Booleans
    played: Booleans
    home_goals: Ints
    away_goals: Ints

    @classmethod
    def of(cls, matches: pd.DataFrame, as_of: int) -> "MatchArrays":
        """Of accepted matches (`batch.matches.schema.MATCH_COLUMNS`), in their order."""
        n = len(matches)
        region = pd.factorize(matches["region"])[0]
        group = region * 2 + matches["sex"].to_numpy(np.int64)
        names = pd.factorize(pd.concat([matches["home_team"], matches["away_team"]], ignore_index=True))[0]
        n_names = int(names.max(initial=-1)) + 1
        clubs = pd.factorize(np.concatenate([group, group]) * n_names + names)[0]
        league_names = pd.factorize(matches["league"])[0]
        leagues = pd.factorize(group * (int(league_names.max(initial=-1)) + 1) + league_names)[0]
        times = MatchTimes.of(matches)
        goals = [matches[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("home_goals", "away_goals")]
        return cls(
            home=clubs[:n].astype(np.int64),
            away=clubs[n:].astype(np.int64),
            league=leagues.astype(np.int64),
            season=pd.factorize(matches["season"])[0].astype(np.int64),
            kickoff=times.kickoff,
            begins_at=times.begins_at,
            known_at=times.known_at,
            asked_at=np.minimum(times.kickoff, as_of),
            started=times.begins_at < as_of,
            # known_at < as_of, not <=: what becomes known at this instant is used only later
            played=(times.known_at < as_of) & ~np.isnan(goals[0]) & ~np.isnan(goals[1]),
            home_goals=np.nan_to_num(goals[0]).astype(np.int64),
            away_goals=np.nan_to_num(goals[1]).astype(np.int64),
        )

    @property
    def league_season(self) -> Ints:
        """Codes of (league, season)."""
        return self.league * (int(self.season.max(initial=-1)) + 1) + self.season


@dataclass(frozen=True)
class Segments:
    """Appearances sorted by (segment, time); a segment is a club, or a club at one venue, or in one season."""

    order: Ints
    keys: Ints
    times: Ints
    """The distinct times, sorted; a key is segment * (number of times + 1) + rank of the time."""

    @classmethod
    def of(cls, segment: Ints, moment: Ints) -> "Segments":
        """Appearances of each segment at these moments."""
        times = np.unique(moment)
        keys = segment * (len(times) + 1) + np.searchsorted(times, moment)
        order = np.argsort(keys, kind="stable")
        return cls(order, keys[order], times)

    def before(self, segment: Ints, asked_at: Ints) -> tuple[Ints, Ints]:
        """Sorted positions [first, end) of the segment's appearances before `asked_at`."""
        base = segment * (len(self.times) + 1)
        first = np.searchsorted(self.keys, base)
        end = np.searchsorted(self.keys, base + np.searchsorted(self.times, asked_at))
        return first, end


@dataclass(frozen=True)
class Appearances:
    """Every known result twice, once for each club.

    Attributes:
        match: Positions in the match arrays.
        club: Club codes.
        season: Codes of (league, season).
        at_home: Whether the club was the home side.
        known_at, kickoff: As of the match.
        goals_for, goals_against: Of the club.
        by_club: The appearances by club, in the order in which their results became known.
    """

    match: Ints
    club: Ints
    season: Ints
    at_home: Booleans
    known_at: Ints
    kickoff: Ints
    goals_for: Ints
    goals_against: Ints
    by_club: Segments

    @classmethod
    def of(cls, arrays: MatchArrays) -> "Appearances":
        """Of the played matches."""
        # ties in time are broken by match_id, so the order of the input rows does not matter
        played = np.flatnonzero(arrays.played)
        home_goals, away_goals = arrays.home_goals[played], arrays.away_goals[played]
        club = np.concatenate([arrays.home[played], arrays.away[played]])
        known_at = np.tile(arrays.known_at[played], 2)
        return cls(
            match=np.tile(played, 2),
            club=club,
            season=np.tile(arrays.league_season[played], 2),
            at_home=np.repeat([True, False], len(played)),
            known_at=known_at,
            kickoff=np.tile(arrays.kickoff[played], 2),
            goals_for=np.concatenate([home_goals, away_goals]),
            goals_against=np.concatenate([away_goals, home_goals]),
            by_club=Segments.of(club, known_at),
        )

    @property
    def result(self) -> Ints:
        """2 win, 1 draw, 0 loss."""
        return np.asarray(np.sign(self.goals_for - self.goals_against) + 1)


def last_mean(totals: Ints, first: Ints, end: Ints, k: int) -> Floats:
    """Mean over the last k (or fewer) appearances; NaN where there is none. `totals` are running sums from 0."""
    begin = np.maximum(first, end - k)
    count = end - begin
    with np.errstate(invalid="ignore"):
        return np.asarray((totals[end] - totals[begin]) / count)


def latest(values: Floats, first: Ints, end: Ints) -> Floats:
    """The value at the last appearance before the given time; NaN where there is none."""
    if len(values) == 0:
        return np.full(len(end), np.nan)
    return np.where(end > first, values[np.maximum(end - 1, 0)], np.nan)


def weighted_mean(values: npt.NDArray[np.int64] | Floats, segment: Ints, half_life: float) -> Floats:
    """Exponentially weighted mean up to and with each position, within runs of equal `segment`.

    Weight 1 for the newest, halving every `half_life` positions; the weights are divided by their sum. Missing values
    (NaN) have weight 0; NaN where there is no value yet. Computed by doubling, so a value depends on its own run
    only, not on the run's position.
    """
    known = np.isfinite(values)
    total, weight = np.where(known, values, 0).astype(np.float64), known.astype(np.float64)
    shift, decay = 1, 0.5 ** (1.0 / half_life)
    while shift < len(values) and decay**shift > 1e-12:  # noqa: PLR2004
        same_segment = segment[shift:] == segment[:-shift]
        if not same_segment.any():
            break
        factor = np.where(same_segment, decay**shift, 0.0)
        total[shift:] += factor * total[:-shift]
        weight[shift:] += factor * weight[:-shift]
        shift *= 2
    with np.errstate(invalid="ignore"):
        return np.asarray(total / weight)
