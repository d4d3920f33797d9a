from typing import Literal

CardsSort = Literal["-kickoff", "edge", "kickoff"]

CARDS_SORT_VALUES: set[CardsSort] = {
    "-kickoff",
    "edge",
    "kickoff",
}


def check_cards_sort(value: str) -> CardsSort:
    if value in CARDS_SORT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {CARDS_SORT_VALUES!r}")
