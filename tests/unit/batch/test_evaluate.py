"""Every measure by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from batch import evaluate

FORECAST = np.array([[0.8, 0.1, 0.1], [0.2, 0.3, 0.5]])
HOME, DRAW, AWAY = 0, 1, 2


def test_outcomes_are_home_draw_away() -> None:
    home, away = pd.Series([2, 1, 0], dtype="Int16"), pd.Series([1, 1, 3], dtype="Int16")
    assert evaluate.outcomes(home, away).tolist() == [HOME, DRAW, AWAY]


def test_rps_of_eight_one_one_with_a_home_win() -> None:
    assert evaluate.rps(FORECAST[:1], np.array([HOME])) == pytest.approx(0.025)  # (0.2^2 + 0.1^2) / 2


def test_rps_of_eight_one_one_with_an_away_win() -> None:
    assert evaluate.rps(FORECAST[:1], np.array([AWAY])) == pytest.approx(0.725)  # (0.8^2 + 0.9^2) / 2


def test_log_loss_is_natural() -> None:
    expected = -(math.log(0.8) + math.log(0.3)) / 2
    assert evaluate.log_loss(FORECAST, np.array([HOME, DRAW])) == pytest.approx(expected)


def test_log_loss_of_certain_and_wrong_is_finite() -> None:
    assert evaluate.log_loss(np.array([[1.0, 0.0, 0.0]]), np.array([AWAY])) == pytest.approx(-math.log(1e-15))


def test_brier_sums_over_the_three_outcomes() -> None:
    assert evaluate.brier(FORECAST[:1], np.array([HOME])) == pytest.approx(0.06)  # 0.2^2 + 0.1^2 + 0.1^2


def test_accuracy_counts_the_most_probable_outcome() -> None:
    assert evaluate.accuracy(FORECAST, np.array([HOME, DRAW])) == 0.5


def test_calibration_error_of_three_statements() -> None:
    # bins: {0.1, 0.1} forecast 0.1, happened 0 of 2; {0.8} happened: (2 * 0.1 + 1 * 0.2) / 3
    assert evaluate.calibration_error(FORECAST[:1], np.array([HOME])) == pytest.approx(0.4 / 3)


def test_confidence_calibration_error_looks_at_the_favourite_alone() -> None:
    # favourites at 0.8 (right) and 0.5 (wrong): (0.2 + 0.5) / 2
    assert evaluate.confidence_calibration_error(FORECAST, np.array([HOME, DRAW])) == pytest.approx(0.35)


def test_a_certain_forecast_falls_into_the_last_bin() -> None:
    bins = evaluate.calibration_table(np.array([1.0, 0.95]), np.array([True, False]))
    assert bins.to_dict("records") == [{"lower": 0.9, "count": 2, "forecast": 0.975, "frequency": 0.5}]


def test_base_rates_add_one_match_of_each_outcome() -> None:
    assert evaluate.base_rates(np.array([HOME, HOME, AWAY]), 1)[0].tolist() == [3 / 6, 1 / 6, 2 / 6]


def test_the_divergence_from_the_market_by_hand() -> None:
    market, forecast = np.array([[0.5, 0.25, 0.25]]), np.array([[0.25, 0.5, 0.25]])
    # 1/2 ln 2 + 1/4 ln 1/2 + 1/4 ln 1
    assert evaluate.kl_divergences(market, forecast) == pytest.approx([0.25 * np.log(2)])
    assert evaluate.kl_divergences(market, market) == pytest.approx([0])


def test_the_divergence_is_among_the_scores_where_the_market_is_given() -> None:
    forecast = np.array([[0.25, 0.5, 0.25]])
    assert "kl_to_market" not in evaluate.scores(forecast, np.array([HOME]))
    scored = evaluate.scores(forecast, np.array([HOME]), np.array([[0.5, 0.25, 0.25]]))
    assert scored["kl_to_market"] == pytest.approx(0.25 * np.log(2))


def test_the_paired_interval_of_equal_differences_is_a_point() -> None:
    interval = evaluate.paired_interval(np.full(50, 1.2), np.full(50, 1.0))
    assert interval == pytest.approx({"difference": 0.2, "low": 0.2, "high": 0.2})


def test_the_paired_interval_covers_zero_for_noise_and_is_the_same_each_time() -> None:
    noise = np.random.default_rng(5).normal(0, 1, 400)
    interval = evaluate.paired_interval(noise, np.zeros(400))
    assert interval["low"] < 0 < interval["high"]
    assert interval == evaluate.paired_interval(noise, np.zeros(400))
    # normal theory: half-width 1.96 / sqrt(400)
    assert (interval["high"] - interval["low"]) / 2 == pytest.approx(1.96 / 20, rel=0.15)


def test_scores_of_no_matches_are_not_numbers() -> None:
    assert all(math.isnan(value) for value in evaluate.scores(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)).values())


def test_regions_are_scored_apart() -> None:
    report = evaluate.by_region(FORECAST, np.array([HOME, DRAW]), pd.Series(["Spain", "England"]))
    assert list(report) == ["England", "Spain"]
    assert report["Spain"]["rps"] == pytest.approx(0.025)
    assert report["England"]["matches"] == 1


def test_the_table_has_a_line_for_each_forecast() -> None:
    lines = evaluate.table({"model": {"rps": 0.2, "n": 5}, "market": {"rps": 0.19}}).splitlines()
    assert [line.split() for line in lines] == [["rps", "n"], ["model", "0.2000", "5"], ["market", "0.1900"]]
