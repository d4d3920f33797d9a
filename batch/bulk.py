"""A rebuild in pieces: groups of leagues that share no club, each computed by itself.

What comes of a match depends on earlier matches of its clubs, and on the ratings of the clubs of their leagues; a club
carries what it earned from one league into another. So the data is cut only where no club plays on both sides: leagues
and cups that share a club are one group. Nothing crosses from one group into another, and every group's rows are the
same bytes whether the others are computed beside them or not. What no group knows alone (duplicate ids, the order of
all matches) is settled before the cut and after it.

Pure; `batch.jobs.bulk` does it on the bucket.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from batch.history import Ints, MatchArrays

SMALLEST_ITEM: Final = 5_000
"""Matches below which groups share an item: starting a function takes as long as scoring so many."""

LISTED_LEAGUES: Final = 3
"""So many of an item's leagues are named where it is spoken of."""


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of a rebuild: one or more whole groups of leagues.

    Attributes:
        name: Unique in its run.
        matches: Number of its matches.
        leagues: Some of its leagues, as "region / league".
    """

    name: str
    matches: int
    leagues: tuple[str, ...]

    def __str__(self) -> str:
        """For people: "0007 (England / Premier League, …)"."""
        return f"{self.name} ({', '.join(self.leagues)}, {self.matches} matches)"


def groups(matches: pd.DataFrame) -> Ints:
    """The group of each match: leagues that share a club, or share one with a third, are in one group.

    Args:
        matches: Accepted matches (`batch.matches.MATCH_COLUMNS`).

    Returns:
        Numbers from 0 in the order in which the groups first appear.
    """
    arrays = MatchArrays.of(matches, as_of=0)
    n_leagues, n_clubs = 1 + int(arrays.league.max(initial=-1)), 1 + int(arrays.home.max(initial=-1))
    n_clubs = max(n_clubs, 1 + int(arrays.away.max(initial=-1)))
    league, club = np.unique(
        np.column_stack([np.tile(arrays.league, 2), np.concatenate([arrays.home, arrays.away])]), axis=0
    ).T
    group = np.arange(n_leagues)
    while True:
        # The smallest number travels from league to club to league until it has reached the whole group.
        of_club, of_league = np.full(n_clubs, n_leagues), group.copy()
        np.minimum.at(of_club, club, group[league])
        np.minimum.at(of_league, league, of_club[club])
        if np.array_equal(of_league, group):
            break
        group = of_league
    return np.asarray(pd.factorize(group[arrays.league])[0], dtype=np.int64)


def items(matches: pd.DataFrame, smallest: int = SMALLEST_ITEM) -> tuple[list[Item], Ints]:
    """The pieces of a rebuild, and the position of each match's piece among them.

    Args:
        matches: Accepted matches.
        smallest: Groups are put together until an item has so many matches.
    """
    group = groups(matches)
    item_of_group = []
    number = total = 0
    for size in np.bincount(group).tolist():
        item_of_group.append(number)
        total += size
        if total >= smallest:
            number, total = number + 1, 0
    position = np.array(item_of_group, dtype=np.int64)[group] if len(group) else group
    # A run without a match has one item without one: its empty files are published like others.
    sizes = np.bincount(position, minlength=1)
    leagues: dict[int, list[str]] = {}
    named = matches[["region", "league"]].assign(item=position).drop_duplicates()
    for region, league, item in named.itertuples(index=False):
        leagues.setdefault(int(item), []).append(f"{region} / {league}")
    return [Item(f"{i:05d}", int(size), _some(leagues.get(i, []))) for i, size in enumerate(sizes)], position


def _some(leagues: list[str]) -> tuple[str, ...]:
    more = len(leagues) - LISTED_LEAGUES
    return (*leagues[:LISTED_LEAGUES], *([f"{more} more"] if more > 0 else []))


def merged_projections(of_items: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of all items in the order in which one run writes them: by season, within it as they are."""
    rows = [row for projected in of_items for row in projected]
    return sorted(rows, key=lambda row: (row["region"], row["league"], row["sex"], row["season"]))
