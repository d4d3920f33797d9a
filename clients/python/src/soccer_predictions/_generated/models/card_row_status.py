from typing import Literal

CardRowStatus = Literal["finished", "live", "upcoming"]

CARD_ROW_STATUS_VALUES: set[CardRowStatus] = {
    "finished",
    "live",
    "upcoming",
}


def check_card_row_status(value: str) -> CardRowStatus:
    if value in CARD_ROW_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CARD_ROW_STATUS_VALUES!r}")
