from typing import Literal

OddsStatus = Literal["finished", "live", "upcoming"]

ODDS_STATUS_VALUES: set[OddsStatus] = {
    "finished",
    "live",
    "upcoming",
}


def check_odds_status(value: str) -> OddsStatus:
    if value in ODDS_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {ODDS_STATUS_VALUES!r}")
