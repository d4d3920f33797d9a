"""Prices of past matches: which are taken, how they grow, what is read from them."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from batch.odds.past_prices import (
    PAST_PRICES_SCHEMA,
    closing_probabilities,
    expected_home_share,
    merge,
    of_begun_matches,
    typed,
)
from batch.odds.price_files import read_prices
from chalicelib.errors import ProviderUnavailable
from tests.support.scalar_odds import shin
from tests.unit.batch.league import accepted, match

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
TAKEN, CLOSED = (2.1, 3.4, 3.6), (1.9, 3.5, 4.2)


def row(match_id: int, odds: tuple[float, ...] = TAKEN, closing: tuple[float, ...] | None = None) -> pd.DataFrame:
    values = dict(zip(("odds_home", "odds_draw", "odds_away"), odds, strict=True))
    if closing:
        values |= dict(zip(("closing_home", "closing_draw", "closing_away"), closing, strict=True))
    return typed(pd.DataFrame([{"match_id": match_id, "collected_at": "2024-02-01T12:00:00Z", **values}]))


def test_an_empty_table_has_the_columns_too() -> None:
    assert typed(pd.DataFrame({"match_id": []})).columns.tolist() == PAST_PRICES_SCHEMA.names


def test_only_matches_that_have_begun_and_prices_seen_before_kickoff_are_kept() -> None:
    odds = pd.concat([row(match_id) for match_id in (1, 2, 3, 4)])
    kickoffs = pd.DataFrame(
        {
            "match_id": [1, 2, 3],
            "match_date": pd.to_datetime(["2024-02-02T15:00Z", "2024-03-02T15:00Z", "2024-01-31T15:00Z"], utc=True),
        }
    )
    assert of_begun_matches(odds, kickoffs, AS_OF)["match_id"].tolist() == [1]


def test_prices_that_are_not_a_market_are_left_out() -> None:
    kickoffs = pd.DataFrame({"match_id": [1], "match_date": pd.to_datetime(["2024-02-02T15:00Z"], utc=True)})
    assert of_begun_matches(row(1, (1.01, 1.01, 1.01)), kickoffs, AS_OF).empty


def test_past_prices_grow_and_a_closing_price_is_not_lost() -> None:
    prices = merge(None, pd.concat([row(1), row(2, closing=CLOSED)]))
    grown = merge(prices, pd.concat([row(1, closing=CLOSED), row(2), row(3)]))
    assert grown["match_id"].tolist() == [1, 2, 3]
    assert grown["closing_home"].tolist()[:2] == [1.9, 1.9]
    pd.testing.assert_frame_equal(merge(grown, grown), grown)


def test_the_closing_price_has_precedence_over_the_price_taken() -> None:
    prices = pd.concat([row(1), row(2, closing=CLOSED)])
    probabilities = closing_probabilities(prices, pd.Series([2, 9, 1]))
    assert probabilities[0] == pytest.approx(shin(CLOSED)[0])
    assert np.isnan(probabilities[1]).all()
    assert probabilities[2] == pytest.approx(shin(TAKEN)[0])
    home, draw, _ = shin(TAKEN)[0]
    assert expected_home_share(prices, pd.Series([1])) == pytest.approx([home + draw / 2])


def test_without_prices_nothing_is_known() -> None:
    assert np.isnan(closing_probabilities(None, pd.Series([1, 2]))).all()


MATCHES = accepted([match(1, "Arsenal", "Everton"), match(2, "Chelsea", "Fulham")])
COLUMNS = ("region", "league", "home_team", "away_team", "kickoff", "odds_home", "odds_draw", "odds_away")


def named(folder: Path, *, closing: bool = False) -> Path:
    """The first match's price as a CSV of an odds provider."""
    first = MATCHES.iloc[0]
    cells = ["England", "Premier League", "Arsenal FC", "Everton FC", first["kickoff"].isoformat(), *TAKEN]
    header = [*COLUMNS, "collected_at"]
    cells.append((first["kickoff"] - pd.Timedelta(days=1)).isoformat())
    if closing:
        header += ["closing_home", "closing_draw", "closing_away"]
        cells += CLOSED
    path = folder / "odds.csv"
    path.write_text(",".join(header) + "\n" + ",".join(str(cell) for cell in cells) + "\n")
    return path


def test_files_that_name_teams_are_matched_and_their_stated_closing_price_taken(tmp_path: Path) -> None:
    read = read_prices([named(tmp_path, closing=True)], MATCHES, AS_OF)
    assert read.prices["match_id"].tolist() == [1]
    assert read.prices[["odds_home", "closing_home"]].iloc[0].tolist() == [2.1, 1.9]
    assert (read.summary["matched"], read.summary["prices"]) == (1, 1)


def test_files_that_name_matches_by_id_are_taken_as_they_are(tmp_path: Path) -> None:
    row(2, closing=CLOSED).to_parquet(tmp_path / "past_prices.parquet")
    read = read_prices([tmp_path / "past_prices.parquet", named(tmp_path)], MATCHES, AS_OF)
    assert read.prices["match_id"].tolist() == [1, 2]
    assert read.summary["by_match_id"] == 1


def test_a_file_without_prices_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("match_id,odds_home\n1,2.0\n")
    with pytest.raises(ProviderUnavailable, match="odds_draw"):
        read_prices([tmp_path / "x.csv"], MATCHES, AS_OF)
