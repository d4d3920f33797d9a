from typing import Literal

MatchesSort = Literal["-kickoff", "kickoff"]

MATCHES_SORT_VALUES: set[MatchesSort] = {
    "-kickoff",
    "kickoff",
}


def check_matches_sort(value: str) -> MatchesSort:
    if value in MATCHES_SORT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {MATCHES_SORT_VALUES!r}")
