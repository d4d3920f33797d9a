from typing import Literal

PredictionPredictedClass = Literal[0, 1, 2]

PREDICTION_PREDICTED_CLASS_VALUES: set[PredictionPredictedClass] = {
    0,
    1,
    2,
}


def check_prediction_predicted_class(value: int) -> PredictionPredictedClass:
    if value in PREDICTION_PREDICTED_CLASS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PREDICTION_PREDICTED_CLASS_VALUES!r}")
