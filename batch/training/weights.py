"""Sample weights of matches."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd


def read_weights(path: Path) -> pd.Series:
    """Weights by match_id, of a CSV or parquet file with the columns match_id and weight.

    Raises:
        ValueError: a column is missing, a match appears twice, or a weight is negative or not a number.
        OSError: the file cannot be read.
    """
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    missing = {"match_id", "weight"} - set(frame.columns)
    if missing:
        raise ValueError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    weights = pd.to_numeric(frame["weight"], errors="coerce").astype("float64")
    if frame["match_id"].duplicated().any():
        raise ValueError(f"{path}: a match_id has two weights")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"{path}: weights must be numbers from 0")
    return pd.Series(weights.to_numpy(), index=frame["match_id"].to_numpy())


def weights_of(weights: pd.Series | None, match_id: pd.Series) -> npt.NDArray[np.float64] | None:
    """Weights of these matches, 1 for those without one; None where all are equal.

    Args:
        weights: By match_id.
        match_id: Of the matches, in their order.

    Raises:
        ValueError: a weight is negative or not finite.
    """
    if weights is None:
        return None
    values = weights.reindex(match_id).fillna(1.0).to_numpy(np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ValueError("sample weights must be finite and not negative")
    return values
