from typing import Literal

PredictionRowPredictedLabel = Literal["away", "draw", "home"]

PREDICTION_ROW_PREDICTED_LABEL_VALUES: set[PredictionRowPredictedLabel] = {
    "away",
    "draw",
    "home",
}


def check_prediction_row_predicted_label(value: str) -> PredictionRowPredictedLabel:
    if value in PREDICTION_ROW_PREDICTED_LABEL_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PREDICTION_ROW_PREDICTED_LABEL_VALUES!r}")
