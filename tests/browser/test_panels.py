"""The panels: their figures are those of the release's files, computed here with numpy and by hand."""

import csv
import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Locator, expect

from batch import evaluate
from batch.returns.region_roi import outcome_codes
from tests.browser.board import Board
from tests.support.released import dataset
from tests.support.throwaway import RunningStack

PROBABILITIES = ["proba_home", "proba_draw", "proba_away"]
ODDS = ["odds_home", "odds_draw", "odds_away"]
IMPLIED = ["implied_home", "implied_draw", "implied_away"]


@pytest.fixture(scope="module")
def predictions(stack: RunningStack) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(dataset(stack, "predictions")))


@pytest.fixture(scope="module")
def odds(stack: RunningStack) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(dataset(stack, "fonbet_odds")))


@pytest.fixture(scope="module")
def judged(predictions: pd.DataFrame, odds: pd.DataFrame) -> pd.DataFrame:
    """Finished matches outside the training period, with their market."""
    finished = predictions[predictions["outcome_1x2"].notna() & ~predictions["in_sample"]]
    return finished.merge(odds[["match_id", *ODDS, *IMPLIED, "collected_at"]], on="match_id", how="left")


def figures(table: Locator) -> dict[str, dict[str, float]]:
    """Row name -> measure -> value, unrounded, of a table of measures."""
    return {
        row.locator("th").inner_text(): {
            str(cell.get_attribute("data-measure")): float(str(cell.get_attribute("data-value")))
            for cell in row.locator("td").all()
        }
        for row in table.locator("tbody tr").all()
    }


def measures(forecast: pd.DataFrame, outcome: pd.Series) -> dict[str, float]:
    found = evaluate.scores(forecast.to_numpy(np.float64), outcome_codes(outcome))
    names = {"accuracy": "accuracy", "logLoss": "log_loss", "rps": "rps", "brier": "brier", "ece": "ece"}
    return {ours: found[theirs] for ours, theirs in names.items()}


def base_rates(judged: pd.DataFrame) -> pd.DataFrame:
    """How often each outcome came before each match's day, one match of each counted beforehand."""
    ordered = judged.sort_values(["match_date", "match_id"])
    came = pd.get_dummies(ordered["outcome_1x2"])[["home", "draw", "away"]].astype(float)
    by_day = came.groupby(ordered["match_date"].dt.date).sum().cumsum().shift(fill_value=0) + 1
    rates: pd.DataFrame = by_day.div(by_day.sum(axis=1), axis=0).loc[ordered["match_date"].dt.date]
    return rates.set_axis(ordered.index).reindex(judged.index)


def test_the_track_record_is_that_of_the_parquet_files(
    board: Board, predictions: pd.DataFrame, judged: pd.DataFrame
) -> None:
    board.open("?view=record")
    expect(board.page.locator("#view-record")).to_contain_text(f"{len(judged)} finished matches")
    everything, with_market = board.page.locator("#view-record table.measures").all()
    shown = figures(everything)
    assert shown["Model"] == pytest.approx(measures(judged[PROBABILITIES], judged["outcome_1x2"]), abs=1e-6)
    rates = base_rates(judged)
    assert shown["Base rates"] == pytest.approx(measures(rates, judged["outcome_1x2"]), abs=1e-6)
    priced = judged[judged[IMPLIED].notna().all(axis=1) & (judged["collected_at"] < judged["match_date"])]
    market = figures(with_market)
    assert len(priced) > 100
    assert market["Market"] == pytest.approx(measures(priced[IMPLIED], priced["outcome_1x2"]), abs=1e-6)
    assert market["Model"] == pytest.approx(measures(priced[PROBABILITIES], priced["outcome_1x2"]), abs=1e-6)
    naive = measures(rates.loc[priced.index], priced["outcome_1x2"])
    assert market["Base rates"] == pytest.approx(naive, abs=1e-6)


def test_the_track_record_follows_the_filters(board: Board, judged: pd.DataFrame) -> None:
    board.open("?view=record&region=Spain&from=2024-01-01")
    chosen = judged[(judged["region"] == "Spain") & (judged["match_date"] >= "2024-01-01")]
    shown = figures(board.page.locator("table.measures").first)
    assert shown["Model"] == pytest.approx(measures(chosen[PROBABILITIES], chosen["outcome_1x2"]), abs=1e-12)
    naive = measures(base_rates(judged).loc[chosen.index], chosen["outcome_1x2"])
    assert shown["Base rates"] == pytest.approx(naive, abs=1e-12)


def test_matches_the_model_was_fitted_on_are_no_track_record(board: Board) -> None:
    board.open("?view=record&to=2014-12-31")
    expect(board.page.locator("#view-record")).to_contain_text("No finished match to judge the model by")
    expect(board.page.locator("#view-record")).to_contain_text("were used to fit the model")


def test_the_reliability_diagram_is_that_of_the_parquet_files(board: Board, judged: pd.DataFrame) -> None:
    board.open("?view=record")
    board.page.get_by_text("Figures of the diagram").click()
    rows = board.page.locator("#view-record details tbody tr")
    happened = np.eye(3, dtype=bool)[outcome_codes(judged["outcome_1x2"])]
    forecast = judged[PROBABILITIES].to_numpy(np.float64)
    bins = evaluate.calibration_table(forecast.ravel(), happened.ravel())
    wanted = [
        [f"{100 * row['forecast']:.1f}%", f"{100 * row['frequency']:.1f}%", f"{row['count']:,}"]
        for row in bins.to_dict("records")
    ]
    assert [row.locator("th, td").all_inner_texts() for row in rows.all()] == wanted
    board.page.locator("[name=reliability][value=draw]").check(force=True)
    of_draws = evaluate.calibration_table(forecast[:, 1], happened[:, 1])
    assert rows.count() == len(of_draws)


def test_the_return_per_region_is_that_of_the_csv_file(board: Board, stack: RunningStack) -> None:
    board.open("?view=value")
    for row in csv.DictReader(io.StringIO(dataset(stack, "roi_by_region").decode())):
        cells = board.page.locator(f'tr[data-region="{row["region"]}"] td').all_inner_texts()
        assert cells[0] == row["bets"]
        assert number(cells[2]) == pytest.approx(float(row["profit"]), abs=0.005)
        assert number(cells[3]) == pytest.approx(100 * float(row["roi"]), abs=0.05)
        low, high = cells[4].split(" to ")
        assert number(low) == pytest.approx(100 * float(row["roi_ci_low"]), abs=0.5)
        assert number(high) == pytest.approx(100 * float(row["roi_ci_high"]), abs=0.5)


def test_what_edges_promised_and_what_came_is_that_of_the_parquet_files(board: Board, judged: pd.DataFrame) -> None:
    board.open("?view=value")
    rows = {
        str(row.get_attribute("data-edge")): row.locator("td").all_inner_texts()
        for row in board.page.locator("table.edges tbody tr").all()
    }
    priced = judged[judged[IMPLIED].notna().all(axis=1) & (judged["collected_at"] < judged["match_date"])]
    odds = priced[ODDS].to_numpy(np.float64)
    edges = priced[PROBABILITIES].to_numpy(np.float64) * odds - 1
    outcome, match = outcome_codes(priced["outcome_1x2"]), np.arange(len(priced))
    bet, best = edges.argmax(axis=1), edges.max(axis=1)
    profit = np.where(bet == outcome, odds[match, bet] - 1, -1.0)
    for threshold in (0.0, 0.02, 0.05, 0.1):
        taken = best > threshold
        shown = rows[f"Model: edge above {100 * threshold:.0f}%"]
        assert shown[0] == f"{taken.sum()}"
        # The sample states no closing price; the closing-line value comes before promise and profit.
        assert shown[1:3] == ["\u2013", "\u2013"]
        assert number(shown[3]) == pytest.approx(100 * best[taken].mean(), abs=0.051)
        assert number(shown[4]) == pytest.approx(100 * profit[taken].mean(), abs=0.051)
    head = board.page.locator("table.edges thead th").all_inner_texts()
    assert head.index("Closing-line value") < head.index("Promised") < head.index("Came (ROI)")
    against = bet != priced[PROBABILITIES].to_numpy(np.float64).argmax(axis=1)
    taken = (best > 0.05) & against
    assert number(rows["Model above 5%, against its own pick"][4]) == pytest.approx(
        100 * profit[taken].mean(), abs=0.051
    )
    names = board.page.locator('[aria-labelledby="edges-title"] .line-name').all_inner_texts()
    at_random = odds[match, outcome] / 3 - 1
    favourite = odds.argmin(axis=1)
    on_favourites = np.where(favourite == outcome, odds[match, favourite] - 1, -1.0)
    assert [number(name.split("(")[1].rstrip(" u)")) for name in names] == pytest.approx(
        [profit[best > 0.05].sum(), at_random.sum(), on_favourites.sum()], abs=0.051
    )
    expect(board.page.locator("#pool-note")).to_contain_text("The pool is the market alone")
    expect(board.page.locator("#pool-note")).to_contain_text("Nothing is called value")


def test_the_profit_of_value_bets_is_that_of_the_parquet_files(board: Board, judged: pd.DataFrame) -> None:
    board.bet_on_home_sides()
    priced = judged[judged[IMPLIED].notna().all(axis=1) & (judged["collected_at"] < judged["match_date"])]
    profit = np.where(priced["outcome_1x2"] == "home", priced["odds_home"] - 1, -1.0)
    board.open("?view=value")
    assert value_figures(board)[:2] == pytest.approx([len(priced), profit.sum()], abs=0.005)
    board.page.select_option("#filter-region", "England")
    english = profit[(priced["region"] == "England").to_numpy()]
    shown = value_figures(board)
    assert shown[:2] == pytest.approx([len(english), english.sum()], abs=0.005)
    assert shown[2] == pytest.approx(100 * english.mean(), abs=0.05)
    expect(board.page.get_by_role("img", name="Cumulative profit")).to_be_visible()


def value_figures(board: Board) -> list[float]:
    """Bets, profit and ROI in per cent."""
    return [number(text) for text in board.page.locator("#view-value .figure strong").all_inner_texts()]


def number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace("+", "").replace(",", "").rstrip("%u "))


def test_the_model_card_is_what_the_registry_says(board: Board, stack: RunningStack) -> None:
    s3 = stack.client("s3")
    mirrored = json.loads(s3.get_object(Bucket=stack.outputs.bucket, Key="models/champion/current.json")["Body"].read())
    board.open("?view=model")
    card = board.page.locator("#view-model .panel").first
    for text in (mirrored["model_run_id"], f"{len(mirrored['features'])} features"):
        expect(card).to_contain_text(text)
    expect(card.locator(".facts")).to_contain_text(mirrored["registered_version"])
    link = card.get_by_role("link", name="open the run in MLflow")
    expect(link).to_have_attribute(
        "href", f"{stack.mlflow_tracking_uri}/#/experiments/1/runs/{mirrored['model_run_id']}"
    )
    card.get_by_text("All metrics").click()
    row = card.locator("tr", has=board.page.get_by_role("rowheader", name="test_log_loss", exact=True))
    expect(row.locator("td")).to_have_text(f"{mirrored['metrics']['test_log_loss']:.4f}")
    card.get_by_text("Features", exact=True).click()
    for feature in mirrored["features"]:
        expect(card.get_by_role("rowheader", name=feature["name"], exact=True)).to_be_visible()
    board.page.select_option("#filter-stage", "challenger")
    expect(card).to_contain_text("Model card: challenger")


def test_drift_is_shown_to_whoever_has_the_operators_key(board: Board, stack: RunningStack) -> None:
    stack.invoke("monitor_drift")
    report = json.loads(
        stack.client("s3").get_object(Bucket=stack.outputs.bucket, Key="reports/drift/latest.json")["Body"].read()
    )
    board.open("?view=model")
    board.page.get_by_label("Operator key").fill(stack.keys.operator)
    board.page.get_by_role("button", name="Use key").click()
    panel = board.page.locator("#view-model .panel").nth(1)
    expect(panel).to_contain_text(f"{report['number_of_drifted_columns']} of {report['number_of_columns']}")
    assert stack.keys.operator not in board.page.url
    stored = board.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert stack.keys.operator not in stored


@pytest.mark.usefixtures("failing_calls")
def test_a_wrong_key_is_asked_for_again(board: Board) -> None:
    board.open("?view=model")
    board.page.get_by_label("Operator key").fill("wrong")
    board.page.get_by_role("button", name="Use key").click()
    panel = board.page.locator("#view-model .panel").nth(1)
    expect(panel.get_by_role("alert")).to_contain_text("API key needed")
    expect(panel).to_contain_text("The key in use was not accepted")
    expect(panel.get_by_label("API key")).to_be_visible()


@pytest.mark.parametrize(
    ("changes", "verdict", "tone"),
    [
        ({"sufficient_sample": False}, "Too few matches to tell", None),
        ({"number_of_columns_beyond_noise": 0}, "No drift of the data set", "right"),
        ({}, "Drift", "wrong"),
    ],
)
def test_a_drift_score_that_proves_nothing_is_not_red(
    board: Board, stack: RunningStack, changes: dict[str, Any], verdict: str, tone: str | None
) -> None:
    report = {
        "drift_score": 0.75,
        "dataset_drift": True,
        "number_of_columns": 20,
        "number_of_drifted_columns": 15,
        "number_of_columns_beyond_noise": 12,
        "sufficient_sample": True,
    } | changes
    board.answer("/monitoring/drift", 200, report)
    board.open("?view=model")
    board.page.get_by_label("Operator key").fill(stack.keys.operator)
    board.page.get_by_role("button", name="Use key").click()
    panel = board.page.locator("#view-model .panel").nth(1)
    figures = panel.locator(".key-figures")
    expect(figures).to_contain_text(f"{report['number_of_columns_beyond_noise']} of 20")
    badge = panel.locator(".badge").filter(has_text=verdict)
    expect(badge).to_have_text(verdict)
    classes = (badge.get_attribute("class") or "").split()
    assert [name for name in classes if name != "badge"] == ([tone] if tone else [])


def test_without_a_report_the_drift_panel_says_so(board: Board, stack: RunningStack) -> None:
    board.answer("/monitoring/drift", 200, {"drift_score": None})
    board.open("?view=model")
    board.page.get_by_label("Operator key").fill("any")
    board.page.get_by_role("button", name="Use key").click()
    expect(board.page.locator("#view-model")).to_contain_text("No drift report has been made yet")
