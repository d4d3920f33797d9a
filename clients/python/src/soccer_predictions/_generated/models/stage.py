from typing import Literal

Stage = Literal["challenger", "champion"]

STAGE_VALUES: set[Stage] = {
    "challenger",
    "champion",
}


def check_stage(value: str) -> Stage:
    if value in STAGE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {STAGE_VALUES!r}")
