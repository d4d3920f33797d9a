from typing import Literal

CardRowPredictedClass = Literal[0, 1, 2]

CARD_ROW_PREDICTED_CLASS_VALUES: set[CardRowPredictedClass] = {
    0,
    1,
    2,
}


def check_card_row_predicted_class(value: int) -> CardRowPredictedClass:
    if value in CARD_ROW_PREDICTED_CLASS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CARD_ROW_PREDICTED_CLASS_VALUES!r}")
