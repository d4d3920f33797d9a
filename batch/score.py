"""Make the rows of `predictions.parquet` from feature rows and a model.

Pure: the model is anything that predicts rows; its identity is passed in.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from batch.features import FeatureTable
from chalicelib.domain import Outcome
from chalicelib.errors import InvalidModel

PREDICTIONS_SCHEMA: Final = pa.schema(
    [
        ("match_id", pa.int64()),
        ("home_team", pa.string()),
        ("away_team", pa.string()),
        ("match_date", pa.timestamp("ms", "UTC")),
        ("season", pa.string()),
        ("region", pa.string()),
        ("league", pa.string()),
        ("sex", pa.int8()),
        ("proba_home", pa.float64()),
        ("proba_draw", pa.float64()),
        ("proba_away", pa.float64()),
        ("predicted_class", pa.int8()),
        ("predicted_label", pa.string()),
        ("is_future", pa.bool_()),
        ("model_run_id", pa.string()),
        ("model_stage", pa.string()),
        ("registered_version", pa.string()),
        ("outcome_1x2", pa.string()),
        ("home_score", pa.int16()),
        ("away_score", pa.int16()),
        ("home_elo", pa.float64()),
        ("away_elo", pa.float64()),
        ("home_form", pa.string()),
        ("away_form", pa.string()),
        ("in_sample", pa.bool_()),
    ]
)
"""Columns of predictions.parquet, in this order."""

CHUNK_ROWS: Final = 50_000
"""Rows predicted per call; bounds the memory of the answer as Python numbers."""

LABELS: Final = np.array([outcome.label for outcome in Outcome], dtype=object)


class RowModel(Protocol):
    """The part of a model that scoring needs; `chalicelib.models.native.NativeModel` is one."""

    feature_names: list[str]
    """Names of the features, in the order of a row."""

    def predict_rows(self, rows: "ctypes.Array[ctypes.c_double]") -> Sequence[Sequence[float]]:
        """Probabilities of home, draw and away, one triple per row; the rows are flattened."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model made a prediction.

    Attributes:
        run_id: MLflow run that trained it.
        stage: champion or challenger.
        registered_version: Version in the registry, as text.
        first_unseen: First kickoff after the training and early-stopping period; None if unknown.
    """

    run_id: str
    stage: str
    registered_version: str
    first_unseen: datetime | None = None


def score(table: FeatureTable, model: RowModel, identity: ModelIdentity) -> pd.DataFrame:
    """Predictions of every match of the table.

    Returns:
        Columns of PREDICTIONS_SCHEMA, sorted by (match_date, match_id), unknown kickoffs last. outcome_1x2, home_score
        and away_score are missing where the result is not known at the table's as_of; in_sample says whether the model
        saw the match in training, and is missing if unknown.

    Raises:
        InvalidModel: the model needs a feature the table does not have.
    """
    names = list(model.feature_names)
    missing = [name for name in names if name not in table.features.columns]
    if missing:
        raise InvalidModel(f"the model needs features the batch does not compute: {', '.join(missing)}")
    probabilities = _probabilities(table.features, names, model)
    display = table.display
    played = display["home_goals"].notna() & display["away_goals"].notna()
    difference = (display["home_goals"] - display["away_goals"]).fillna(0).to_numpy(np.int64)
    outcome = pd.Series(LABELS[1 - np.sign(difference)], index=display.index, dtype="str").where(played)
    best = probabilities.argmax(axis=1).astype(np.int8)
    scored = display.assign(
        proba_home=probabilities[:, Outcome.HOME],
        proba_draw=probabilities[:, Outcome.DRAW],
        proba_away=probabilities[:, Outcome.AWAY],
        predicted_class=best,
        predicted_label=pd.Series(LABELS[best], index=display.index, dtype="str"),
        model_run_id=pd.Series(identity.run_id, index=display.index, dtype="str"),
        model_stage=pd.Series(identity.stage, index=display.index, dtype="str"),
        registered_version=pd.Series(identity.registered_version, index=display.index, dtype="str"),
        outcome_1x2=outcome,
        home_score=display["home_goals"],
        away_score=display["away_goals"],
        in_sample=_in_sample(display["match_date"], identity.first_unseen),
    )
    columns: pd.DataFrame = scored[PREDICTIONS_SCHEMA.names]
    return columns.sort_values(["match_date", "match_id"], ignore_index=True, na_position="last")


def _in_sample(match_date: pd.Series, first_unseen: datetime | None) -> pd.Series:
    if first_unseen is None:
        return pd.Series(None, index=match_date.index, dtype="boolean")
    return (match_date < pd.Timestamp(first_unseen)).astype("boolean")


def _probabilities(features: pd.DataFrame, names: list[str], model: RowModel) -> npt.NDArray[np.float64]:
    """Shape (n, 3), in the order of the rows."""
    probabilities = np.zeros((len(features), len(Outcome)))
    for start in range(0, len(features), CHUNK_ROWS):
        chunk = np.ascontiguousarray(features[names].iloc[start : start + CHUNK_ROWS].to_numpy(np.float64).copy())
        flat = (ctypes.c_double * chunk.size).from_buffer(chunk.data)
        probabilities[start : start + len(chunk)] = model.predict_rows(flat)
    return probabilities
