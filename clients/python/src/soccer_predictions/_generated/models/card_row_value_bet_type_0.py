from typing import Literal

CardRowValueBetType0 = Literal["away", "draw", "home"]

CARD_ROW_VALUE_BET_TYPE_0_VALUES: set[CardRowValueBetType0] = {
    "away",
    "draw",
    "home",
}


def check_card_row_value_bet_type_0(value: str) -> CardRowValueBetType0:
    if value in CARD_ROW_VALUE_BET_TYPE_0_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CARD_ROW_VALUE_BET_TYPE_0_VALUES!r}")
