"""How many rows of odds find their match when a bookmaker uses official names that the alias table lacks.

    python -m benchmarks.matching

The names are real, the fixture list is generated: every club plays every other twice, several matches at one kickoff.
Each country is matched with and without the opponent rule, with all of our matches and with half of them removed at
random, so that every second row has no match to find and only chances to be wrong.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from batch.odds.candidates import MatchingSettings
from batch.odds.clubs import AliasTable
from batch.odds.matching import match_odds
from batch.odds.providers.base import MarketOdds

NAMES: Final = Path(__file__).with_name("official_names.csv")
SEED: Final = 20260401
FIRST_ROUND: Final = datetime(2024, 8, 3, 13, 0, tzinfo=UTC)
SLOTS: Final = (timedelta(0), timedelta(hours=2, minutes=30), timedelta(days=1))
"""Kickoffs within a round: matches share them."""

NO_OPPONENTS: Final = MatchingSettings(strong=timedelta(minutes=-1))
"""Kickoffs are never near enough for the opponent rule."""


@dataclass(frozen=True)
class Season:
    """A country's season in two spellings.

    Attributes:
        matches: Ours.
        markets: The bookmaker's rows; `event_id` is our match_id as text.
    """

    matches: pd.DataFrame
    markets: list[MarketOdds]


@dataclass(frozen=True)
class Counts:
    """Results for the rows whose match is in our list, and for all rows.

    Attributes:
        to_find: Rows whose match is in our list.
        right: Rows given their own match.
        wrong: Rows given another.
    """

    to_find: int
    right: int
    wrong: int


def clubs() -> dict[str, list[tuple[str, str]]]:
    """Region -> our name and the official name of each club."""
    table: dict[str, list[tuple[str, str]]] = {}
    with NAMES.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            table.setdefault(row["region"], []).append((row["team"], row["official_name"]))
    return table


def season(region: str, names: Sequence[tuple[str, str]]) -> Season:
    """Every club plays every other at home and away; kickoffs differ by up to ten minutes between the two lists."""
    generator = np.random.default_rng(SEED)
    rows, markets = [], []
    for number, (home, away, kickoff) in enumerate(_fixtures(len(names)), start=1):
        (home_team, home_official), (away_team, away_official) = names[home], names[away]
        rows.append((number, kickoff, region, "First Division", 0, home_team, away_team))
        markets.append(
            MarketOdds(
                provider="official",
                event_id=str(number),
                region=region,
                league="1st League",
                home_team=home_official,
                away_team=away_official,
                kickoff=kickoff + timedelta(minutes=int(generator.integers(-2, 3)) * 5),
                odds=(2.0, 3.4, 3.9),
                suspended=False,
                collected_at=kickoff - timedelta(hours=5),
            )
        )
    columns = ["match_id", "kickoff", "region", "league", "sex", "home_team", "away_team"]
    return Season(pd.DataFrame(rows, columns=columns).astype({"kickoff": "datetime64[ms, UTC]"}), markets)


def count(
    played: Season,
    *,
    half: bool = False,
    settings: MatchingSettings = MatchingSettings(),  # noqa: B008 - frozen
    aliases: AliasTable | None = None,
) -> Counts:
    """Match a season, with all of our matches or a random half of them."""
    matches = played.matches.sample(frac=0.5, random_state=SEED) if half else played.matches
    result = match_odds(matches, played.markets, aliases, settings=settings)
    right = sum(row.market.event_id == str(row.match_id) for row in result.matched)
    return Counts(len(matches), right, len(result.matched) - right)


def _fixtures(n_clubs: int) -> list[tuple[int, int, datetime]]:
    """Double round robin by the circle method: home, away, kickoff."""
    ring = list(range(n_clubs + n_clubs % 2))
    fixtures = []
    for number in range(2 * (len(ring) - 1)):
        pairs = [(ring[place], ring[-1 - place]) for place in range(len(ring) // 2)]
        for place, (first, second) in enumerate(pair for pair in pairs if max(pair) < n_clubs):
            home, away = (first, second) if (number + place) % 2 else (second, first)
            if number >= len(ring) - 1:
                home, away = away, home
            fixtures.append((home, away, FIRST_ROUND + timedelta(weeks=number) + SLOTS[place % len(SLOTS)]))
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return fixtures


def main() -> None:
    """Print recall and wrong matches by country."""
    print(
        f"{'region':<16}{'clubs':>6}{'rows':>6}{'letters only':>14}{'by opponent':>13}{'half removed':>14}{'wrong':>7}"
    )
    for region, names in clubs().items():
        played = season(region, names)
        before = count(played, settings=NO_OPPONENTS)
        full, half = count(played), count(played, half=True)
        print(
            f"{region:<16}{len(names):>6}{len(played.markets):>6}{before.right / before.to_find:>14.3f}"
            f"{full.right / full.to_find:>13.3f}{half.right / half.to_find:>14.3f}{full.wrong + half.wrong:>7}"
        )


if __name__ == "__main__":
    main()
