"""Past prices on leagues whose true strengths are known: what they are worth, and that missing ones cost nothing.

Measured against the truth and not against results, so that a few thousand matches are enough. Four leagues, five
seasons, three tenths of a club's strength new each season, a market whose prices are 3 % off.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from batch import synthetic
from batch.evaluate import kl_divergences
from batch.features import build_features
from batch.synthetic import MATCHES_PER_ROUND, MATCHES_PER_SEASON, World
from batch.times import parse_date
from batch.training.experiment import Experiment
from batch.training.fitting import CHAMPION, MARKET, TrainingSettings

pytestmark = pytest.mark.slow

WORLD = World(4 * 5 * MATCHES_PER_SEASON, seed=11, seasons=5, drift=0.3)
MATCHES = synthetic.matches_of(WORLD)
TRUTH = synthetic.probabilities(WORLD)
PRICES = synthetic.prices(WORLD, noise=0.03)
VALIDATE_FROM, TEST_FROM, LAST_SEASON = (parse_date(f"{year}-07-01") for year in (2006, 2007, 2008))


def divergence(recipe: TrainingSettings, prices: pd.DataFrame | None, test_from: pd.Timestamp = TEST_FROM) -> float:
    """Of a recipe's forecasts from the true probabilities, over the matches from a time on."""
    experiment = Experiment.of(MATCHES, VALIDATE_FROM, TEST_FROM, prices)
    where = experiment.test & (experiment.table.display["match_date"] >= test_from).to_numpy(bool)
    truth = TRUTH[experiment.table.features["match_id"].to_numpy(np.int64) - 1][where]
    return float(kl_divergences(truth, experiment.predict(experiment.fit(recipe), where)).mean())


@pytest.fixture(scope="module")
def by_results() -> float:
    return divergence(CHAMPION, None)


def before(moment: pd.Timestamp) -> pd.DataFrame:
    return PRICES[(MATCHES["kickoff"] < moment).to_numpy()]


def of_half_the_leagues() -> pd.DataFrame:
    return PRICES[MATCHES["region"].isin(["Region 000", "Region 001"]).to_numpy()]


def of_three_matches_in_ten() -> pd.DataFrame:
    return PRICES[np.random.default_rng(3).random(len(PRICES)) < 0.3]


def test_the_prices_of_past_matches_are_worth_most_of_what_results_do_not_tell(by_results: float) -> None:
    assert divergence(MARKET, PRICES) < by_results / 3


def test_without_any_price_nothing_is_lost(by_results: float) -> None:
    assert divergence(MARKET, None) < by_results + 0.0005


def test_a_feed_that_is_dead_all_through_the_test_costs_nothing(by_results: float) -> None:
    assert divergence(MARKET, before(TEST_FROM)) < by_results + 0.0005


@pytest.mark.parametrize("some", [of_half_the_leagues, of_three_matches_in_ten])
def test_some_prices_are_worth_part_of_it(some: Callable[[], pd.DataFrame], by_results: float) -> None:
    assert divergence(MARKET, some()) < 0.8 * by_results


def test_prices_that_came_after_the_fitting_are_used_all_the_same() -> None:
    late = PRICES[(MATCHES["kickoff"] >= LAST_SEASON).to_numpy()]
    assert divergence(MARKET, late, LAST_SEASON) < 0.8 * divergence(CHAMPION, None, LAST_SEASON)


@pytest.mark.parametrize("noise", [0.05, 0.10])
def test_a_worse_price_is_still_worth_most_of_it(noise: float, by_results: float) -> None:
    assert divergence(MARKET, synthetic.prices(WORLD, noise=noise)) < by_results / 3


def test_the_strengths_of_new_clubs_are_recovered_in_a_fraction_of_the_matches() -> None:
    """Nobody is known in the first season: five matches with prices tell more than a whole season of results."""
    features = build_features(MATCHES, parse_date("2030-01-01"), prices=PRICES).features
    true_share = TRUTH[:, 0] + TRUTH[:, 1] / 2
    first_season = np.arange(WORLD.n) // MATCHES_PER_SEASON % WORLD.seasons == 0
    round_number = np.arange(WORLD.n) % MATCHES_PER_SEASON // MATCHES_PER_ROUND

    def error(name: str, rounds: range) -> float:
        at = first_season & np.isin(round_number, list(rounds))
        return float(np.sqrt(((features[name].to_numpy() - true_share)[at] ** 2).mean()))

    assert error("market_expected_home", range(5, 8)) < error("elo_expected_home", range(33, 38))
    assert error("market_expected_home", range(5, 8)) < 0.3 * error("elo_expected_home", range(5, 8))
