"""The vectorised formulas are the scalar ones, to the bit."""

import numpy as np
import pytest

from batch.odds import arrays as odds_arrays
from batch.odds.arrays import NO_BET
from batch.odds.market import booksum
from tests.support import scalar_odds


def random_markets(n: int) -> odds_arrays.Floats:
    generator = np.random.default_rng(7)
    fair = generator.dirichlet((2.0, 1.5, 1.2), n)
    return np.round(1 / (fair * generator.uniform(0.98, 1.3, (n, 1))), 2)


def test_shin_and_booksum_agree_with_the_scalar_functions_on_every_row() -> None:
    markets = random_markets(500)
    fair = odds_arrays.shin(markets)
    total = odds_arrays.booksum(markets)
    assert 100 < fair.has_fair.sum() < 500
    for row, prices in enumerate(markets.tolist()):
        expected = scalar_odds.remove_margin(prices)
        assert bool(fair.has_fair[row]) == (expected is not None)
        if expected is not None:
            probabilities = tuple(fair.probabilities[row].tolist())
            scalar_probabilities = expected.probabilities
            assert probabilities == (scalar_probabilities.home, scalar_probabilities.draw, scalar_probabilities.away)
            assert total[row] == booksum(prices)
        else:
            assert np.isnan(fair.probabilities[row]).all()


def test_value_bets_agree_with_the_scalar_function_on_every_row() -> None:
    markets = random_markets(500)
    markets = markets[odds_arrays.are_odds(markets)]
    probabilities = np.random.default_rng(8).dirichlet((2.0, 1.5, 1.2), len(markets))
    bets = odds_arrays.value_bets(probabilities, markets, threshold=0.05)
    for row in range(len(markets)):
        expected = scalar_odds.value_bet(probabilities[row].tolist(), markets[row].tolist(), 0.05)
        assert bets.outcome[row] == (NO_BET if expected is None else expected.outcome)
        if expected is not None:
            assert bets.edge[row] == expected.edge
            assert bets.odds[row] == expected.odds


def test_incomplete_rows_have_no_odds_and_no_bet() -> None:
    markets = np.array([[2.0, np.nan, 4.0], [2.0, 1.0, 4.0], [np.nan] * 3, [9.0, 9.0, 9.0]])
    assert odds_arrays.are_odds(markets).tolist() == [False, False, False, True]
    assert np.isnan(odds_arrays.booksum(markets)).tolist() == [True, True, True, False]
    probabilities = np.array([[0.5, 0.3, 0.2]] * 3 + [[np.nan, 0.5, 0.5]])
    assert odds_arrays.value_bets(probabilities, markets).outcome.tolist() == [NO_BET] * 4


def test_nothing_in_gives_nothing_out() -> None:
    nothing = np.empty((0, 3))
    assert odds_arrays.shin(nothing).probabilities.shape == (0, 3)
    assert odds_arrays.value_bets(nothing, nothing).outcome.shape == (0,)


def test_the_method_is_named_only_where_there_are_fair_odds() -> None:
    assert odds_arrays.margin_method(True) == "shin"
    assert odds_arrays.margin_method(False) is None


def test_the_worked_example() -> None:
    fair = odds_arrays.shin(np.array([[1.67, 4.05, 4.30]]))
    assert fair.probabilities[0].tolist() == pytest.approx([0.5682, 0.2229, 0.2089], abs=6e-5)
