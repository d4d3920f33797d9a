"""Projected tables, beside a league solved by going through every possible end of its season."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batch.projections import SIMULATIONS, place_shares, projections, projections_json

TEAMS = ["A", "B", "C", "D", "E", "F", "G", "H"]
RESULTS = [("A", "B", 2, 0), ("C", "D", 1, 1), ("E", "F", 0, 3), ("G", "H", 1, 0), ("A", "C", 1, 0), ("F", "G", 2, 2)]
REMAINING = [
    ("A", "F", (0.5, 0.3, 0.2)),
    ("G", "A", (0.2, 0.3, 0.5)),
    ("C", "G", (0.4, 0.25, 0.35)),
    ("H", "D", (0.6, 0.2, 0.2)),
    ("B", "E", (0.3, 0.3, 0.4)),
    ("F", "C", (0.45, 0.3, 0.25)),
]
START = pd.Timestamp("2024-04-01T15:00:00Z")


def season(
    results: list[tuple[str, str, int, int]],
    remaining: list[tuple[str, str, tuple[float, float, float]]],
    **names: Any,
) -> pd.DataFrame:
    """Predictions of a season: what was played, then what is left."""
    rows: list[dict[str, Any]] = []
    for i, (home, away, home_score, away_score) in enumerate(results):
        outcome = "home" if home_score > away_score else "draw" if home_score == away_score else "away"
        rows.append(row(i, home, away, (0.4, 0.3, 0.3)) | {
            "is_future": False, "outcome_1x2": outcome, "home_score": home_score, "away_score": away_score
        })  # fmt: skip
    rows += [row(100 + i, home, away, chances) for i, (home, away, chances) in enumerate(remaining)]
    return pd.DataFrame(rows).assign(**names)


def row(match_id: int, home: str, away: str, chances: tuple[float, float, float]) -> dict[str, Any]:
    return {
        "match_id": match_id,
        "home_team": home,
        "away_team": away,
        "match_date": START + pd.Timedelta(days=match_id),
        "season": "2023/24",
        "region": "Nowhere",
        "league": "First Division",
        "sex": 0,
        "proba_home": chances[0],
        "proba_draw": chances[1],
        "proba_away": chances[2],
        "is_future": True,
        "outcome_1x2": None,
        "home_score": None,
        "away_score": None,
    }


def solved() -> dict[str, dict[str, float]]:
    """Exact chances by every combination of outcomes, in fractions, without numpy."""
    now = dict.fromkeys(TEAMS, 0)
    for home, away, home_score, away_score in RESULTS:
        now[home] += 3 if home_score > away_score else 1 if home_score == away_score else 0
        now[away] += 3 if away_score > home_score else 1 if home_score == away_score else 0
    exact = {team: dict.fromkeys(("title", "top_four", "relegation", "expected_points"), Fraction(0)) for team in TEAMS}
    for outcomes in itertools.product(range(3), repeat=len(REMAINING)):
        points, chance = dict(now), Fraction(1)
        for (home, away, chances), outcome in zip(REMAINING, outcomes, strict=True):
            chance *= Fraction(str(chances[outcome]))
            points[home] += (3, 1, 0)[outcome]
            points[away] += (0, 1, 3)[outcome]
        for team in TEAMS:
            ahead = sum(points[opponent] > points[team] for opponent in TEAMS)
            level = sum(points[opponent] == points[team] for opponent in TEAMS)
            places = range(ahead, ahead + level)
            exact[team]["title"] += chance * Fraction(sum(place < 1 for place in places), level)
            exact[team]["top_four"] += chance * Fraction(sum(place < 4 for place in places), level)
            exact[team]["relegation"] += chance * Fraction(sum(place >= 5 for place in places), level)
            exact[team]["expected_points"] += chance * points[team]
    return {team: {name: float(value) for name, value in values.items()} for team, values in exact.items()}


def test_a_league_small_enough_to_be_enumerated_comes_out_right() -> None:
    table = {row["team"]: row for row in projections(season(RESULTS, REMAINING))}
    for team, exact in solved().items():
        assert table[team]["expected_points"] == pytest.approx(exact["expected_points"], abs=1e-3)
        for name in ("title", "top_four", "relegation"):
            # Four standard errors of ten thousand simulations.
            tolerance = 4 * (exact[name] * (1 - exact[name]) / SIMULATIONS) ** 0.5 + 1e-6
            assert table[team][name] == pytest.approx(exact[name], abs=tolerance), (team, name)


def test_places_of_every_possible_end_give_the_exact_chances() -> None:
    index = {team: i for i, team in enumerate(TEAMS)}
    now = np.zeros(len(TEAMS), dtype=np.int64)
    for home, away, home_score, away_score in RESULTS:
        now[index[home]] += (0, 1, 3)[int(np.sign(home_score - away_score)) + 1]
        now[index[away]] += (0, 1, 3)[int(np.sign(away_score - home_score)) + 1]
    ends, weights = [], []
    for outcomes in itertools.product(range(3), repeat=len(REMAINING)):
        points = now.copy()
        for (home, away, _), outcome in zip(REMAINING, outcomes, strict=True):
            points[index[home]] += (3, 1, 0)[outcome]
            points[index[away]] += (0, 1, 3)[outcome]
        ends.append(points)
        weights.append(float(np.prod([REMAINING[i][2][outcome] for i, outcome in enumerate(outcomes)])))
    title, top, bottom = place_shares(np.array(ends), np.array(weights))
    exact = solved()
    assert title == pytest.approx([exact[team]["title"] for team in TEAMS])
    assert top == pytest.approx([exact[team]["top_four"] for team in TEAMS])
    assert bottom == pytest.approx([exact[team]["relegation"] for team in TEAMS])


def test_chances_sum_to_the_number_of_places() -> None:
    table = projections(season(RESULTS, REMAINING))
    for name, places in (("title", 1), ("top_four", 4), ("relegation", 3)):
        assert sum(row[name] for row in table) == pytest.approx(places, abs=1e-4)


def test_the_table_so_far_counts_what_was_played() -> None:
    table = {row["team"]: row for row in projections(season(RESULTS, REMAINING))}
    names = ("position", "played", "won", "drawn", "lost", "goals_for", "goals_against", "points", "remaining")
    assert [table["A"][name] for name in names] == [1, 2, 2, 0, 0, 3, 0, 6, 2]
    # 4 points like nobody else; F has scored 5 and conceded 2.
    assert [table["F"][name] for name in names] == [2, 2, 1, 1, 0, 5, 2, 4, 2]
    assert table["A"]["matches_missing"] == 8 * 7 - len(RESULTS) - len(REMAINING)


def test_the_same_predictions_give_the_same_bytes_whatever_other_leagues_there_are() -> None:
    alone = projections(season(RESULTS, REMAINING))
    shuffled = season(RESULTS, REMAINING).sample(frac=1, random_state=1)
    other_league = season(RESULTS, REMAINING, league="Another", region="Elsewhere")
    both_leagues = projections(pd.concat([other_league, shuffled]))
    assert projections_json([row for row in both_leagues if row["region"] == "Nowhere"]) == projections_json(alone)


def test_a_season_that_is_over_or_a_cup_has_no_projection() -> None:
    assert projections(season(RESULTS, [])) == []
    assert projections(season(RESULTS[:1], REMAINING[:1])) == []


def test_a_title_already_won_is_certain() -> None:
    won = [("A", team, 1, 0) for team in TEAMS[1:]] * 2
    table = {row["team"]: row for row in projections(season(won, REMAINING))}
    assert (table["A"]["title"], table["A"]["relegation"], table["B"]["title"]) == (1.0, 0.0, 0.0)
