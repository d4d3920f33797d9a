from typing import Literal

PredictionsStatus = Literal["finished", "live", "upcoming"]

PREDICTIONS_STATUS_VALUES: set[PredictionsStatus] = {
    "finished",
    "live",
    "upcoming",
}


def check_predictions_status(value: str) -> PredictionsStatus:
    if value in PREDICTIONS_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PREDICTIONS_STATUS_VALUES!r}")
