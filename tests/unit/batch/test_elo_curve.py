"""The ordered logit of the Elo expectation."""

import numpy as np
import pytest

from batch.training.elo_curve import EloCurve


def test_an_even_match_on_the_symmetric_curve() -> None:
    # s(-1) = 0.268941: away 0.2689, home the same, the draw what is left
    probabilities = EloCurve(slope=1, lower=-1, upper=1).probabilities(np.array([0.5]))[0]
    assert probabilities == pytest.approx([0.268941, 0.462117, 0.268941], abs=1e-6)


def test_home_rises_and_away_falls_with_the_expectation() -> None:
    probabilities = EloCurve().probabilities(np.linspace(0.0, 1.0, 101))
    assert (np.diff(probabilities[:, 0]) >= 0).all()
    assert (np.diff(probabilities[:, 2]) <= 0).all()
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(101))
    assert (probabilities > 0).all()


def test_many_matches_find_the_curve_they_come_from() -> None:
    generator = np.random.default_rng(1)
    truth = EloCurve(slope=1.3, lower=-0.8, upper=0.4)
    shares = generator.uniform(0.1, 0.9, 40_000)
    draws = generator.random(40_000)[:, None]
    outcome = (draws > truth.probabilities(shares).cumsum(axis=1)).sum(axis=1)
    fitted = EloCurve.fit(shares, outcome)
    assert (fitted.slope, fitted.lower, fitted.upper) == pytest.approx((1.3, -0.8, 0.4), abs=0.05)


def test_a_handful_of_matches_hardly_moves_the_usual_curve() -> None:
    fitted = EloCurve.fit(np.array([0.5, 0.6]), np.array([2, 2]))
    assert fitted.probabilities(np.array([0.5]))[0] == pytest.approx(
        EloCurve().probabilities(np.array([0.5]))[0], abs=0.05
    )
