from typing import Literal

CardRowOutcome1X2Type0 = Literal["away", "draw", "home"]

CARD_ROW_OUTCOME_1X2_TYPE_0_VALUES: set[CardRowOutcome1X2Type0] = {
    "away",
    "draw",
    "home",
}


def check_card_row_outcome_1x2_type_0(value: str) -> CardRowOutcome1X2Type0:
    if value in CARD_ROW_OUTCOME_1X2_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CARD_ROW_OUTCOME_1X2_TYPE_0_VALUES!r}")
