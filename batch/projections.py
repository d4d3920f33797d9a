"""Projected final tables: the remaining matches of each season, simulated from their 1X2 probabilities.

Pure. Matches are independent of one another, and the probabilities are today's: no team gets better or worse within a
simulation. Goals are not simulated, so teams level on points share the places between them (each gets its share of the
title), although leagues decide by goal difference or head-to-head. Only scheduled matches are played.
"""

import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from chalicelib.domain import Outcome

SIMULATIONS: Final = 10_000
SEED: Final = 17
TOP_PLACES: Final = 4
RELEGATED_PLACES: Final = 3
"""The last three of any league; the real number differs between leagues and is not in the data."""
FEWEST_TEAMS: Final = 8
"""Smaller groups are cups or play-offs rather than leagues."""

WIN_POINTS: Final = 3
DRAW_POINTS: Final = 1
_POINTS: Final = np.array([[WIN_POINTS, 0], [DRAW_POINTS, DRAW_POINTS], [0, WIN_POINTS]])
"""Points of the home and the away team by outcome."""
_PROBABILITIES: Final = ["proba_home", "proba_draw", "proba_away"]
_SEASON: Final = ["region", "league", "sex", "season"]
_INTERVAL: Final = (10, 90)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """Chances of each team, shape (n_teams,).

    Attributes:
        title: First place.
        top_four: The first TOP_PLACES.
        relegation: The last RELEGATED_PLACES.
        points_low: 10th percentile of the final points.
        points_high: 90th percentile.
    """

    title: Floats
    top_four: Floats
    relegation: Floats
    points_low: Floats
    points_high: Floats


def projections(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each team of each season that has matches left, in order of the projected table.

    Args:
        predictions: In the form of predictions.parquet.

    Returns:
        Plain JSON values; see `chalicelib.contracts.lists.ProjectionRow`.
    """
    rows: list[dict[str, Any]] = []
    for names, season in predictions.groupby(_SEASON, sort=True, observed=True):
        remaining = season[season["is_future"].astype(bool) & season[_PROBABILITIES].notna().all(axis=1)]
        teams = sorted({*season["home_team"], *season["away_team"]})
        if len(remaining) == 0 or len(teams) < FEWEST_TEAMS:
            continue
        rows += _table(dict(zip(_SEASON, names, strict=True)), teams, season, remaining)
    return rows


def projections_json(rows: list[dict[str, Any]]) -> bytes:
    """The rows as a file; equal rows give equal bytes."""
    return json.dumps(rows, indent=0, ensure_ascii=False, allow_nan=False).encode()


def simulate(points: Ints, home: Ints, away: Ints, probabilities: Floats, generator: np.random.Generator) -> Places:
    """Play the remaining matches many times.

    Args:
        points: Points now; shape (n_teams,).
        home: Position of each match's home team; shape (n_matches,).
        away: The same for the away team.
        probabilities: Of home win, draw and away win; shape (n_matches, 3).
        generator: Source of the outcomes.
    """
    final = final_points(points, home, away, _outcomes(probabilities, generator))
    low, high = np.percentile(final, _INTERVAL, axis=0, method="nearest")
    title, top, bottom = place_shares(final, np.full(len(final), 1 / len(final)))
    return Places(title, top, bottom, low.astype(np.float64), high.astype(np.float64))


def place_shares(final: Ints, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Chances of the title, of the top places and of relegation; teams level on points share their places.

    Args:
        final: Final points; shape (n_outcomes, n_teams).
        weights: Probability of each outcome; shape (n_outcomes,).
    """
    n_teams = final.shape[1]
    ordered = np.sort(final, axis=1)

    def share(best: Ints, points: Ints, places: int) -> Floats:
        """Chance of one of the first `places` of those with most points; `best` is in falling order."""
        last = best[:, places - 1, None]
        ahead, level = points > last, points == last
        room = (places - ahead.sum(axis=1)) / level.sum(axis=1)
        return np.asarray(weights @ ahead + (weights * room) @ level, dtype=np.float64)

    falling = ordered[:, ::-1]
    return (
        share(falling, final, 1),
        share(falling, final, min(TOP_PLACES, n_teams)),
        share(-ordered, -final, min(RELEGATED_PLACES, n_teams)),
    )


def final_points(points: Ints, home: Ints, away: Ints, outcomes: Ints) -> Ints:
    """Points at the end of each simulated season; shape (n_simulations, n_teams).

    Args:
        points: Points now; shape (n_teams,).
        home: Position of each match's home team; shape (n_matches,).
        away: The same for the away team.
        outcomes: 0 home win, 1 draw, 2 away win; shape (n_simulations, n_matches).
    """
    final = np.tile(points, (len(outcomes), 1))
    for match in range(outcomes.shape[1]):
        won = _POINTS[outcomes[:, match]]
        final[:, home[match]] += won[:, 0]
        final[:, away[match]] += won[:, 1]
    return final


def _outcomes(probabilities: Floats, generator: np.random.Generator) -> Ints:
    limits = probabilities.cumsum(axis=1)
    drawn = generator.random((SIMULATIONS, len(probabilities)))
    outcomes = (drawn >= limits[:, 0]).astype(np.int64)
    outcomes += drawn >= limits[:, 1]
    return outcomes


def _table(
    names: dict[str, Any], teams: list[str], season: pd.DataFrame, remaining: pd.DataFrame
) -> list[dict[str, Any]]:
    position = {team: i for i, team in enumerate(teams)}
    now = _standings(season[season["outcome_1x2"].notna()], position)
    points = now["won"] * WIN_POINTS + now["drawn"] * DRAW_POINTS
    remaining = remaining.sort_values("match_id")
    home, away = (_positions(remaining[name], position) for name in ("home_team", "away_team"))
    probabilities = remaining[_PROBABILITIES].to_numpy(np.float64)
    # a generator per season: an additional league does not change the others' figures
    key = "\n".join(str(value) for value in names.values())
    places = simulate(points, home, away, probabilities, np.random.default_rng([SEED, zlib.crc32(key.encode())]))
    by_outcome = _POINTS.astype(np.float64)
    expected = points.astype(np.float64)
    np.add.at(expected, home, probabilities @ by_outcome[:, 0])
    np.add.at(expected, away, probabilities @ by_outcome[:, 1])
    matches_left = np.bincount(np.concatenate([home, away]), minlength=len(teams))
    difference = now["goals_for"] - now["goals_against"]
    current = np.lexsort((np.arange(len(teams)), -now["goals_for"], -difference, -points))
    rank = {int(team): place for place, team in enumerate(current, start=1)}
    double_round = len(teams) * (len(teams) - 1)
    order = np.lexsort((np.arange(len(teams)), -places.title, -expected))
    return [
        {
            **{name: value if isinstance(value, str) else int(value) for name, value in names.items()},
            "team": teams[i],
            "projected_position": place,
            "position": rank[int(i)],
            **{name: int(values[i]) for name, values in now.items()},
            "points": int(points[i]),
            "remaining": int(matches_left[i]),
            "expected_points": round(float(expected[i]), 3),
            "points_low": int(places.points_low[i]),
            "points_high": int(places.points_high[i]),
            "title": round(float(places.title[i]), 6),
            "top_four": round(float(places.top_four[i]), 6),
            "relegation": round(float(places.relegation[i]), 6),
            "matches_missing": max(0, double_round - len(season)),
        }
        for place, i in enumerate(order, start=1)
    ]


def _positions(teams: pd.Series, position: dict[str, int]) -> Ints:
    return np.array([position[team] for team in teams], dtype=np.int64)


def _standings(finished: pd.DataFrame, position: dict[str, int]) -> dict[str, Ints]:
    """Matches and goals of each team so far."""
    home, away = (_positions(finished[name], position) for name in ("home_team", "away_team"))
    goals = [finished[name].fillna(0).to_numpy(np.int64) for name in ("home_score", "away_score")]
    outcome = finished["outcome_1x2"].to_numpy(object)
    is_home, is_draw, is_away = (outcome == result.label for result in Outcome)
    count = len(position)

    def total(at_home: npt.NDArray[Any], away_from_home: npt.NDArray[Any]) -> Ints:
        sums = np.bincount(home, at_home, count) + np.bincount(away, away_from_home, count)
        return np.asarray(sums).astype(np.int64)

    return {
        "played": total(np.ones(len(home)), np.ones(len(away))),
        "won": total(is_home, is_away),
        "drawn": total(is_draw, is_draw),
        "lost": total(is_away, is_home),
        "goals_for": total(goals[0], goals[1]),
        "goals_against": total(goals[1], goals[0]),
    }
