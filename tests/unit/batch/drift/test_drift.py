"""The drift report: scipy and Evidently as oracles, and what a report says of little data."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats  # type: ignore[import-untyped]
from scipy.spatial import distance  # type: ignore[import-untyped]

from batch.drift import statistics
from batch.drift.measure import (
    ColumnType,
    DriftSettings,
    column_type,
    drift_report,
    drifted_columns,
    population_stability_index,
    psi_level,
    windows,
)
from batch.drift.statistics import Floats

NOW = datetime(2024, 3, 30, 12, 0, tzinfo=UTC)
EVIDENTLY: dict[str, Any] = json.loads(
    (Path(__file__).parent / "fixtures" / "evidently_reference.json").read_text(encoding="utf-8")
)


def spread(n: int, a: int, b: int) -> Floats:
    """Numbers in [0, 1) that look random and are the same everywhere."""
    return np.array([((i * a + b) % 9973) / 9973 for i in range(1, n + 1)])


def frames(n_reference: int, n_current: int, shift: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The samples Evidently was asked about; see fixtures/README.md."""

    def frame(n: int, k: int, s: float) -> pd.DataFrame:
        x, y = spread(n, 7919, 13 * k), spread(n, 6151, 29 * k)
        return pd.DataFrame(
            {
                "same": np.round(x * 4 - 2, 6),
                "shifted": np.round(y**2 * 3 + s, 6),
                "wider": np.round((spread(n, 5323, 17 * k) - 0.5) * (2 + 2 * s), 6),
                "with_missing": np.where(spread(n, 4271, k) < 0.2, np.nan, np.round(x * y + s / 5, 6)),
                "few_values": np.floor(spread(n, 3571, k) * 4 + s * 0.3).clip(0, 4),
                "sex": (spread(n, 2897, k) < 0.3 + s / 4).astype("int64"),
                "steps": np.floor(spread(n, 1733, k) ** (1 + s) * 9).astype("int64"),
            }
        )

    return frame(n_reference, 1, 0.0), frame(n_current, 2, shift)


@pytest.mark.parametrize("case", EVIDENTLY["cases"], ids=lambda case: f"{case['reference_rows']}-{case['shift']}")
def test_every_figure_is_evidentlys(case: dict[str, Any]) -> None:
    report = drift_report(*frames(case["reference_rows"], case["current_rows"], case["shift"]), NOW)
    for key in ("number_of_columns", "number_of_drifted_columns", "share_of_drifted_columns", "dataset_drift"):
        assert report[key] == case[key]
    assert report["drift_score"] == case["share_of_drifted_columns"]
    assert set(report["drift_by_columns"]) == set(case["drift_by_columns"])
    for name, expected in case["drift_by_columns"].items():
        column = report["drift_by_columns"][name]
        for key in ("column_name", "column_type", "stattest_name", "stattest_threshold", "drift_detected"):
            assert column[key] == expected[key], (name, key)
        assert column["drift_score"] == pytest.approx(expected["drift_score"], abs=1e-9), name
        assert column["psi"] == pytest.approx(expected["psi"], abs=1e-9), name


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 5), (7, 7), (40, 150), (150, 1000), (999, 1000), (30, 9999)])
def test_the_ks_test_is_scipy_s_exact_one(m: int, n: int) -> None:
    generator = np.random.default_rng(m + n)
    for shift in (0.0, 0.2, 1.0):
        a, b = np.round(generator.normal(0, 1, m), 2), np.round(generator.normal(shift, 1, n), 2)  # with ties
        expected = stats.ks_2samp(a, b)
        assert statistics.ks_statistic(a, b) == pytest.approx(expected.statistic, abs=1e-12)
        assert statistics.ks_p_value(a, b) == pytest.approx(expected.pvalue, abs=1e-9)


def test_equal_samples_and_samples_apart_are_the_ends_of_the_ks_test() -> None:
    assert statistics.ks_p_value(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 1.0
    # 3 + 3 values fully apart: 2 of the 20 orders are as extreme
    assert statistics.ks_p_value(np.array([1.0, 2, 3]), np.array([4.0, 5, 6])) == pytest.approx(0.1)


@pytest.mark.parametrize("shift", [0.0, 0.01, 0.03, 0.06, 0.1])
def test_the_ks_test_of_many_values_is_near_scipy_s(shift: float) -> None:
    generator = np.random.default_rng(1)
    a, b = generator.normal(0, 1, 1000), generator.normal(shift, 1, 12_000)
    assert statistics.ks_p_value(a, b) == pytest.approx(stats.ks_2samp(a, b).pvalue, abs=1e-3)


@pytest.mark.parametrize("n", [20, 100, 1000])
@pytest.mark.parametrize("x", [0.1, 0.3, 0.6, 1.0, 1.36, 2.0])
def test_the_survival_of_the_ks_statistic_is_near_scipy_s(n: int, x: float) -> None:
    d = x / math.sqrt(n)
    assert statistics.kolmogorov_survival(d, n) == pytest.approx(stats.kstwo.sf(d, n), abs=2e-3)


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 40])
@pytest.mark.parametrize("statistic", [0.0, 0.01, 1.0, 3.84, 10.0, 50.0, 500.0])
def test_the_chi_square_survival_is_scipy_s(statistic: float, degrees: int) -> None:
    expected = stats.chi2.sf(statistic, degrees)
    assert statistics.chi_square_survival(statistic, degrees) == pytest.approx(expected, rel=1e-8, abs=1e-14)


def test_a_category_never_expected_is_certain_drift() -> None:
    assert statistics.chi_square_p_value(np.array([5.0, 5.0, 1.0]), np.array([6.0, 5.0, 0.0])) == 0.0


def test_two_proportions_by_hand() -> None:
    # 50 of 100 against 60 of 100: pooled .55, z = .1 / sqrt(.55 * .45 * .02) = 1.4213
    assert statistics.two_proportions_p_value((50, 60), (100, 100)) == pytest.approx(
        2 * stats.norm.sf(1.42134), abs=1e-5
    )


def test_wasserstein_and_jensen_shannon_are_scipy_s() -> None:
    generator = np.random.default_rng(5)
    a, b = np.round(generator.normal(0, 1, 300), 1), np.round(generator.normal(0.4, 2, 47), 1)
    assert statistics.wasserstein(a, b) == pytest.approx(stats.wasserstein_distance(a, b), abs=1e-12)
    assert statistics.wasserstein(np.array([0.0, 1.0]), np.array([5.0, 6.0])) == pytest.approx(5.0)
    p, q = np.array([3.0, 0.0, 7.0]), np.array([1.0, 4.0, 5.0])
    assert statistics.jensen_shannon_distance(p, q) == pytest.approx(distance.jensenshannon(p, q), abs=1e-12)
    assert statistics.jensen_shannon_distance(p, p) == 0.0


def test_psi_by_hand() -> None:
    # shares .5/.5 against .75/.25: (-.25) ln(.5/.75) + (.25) ln(.5/.25) = .1014 + .1733
    reference, current = pd.Series([0, 0, 1, 1]), pd.Series([0, 0, 0, 1])
    assert population_stability_index(reference, current, ColumnType.CATEGORICAL) == pytest.approx(0.27465, abs=1e-5)


def test_psi_levels() -> None:
    assert [psi_level(psi) for psi in (0.0, 0.0999, 0.10, 0.25, 0.2501)] == [
        "none", "none", "moderate", "moderate", "major",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.Series([0.5, 0.5]), ColumnType.NUMERIC),
        (pd.Series([0, 1, 0]), ColumnType.CATEGORICAL),
        (pd.Series(range(10)), ColumnType.CATEGORICAL),
        (pd.Series(range(11)), ColumnType.NUMERIC),
        (pd.Series([True, False]), ColumnType.CATEGORICAL),
        (pd.Series(["a", "b"]), ColumnType.CATEGORICAL),
    ],
)
def test_column_types_are_read_as_evidently_reads_them(column: pd.Series, kind: ColumnType) -> None:
    assert column_type(column) is kind


def test_a_quiet_week_that_evidently_calls_drift_is_shown_as_noise() -> None:
    generator = np.random.default_rng(11)
    columns = [f"feature_{n}" for n in range(20)]
    reference = pd.DataFrame(generator.normal(0, 1, (5000, 20)), columns=columns)
    current = pd.DataFrame(generator.normal(0, 1, (30, 20)), columns=columns)  # the same distribution
    report = drift_report(reference, current, NOW)
    assert report["number_of_drifted_columns"] >= 15  # by the definition alone
    assert report["dataset_drift"]
    assert report["number_of_columns_beyond_noise"] <= 3  # about 1 in 20 is, by chance
    assert not report["sufficient_sample"]
    assert "only 30 matches" in report["note"]


def test_real_drift_in_a_small_sample_is_beyond_noise() -> None:
    generator = np.random.default_rng(12)
    reference = pd.DataFrame({"elo": generator.normal(1500, 100, 5000)})
    report = drift_report(reference, pd.DataFrame({"elo": generator.normal(1650, 100, 40)}), NOW)
    assert report["drift_by_columns"]["elo"]["beyond_noise"]


def test_a_feature_that_vanished_has_drifted() -> None:
    reference, current = frames(400, 150, 0.0)
    column = drift_report(reference, current.assign(same=np.nan), NOW)["drift_by_columns"]["same"]
    assert column["drift_detected"]
    assert column["stattest_name"] == "all values missing"
    assert column["current_missing_share"] == 1.0
    assert column["drift_score"] is None


def test_without_a_current_match_nothing_is_compared_and_the_score_is_null() -> None:
    reference, current = frames(400, 150, 0.0)
    report = drift_report(reference, current.iloc[:0], NOW)
    assert report["drift_score"] is None
    assert report["number_of_columns"] == 0
    assert not report["dataset_drift"]
    assert "no match" in report["note"]


def test_columns_that_cannot_be_compared_are_listed() -> None:
    reference, current = frames(400, 150, 0.0)
    report = drift_report(reference.assign(empty=np.nan, gone=1.0), current.assign(empty=1.0), NOW)
    assert report["skipped_columns"] == {"empty": "no value in the reference", "gone": "not in both samples"}
    assert report["number_of_columns"] == 7


def test_infinite_values_count_as_missing() -> None:
    reference, current = frames(400, 150, 0.0)
    current.loc[0, "same"] = np.inf
    column = drift_report(reference, current, NOW)["drift_by_columns"]["same"]
    assert column["current_missing_share"] == pytest.approx(1 / 150)
    assert math.isfinite(column["current_mean"])


@pytest.mark.parametrize("rows", [400, 3000])
def test_a_constant_column_that_stays_constant_has_not_drifted(rows: int) -> None:
    reference, current = pd.DataFrame({"sex": [0] * rows}), pd.DataFrame({"sex": [0] * 50})
    column = drift_report(reference, current, NOW)["drift_by_columns"]["sex"]
    assert not column["drift_detected"]


def test_a_large_reference_is_thinned_evenly() -> None:
    reference, current = frames(6000, 500, 0.25)
    thinned = drift_report(reference, current, NOW, settings=DriftSettings(max_reference_rows=3000))
    full_report = drift_report(reference, current, NOW)
    assert thinned["reference_rows"] == 6000
    for name in ("shifted", "wider"):
        score, expected = (report["drift_by_columns"][name]["drift_score"] for report in (thinned, full_report))
        assert score == pytest.approx(expected, abs=0.02)


def test_the_report_is_json_and_the_same_every_time() -> None:
    reference, current = frames(5000, 90, 0.25)
    first = json.dumps(drift_report(reference, current, NOW), allow_nan=False, sort_keys=True)
    assert first == json.dumps(drift_report(reference, current, NOW), allow_nan=False, sort_keys=True)
    assert json.loads(first)["as_of"] == "2024-03-30T12:00:00Z"


def test_drifted_columns_come_worst_first() -> None:
    report = drift_report(*frames(5000, 800, 0.25), NOW)
    assert drifted_columns(report) == ["shifted", "with_missing", "wider"]
    p_values = drift_report(*frames(1000, 60, 0.5), NOW)
    assert drifted_columns(p_values)[-1] == "sex"  # p = 0.03 is the weakest


def test_the_windows_are_the_training_matches_and_the_days_around_as_of() -> None:
    features = pd.DataFrame({"match_id": [1, 2, 3, 4, 5], "elo": [1.0, 2.0, 3.0, 4.0, 5.0]})
    days = pd.Series(["2023-01-01T00:00Z", "2024-02-29T12:00Z", "2024-03-30T12:00Z", "2024-04-06T12:00Z", None])
    dates = pd.to_datetime(days, format="ISO8601")
    samples = windows(features, dates, trained_before=datetime(2023, 7, 1, tzinfo=UTC), as_of=NOW)
    assert list(samples.reference["elo"]) == [1.0]
    assert list(samples.current["elo"]) == [2.0, 3.0]  # 30 days back count, 7 days ahead do not
    assert list(samples.current.columns) == ["elo"]
