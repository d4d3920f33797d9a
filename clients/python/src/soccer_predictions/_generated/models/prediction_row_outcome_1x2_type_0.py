from typing import Literal

PredictionRowOutcome1X2Type0 = Literal["away", "draw", "home"]

PREDICTION_ROW_OUTCOME_1X2_TYPE_0_VALUES: set[PredictionRowOutcome1X2Type0] = {
    "away",
    "draw",
    "home",
}


def check_prediction_row_outcome_1x2_type_0(value: str) -> PredictionRowOutcome1X2Type0:
    if value in PREDICTION_ROW_OUTCOME_1X2_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PREDICTION_ROW_OUTCOME_1X2_TYPE_0_VALUES!r}")
