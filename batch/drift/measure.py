"""Whether the model's current features are still distributed like those it was trained on. Pure; numpy and pandas only.

The definitions and the report's keys are Evidently's (0.7.23, its default drift preset): a test is chosen for each
column by its type, its number of distinct values and the size of the reference; the data set has drifted when at least
half of its columns have. Added are the population stability index, missing values, and how large a distance a sample of
the current size shows without any drift: Evidently's distances do not shrink with the sample, so a quiet week of thirty
matches "drifts" by its definition alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from batch.drift import statistics
from batch.drift.statistics import Floats

SCHEMA_VERSION: Final = 1
LARGE_REFERENCE: Final = 1000
"""With more reference rows than this Evidently measures distances, otherwise it tests hypotheses."""
FEW_VALUES: Final = 5
"""A numeric column with at most this many distinct values is treated as categorical."""
CATEGORICAL_INTEGERS: Final = 10
"""An integer column with at most this many distinct values is categorical."""
P_VALUE: Final = 0.05
DISTANCE: Final = 0.1
SMALLEST_SPREAD: Final = 0.001
PSI_MODERATE: Final = 0.10
PSI_MAJOR: Final = 0.25
_HISTOGRAM_VALUES: Final = 20
_LEAST_SHARE: Final = 0.0001


class ColumnType(StrEnum):
    """Evidently's names of the kinds of columns."""

    NUMERIC = "num"
    CATEGORICAL = "cat"


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """Limits of the report.

    Args:
        drift_share: Share of drifted columns from which the data set has drifted.
        min_current_rows: With fewer current rows the report says that it proves little.
        max_reference_rows: A larger reference is thinned evenly to this.
        noise_draws: Samples drawn from the reference to measure distances by chance.
        seed: Seed of these draws.
    """

    drift_share: float = 0.5
    min_current_rows: int = 100
    max_reference_rows: int = 50_000
    noise_draws: int = 100
    seed: int = 20240330


@dataclass(frozen=True, slots=True)
class Windows:
    """The two samples that are compared, features only.

    Args:
        reference: Matches the model was fitted on.
        current: Recent and coming matches.
    """

    reference: pd.DataFrame
    current: pd.DataFrame


def windows(
    features: pd.DataFrame,
    match_date: pd.Series,
    trained_before: datetime,
    as_of: datetime,
    *,
    days_back: int = 30,
    days_ahead: int = 7,
) -> Windows:
    """The training reference and the current window of a release's feature rows.

    Args:
        features: Rows in the form of match_features.parquet.
        match_date: Kickoff of each row, UTC, the same index; rows without one are in neither window.
        trained_before: The model was fitted on matches before this.
        as_of: Centre of the current window.
        days_back: How far it reaches back.
        days_ahead: How far it reaches ahead: features of coming matches are known too.
    """
    columns = [name for name in features.columns if name != "match_id"]
    start, end = as_of - timedelta(days=days_back), as_of + timedelta(days=days_ahead)
    current = (match_date >= start) & (match_date < end)
    return Windows(
        reference=features.loc[(match_date < trained_before).to_numpy(bool), columns],
        current=features.loc[current.to_numpy(bool), columns],
    )


def drift_report(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    as_of: datetime,
    columns: Sequence[str] | None = None,
    settings: DriftSettings = DriftSettings(),
) -> dict[str, Any]:
    """The report as a JSON object, in the form of reports/drift/latest.json.

    Args:
        reference: The features the model was fitted on.
        current: The current features, the same columns.
        as_of: The report's time, UTC.
        columns: Which to compare; those of the reference if None. One that is not in both, or has no value in the
            reference, is listed under `skipped_columns`.
        settings: Limits.

    Returns:
        Evidently's `number_of_columns`, `number_of_drifted_columns`, `share_of_drifted_columns`, `dataset_drift` and
        `drift_by_columns`; each column with `column_name`, `column_type`, `stattest_name`, `stattest_threshold`,
        `drift_score`, `drift_detected`. And ours: `drift_score` (the share of drifted columns; null if nothing could
        be compared), `sufficient_sample`, `note`, and by column `noise_floor` (the 95th percentile of `drift_score`
        without drift, for distances), `beyond_noise`, `psi`, `psi_level`, missing shares and means.
    """
    sample = _thinned(reference, settings.max_reference_rows)
    names = list(reference.columns) if columns is None else list(columns)
    skipped = {name: reason for name in names if (reason := _unusable(sample, current, name)) is not None}
    compared = [] if current.empty else [name for name in names if name not in skipped]
    by_column = {name: _column(name, sample[name], current[name], settings) for name in compared}
    drifted = sum(1 for column in by_column.values() if column["drift_detected"])
    beyond_noise = sum(1 for column in by_column.values() if column["beyond_noise"])
    share = drifted / len(by_column) if by_column else None
    return {
        "schema_version": SCHEMA_VERSION,
        "as_of": as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "number_of_columns_beyond_noise": beyond_noise,
        "sufficient_sample": len(current) >= settings.min_current_rows,
        "drift_score": share,
        "number_of_columns": len(by_column),
        "number_of_drifted_columns": drifted,
        "share_of_drifted_columns": share,
        "dataset_drift": share is not None and share >= settings.drift_share,
        "drift_share": settings.drift_share,
        "reference_rows": len(reference),
        "current_rows": len(current),
        "note": _note(len(current), beyond_noise, drifted, settings),
        "skipped_columns": skipped,
        "drift_by_columns": by_column,
    }


def column_type(reference: pd.Series) -> ColumnType:
    """Evidently's type of a column: booleans and integers with few values are categorical, other numbers numeric."""
    if pd.api.types.is_bool_dtype(reference) or not pd.api.types.is_numeric_dtype(reference):
        return ColumnType.CATEGORICAL
    few = pd.api.types.is_integer_dtype(reference) and reference.nunique() <= CATEGORICAL_INTEGERS
    return ColumnType.CATEGORICAL if few else ColumnType.NUMERIC


@dataclass(frozen=True, slots=True)
class TestResult:
    """The result of one column's test.

    Args:
        name: Evidently's display name of the test.
        threshold: From where on it counts as drift.
        score: A p-value or a distance.
        drifted: Whether it is beyond the threshold: p-values below (KS: at or below), distances at or above.
    """

    __test__ = False  # not a test class of pytest's

    name: str
    threshold: float
    score: float
    drifted: bool

    @property
    def is_distance(self) -> bool:
        """Whether larger means more drift."""
        return self.threshold == DISTANCE


def run_test(reference: pd.Series, current: pd.Series, kind: ColumnType) -> TestResult:
    """Evidently's default test of one column.

    Args:
        reference: At least one value, none missing.
        current: The same.
        kind: Decides with the number of distinct values and rows which test it is.
    """
    values = int(pd.concat([reference, current]).nunique())
    categories = kind is ColumnType.CATEGORICAL or values <= FEW_VALUES
    if len(reference) > LARGE_REFERENCE:
        if categories:
            score = statistics.jensen_shannon_distance(*_shares(reference, current))
            return TestResult("Jensen-Shannon distance", DISTANCE, score, score >= DISTANCE)
        score = _normed_wasserstein(_numbers(reference), _numbers(current))
        return TestResult("Wasserstein distance (normed)", DISTANCE, score, score >= DISTANCE)
    if not categories:
        p = statistics.ks_p_value(_numbers(reference), _numbers(current))
        return TestResult("K-S p_value", P_VALUE, p, p <= P_VALUE)
    reference_counts, current_counts = _counts(reference, current)
    if values > 2:  # noqa: PLR2004 - two values are a proportion
        p = statistics.chi_square_p_value(current_counts, reference_counts * (len(current) / len(reference)))
        return TestResult("chi-square p_value", P_VALUE, p, p < P_VALUE)
    if values == 1:
        return TestResult("Z-test p_value", P_VALUE, 1.0, drifted=False)
    p = statistics.two_proportions_p_value(
        (int(reference_counts[0]), int(current_counts[0])), (len(reference), len(current))
    )
    return TestResult("Z-test p_value", P_VALUE, p, p < P_VALUE)


def population_stability_index(reference: pd.Series, current: pd.Series, kind: ColumnType) -> float:
    """PSI = sum((r - c) ln(r / c)) over bins, binned as Evidently does.

    The bins are Sturges' of both samples together, or the values themselves where there are few. An empty bin counts as
    0.0001, or as a millionth of the least share where that is smaller already.
    """
    if kind is ColumnType.NUMERIC and reference.nunique() > _HISTOGRAM_VALUES:
        reference_values, current_values = _numbers(reference), _numbers(current)
        edges = np.histogram_bin_edges(np.concatenate([reference_values, current_values]), bins="sturges")
        r, c = (
            np.histogram(reference_values, edges)[0] / len(reference_values),
            np.histogram(current_values, edges)[0] / len(current_values),
        )
    else:
        r, c = _shares(reference, current)
    r, c = _filled(r), _filled(c)
    return float(((r - c) * np.log(r / c)).sum())


def psi_level(psi: float) -> str:
    """The usual reading of a PSI: none below 0.10, moderate up to 0.25, major above."""
    if psi < PSI_MODERATE:
        return "none"
    return "moderate" if psi <= PSI_MAJOR else "major"


def noise_floor(reference: pd.Series, kind: ColumnType, size: int, settings: DriftSettings) -> float:
    """The 95th percentile of the distance of samples of that size drawn from the reference itself."""
    generator = np.random.default_rng(settings.seed)
    size = min(size, 2 * LARGE_REFERENCE)  # in larger samples chance makes next to no distance
    if kind is ColumnType.CATEGORICAL or reference.nunique() <= FEW_VALUES:
        counts = reference.value_counts(sort=False).to_numpy(np.float64)
        shares = counts / counts.sum()
        draws = generator.multinomial(size, shares, size=settings.noise_draws) / size
        distances = [statistics.jensen_shannon_distance(shares, draw) for draw in draws]
    else:
        values = np.sort(_numbers(reference))
        outline = values[np.linspace(0, len(values) - 1, min(len(values), 2 * LARGE_REFERENCE)).astype(np.int64)]
        spread = max(float(np.std(values)), SMALLEST_SPREAD)
        distances = [
            statistics.wasserstein(outline, generator.choice(values, size)) / spread
            for _ in range(settings.noise_draws)
        ]
    return float(np.percentile(distances, 95))


def _column(name: str, reference: pd.Series, current: pd.Series, settings: DriftSettings) -> dict[str, Any]:
    kind = column_type(reference)
    reference_values, current_values = _present(reference), _present(current)
    entry: dict[str, Any] = {
        "column_name": name,
        "column_type": kind.value,
        "reference_missing_share": 1 - len(reference_values) / len(reference),
        "current_missing_share": 1 - len(current_values) / len(current),
        "reference_mean": _mean(reference_values, kind),
        "current_mean": _mean(current_values, kind),
    }
    if current_values.empty:
        # Evidently raises here; a feature that vanished is the drift that matters most
        return entry | {
            "stattest_name": "all values missing",
            "stattest_threshold": None,
            "drift_score": None,
            "drift_detected": True,
            "noise_floor": None,
            "beyond_noise": True,
            "psi": None,
            "psi_level": None,
        }
    result = run_test(reference_values, current_values, kind)
    floor = noise_floor(reference_values, kind, len(current_values), settings) if result.is_distance else None
    psi = population_stability_index(reference_values, current_values, kind)
    return entry | {
        "stattest_name": result.name,
        "stattest_threshold": result.threshold,
        "drift_score": result.score,
        "drift_detected": result.drifted,
        "noise_floor": floor,
        # a p-value already accounts for the sample's size
        "beyond_noise": result.drifted and (floor is None or result.score > floor),
        "psi": psi,
        "psi_level": psi_level(psi),
    }


def _note(current_rows: int, beyond_noise: int, drifted: int, settings: DriftSettings) -> str | None:
    if current_rows == 0:
        return "no match in the current window: nothing was compared"
    if current_rows < settings.min_current_rows:
        return (
            f"only {current_rows} matches in the current window, fewer than {settings.min_current_rows}: "
            f"{beyond_noise} of {drifted} drifted columns are beyond what chance shows at that size"
        )
    return None


def _unusable(reference: pd.DataFrame, current: pd.DataFrame, name: str) -> str | None:
    if name not in reference.columns or name not in current.columns:
        return "not in both samples"
    return "no value in the reference" if _present(reference[name]).empty else None


def _thinned(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """At most this many rows, evenly spaced, so that every season keeps its share."""
    if len(frame) <= rows:
        return frame
    return frame.iloc[np.linspace(0, len(frame) - 1, rows).astype(np.int64)]


def _present(column: pd.Series) -> pd.Series:
    """Its values without missing and infinite ones."""
    if pd.api.types.is_float_dtype(column):
        column = column.where(np.isfinite(column.astype("float64")))
    return column.dropna()


def _numbers(column: pd.Series) -> Floats:
    return column.to_numpy(np.float64)


def _normed_wasserstein(reference: Floats, current: Floats) -> float:
    return statistics.wasserstein(reference, current) / max(float(np.std(reference)), SMALLEST_SPREAD)


def _counts(reference: pd.Series, current: pd.Series) -> tuple[Floats, Floats]:
    """How often each value occurs in each, in the same order of values."""
    reference_counts, current_counts = reference.value_counts(), current.value_counts()
    values = sorted(
        set(reference_counts.index) | set(current_counts.index), key=lambda value: (str(type(value)), value)
    )
    return (
        np.array([reference_counts.get(value, 0) for value in values], dtype=np.float64),
        np.array([current_counts.get(value, 0) for value in values], dtype=np.float64),
    )


def _shares(reference: pd.Series, current: pd.Series) -> tuple[Floats, Floats]:
    reference_counts, current_counts = _counts(reference, current)
    return reference_counts / len(reference), current_counts / len(current)


def _filled(shares: Floats) -> Floats:
    least = float(shares[shares > 0].min())
    return np.where(shares == 0, least / 1e6 if least <= _LEAST_SHARE else _LEAST_SHARE, shares)


def _mean(column: pd.Series, kind: ColumnType) -> float | None:
    if column.empty or (kind is ColumnType.CATEGORICAL and not pd.api.types.is_numeric_dtype(column)):
        return None
    mean = float(_numbers(column).mean())
    return mean if math.isfinite(mean) else None


def drifted_columns(report: Mapping[str, Any]) -> list[str]:
    """Names of the drifted columns, farthest beyond their threshold first."""
    drifted = [column for column in report["drift_by_columns"].values() if column["drift_detected"]]
    return [column["column_name"] for column in sorted(drifted, key=_severity)]


def _severity(column: Mapping[str, Any]) -> tuple[float, str]:
    score, threshold = column["drift_score"], column["stattest_threshold"]
    if score is None or threshold is None:
        return -math.inf, column["column_name"]
    # distances in units of their threshold; p-values on a scale where the threshold is 1 and smaller is larger
    excess = score / threshold if threshold == DISTANCE else math.log(max(score, 1e-300)) / math.log(threshold)
    return -excess, column["column_name"]
