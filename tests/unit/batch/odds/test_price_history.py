"""How prices moved: the rows kept of what was seen, whether at once or look by look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from batch.odds import price_history
from batch.odds.market import Triple
from batch.odds.matching import MatchedOdds
from batch.odds.price_history import PRICE_HISTORY_SCHEMA, known_at, merge, seen_prices
from batch.odds.providers.base import MarketOdds, price_changes
from batch.release import parquet_bytes
from tests.support.builders import make_history, make_odds

KICKOFF = datetime(2024, 4, 20, 14, tzinfo=UTC)
KICKOFFS = pd.DataFrame({"match_id": [1], "kickoff": pd.to_datetime([KICKOFF])})
ODDS = make_odds([1])


def sighting(before: timedelta, home: float, **changes: Any) -> MarketOdds:
    """What was seen of match 1 so long before its kickoff."""
    row = MarketOdds(
        provider="fonbet",
        event_id="1001",
        region="Spain",
        league="La Liga",
        home_team="Home 1",
        away_team="Away 1",
        kickoff=KICKOFF,
        odds=(home, 3.4, 3.6),
        suspended=False,
        collected_at=KICKOFF - before,
    )
    return replace(row, **changes)


def matched(row: MarketOdds) -> list[MatchedOdds]:
    return [MatchedOdds(row, 1, "name", 100.0, 0.0)]


def at_once(seen: list[MarketOdds], as_of: datetime = KICKOFF) -> pd.DataFrame:
    """From stored sightings."""
    rows = seen_prices(matched(seen[-1]), price_changes(seen, as_of))
    return merge(None, rows, ODDS, KICKOFFS, as_of)


def look_by_look(seen: list[MarketOdds]) -> pd.DataFrame:
    """From a live line."""
    history = None
    for row in seen:
        history = merge(history, seen_prices(matched(row), {}), ODDS, KICKOFFS, row.collected_at)
    assert history is not None
    return history


def prices(history: pd.DataFrame) -> list[tuple[timedelta, float]]:
    """How long before kickoff which odds of a home win were seen."""
    before = [KICKOFF - moment for moment in history["collected_at"]]
    return list(zip(before, history["odds_home"].tolist(), strict=True))


HOUR = timedelta(hours=1)


def test_a_price_that_did_not_change_is_no_row() -> None:
    seen = [sighting(hours * HOUR, home) for hours, home in ((5, 2.0), (4, 2.0), (3, 2.1), (2, 2.1), (1, 2.0))]
    assert prices(at_once(seen)) == [(5 * HOUR, 2.0), (3 * HOUR, 2.1), (HOUR, 2.0)]


def test_another_bookmakers_price_is_a_row() -> None:
    seen = [sighting(5 * HOUR, 2.0, bookmaker="a"), sighting(4 * HOUR, 2.0, bookmaker="b")]
    assert at_once(seen)["bookmaker"].tolist() == ["a", "b"]


@pytest.mark.slow
def test_stored_sightings_and_a_live_line_give_the_same_bytes() -> None:
    # three days of looks every half hour, the price on a walk that turns back
    looks = 3 * 48
    seen = [sighting((looks - n) * HOUR / 2, 2.0 + round(n % 7 * (n % 3) / 10, 2)) for n in range(looks)]
    stored, live = at_once(seen), look_by_look(seen)
    assert parquet_bytes(stored, PRICE_HISTORY_SCHEMA) == parquet_bytes(live, PRICE_HISTORY_SCHEMA)
    # two days of eight intervals, the first price, and the last day whole
    assert len(stored) < 2 * 8 + 2 + 49


def test_more_than_a_day_before_the_last_change_an_interval_keeps_its_last_price_and_the_match_its_first() -> None:
    long_ago = timedelta(days=3)
    seen = [
        sighting(long_ago + 1.9 * HOUR, 2.0),  # 12:06
        sighting(long_ago + 1.5 * HOUR, 2.1),  # 12:30
        sighting(long_ago + HOUR, 2.2),  # 13:00
        sighting(2 * HOUR, 2.3),
        sighting(HOUR, 2.4),
    ]
    assert [home for _, home in prices(at_once(seen))] == [2.0, 2.2, 2.3, 2.4]


def test_nothing_seen_in_play_or_after_kickoff_counts() -> None:
    seen = [
        sighting(HOUR, 2.0),
        sighting(-HOUR, 1.2),
        sighting(0 * HOUR, 1.5),
        sighting(HOUR / 2, 1.1, is_live=True),
        sighting(HOUR / 3, 9.9, odds=None),
    ]
    assert prices(at_once(seen, KICKOFF + 3 * HOUR)) == [(HOUR, 2.0)]
    assert prices(look_by_look(seen)) == [(HOUR, 2.0)]


def test_a_history_is_that_of_the_provider_that_prices_the_match() -> None:
    other = make_history(1, ("2024-04-19T12:00:00Z", 5.0), provider="the_odds_api")
    own = make_history(1, ("2024-04-19T13:00:00Z", 2.0))
    assert merge(other, own, ODDS, KICKOFFS, KICKOFF)["odds_home"].tolist() == [2.0]


def test_a_match_played_long_ago_keeps_its_first_and_last_price() -> None:
    history = make_history(1, ("2024-04-19T12:00:00Z", 2.0), ("2024-04-19T13:00:00Z", 2.1), ("2024-04-19T14:00:00Z", 2))
    history.loc[1, "odds_away"] = 3.7
    empty = price_history.typed(pd.DataFrame({"match_id": []}))
    recently = merge(history, empty, ODDS, KICKOFFS, KICKOFF + timedelta(days=90))
    long_ago = merge(history, empty, ODDS, KICKOFFS, KICKOFF + timedelta(days=91))
    assert [len(recently), len(long_ago)] == [3, 2]
    assert long_ago["collected_at"].dt.hour.tolist() == [12, 14]


def test_a_replay_moved_back_knows_nothing_seen_later() -> None:
    history = make_history(1, ("2024-04-18T12:00:00Z", 2.0), ("2024-04-19T12:00:00Z", 2.1))
    assert known_at(history, datetime(2024, 4, 19, 11, tzinfo=UTC))["odds_home"].tolist() == [2.0]


@pytest.mark.parametrize("odds", [None, (2.0, 3.4, 3.6)])
def test_without_any_price_there_is_an_empty_history_with_its_types(odds: Triple | None) -> None:
    rows = seen_prices(matched(sighting(-HOUR, 2.0, odds=odds, is_live=True)), {})
    history = merge(None, rows, ODDS, KICKOFFS, KICKOFF)
    assert history.empty
    assert parquet_bytes(history, PRICE_HISTORY_SCHEMA)
