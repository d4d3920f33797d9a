"""The rows of fonbet_odds.parquet."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pyarrow.parquet as pq
import pytest

from batch.odds.matching import MatchedOdds
from batch.odds.providers.base import MarketOdds
from batch.odds.table import FONBET_ODDS_SCHEMA, build, carry_forward, known_at
from batch.release import parquet_bytes

SEEN = datetime(2024, 3, 29, 15, 0, tzinfo=UTC)
MARKET = MarketOdds(
    provider="fonbet",
    event_id="101",
    region="England",
    league="Premier League",
    home_team="Man Utd",
    away_team="Wolves",
    kickoff=datetime(2024, 3, 30, 14, 0, tzinfo=UTC),
    odds=(1.67, 4.05, 4.30),
    suspended=False,
    collected_at=SEEN,
    url="https://fon.bet/sports/football/11918/101",
)


def matched(match_id: int = 7, **changes: object) -> MatchedOdds:
    return MatchedOdds(replace(MARKET, **changes), match_id, "alias", 100.0, 0.0)  # type: ignore[arg-type]


def test_a_row_carries_margin_and_margin_free_probabilities() -> None:
    row = build([matched(closing=(1.6, 4.2, 4.6))]).iloc[0]
    assert (row["match_id"], row["provider"], row["fonbet_event_id"]) == (7, "fonbet", "101")
    assert row["margin"] == pytest.approx(0.078274, abs=5e-7)
    assert [row[f"implied_{o}"] for o in ("home", "draw", "away")] == pytest.approx([0.5682, 0.2229, 0.2089], abs=6e-5)
    assert row["margin_method"] == "shin"
    assert row["closing_home"] == 1.6
    assert row["collected_at"] == pd.Timestamp(SEEN)
    assert (row["match_method"], row["match_score"], row["time_delta_min"]) == ("alias", 100.0, 0.0)
    assert not row["suspended"]


def test_odds_that_are_not_a_market_keep_their_margin_and_lose_their_probabilities() -> None:
    row = build([matched(odds=(1.2, 2.0, 2.5))]).iloc[0]
    assert row["margin"] == pytest.approx(0.7333, abs=5e-5)
    assert pd.isna(row["implied_home"])
    assert pd.isna(row["margin_method"])


def test_a_closed_market_has_no_numbers() -> None:
    row = build([matched(odds=None, suspended=True)]).iloc[0]
    assert row["suspended"]
    assert row[["odds_home", "margin", "implied_home", "closing_home"]].isna().all()


def test_a_match_has_one_row_whichever_provider_prices_it_first_in_order() -> None:
    rows = [matched(), matched(provider="the_odds_api", event_id="x"), matched(provider="a", odds=None)]
    assert build(rows)["provider"].tolist() == ["fonbet"]
    assert build(rows, provider_order=("the_odds_api", "fonbet"))["provider"].tolist() == ["the_odds_api"]
    assert build(rows, provider_order=("a", "fonbet"))["provider"].tolist() == ["fonbet"]  # a has no price


def as_parquet(frame: pd.DataFrame) -> bytes:
    return parquet_bytes(frame, FONBET_ODDS_SCHEMA)


def test_the_same_rows_in_any_order_give_the_same_bytes() -> None:
    rows = [matched(9), matched(3, provider="x"), matched(3), matched(5, odds=None)]
    assert build(rows)["match_id"].tolist() == [3, 5, 9]
    assert as_parquet(build(rows)) == as_parquet(build(rows[::-1]))


def test_without_rows_the_frame_still_has_its_columns_and_types() -> None:
    empty = build([])
    assert list(empty.columns) == FONBET_ODDS_SCHEMA.names
    assert pq.read_table(io.BytesIO(as_parquet(empty))).schema.equals(FONBET_ODDS_SCHEMA)
    assert str(empty["collected_at"].dtype) == "datetime64[ms, UTC]"


def test_the_first_run_has_nothing_to_carry_forward() -> None:
    current = build([matched()])
    assert carry_forward(None, current) is current
    assert carry_forward(build([]), current) is current


def test_a_match_that_left_the_line_keeps_its_row() -> None:
    carried = carry_forward(build([matched(3)]), build([matched(7)]))
    assert carried["match_id"].tolist() == [3, 7]
    assert carry_forward(build([matched(3)]), build([]))["match_id"].tolist() == [3]


def test_a_market_that_closed_keeps_its_last_price_and_says_it_is_closed() -> None:
    shut = matched(odds=None, suspended=True, live_score="1:0", collected_at=datetime(2024, 3, 30, 14, 30, tzinfo=UTC))
    row = carry_forward(build([matched()]), build([shut])).iloc[0]
    assert row["odds_home"] == 1.67
    assert row["implied_home"] == pytest.approx(0.5682, abs=6e-5)
    assert row["margin_method"] == "shin"
    assert row["suspended"]
    assert row["live_score"] == "1:0"
    assert row["collected_at"] == pd.Timestamp(SEEN)  # the time the price was seen


def test_a_new_price_replaces_the_old_one() -> None:
    row = carry_forward(build([matched()]), build([matched(odds=(1.8, 3.9, 4.0))])).iloc[0]
    assert row["odds_home"] == 1.8


def test_what_was_known_earlier_holds_nothing_from_later() -> None:
    later_values = {"closing": (1.6, 4.2, 4.6), "live_score": "1:0", "suspended": True}
    later = matched(9, collected_at=datetime(2024, 3, 30, 13, 0, tzinfo=UTC))
    odds = build([matched(7, **later_values), matched(8, **later_values), later])
    kickoffs = [datetime(2024, 3, 30, 14, tzinfo=UTC), datetime(2024, 3, 29, 16, tzinfo=UTC), None]
    predictions = pd.DataFrame({"match_id": [7, 8, 9], "match_date": pd.to_datetime(pd.Series(kickoffs), utc=True)})
    earlier = known_at(odds, predictions, datetime(2024, 3, 29, 18, tzinfo=UTC)).set_index("match_id")
    assert list(earlier.index) == [7, 8]
    # 7 had not begun: its closing odds, its score and its shut market are from later
    assert earlier["closing_home"].isna().tolist() == [True, False]
    assert earlier["live_score"].isna().tolist() == [True, False]
    assert earlier["suspended"].tolist() == [False, True]
    assert earlier["odds_home"].tolist() == [1.67, 1.67]


def test_nothing_was_known_before_anything_was_seen() -> None:
    predictions = pd.DataFrame({"match_id": [7], "match_date": pd.to_datetime(["2024-03-30T14:00:00Z"], utc=True)})
    earlier = known_at(build([matched()]), predictions, datetime(2024, 1, 1, tzinfo=UTC))
    assert len(earlier) == 0
    parquet_bytes(earlier, FONBET_ODDS_SCHEMA)
