"""Elo by hand: with an advantage of 0 two equal clubs expect 1/2; with 400 the home side expects 10/11."""

from collections.abc import Sequence

import numpy as np
import pytest

from batch.ratings import EloSettings, MatchColumns, MatchRatings, expected_home_points, rate

EVEN = EloSettings(home_advantage=0, advantage_rate=0)
A, B, C, D = range(4)
YEAR = round(365.25 * 86_400_000)

Game = tuple[int, int, int]
"""Home club, away club, goal difference."""


def play(
    games: Sequence[Game],
    settings: EloSettings = EVEN,
    *,
    season: Sequence[int] | None = None,
    league: Sequence[int] | None = None,
    at: Sequence[int] | None = None,
    played: Sequence[bool] | None = None,
) -> MatchRatings:
    n = len(games)
    home, away, difference = np.array(games, dtype=np.int64).reshape(n, 3).T
    times = np.array(at if at is not None else range(n), dtype=np.int64)
    return rate(
        MatchColumns(
            home=home,
            away=away,
            league=np.array(league or [0] * n, dtype=np.int64),
            season=np.array(season or [0] * n, dtype=np.int64),
            asked_at=times,
            begins_at=times,
            known_at=times,
            goal_difference=difference,
            played=np.array(played or [True] * n, dtype=bool),
        ),
        settings,
    )


def test_everyone_starts_at_1500() -> None:
    ratings = play([(A, B, 1)])
    assert (ratings.home[0], ratings.away[0]) == (1500, 1500)


def test_a_win_by_one_between_equals_moves_nine_points() -> None:
    ratings = play([(A, B, 1), (A, B, 0)])  # 9 (1 + 1) (1 - 1/2) = 9
    assert (ratings.home[1], ratings.away[1]) == (1509, 1491)


def test_a_win_by_three_moves_twice_as_far_as_a_win_by_one() -> None:
    ratings = play([(A, B, -3), (A, B, 0)])  # 9 (1 + 3) (0 - 1/2) = -18
    assert (ratings.home[1], ratings.away[1]) == (1482, 1518)


def test_a_draw_between_equals_moves_nothing() -> None:
    ratings = play([(A, B, 0), (A, B, 0)])
    assert (ratings.home[1], ratings.away[1]) == (1500, 1500)


def test_a_draw_moves_the_favourite_down() -> None:
    ratings = play([(A, B, 1), (B, A, 0), (A, B, 0)])
    # B expects 1 / (1 + 10^(18/400)) = 0.474118, so 9 (0.5 - 0.474118) = 0.232938
    assert ratings.away[2] == pytest.approx(1491.232938, abs=1e-5)
    assert ratings.home[2] == pytest.approx(1508.767062, abs=1e-5)


def test_home_advantage_is_part_of_the_expectation() -> None:
    ratings = play([(A, B, 1), (A, B, 0)], EloSettings(home_advantage=400, advantage_rate=0))
    assert ratings.home[1] == pytest.approx(1500 + 18 / 11)  # 18 (1 - 10/11)


def test_the_fitted_advantage_follows_the_results() -> None:
    ratings = play([(A, B, 1), (A, B, 0)], EloSettings(home_advantage=0, advantage_rate=2))
    assert ratings.advantage.tolist() == [0, 1]  # 2 (1 - 1/2)


def test_each_league_has_its_own_advantage() -> None:
    ratings = play([(A, B, 1), (C, D, 0)], EloSettings(home_advantage=0, advantage_rate=2), league=[0, 1])
    assert ratings.advantage.tolist() == [0, 0]


def test_a_year_later_a_tenth_of_the_way_to_the_mean_is_gone() -> None:
    ratings = play([(A, B, 1), (A, B, 0)], season=[0, 1], at=[0, YEAR])
    assert ratings.home[1] == pytest.approx(1508.1)
    assert ratings.away[1] == pytest.approx(1491.9)


def test_six_years_without_data_count_six_times() -> None:
    ratings = play([(A, B, 1), (A, B, 0)], season=[0, 1], at=[0, 6 * YEAR])
    assert ratings.home[1] == pytest.approx(1500 + 9 * 0.9**6)


def test_seasons_of_half_a_year_regress_half_as_far() -> None:
    ratings = play([(A, B, 1), (A, B, 0)], season=[0, 1], at=[0, YEAR // 2])
    assert ratings.home[1] == pytest.approx(1500 + 9 * 0.9**0.5)


def test_nothing_regresses_within_a_season() -> None:
    assert play([(A, B, 1), (A, B, 0)], at=[0, YEAR]).home[1] == 1509


SEASON_OF_DRAWS: list[Game] = [(A, B, 0)] * 10


def test_a_club_new_to_an_established_league_starts_ninety_below_its_mean() -> None:
    ratings = play([*SEASON_OF_DRAWS, (A, C, 0)], season=[0] * 10 + [1])
    assert (ratings.home[10], ratings.away[10]) == (1500, 1410)


def test_a_club_that_joins_within_a_leagues_first_season_starts_at_1500() -> None:
    assert play([*SEASON_OF_DRAWS, (A, C, 0)]).away[10] == 1500


def test_a_club_that_comes_back_after_a_season_away_starts_as_promoted() -> None:
    games = [*SEASON_OF_DRAWS, *[(A, C, 0)] * 10, (A, B, 0)]
    # A and C drew all through the season between and share 1500 + 1410: the mean is 1455
    assert play(games, season=[0] * 10 + [1] * 10 + [2]).away[20] == pytest.approx(1365)


def test_a_relegated_club_starts_above_the_mean_of_its_new_league() -> None:
    upper = [(A, B, 1), *SEASON_OF_DRAWS]  # B ends below the mean of its league
    lower: list[Game] = [(C, D, 0)] * 10
    games = [*upper, *lower, (C, B, 0)]
    ratings = play(games, league=[0] * 11 + [1] * 11, season=[0] * 21 + [1])
    assert ratings.away[21] == pytest.approx(1590)


def test_a_promoted_club_starts_below_the_mean_of_its_new_league() -> None:
    upper: list[Game] = [*SEASON_OF_DRAWS]
    lower: list[Game] = [(C, D, 5), *[(C, D, 0)] * 10]
    ratings = play([*upper, *lower, (A, C, 0)], league=[0] * 10 + [1] * 11 + [0], season=[0] * 21 + [1])
    assert ratings.away[21] == pytest.approx(1410)


def test_a_cup_neither_promotes_nor_relegates() -> None:
    games = [(A, B, 1), *SEASON_OF_DRAWS, (C, D, 0), (C, A, 0)]
    league, season = [0] * 11 + [1, 1], [0] * 12 + [1]
    ratings = play(games, league=league, season=season)
    before = play([*games[:11], (A, B, 0)], season=[0] * 11 + [1], at=[*range(11), 12]).home[11]
    assert ratings.away[12] == pytest.approx(before)


def test_matches_of_the_same_instant_do_not_see_one_another() -> None:
    ratings = play([(A, B, 3), (A, C, 0), (A, D, 0)], at=[0, 0, 1])
    assert ratings.home.tolist()[:2] == [1500, 1500]
    assert ratings.home[2] > 1500


def test_matches_without_a_result_are_rated_and_change_nothing() -> None:
    ratings = play([(A, B, 1), (A, B, 7), (A, B, 0)], played=[True, False, True])
    assert ratings.home.tolist() == [1500, 1509, 1509]


def test_the_order_of_rows_does_not_matter() -> None:
    games = [(A, B, 1), (B, C, 2), (C, A, 0), (A, C, -1)]
    forward = play(games)
    backward = play(games[::-1], at=[3, 2, 1, 0])
    assert forward.home.tolist() == backward.home.tolist()[::-1]


def test_an_unplayed_match_of_next_season_shows_the_rating_after_the_summer() -> None:
    ratings = play([(A, B, 1), (A, B, 0)], season=[0, 1], at=[0, YEAR], played=[True, False])
    assert ratings.home[1] == pytest.approx(1508.1)


def test_four_hundred_points_are_ten_times_the_share() -> None:
    expected = expected_home_points(np.array([1900.0]), np.array([1500.0]), np.array([0.0]))
    assert expected[0] == pytest.approx(10 / 11)


def test_no_matches_no_ratings() -> None:
    assert len(play([]).home) == 0
