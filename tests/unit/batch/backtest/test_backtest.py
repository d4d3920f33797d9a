"""Backtests: what each refit may know, what trainers and bettors are given, and what the report says of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from batch import synthetic
from batch.backtest import BacktestResult, MatchRows, Refit, ResultRows, ValueBettor, backtest
from batch.backtest.folds import folds
from batch.backtest.report import interval, markdown, returns
from batch.backtest.strategies import InvalidForecast, InvalidStakes
from batch.features import FeatureSettings
from batch.matches import read_matches
from batch.odds.past_prices import typed
from batch.release import parquet_bytes
from batch.training.fitting import CHAMPION
from batch.training.recipes import load_recipe

pytestmark = pytest.mark.slow

SEASON = synthetic.MATCHES_PER_SEASON
START = "2008-07-01"


@pytest.fixture(name="matches", scope="module")
def fixture_matches() -> pd.DataFrame:
    """Six seasons of a league, the last two to be forecast."""
    return read_matches({"matches.parquet": parquet_bytes(synthetic.matches(6 * SEASON, 7))}).accepted


@pytest.fixture(name="prices", scope="module")
def fixture_prices(matches: pd.DataFrame) -> pd.DataFrame:
    """The same odds of every match, at which a home win pays most when it comes, and a closing price a little lower."""
    return typed(
        pd.DataFrame(
            {
                "match_id": matches["match_id"],
                "provider": "made up",
                "odds_home": 2.2,
                "odds_draw": 3.4,
                "odds_away": 3.4,
                "collected_at": matches["kickoff"] - pd.Timedelta(hours=2),
                "closing_home": 2.0,
                "closing_draw": 3.6,
                "closing_away": 3.9,
            }
        )
    )


class Constant:
    """A trainer that keeps what it was given and forecasts the same for every match."""

    def __init__(self, forecast: Any = (0.5, 0.3, 0.2)) -> None:
        self.forecast = forecast
        self.learned: list[tuple[ResultRows, ResultRows]] = []
        self.asked: list[MatchRows] = []

    def __call__(self, train: ResultRows, validation: ResultRows) -> Any:
        self.learned.append((train, validation))

        def forecaster(rows: MatchRows) -> Any:
            self.asked.append(rows)
            return np.tile(np.array(self.forecast), (len(rows), 1))

        return forecaster


def run(matches: pd.DataFrame, prices: pd.DataFrame | None = None, **changes: Any) -> BacktestResult:
    arguments: dict[str, Any] = {"start": START, "trainer": Constant(), "progress": False} | changes
    return backtest(matches, prices, **arguments)


@pytest.mark.parametrize(("refit", "n_folds"), [(Refit.SEASON, 2), (Refit.MONTH, 18)])
def test_each_refit_learns_from_results_known_before_it_and_forecasts_what_comes_until_the_next(
    matches: pd.DataFrame, refit: Refit, n_folds: int
) -> None:
    trainer = Constant()
    result = run(matches, refit=refit, trainer=trainer)
    assert len(result.walked.folds) == n_folds
    two_hours = pd.Timedelta(hours=2)
    for fold, (train, validation), test_rows in zip(result.walked.folds, trainer.learned, trainer.asked, strict=True):
        assert train.matches["match_date"].max() < validation.matches["match_date"].min()
        assert validation.matches["match_date"].max() + two_hours < fold.start
        assert test_rows.matches["match_date"].between(fold.start, fold.end, inclusive="left").all()
        n_known = (matches["kickoff"] + two_hours < fold.start).sum()
        assert len(train) + len(validation) == n_known
    assert sorted(result.forecasts["match_id"]) == sorted(
        matches.loc[matches["kickoff"] >= pd.Timestamp(START, tz="UTC"), "match_id"]
    )


def test_a_match_in_play_at_the_refit_teaches_nothing(matches: pd.DataFrame) -> None:
    ordered = matches.sort_values("match_id", ignore_index=True)
    kickoff = ordered["kickoff"].iloc[4 * SEASON]
    for minutes, is_known in ((119, False), (120, False), (121, True)):
        (fold,) = folds(ordered, kickoff + pd.Timedelta(minutes=minutes), refit=Refit.SEASON)[:1]
        assert bool((fold.train | fold.validation)[4 * SEASON]) is is_known, minutes


def test_scrambled_results_after_a_refit_change_no_forecast_of_it(matches: pd.DataFrame, prices: pd.DataFrame) -> None:
    cut = pd.Timestamp("2009-07-01", tz="UTC")
    scrambled = matches.copy()
    later = (matches["kickoff"] >= cut).to_numpy(bool)
    scrambled.loc[later, ["home_goals", "away_goals"]] = scrambled.loc[later, ["away_goals", "home_goals"]].to_numpy()
    prices_later = prices["match_id"].isin(matches.loc[later, "match_id"])
    other_prices = prices.assign(closing_home=prices["closing_home"].where(~prices_later, 1.5))
    recipe = load_recipe("market", ["max_rounds=15"])
    columns = ["match_id", "proba_home", "proba_draw", "proba_away"]
    first = run(matches, prices, trainer=recipe).forecasts
    second = run(scrambled, other_prices, trainer=recipe).forecasts
    before = first["match_date"] < cut
    pd.testing.assert_frame_equal(first.loc[before, columns], second.loc[before, columns])
    # and it is not that nothing could change: next season's forecasts do
    assert not first.loc[~before, columns].equals(second.loc[~before, columns])


def test_neither_trainer_nor_bettor_is_shown_what_it_could_not_know(
    matches: pd.DataFrame, prices: pd.DataFrame
) -> None:
    days: list[pd.DataFrame] = []

    def bettor(day: pd.DataFrame, bankroll: float) -> np.ndarray[Any, Any]:
        days.append(day)
        return np.zeros((len(day), 3))

    trainer = Constant()
    run(matches, prices, trainer=trainer, bettor=bettor)
    revealing_columns = {"goals", "outcome", "closing", "market", "profit"}
    for frame in (trainer.asked[0].matches, trainer.asked[0].features.filter(regex="^(home|away)_goals$"), days[0]):
        assert not [name for name in frame.columns if any(word in name for word in revealing_columns)]
    assert all(len(set(day["match_date"].dt.date)) == 1 for day in days)


def test_the_bankroll_follows_the_bets_of_the_days_before(matches: pd.DataFrame, prices: pd.DataFrame) -> None:
    bankrolls: list[float] = []

    def bettor(day: pd.DataFrame, bankroll: float) -> np.ndarray[Any, Any]:
        bankrolls.append(bankroll)
        stakes = np.zeros((len(day), 3))
        stakes[0, 0] = 2.0  # two units on the first match's home side
        return stakes

    result = run(matches, prices, bettor=bettor)
    assert bankrolls[0] == 100
    assert bankrolls[1:] == pytest.approx((100 + result.bets["profit"].cumsum()).tolist()[:-1])
    won = result.bets.merge(result.forecasts[["match_id", "outcome"]], on="match_id")["outcome"] == 0
    assert result.bets["profit"].tolist() == pytest.approx(np.where(won, 2 * 1.2, -2.0).tolist())


def test_edge_closing_line_value_and_market_are_as_worked_out_by_hand(
    matches: pd.DataFrame, prices: pd.DataFrame
) -> None:
    result = run(matches, prices)  # half of the probability on home, at 2.2: an edge of a tenth
    assert result.bets["edge"].unique() == pytest.approx([0.1])
    assert set(result.bets["bet"]) == {0}
    # Shin's probability of odds (2.0, 3.6, 3.9), whose booksum is 1.0342
    q_home = float(result.forecasts["market_home"].iloc[0])
    assert 0.4835 < q_home < 0.4935
    assert result.bets["clv"].unique() == pytest.approx([2.2 * q_home - 1])
    assert result.report["total"]["clv"] == pytest.approx(2.2 * q_home - 1)


def test_without_closing_prices_there_is_no_closing_line_value(matches: pd.DataFrame, prices: pd.DataFrame) -> None:
    opening = prices.drop(columns=["closing_home", "closing_draw", "closing_away"])
    result = run(matches, opening)
    assert result.report["total"]["clv"] is None
    assert result.report["total"]["bets"] == 2 * SEASON
    assert "Closing prices are unknown" in markdown(result.report)


def test_without_prices_there_are_scores_alone(matches: pd.DataFrame) -> None:
    result = run(matches)
    total = result.report["total"]
    assert (total["priced"], total["bets"], total["market_log_loss"]) == (0, 0, None)
    assert "No bet was made." in markdown(result.report)


@pytest.mark.parametrize(
    ("forecast", "message"),
    [
        ((0.5, 0.5), "shape"),
        ((0.5, 0.6, -0.1), "negative"),
        ((0.5, float("nan"), 0.5), "missing"),
        ((0.5, 0.3, 0.3), "sums to 1.1"),
    ],
)
def test_a_forecast_that_is_none_is_refused(matches: pd.DataFrame, forecast: Any, message: str) -> None:
    with pytest.raises(InvalidForecast, match=message):
        run(matches, trainer=Constant(forecast))


@pytest.mark.parametrize(("stakes", "message"), [([1.0, 0.0], "shape"), ([1.0, 0.0, -1.0], "negative")])
def test_stakes_that_are_none_are_refused(
    matches: pd.DataFrame, prices: pd.DataFrame, stakes: list[float], message: str
) -> None:
    with pytest.raises(InvalidStakes, match=message):
        run(matches, prices, bettor=lambda day, _: np.tile(stakes, (len(day), 1)))


@pytest.mark.parametrize(("start", "message"), [("2030-01-01", "to forecast"), ("2004-08-01", "to learn from")])
def test_a_start_that_leaves_nothing_is_refused(matches: pd.DataFrame, start: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(matches, start=start)


def test_a_recipe_is_fitted_with_weights_and_they_matter(matches: pd.DataFrame) -> None:
    shallow = load_recipe("champion", ["max_rounds=15"])
    plain = run(matches, trainer=shallow).forecasts
    home_wins = matches["home_goals"] > matches["away_goals"]
    weights = pd.Series(np.where(home_wins, 5.0, 1.0), index=matches["match_id"])
    weighted = run(matches, trainer=shallow, weights=weights).forecasts
    assert weighted["proba_home"].mean() > plain["proba_home"].mean() + 0.005
    with pytest.raises(ValueError, match="not negative"):
        run(matches, trainer=shallow, weights=-weights)


def test_extra_columns_reach_a_trainer_as_features(matches: pd.DataFrame) -> None:
    shots = matches.assign(
        shots_home=matches["home_goals"].astype(float) * 3, shots_away=matches["away_goals"].astype(float) * 3
    )
    settings = FeatureSettings(extra_columns=("shots_home", "shots_away"))
    trainer = Constant()
    run(shots, trainer=trainer, settings=settings)
    assert [name for name in trainer.asked[0].features.columns if "shots" in name]
    recipe = load_recipe("champion", ["max_rounds=10"])
    plain, extra = (run(shots, trainer=recipe, settings=each).forecasts for each in (FeatureSettings(), settings))
    assert not plain["proba_home"].equals(extra["proba_home"])


def test_refits_side_by_side_forecast_the_same(matches: pd.DataFrame) -> None:
    recipe = load_recipe("champion", ["max_rounds=10"])
    serial, parallel = (run(matches, trainer=recipe, refit="month", jobs=jobs).forecasts for jobs in (1, 2))
    pd.testing.assert_frame_equal(serial, parallel)


def test_an_interval_has_its_coverage() -> None:
    generator = np.random.default_rng(1)
    samples = [interval(generator.normal(0.3, 1.0, 200)) for _ in range(200)]
    assert 0.9 <= np.mean([low <= 0.3 <= high for low, high in samples]) <= 0.99
    assert np.isnan(interval(np.ones(9))).all()
    # above 2,000 values random groups are resampled: the same width
    large = generator.normal(0.3, 1.0, 50_000)
    low, high = interval(large)
    assert high - low == pytest.approx(2 * 1.96 / 50_000**0.5, rel=0.15)


def test_returns_weigh_bets_by_their_stake() -> None:
    bets = pd.DataFrame({"stake": [1.0, 3.0], "profit": [1.0, -3.0], "edge": [0.1, 0.3], "clv": [0.02, np.nan]})
    row = returns(bets)
    assert (row["bets"], row["turnover"], row["profit"], row["roi"]) == (2, 4.0, -2.0, -0.5)
    assert row["promised"] == pytest.approx((0.1 + 0.9) / 4)
    assert (row["clv"], row["clv_bets"]) == (0.02, 1)


def test_the_breakdowns_add_up(matches: pd.DataFrame, prices: pd.DataFrame) -> None:
    report = run(matches, prices, bettor=ValueBettor(0.05)).report
    for rows in (report["by_season"], report["by_league"], report["by_fold"]):
        assert sum(row["matches"] for row in rows) == report["total"]["matches"]
        assert sum(row["bets"] for row in rows) == report["total"]["bets"]
        assert sum(row["profit"] for row in rows) == pytest.approx(report["total"]["profit"])
    assert [row["season"] for row in report["by_season"]] == ["2008/09", "2009/10"]
    assert report["bankroll"][-1][1] == report["total"]["bets"]
    assert report["bankroll"][-1][2] == pytest.approx(report["total"]["profit"])
    assert sum(row["matches"] for row in report["by_month"]) == report["total"]["matches"]


def test_everything_is_written_and_the_same_again(matches: pd.DataFrame, prices: pd.DataFrame, tmp_path: Path) -> None:
    names = {path.name for path in run(matches, prices).write(tmp_path / "one")}
    assert names == {
        "report.json", "report.md", "forecasts.parquet", "bets.parquet",
        "reliability.png", "loss_over_time.png", "bankroll.png", "clv_by_edge.png",
    }  # fmt: skip
    run(matches, prices).write(tmp_path / "two")
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    report = json.loads((tmp_path / "one" / "report.json").read_text("utf-8"))
    assert report["recipe"] is None
    assert (tmp_path / "one" / "report.md").read_text("utf-8").startswith("# Backtest: ")


def test_a_notebook_shows_the_report(matches: pd.DataFrame) -> None:
    result = run(matches)
    assert result._repr_markdown_() == markdown(result.report)
    assert set(result.figures()) == {"reliability", "loss_over_time", "bankroll", "clv_by_edge"}


def test_a_champion_beats_base_rates_walk_forward(matches: pd.DataFrame) -> None:
    total = run(matches, trainer=CHAMPION).report["total"]
    assert total["log_loss"] < total["base_rates_log_loss"] - 0.01
