"""The public record of the forecasts, against figures worked by hand."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from batch.returns.track_record import profit_curve, reliability, track_record


def predictions(*rows: tuple[tuple[float, float, float], str | None], day: int = 1) -> pd.DataFrame:
    n = len(rows)
    return pd.DataFrame(
        {
            "match_id": range(1, n + 1),
            "match_date": pd.to_datetime(["2024-03-01T15:00:00Z"] * n) + pd.to_timedelta(np.arange(n) * day, unit="D"),
            "region": ["England", "Spain"][:n] + ["Spain"] * max(0, n - 2),
            "league": "League",
            "proba_home": [row[0][0] for row in rows],
            "proba_draw": [row[0][1] for row in rows],
            "proba_away": [row[0][2] for row in rows],
            "outcome_1x2": pd.Series([row[1] for row in rows], dtype="str"),
        }
    )


def odds(n: int) -> pd.DataFrame:
    kickoff = pd.to_datetime(["2024-03-01T15:00:00Z"] * n) + pd.to_timedelta(np.arange(n), unit="D")
    return pd.DataFrame(
        {
            "match_id": range(1, n + 1),
            "odds_home": 2.2,
            "odds_draw": 3.6,
            "odds_away": 3.6,
            "collected_at": kickoff - pd.Timedelta(hours=3),
        }
    )


SURE = (0.8, 0.1, 0.1)
RECORD = predictions((SURE, "home"), (SURE, "away"), (SURE, None))


def test_the_model_is_scored_on_finished_matches() -> None:
    record = track_record(RECORD)
    model = record["forecasts"]["model"]
    assert record["matches"] == 2
    assert (record["first_kickoff"], record["last_kickoff"]) == ("2024-03-01T15:00:00Z", "2024-03-02T15:00:00Z")
    assert model["accuracy"] == 0.5
    assert model["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.1)) / 2, abs=1e-6)
    assert model["rps"] == pytest.approx((0.025 + (0.64 + 0.81) / 2) / 2)  # a home win is 0.025, an away win 0.725
    assert model["brier"] == pytest.approx((0.06 + 1.46) / 2)
    assert record["by_region"]["England"]["matches"] == 1
    assert record["by_region"]["England"]["rps"] == pytest.approx(0.025)


def test_given_base_rates_are_the_baseline() -> None:
    naive = track_record(RECORD, base_rates=(0.5, 0.25, 0.25))["forecasts"]["base_rates"]
    assert naive["log_loss"] == pytest.approx((math.log(2) + math.log(4)) / 2, abs=1e-6)


def test_without_given_rates_the_baseline_knows_only_earlier_days() -> None:
    # first day: 1/3 each; second: (1 + 1, 1, 1)/4, so the away win had a quarter
    naive = track_record(RECORD)["forecasts"]["base_rates"]
    assert naive["log_loss"] == pytest.approx((math.log(3) + math.log(4)) / 2, abs=1e-6)
    same_day = track_record(predictions((SURE, "home"), (SURE, "away"), day=0))["forecasts"]["base_rates"]
    assert same_day["log_loss"] == pytest.approx(math.log(3), abs=1e-6)


def test_the_market_is_compared_on_the_same_matches() -> None:
    market = track_record(RECORD, odds(1))["market"]
    assert market["matches"] == 1  # only the first match had odds
    assert market["model"]["log_loss"] == pytest.approx(-math.log(0.8), abs=1e-6)
    assert market["base_rates"]["log_loss"] == pytest.approx(math.log(3), abs=1e-6)
    # booksum 1.0101: Shin's home probability is a little above .45
    assert market["market"]["log_loss"] == pytest.approx(-math.log(0.4510), abs=2e-3)


def test_value_bets_and_their_profit_add_up() -> None:
    record = track_record(RECORD, odds(3))
    assert record["value_bets"]["bets"] == 2
    assert record["value_bets"]["profit"] == pytest.approx(0.2)  # + 1.2 - 1
    assert record["profit_curve"] == [["2024-03-01", 1, 1.2], ["2024-03-02", 2, 0.2]]


def test_forecasts_of_matches_the_model_was_fitted_on_do_not_count() -> None:
    rows = RECORD.assign(in_sample=pd.array([True, None, None], dtype="boolean"))
    assert track_record(rows)["matches"] == 1


def test_reliability_counts_every_stated_probability_once() -> None:
    bins = reliability(np.array([SURE, SURE]), np.array([0, 2]))
    assert bins["home"] == [{"lower": 0.8, "count": 2, "forecast": 0.8, "frequency": 0.5}]
    assert sum(row["count"] for row in bins["all"]) == 6
    assert bins["draw"] == [{"lower": 0.1, "count": 2, "forecast": 0.1, "frequency": 0.0}]


def test_before_any_result_the_record_is_empty_and_still_json() -> None:
    record = track_record(predictions((SURE, None)), odds(1))
    assert record["matches"] == 0
    assert record["forecasts"]["model"]["log_loss"] is None
    assert record["first_kickoff"] is None
    assert record["market"]["matches"] == 0
    assert record["value_bets"]["roi"] is None
    assert record["profit_curve"] == []
    assert record["reliability"]["all"] == []
    json.dumps(record, allow_nan=False)


def test_the_record_of_the_same_rows_in_any_order_is_the_same() -> None:
    rows = predictions(*[(SURE, outcome) for outcome in ("home", "draw", "away", "home", "home")])
    assert track_record(rows, odds(5)) == track_record(rows.iloc[::-1], odds(5).iloc[::-1])


def test_a_long_curve_is_thinned_and_keeps_its_ends() -> None:
    days = pd.to_datetime(["2020-01-01T12:00:00Z"] * 1000) + pd.to_timedelta(np.arange(1000), unit="D")
    curve = profit_curve(pd.DataFrame({"match_date": days, "profit": 1.0}), points=50)
    assert len(curve) == 50
    assert curve[0] == ["2020-01-01", 1, 1.0]
    assert curve[-1] == ["2022-09-26", 1000, 1000.0]
