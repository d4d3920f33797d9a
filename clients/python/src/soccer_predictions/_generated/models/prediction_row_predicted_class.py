from typing import Literal

PredictionRowPredictedClass = Literal[0, 1, 2]

PREDICTION_ROW_PREDICTED_CLASS_VALUES: set[PredictionRowPredictedClass] = {
    0,
    1,
    2,
}


def check_prediction_row_predicted_class(value: int) -> PredictionRowPredictedClass:
    if value in PREDICTION_ROW_PREDICTED_CLASS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PREDICTION_ROW_PREDICTED_CLASS_VALUES!r}")
