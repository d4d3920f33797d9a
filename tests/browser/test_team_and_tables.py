"""A club's page, the projected tables and the models beside one another: figures of the release's files."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from batch import evaluate
from batch.returns.region_roi import outcome_codes
from tests.browser.board import Board
from tests.support.released import dataset
from tests.support.throwaway import RunningStack

CLUB, COUNTRY = "Arsenal", "England"
PROBABILITIES = ["proba_home", "proba_draw", "proba_away"]
IMPLIED = ["implied_home", "implied_draw", "implied_away"]
WINDOW = 100


@pytest.fixture(scope="module")
def predictions(stack: RunningStack) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(dataset(stack, "predictions")))


@pytest.fixture(scope="module")
def odds(stack: RunningStack) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(dataset(stack, "fonbet_odds")))


@pytest.fixture(scope="module")
def projections(stack: RunningStack) -> pd.DataFrame:
    return pd.DataFrame(json.loads(dataset(stack, "projections")))


@pytest.fixture(scope="module")
def own(predictions: pd.DataFrame, odds: pd.DataFrame) -> pd.DataFrame:
    """The club's matches with their market, in order of kickoff."""
    is_own = (predictions["home_team"] == CLUB) | (predictions["away_team"] == CLUB)
    found = predictions[is_own & (predictions["region"] == COUNTRY)]
    prices = odds[["match_id", "odds_home", "odds_draw", "odds_away", *IMPLIED, "collected_at"]]
    return found.merge(prices, on="match_id", how="left").sort_values(["match_date", "match_id"])


def number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace("+", "").replace(",", "").rstrip("% "))


def triple(row: Any) -> str:
    return " / ".join(f"{100 * row[name]:.0f}%" for name in PROBABILITIES)


def log_losses(forecast: pd.DataFrame, outcome: pd.Series) -> Any:
    chances = forecast.to_numpy(np.float64)
    return -np.log(chances[np.arange(len(chances)), outcome_codes(outcome)])


def test_a_clubs_rating_is_drawn_from_its_matches(board: Board, own: pd.DataFrame) -> None:
    board.open(f"?club={CLUB}&country={COUNTRY}")
    next_match = own[own["outcome_1x2"].isna()].iloc[0]
    drawn = own[own["outcome_1x2"].notna() | (own["match_id"] == next_match["match_id"])]
    elo = np.where(drawn["home_team"] == CLUB, drawn["home_elo"], drawn["away_elo"])
    panel = board.page.locator('[aria-labelledby="rating-title"]')
    expect(panel.get_by_role("img")).to_have_attribute("aria-label", f"Elo rating over time, now {elo[-1]:.0f}")
    expect(panel).to_contain_text(f"{np.isfinite(elo.astype(float)).sum()} matches.")
    # As many corners as matches: a line goes through each.
    path = str(panel.locator("path.line").get_attribute("d"))
    assert path.count("L") + path.count("M") == len(elo)


def test_a_clubs_fixtures_carry_their_forecasts_and_odds(board: Board, own: pd.DataFrame) -> None:
    board.open(f"?club={CLUB}&country={COUNTRY}")
    coming = own[own["outcome_1x2"].isna()]
    rows = board.page.locator('[aria-labelledby="fixtures-title"] tr[data-match]')
    assert [int(str(row.get_attribute("data-match"))) for row in rows.all()] == coming["match_id"].tolist()
    for row, (_, match) in zip(rows.all(), coming.iterrows(), strict=True):
        cells = row.locator("td").all_inner_texts()
        assert cells[1] == triple(match)
        assert cells[2] == " / ".join(f"{match[f'odds_{side}']:.2f}" for side in ("home", "draw", "away"))


def test_a_clubs_results_stand_beside_what_was_forecast(board: Board, own: pd.DataFrame) -> None:
    board.open(f"?club={CLUB}&country={COUNTRY}")
    over = own[own["outcome_1x2"].notna()].iloc[::-1].head(40)
    rows = board.page.locator('[aria-labelledby="results-title"] tr[data-match]')
    assert [int(str(row.get_attribute("data-match"))) for row in rows.all()] == over["match_id"].tolist()
    for row, (_, match) in zip(rows.all()[:10], over.head(10).iterrows(), strict=True):
        cells = row.locator("td").all_inner_texts()
        assert cells[1].split()[-1] == f"{match['home_score']:.0f}:{match['away_score']:.0f}"
        assert cells[2] == triple(match)
        assert ("✓" in cells[3]) == (match["predicted_label"] == match["outcome_1x2"])


def test_the_models_record_on_a_club_leaves_out_what_it_was_fitted_on(board: Board, own: pd.DataFrame) -> None:
    board.open(f"?club={CLUB}&country={COUNTRY}")
    judged = own[own["outcome_1x2"].notna() & ~own["in_sample"]]
    assert 0 < len(judged) < own["outcome_1x2"].notna().sum()
    scores = evaluate.scores(judged[PROBABILITIES].to_numpy(np.float64), outcome_codes(judged["outcome_1x2"]))
    priced = judged[judged[IMPLIED].notna().all(axis=1) & (judged["collected_at"] < judged["match_date"])]
    difference = log_losses(priced[PROBABILITIES], priced["outcome_1x2"]) - log_losses(
        priced[IMPLIED], priced["outcome_1x2"]
    )
    shown = [number(text) for text in board.page.locator("#team-record .figure strong").all_inner_texts()]
    wanted = [len(judged), 100 * scores["accuracy"], scores["log_loss"], difference.mean()]
    assert shown == pytest.approx(wanted, abs=0.051)
    assert shown[2:] == pytest.approx(wanted[2:], abs=0.00051)


def test_a_clubs_place_is_that_of_the_projections(board: Board, projections: pd.DataFrame) -> None:
    board.open(f"?club={CLUB}&country={COUNTRY}")
    (row,) = projections[(projections["team"] == CLUB) & (projections["region"] == COUNTRY)].to_dict("records")
    standing = board.page.locator("#standing")
    expect(standing).to_contain_text(f"Place {row['position']} in {row['league']} with {row['points']} points")
    expect(standing).to_contain_text(f"expected {row['expected_points']:.1f} points")


def test_the_projected_tables_are_those_of_the_release(board: Board, projections: pd.DataFrame) -> None:
    board.open("?view=tables")
    tables = board.page.locator("table.projected")
    seasons = projections.groupby(["region", "league", "season"], sort=False)
    assert tables.count() == len(seasons) > 1
    for table, (_, season) in zip(tables.all(), seasons, strict=True):
        rows = table.locator("tr[data-team]").all()
        assert [row.get_attribute("data-team") for row in rows] == season["team"].tolist()
        for row, wanted in zip(rows, season.to_dict("records"), strict=True):
            cells = row.locator("td").all_inner_texts()
            shown = [number(text) for text in cells[:7]]
            difference = wanted["goals_for"] - wanted["goals_against"]
            names = ("projected_position", "position", "played")
            expected = [*(wanted[name] for name in names), difference, wanted["points"], wanted["remaining"]]
            assert shown == pytest.approx([*expected, wanted["expected_points"]], abs=0.051)
            assert cells[7] == f"{wanted['points_low']}\u2013{wanted['points_high']}"
            chances = [float(str(cell.get_attribute("data-chance"))) for cell in row.locator(".chance").all()]
            assert chances == [wanted[name] for name in ("title", "top_four", "relegation")]
    board.page.select_option("#filter-region", "Spain")
    assert tables.count() == len(projections[projections["region"] == "Spain"].groupby(["league", "season"]))


def test_champion_challenger_and_market_are_scored_on_the_same_matches(
    board: Board, stack: RunningStack, predictions: pd.DataFrame, odds: pd.DataFrame
) -> None:
    challenger = pd.read_parquet(io.BytesIO(dataset(stack, "predictions_challenger")))
    columns = ["match_id", "in_sample", *PROBABILITIES]
    both = predictions.merge(challenger[columns], on="match_id", suffixes=("", "_challenger"))
    both = both.merge(odds[["match_id", *IMPLIED, "collected_at"]], on="match_id")
    shared = both[
        both["outcome_1x2"].notna()
        & ~both["in_sample"]
        & ~both["in_sample_challenger"]
        & both[IMPLIED].notna().all(axis=1)
        & (both["collected_at"] < both["match_date"])
    ].sort_values(["match_date", "match_id"])
    outcome = shared["outcome_1x2"]
    losses = pd.DataFrame(
        {
            "champion": log_losses(shared[PROBABILITIES], outcome),
            "challenger": log_losses(shared[[f"{name}_challenger" for name in PROBABILITIES]], outcome),
            "market": log_losses(shared[IMPLIED], outcome),
            "league": shared["league"].to_numpy(),
        }
    )
    names = ["champion", "challenger", "market"]
    board.open("?view=record")
    panel = board.page.locator('[aria-labelledby="compare-title"]')
    groups = {"All leagues": losses, **dict(list(losses.groupby("league")))}
    rows = panel.locator("tbody tr").all()
    assert [row.locator("th").inner_text() for row in rows] == list(groups)
    for row, group in zip(rows, groups.values(), strict=True):
        cells = row.locator("td").all_inner_texts()
        assert cells[0] == f"{len(group)}"
        difference = group["champion"] - group["market"]
        wanted = [*group[names].mean(), difference.mean()]
        assert [number(text) for text in cells[1:5]] == pytest.approx(wanted, abs=0.000051)
        half = 1.96 * difference.std() / np.sqrt(len(group))
        low, high = cells[5].split(" to ")
        assert [number(low), number(high)] == pytest.approx(
            [difference.mean() - half, difference.mean() + half], abs=0.00051
        )
    at_the_end = losses[names].tail(WINDOW).mean()
    label = str(panel.get_by_role("img").get_attribute("aria-label"))
    assert label == (
        f"Log loss over the last {WINDOW} matches; at the end: Champion {at_the_end['champion']:.3f}, "
        f"Challenger {at_the_end['challenger']:.3f}, Market {at_the_end['market']:.3f}"
    )
    # The line has a point for each match from the first full window on, and the first model a band of its interval.
    line = str(panel.locator("path.line").first.get_attribute("d"))
    assert line.count("L") + line.count("M") == len(losses) - WINDOW + 1
    assert str(panel.locator("path.area").first.get_attribute("d")).endswith("Z")
