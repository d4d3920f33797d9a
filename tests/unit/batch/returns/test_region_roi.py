"""Return on value bets, against bets settled by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from batch.returns.region_roi import (
    COLUMNS,
    RoiSettings,
    as_csv,
    bettable,
    bootstrap_interval,
    region_roi,
    settled_bets,
    summary,
)

NOTHING = float("nan")


def predictions(*rows: tuple[int, str, tuple[float, float, float], str | None]) -> pd.DataFrame:
    """(match_id, region, probabilities, outcome); kickoffs a day apart, at 15:00 on 1 March 2024 plus match_id days."""
    return pd.DataFrame(
        {
            "match_id": np.array([row[0] for row in rows], dtype=np.int64),
            "match_date": pd.to_datetime(["2024-03-01T15:00:00Z"] * len(rows))
            + pd.to_timedelta([row[0] for row in rows], unit="D"),
            "region": [row[1] for row in rows],
            "league": "League",
            "proba_home": [row[2][0] for row in rows],
            "proba_draw": [row[2][1] for row in rows],
            "proba_away": [row[2][2] for row in rows],
            "outcome_1x2": [row[3] for row in rows],
        }
    )


def odds(
    *rows: tuple[int, tuple[float, float, float]],
    hours_before: float = 5,
    closing: list[tuple[float, float, float]] | None = None,
) -> pd.DataFrame:
    """(match_id, odds), seen this many hours before kickoff."""
    numbers = np.array([row[0] for row in rows], dtype=np.int64)
    kickoff = pd.to_datetime(["2024-03-01T15:00:00Z"] * len(rows)) + pd.to_timedelta(numbers, unit="D")
    prices = pd.DataFrame([row[1] for row in rows], columns=["odds_home", "odds_draw", "odds_away"], dtype="float64")
    if closing is not None:
        prices[["closing_home", "closing_draw", "closing_away"]] = closing
    return prices.assign(match_id=numbers, collected_at=kickoff - pd.Timedelta(hours=hours_before))


EVEN = (0.5, 0.25, 0.25)
PRICE = (2.2, 3.6, 3.6)  # booksum 1.0101; EV of a home win at 0.5 is 0.1, of the others -0.1


def test_flat_stakes_are_settled_by_hand() -> None:
    # two home bets win 1.2 each, one loses 1: profit 1.4 on a turnover of 3
    forecast = predictions((1, "A", EVEN, "home"), (2, "A", EVEN, "home"), (3, "A", EVEN, "away"))
    bets = settled_bets(forecast, odds((1, PRICE), (2, PRICE), (3, PRICE)))
    assert bets["profit"].tolist() == pytest.approx([1.2, 1.2, -1.0])
    assert bets["edge"].tolist() == pytest.approx([0.1] * 3)
    totals = summary(bets)
    assert (totals["bets"], totals["turnover"]) == (3, 3.0)
    assert totals["profit"] == pytest.approx(1.4)
    assert totals["roi"] == pytest.approx(1.4 / 3)


def test_a_match_without_an_edge_over_the_threshold_is_not_a_bet() -> None:
    forecast = predictions((1, "A", (0.45, 0.28, 0.27), "home"))  # 0.45 * 2.2 - 1 = -0.01; 0.28 * 3.6 - 1 = 0.008
    assert settled_bets(forecast, odds((1, PRICE))).empty
    assert len(settled_bets(forecast, odds((1, PRICE)), RoiSettings(threshold=0.0))) == 1


def test_a_void_bet_leaves_the_turnover() -> None:
    forecast = predictions((1, "A", EVEN, "home"), (2, "A", EVEN, None))  # the second was abandoned
    assert summary(settled_bets(forecast, odds((1, PRICE), (2, PRICE))))["turnover"] == 1.0


def test_odds_seen_at_or_after_kickoff_are_never_bet_on() -> None:
    forecast = predictions((1, "A", EVEN, "home"))
    assert len(bettable(forecast, odds((1, PRICE), hours_before=0.001))) == 1
    assert bettable(forecast, odds((1, PRICE), hours_before=0)).empty
    assert bettable(forecast, odds((1, PRICE), hours_before=-1)).empty


def test_a_match_known_by_its_day_alone_takes_odds_of_an_earlier_day() -> None:
    forecast = predictions((1, "A", EVEN, "home"))
    forecast["match_date"] = forecast["match_date"].dt.normalize()  # 00:00
    assert bettable(forecast, odds((1, PRICE), hours_before=5)).empty  # 10:00 of that day
    assert len(bettable(forecast, odds((1, PRICE), hours_before=16))) == 1  # 23:00 of the day before


def test_a_match_without_a_kickoff_is_not_bet_on() -> None:
    forecast = predictions((1, "A", EVEN, "home"))
    forecast["match_date"] = pd.Series([pd.NaT], dtype="datetime64[ms, UTC]")
    assert bettable(forecast, odds((1, PRICE))).empty


def test_odds_that_are_not_a_market_are_not_bet_on() -> None:
    forecast = predictions((1, "A", EVEN, "home"), (2, "A", EVEN, "home"), (3, "A", EVEN, "home"))
    broken = odds((1, (20.0, 3.6, 3.6)), (2, (2.2, 2.2, 2.2)), (3, (NOTHING, 3.0, 3.0)))  # B 0.61, 1.36, unknown
    assert bettable(forecast, broken).empty


def test_forecasts_of_matches_the_model_was_fitted_on_are_left_out() -> None:
    forecast = predictions((1, "A", EVEN, "home"), (2, "A", EVEN, "home"), (3, "A", EVEN, "home"))
    forecast["in_sample"] = pd.array([True, False, None], dtype="boolean")
    assert bettable(forecast, odds((1, PRICE), (2, PRICE), (3, PRICE)))["match_id"].tolist() == [2, 3]


def test_closing_line_value_is_known_only_with_closing_odds() -> None:
    forecast = predictions((1, "A", EVEN, "home"), (2, "A", EVEN, "home"))
    prices = odds((1, PRICE), (2, PRICE), closing=[(1.9, 3.8, 4.5), (NOTHING, 4.0, 4.1)])
    bets = settled_bets(forecast, prices)
    assert math.isnan(bets["clv"].iloc[1])
    # r = .526316, .263158, .222222: B = 1.011696; Shin's z is near 0.006, so q_home is a little above .5202
    assert bets["clv"].iloc[0] == pytest.approx(2.2 * 0.5224 - 1, abs=1.5e-3)
    assert summary(bets)["clv"] == pytest.approx(bets["clv"].iloc[0])
    assert math.isnan(summary(settled_bets(forecast, odds((1, PRICE))))["clv"])


def test_one_row_a_region_and_no_row_without_a_bet() -> None:
    forecast = predictions((1, "B", EVEN, "home"), (2, "A", EVEN, "draw"), (3, "C", (0.3, 0.3, 0.4), "home"))
    table = region_roi(settled_bets(forecast, odds((1, PRICE), (2, PRICE), (3, (2.6, 3.0, 2.4)))))
    assert table["region"].tolist() == ["A", "B"]
    assert tuple(table.columns) == COLUMNS
    assert table["roi"].tolist() == pytest.approx([-1.0, 1.2])
    assert table["roi_ci_low"].isna().all()  # one bet tells nothing of its spread


def test_without_bets_the_table_is_empty_and_typed() -> None:
    table = region_roi(settled_bets(predictions(), odds()))
    assert table.empty
    assert str(table["bets"].dtype) == "int64"
    assert as_csv(table) == b"region,bets,turnover,profit,roi,roi_ci_low,roi_ci_high,clv,clv_ci_low,clv_ci_high\n"
    assert math.isnan(summary(settled_bets(predictions(), odds()))["roi"])


def test_the_csv_has_six_decimals_at_most_and_empty_cells_for_what_is_unknown() -> None:
    forecast = predictions((1, "A", EVEN, "home"), (2, "A", EVEN, "home"), (3, "A", EVEN, "away"))
    table = region_roi(settled_bets(forecast, odds((1, PRICE), (2, PRICE), (3, PRICE))))
    assert as_csv(table).splitlines()[1] == b"A,3,3.0,1.4,0.466667,,,,,"


def test_an_interval_has_no_decimal_that_another_seed_would_change_by_more_than_a_few_hundredths() -> None:
    profit = np.random.default_rng(3).choice([-1.0, 1.5], size=300, p=[0.62, 0.38])
    ends = np.array([bootstrap_interval(profit, seed) for seed in range(20)])
    assert np.array_equal(ends, ends.round(2))
    # A standard error of 0.07 x 0.085 is 0.006; four of them are not exceeded in 20 draws.
    assert (np.ptp(ends, axis=0) <= 0.05).all()


@pytest.mark.parametrize("name", ["=1+1", "+A", "-A", "@A", "\tA"])
def test_a_regions_name_is_no_formula_and_a_loss_stays_a_number(name: str) -> None:
    table = region_roi(settled_bets(predictions((1, name, EVEN, "away")), odds((1, PRICE))))
    row = as_csv(table).decode().splitlines()[1].split(",")
    assert row[0] == f"'{name}"
    assert row[3] == "-1.0"


def test_the_interval_is_reproducible_and_close_to_the_normal_one() -> None:
    profit = np.random.default_rng(3).choice([-1.0, 1.5], size=1500, p=[0.62, 0.38])
    low, high = bootstrap_interval(profit, seed=1)
    assert (low, high) == bootstrap_interval(profit, seed=1)
    spread = 1.96 * profit.std() / math.sqrt(1500)
    assert low == pytest.approx(profit.mean() - spread, abs=0.01)
    assert high == pytest.approx(profit.mean() + spread, abs=0.01)


def test_grouping_many_bets_gives_the_interval_of_resampling_each() -> None:
    profit = np.random.default_rng(4).choice([-1.0, 2.5], size=20_000, p=[0.72, 0.28])
    low, high = bootstrap_interval(profit, seed=1)
    spread = 1.96 * profit.std() / math.sqrt(20_000)
    assert high - low == pytest.approx(2 * spread, rel=0.12)
    assert (low + high) / 2 == pytest.approx(profit.mean(), abs=0.1 * spread)


def test_below_ten_bets_there_is_no_interval() -> None:
    assert math.isnan(bootstrap_interval(np.array([-1.0] * 9), seed=1)[0])
    assert bootstrap_interval(np.array([-1.0] * 10), seed=1) == (-1.0, -1.0)


def test_a_match_with_two_rows_of_odds_is_an_error_not_two_bets() -> None:
    with pytest.raises(pd.errors.MergeError):
        bettable(predictions((1, "A", EVEN, "home")), odds((1, PRICE), (1, PRICE)))
