from typing import Literal

CardsStatus = Literal["finished", "live", "upcoming"]

CARDS_STATUS_VALUES: set[CardsStatus] = {
    "finished",
    "live",
    "upcoming",
}


def check_cards_status(value: str) -> CardsStatus:
    if value in CARDS_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CARDS_STATUS_VALUES!r}")
