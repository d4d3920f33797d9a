"""Sample weights from a file."""

from pathlib import Path

import numpy as np
import pandas as pd


def read_weights(path: Path) -> pd.Series:
    """Weights by match_id, of a CSV or parquet file with the columns match_id and weight.

    Raises:
        ValueError: a column is missing, a match stands there twice, or a weight is negative or no number.
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
