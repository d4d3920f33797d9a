"""The market rating by hand, and how much faster it finds the true strengths of synthetic leagues."""

import numpy as np
import pytest

from batch.ratings import EloSettings, MarketRatings, MarketSettings, MatchColumns, rate_by_prices

A, B, C = range(3)
NAN = float("nan")
EVEN = MarketSettings(elo=EloSettings(home_advantage=0, advantage_rate=0), advantage_rate=0)


def play(
    games: list[tuple[int, int, int]],
    shares: list[float],
    settings: MarketSettings = EVEN,
    begins_at: list[int] | None = None,
) -> MarketRatings:
    """Games ten units of time apart; each result is known five units after its kickoff."""
    n = len(games)
    home, away, difference = np.array(games, dtype=np.int64).reshape(n, 3).T
    kickoff = np.array(begins_at or range(0, 10 * n, 10), dtype=np.int64)
    zeros = np.zeros(n, dtype=np.int64)
    columns = MatchColumns(
        home=home,
        away=away,
        league=zeros,
        season=zeros,
        asked_at=kickoff,
        begins_at=kickoff,
        known_at=kickoff + 5,
        goal_difference=difference,
        played=np.ones(n, dtype=bool),
    )
    return rate_by_prices(columns, np.array(shares), settings)


def test_a_price_closes_part_of_its_gap_to_the_ratings_and_the_result_moves_by_the_surprise_against_it() -> None:
    ratings = play([(A, B, 1), (A, C, 0)], [10 / 11, NAN])
    # the price: 400 log10(10) = 400 points, 0.275 of them a side; the result: 4 (1 + 1) (1 - 10/11)
    assert ratings.home[1] == pytest.approx(1500 + 110 + 8 / 11)
    assert ratings.away[1] == 1500


def test_the_price_moves_the_leagues_home_advantage_and_a_priced_result_does_not() -> None:
    ratings = play([(A, B, 3), (A, C, 0)], [10 / 11, NAN], MarketSettings(elo=EloSettings(home_advantage=0)))
    assert ratings.advantage[1] == pytest.approx(0.02 * 400)


def test_without_a_price_a_result_moves_as_in_elo() -> None:
    ratings = play([(A, B, 1), (A, B, 0)], [NAN, NAN])
    assert (ratings.home[1], ratings.away[1]) == (1509, 1491)


def test_priced_and_stale_matches_count_up_to_their_limits() -> None:
    settings = MarketSettings(priced_limit=2, stale_limit=3)
    games = [(A, B, 0)] * 9
    ratings = play(games, [NAN, 0.5, 0.5, 0.5, NAN, NAN, NAN, NAN, NAN], settings)
    assert ratings.priced.tolist() == [0, 0, 1, 2, 2, 2, 2, 2, 2]
    assert ratings.stale.tolist() == [3, 3, 0, 0, 0, 1, 2, 3, 3]


def test_between_kickoff_and_result_the_price_is_known_and_the_result_is_not() -> None:
    ratings = play([(A, B, 4), (A, C, 0)], [10 / 11, NAN], begins_at=[0, 3])
    assert ratings.home[1] == pytest.approx(1610)


def test_a_certain_price_has_an_end() -> None:
    ratings = play([(A, B, 0), (A, C, 0)], [1.0, NAN])
    assert np.isfinite(ratings.home).all()
