"""Margins, edges and stakes against values worked out by hand."""

import itertools
import math

import pytest

from batch.odds.market import MarginMethod, are_odds, booksum
from chalicelib.domain import Outcome
from tests.support.scalar_odds import (
    edges,
    expected_value,
    has_fair_odds,
    kelly_fraction,
    multiplicative,
    odds_ratio,
    remove_margin,
    shin,
    value_bet,
)

MARKET = (1.67, 4.05, 4.30)


def test_the_booksum_is_the_sum_of_the_reciprocals() -> None:
    assert booksum((2.0, 4.0, 5.0)) == pytest.approx(0.95)
    assert booksum((2.0, 4.0, 4.0)) == 1.0
    assert booksum(MARKET) == pytest.approx(1.078274, abs=5e-7)


@pytest.mark.parametrize(
    ("method", "expected", "parameter"),
    [
        (MarginMethod.MULTIPLICATIVE, (0.5553, 0.2290, 0.2157), 1.0783),
        (MarginMethod.SHIN, (0.5682, 0.2229, 0.2089), 0.0395),
        (MarginMethod.ODDS_RATIO, (0.5668, 0.2233, 0.2099), 1.1406),
    ],
)
def test_each_margin_method_gives_the_worked_example(
    method: MarginMethod, expected: tuple[float, ...], parameter: float
) -> None:
    fair = remove_margin(MARKET, method)
    assert fair is not None
    probabilities = (fair.probabilities.home, fair.probabilities.draw, fair.probabilities.away)
    assert probabilities == pytest.approx(expected, abs=6e-5)
    assert fair.parameter == pytest.approx(parameter, abs=6e-5)
    assert fair.method is method


def test_equal_odds_are_a_third_each_by_every_method() -> None:
    for method in MarginMethod:
        fair = remove_margin((2.8, 2.8, 2.8), method)
        assert fair is not None
        assert fair.probabilities.draw == pytest.approx(1 / 3, abs=1e-12)


def test_the_probabilities_sum_to_one_over_the_whole_range_of_markets() -> None:
    grid = (1.01, 1.2, 1.9, 3.3, 8.0, 40.0, 501.0)
    markets = [odds for odds in itertools.product(grid, repeat=3) if has_fair_odds(odds)]
    assert len(markets) > 20
    for odds in markets:
        for solve in (multiplicative, shin, odds_ratio):
            probabilities, parameter = solve(odds)
            assert sum(probabilities) == pytest.approx(1, abs=1e-12)
            assert all(0 < p < 1 for p in probabilities)
            assert math.isfinite(parameter)


def test_shin_takes_more_from_the_longshot_than_the_multiplicative_method() -> None:
    odds = (1.3, 5.5, 11.0)
    assert shin(odds)[0][2] < multiplicative(odds)[0][2]
    assert shin(odds)[0][0] > multiplicative(odds)[0][0]


@pytest.mark.parametrize(
    "odds",
    [
        (1.0, 4.0, 5.0),  # a price of 1 pays nothing
        (2.0, 4.0, math.inf),
        (2.0, math.nan, 5.0),
        (2.0, 4.0, 5.0),  # B = 0.95: an arbitrage
        (2.0, 4.0, 4.0),  # B = 1 exactly
        (1.6, 3.2, 3.2),  # B = 1.25 exactly
        (1.5, 2.5, 3.0),  # B = 1.4
        (2.0, 3.0),
    ],
)
def test_no_fair_odds_are_read_from_what_is_not_a_market(odds: tuple[float, ...]) -> None:
    assert not has_fair_odds(odds)
    assert remove_margin(odds) is None


def test_shin_is_the_default_and_multiplicative_stands_in_where_it_does_not_converge() -> None:
    fair = remove_margin(MARKET)
    assert fair is not None
    assert fair.method is MarginMethod.SHIN
    # a tolerance nothing can meet provokes the fallback
    fallback = remove_margin(MARKET, MarginMethod.SHIN, tolerance=-1.0)
    assert fallback is not None
    assert fallback.method is MarginMethod.MULTIPLICATIVE
    assert fallback.probabilities.home == pytest.approx(0.5553, abs=6e-5)


def test_expected_value_is_probability_times_odds_less_one() -> None:
    assert expected_value(0.5, 2.2) == pytest.approx(0.1)
    assert edges((0.5, 0.3, 0.2), (2.2, 3.0, 4.0)) == pytest.approx((0.1, -0.1, -0.2))


def test_the_value_bet_is_the_largest_edge_over_the_threshold() -> None:
    bet = value_bet((0.5, 0.3, 0.2), (2.2, 4.0, 4.0), threshold=0.05)
    assert bet is not None
    assert bet.outcome is Outcome.DRAW  # 0.2 beats 0.1
    assert bet.edge == pytest.approx(0.2)
    assert bet.odds == 4.0
    assert bet.kelly == pytest.approx(0.2 / 3)


def test_an_edge_that_only_reaches_the_threshold_is_not_a_value_bet() -> None:
    assert value_bet((0.5, 0.25, 0.25), (2.5, 3.0, 3.0), threshold=0.25) is None  # 0.5 * 2.5 - 1 = 0.25 exactly
    assert value_bet((0.5, 0.25, 0.25), (2.5, 3.0, 3.0), threshold=0.2499) is not None


def test_beating_the_margin_free_probability_alone_is_not_value() -> None:
    fair = remove_margin(MARKET)
    assert fair is not None
    home = fair.probabilities.home + 0.02  # above the market's own belief, still below its price
    assert value_bet((home, 0.22, 1 - home - 0.22), MARKET, threshold=0.0) is None


def test_on_a_tie_the_earlier_outcome_is_taken() -> None:
    bet = value_bet((0.5, 0.25, 0.25), (2.5, 5.0, 5.0))
    assert bet is not None
    assert bet.outcome is Outcome.HOME


def test_a_value_bet_needs_real_odds() -> None:
    with pytest.raises(ValueError, match="decimal odds"):
        value_bet((0.5, 0.3, 0.2), (1.0, 3.0, 4.0))


def test_odds_that_are_not_numbers_are_refused() -> None:
    assert not are_odds((2.0, 3.0))
    with pytest.raises(ValueError, match="decimal odds"):
        booksum((0.5, 3.0, 4.0))
    with pytest.raises(ValueError, match="decimal odds"):
        kelly_fraction(0.5, 1.0)


def test_kelly_follows_its_formula_and_stays_between_nothing_and_everything() -> None:
    assert kelly_fraction(0.5, 2.2) == pytest.approx(0.1 / 1.2)
    assert kelly_fraction(0.4, 2.2) == 0.0
    assert kelly_fraction(1.0, 2.0) == 1.0
