from typing import Literal

PredictionsSort = Literal["-kickoff", "kickoff"]

PREDICTIONS_SORT_VALUES: set[PredictionsSort] = {
    "-kickoff",
    "kickoff",
}


def check_predictions_sort(value: str) -> PredictionsSort:
    if value in PREDICTIONS_SORT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PREDICTIONS_SORT_VALUES!r}")
