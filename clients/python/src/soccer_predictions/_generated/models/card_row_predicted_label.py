from typing import Literal

CardRowPredictedLabel = Literal["away", "draw", "home"]

CARD_ROW_PREDICTED_LABEL_VALUES: set[CardRowPredictedLabel] = {
    "away",
    "draw",
    "home",
}


def check_card_row_predicted_label(value: str) -> CardRowPredictedLabel:
    if value in CARD_ROW_PREDICTED_LABEL_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CARD_ROW_PREDICTED_LABEL_VALUES!r}")
