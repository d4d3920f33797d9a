"""Training on files, from the command line down."""

import json
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from batch import rebuild, synthetic, train
from batch.features import FEATURES, MARKET_FEATURES, RESULT_FEATURES
from batch.times import parse_date
from batch.training.experiment import Experiment, metrics, without_nan
from batch.training.fitting import CHALLENGER, CHAMPION, TooFewMatches, TrainingRows, fit
from batch.training.registry import signature
from chalicelib.errors import RegistryUnavailable
from tests.support.scalar_odds import shin

VALIDATE_FROM, TEST_FROM = "2006-07-01", "2007-07-01"


def split(n: int = 1900) -> Experiment:
    """Two seasons to train on, one to stop on, two to test on."""
    return Experiment.of(synthetic.matches(n, seed=1), parse_date(VALIDATE_FROM), parse_date(TEST_FROM))


def run(folder: Path, matches: pd.DataFrame, *options: str) -> int:
    source = folder / "matches.csv"
    matches.to_csv(source, index=False)
    dates = ["--validate-from", VALIDATE_FROM, "--test-from", TEST_FROM]
    return train.main(["--matches", str(source), *dates, "--out", str(folder / "out"), *options])


def report_of(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text())
    return report


def test_the_split_is_by_kickoff() -> None:
    experiment = split()
    kickoff = experiment.table.display["match_date"]
    assert kickoff[experiment.train].max() < parse_date(VALIDATE_FROM) <= kickoff[experiment.validation].min()
    assert kickoff[experiment.validation].max() < parse_date(TEST_FROM) <= kickoff[experiment.test].min()
    assert [int(part.sum()) for part in (experiment.train, experiment.validation, experiment.test)] == [760, 380, 760]


def test_a_test_before_the_validation_is_refused() -> None:
    with pytest.raises(ValueError, match="before the validation"):
        Experiment.of(synthetic.matches(10), parse_date("2020-01-01"), parse_date("2019-01-01"))


def test_the_folder_holds_model_description_report_reference_and_forecasts(tmp_path: Path) -> None:
    assert run(tmp_path, synthetic.matches(1900, seed=1)) == 0
    out = tmp_path / "out"
    assert sorted(p.name for p in out.iterdir()) == [
        "forecasts.parquet",
        "model.json",
        "model.lgb",
        "plots",
        "reference.parquet",
        "report.json",
    ]
    assert sorted(p.name for p in (out / "plots").iterdir()) == [
        "feature_importance.png",
        "feature_importance_by_region.png",
        "reliability.png",
        "reliability_by_region.png",
    ]
    described = json.loads((out / "model.json").read_text())
    assert [feature["name"] for feature in described["features"]] == list(RESULT_FEATURES)
    assert described["stage"] is None
    assert described["metrics"]["log_loss"] == report_of(tmp_path)["scores"]["test_settled"]["model"]["log_loss"]


@pytest.mark.slow
def test_a_recipe_file_changed_keys_and_weights_make_the_model(tmp_path: Path) -> None:
    matches = synthetic.matches(1900, seed=1)
    (tmp_path / "mine.toml").write_text("max_rounds = 20\n", encoding="utf-8")
    home_wins = matches["home_goals"] > matches["away_goals"]
    weights = pd.DataFrame({"match_id": matches["match_id"], "weight": np.where(home_wins, 5.0, 1.0)})
    weights.to_csv(tmp_path / "weights.csv", index=False)
    recipe = ("--recipe", str(tmp_path / "mine.toml"), "--set", "num_leaves=3")
    assert run(tmp_path, matches, *recipe) == 0
    report = report_of(tmp_path)
    assert report["recipe"] == "mine"
    assert (report["params"]["max_rounds"], report["params"]["num_leaves"]) == (20, 3)
    plain = pd.read_parquet(tmp_path / "out" / "forecasts.parquet")["proba_home"].mean()
    assert run(tmp_path, matches, *recipe, "--weights", str(tmp_path / "weights.csv")) == 0
    assert pd.read_parquet(tmp_path / "out" / "forecasts.parquet")["proba_home"].mean() > plain + 0.005


def test_an_unknown_recipe_is_reported_clearly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, synthetic.matches(400, seed=1), "--recipe", "other") == 1
    assert "no recipe 'other': champion, challenger, market" in capsys.readouterr().err


@pytest.mark.slow
def test_every_match_from_the_test_on_is_forecast_played_or_not(tmp_path: Path) -> None:
    matches = synthetic.matches(1900, seed=1).astype({"home_goals": "Int16", "away_goals": "Int16"})
    matches.loc[matches.index[-10:], ["home_goals", "away_goals"]] = pd.NA
    run(tmp_path, matches)
    forecasts = pd.read_parquet(tmp_path / "out" / "forecasts.parquet")
    assert forecasts.columns.tolist() == ["match_id", "proba_home", "proba_draw", "proba_away"]
    assert forecasts["match_id"].tolist() == matches.loc[matches["kickoff"] >= TEST_FROM, "match_id"].tolist()
    assert forecasts.iloc[:, 1:].sum(axis="columns").to_numpy() == pytest.approx(np.ones(len(forecasts)))


@pytest.mark.slow
def test_forecasts_are_what_the_saved_booster_predicts(tmp_path: Path) -> None:
    run(tmp_path, synthetic.matches(1900, seed=1))
    forecasts = pd.read_parquet(tmp_path / "out" / "forecasts.parquet")
    experiment = split()
    booster = lgb.Booster(model_file=tmp_path / "out" / "model.lgb")
    assert booster.feature_name() == list(RESULT_FEATURES)
    predicted = np.asarray(booster.predict(experiment.matrix(experiment.forecast)))
    np.testing.assert_allclose(forecasts.iloc[:, 1:].to_numpy(), predicted, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_the_same_files_give_the_same_bytes_in_any_order_of_rows(tmp_path: Path) -> None:
    matches = synthetic.matches(1900, seed=1)
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, rows in zip(folders, (matches, matches.sample(frac=1, random_state=1)), strict=True):
        folder.mkdir()
        run(folder, rows[rows.columns[::-1]])
    for name in ("model.lgb", "forecasts.parquet", "reference.parquet"):
        assert (folders[0] / "out" / name).read_bytes() == (folders[1] / "out" / name).read_bytes()


def test_no_result_of_the_test_reaches_the_model() -> None:
    matches = synthetic.matches(1900, seed=1)
    changed = matches.copy()
    late = changed["kickoff"] >= parse_date(TEST_FROM)
    changed.loc[late, "home_goals"] += 3
    texts = [
        Experiment.of(m, parse_date(VALIDATE_FROM), parse_date(TEST_FROM)).fit(CHAMPION).text
        for m in (matches, changed)
    ]
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_the_report_includes_base_rates_elo_and_regions(tmp_path: Path) -> None:
    run(tmp_path, synthetic.matches(1900, seed=1))
    report = report_of(tmp_path)
    scores = report["scores"]["test"]
    assert set(scores) == {"model", "base_rates", "elo_only"}
    assert scores["model"]["log_loss"] < scores["base_rates"]["log_loss"]
    assert report["by_region"]["Region 000"]["matches"] == report["rows"]["test"] == 760
    assert report["against"]["test"]["base_rates"]["high"] < 0


@pytest.mark.slow
def test_the_market_is_scored_where_there_are_odds(tmp_path: Path) -> None:
    odds = pd.DataFrame({"match_id": [1900], "odds_home": [2.4], "odds_draw": [2.4], "odds_away": [4.8]})
    odds.to_parquet(tmp_path / "odds.parquet")
    assert run(tmp_path, synthetic.matches(1900, seed=1), "--odds", str(tmp_path / "odds.parquet")) == 0
    report = report_of(tmp_path)
    assert "market" not in report["scores"]["test"]
    assert report["rows"]["test_with_odds"] == 1
    home_goals, away_goals = synthetic.matches(1900, seed=1).iloc[-1][["home_goals", "away_goals"]]
    favourite, _, outsider = shin([2.4, 2.4, 4.8])[0]
    price = favourite if home_goals >= away_goals else outsider
    assert report["scores"]["test_with_odds"]["market"]["log_loss"] == pytest.approx(-np.log(price))
    assert report["scores"]["test_with_odds"]["market"]["kl_to_market"] == pytest.approx(0, abs=1e-12)
    assert report["scores"]["test_with_odds"]["model"]["kl_to_market"] > 0


def test_odds_without_their_columns_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"match_id": [1]}).to_parquet(tmp_path / "odds.parquet")
    assert run(tmp_path, synthetic.matches(1900, seed=1), "--odds", str(tmp_path / "odds.parquet")) == 1
    assert "odds_away" in capsys.readouterr().err


@pytest.mark.slow
def test_without_validation_matches_the_rounds_are_the_usual_ones(tmp_path: Path) -> None:
    source = tmp_path / "matches.parquet"
    synthetic.matches(1900, seed=1).to_parquet(source)
    dates = ["--validate-from", TEST_FROM, "--test-from", TEST_FROM]
    assert train.main(["--matches", str(source), *dates, "--out", str(tmp_path / "out")]) == 0
    params = report_of(tmp_path)["params"]
    assert (params["stopped_early"], params["temperature"], params["validation_rows"]) == (False, 1.0, 0)
    assert params["rounds"] == CHAMPION.usual_rounds


@pytest.mark.slow
def test_a_handful_of_matches_gives_the_elo_curve_alone(tmp_path: Path) -> None:
    matches = synthetic.matches(1900, seed=1)
    few = matches[(matches["kickoff"] >= TEST_FROM) | (matches["match_id"] <= 30)]
    assert run(tmp_path, few, "--recipe", "challenger") == 0
    params = report_of(tmp_path)["params"]
    assert (params["rounds"], params["training_rows"]) == (0, 30)
    assert params["curve"] is not None


def test_without_any_test_match_there_are_no_forecasts_and_no_figures(tmp_path: Path) -> None:
    assert run(tmp_path, synthetic.matches(700, seed=1)) == 0
    assert len(pd.read_parquet(tmp_path / "out" / "forecasts.parquet")) == 0
    assert report_of(tmp_path)["scores"]["test"]["model"]["log_loss"] is None


def test_nothing_to_train_on_is_reported_clearly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matches = synthetic.matches(1900, seed=1)
    assert run(tmp_path, matches[matches["kickoff"] >= TEST_FROM]) == 1
    assert "no finished match to train on" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_reported_clearly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--matches", str(tmp_path / "none.csv"), "--validate-from", "2020", "--test-from", "2021"]
    assert train.main([*arguments, "--out", str(tmp_path / "out")]) == 1
    assert "none.csv" in capsys.readouterr().err


@pytest.mark.parametrize("dates", [[], ["--validate-from", "never", "--test-from", "2021"]])
def test_dates_are_asked_for(dates: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.main(["--matches", "x.csv", *dates, "--out", str(tmp_path)])
    assert "--validate-from" in capsys.readouterr().err


def test_without_a_server_or_a_folder_training_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert train.main([]) == 1
    assert "MLFLOW_TRACKING_URI" in capsys.readouterr().err
    assert RegistryUnavailable.code == "registry_unavailable"


def test_dates_without_a_zone_are_utc() -> None:
    assert parse_date("2023-07-01") == pd.Timestamp("2023-07-01T00:00Z")
    assert parse_date("2023-07-01T02:00+02:00") == pd.Timestamp("2023-07-01T00:00Z")


@pytest.mark.parametrize("text", ["01/12/2016", "12.1.2016", "20160112", "1 December 2016", "2016-13-01"])
def test_a_date_that_two_readers_read_differently_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"ISO|month"):
        parse_date(text)


def test_a_leaf_holds_at_least_a_twentieth_of_few_rows_and_at_most_three_hundred() -> None:
    experiment = split()
    assert experiment.fit(CHAMPION).params["min_data_in_leaf"] == 38  # 760 / 20


def test_nothing_can_be_fitted_on_nothing() -> None:
    nothing = TrainingRows(np.zeros((0, len(RESULT_FEATURES))), np.zeros(0, dtype=np.int64))
    with pytest.raises(TooFewMatches):
        fit(nothing, nothing, CHALLENGER)


def test_the_temperature_lives_in_the_leaves() -> None:
    """Whatever temperature was chosen, the saved text alone gives the forecasts."""
    experiment = split()
    model = experiment.fit(CHALLENGER)
    from_text = lgb.Booster(model_str=model.text).predict(experiment.matrix(experiment.test))
    np.testing.assert_array_equal(model.predict(experiment.matrix(experiment.test)), np.asarray(from_text))


def test_the_registry_signature_is_the_feature_schema() -> None:
    for names in (RESULT_FEATURES, MARKET_FEATURES):
        columns = [(c.name, c.type.name, c.required) for c in signature(names).inputs.inputs]
        assert columns == [(f.name, f.type, f.required) for f in FEATURES if f.name in names]


def test_metrics_carry_the_settled_test_by_their_plain_names() -> None:
    scores = {"test_settled": {"model": {"rps": 0.2, "accuracy": 0.5}, "market": {"rps": 0.19, "accuracy": 0.6}}}
    assert metrics(scores) == {
        "rps": 0.2,
        "accuracy": 0.5,
        "test_settled_rps": 0.2,
        "test_settled_accuracy": 0.5,
        "test_settled_market_rps": 0.19,
    }


def test_json_has_no_nan() -> None:
    assert without_nan({"a": [float("nan"), 1.0], "b": {"c": float("nan")}}) == {"a": [None, 1.0], "b": {"c": None}}


def test_an_outcome_no_training_match_had_is_not_called_impossible() -> None:
    experiment = split()
    drawn = experiment.outcome == 1
    train_rows, validation = experiment.rows(experiment.train & ~drawn), experiment.rows(experiment.validation & ~drawn)
    for recipe in (CHAMPION, CHALLENGER):
        model = fit(train_rows, validation, recipe)
        assert model.predict(experiment.matrix(experiment.test))[:, 1].min() > 0.001


def test_what_was_refused_is_counted_by_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matches = synthetic.matches(1000, seed=1)
    matches["kickoff"] = matches["kickoff"].dt.strftime("%d/%m/%Y")
    assert run(tmp_path, matches) == 1
    printed = capsys.readouterr()
    assert "refused: 1000 invalid_kickoff" in printed.out
    assert "no finished match to train on" in printed.err


@pytest.mark.slow
def test_extra_columns_go_from_the_file_into_the_signature_and_the_release(tmp_path: Path) -> None:
    matches = synthetic.matches(1900, seed=1)
    generator = np.random.default_rng(2)
    for side in ("home", "away"):
        matches[f"xg_{side}"] = matches[f"{side}_goals"] + generator.normal(0, 0.3, len(matches))
    matches.loc[5, "xg_home"] = np.nan
    assert run(tmp_path, matches, "--extra-columns", "xg_home,xg_away") == 0
    model = json.loads((tmp_path / "out" / "model.json").read_text())
    names = ["home_xg_for_ew", "home_xg_against_ew", "away_xg_for_ew", "away_xg_against_ew"]
    assert [feature["name"] for feature in model["features"]] == [*RESULT_FEATURES, *names]
    arguments = ["--matches", str(tmp_path / "matches.csv"), "--as-of", "2008-01-01", "--model", str(tmp_path / "out")]
    assert rebuild.main([*arguments, "--out", str(tmp_path / "release")]) == 0
    features = pd.read_parquet(tmp_path / "release" / "match_features.parquet")
    assert features[names].notna().mean().min() > 0.9


def test_an_extra_column_that_is_missing_or_alone_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matches = synthetic.matches(400, seed=1)
    assert run(tmp_path, matches, "--extra-columns", "xg_home,xg_away") == 1
    assert "missing column xg_home, xg_away" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(tmp_path, matches, "--extra-columns", "xg_home")


@pytest.mark.slow
def test_two_runs_are_compared_on_the_same_matches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matches = synthetic.matches(1900, seed=1)
    world = synthetic.World(1900, seed=1)
    synthetic.prices(world, noise=0.02).to_parquet(tmp_path / "prices.parquet")
    assert run(tmp_path, matches) == 0
    (tmp_path / "out" / "forecasts.parquet").rename(tmp_path / "champion.parquet")
    options = ["--odds", str(tmp_path / "prices.parquet"), "--against", str(tmp_path / "champion.parquet")]
    assert run(tmp_path, matches, "--recipe", "market", *options) == 0
    compared = report_of(tmp_path)["against_forecasts"]["test"]
    assert compared["matches"] == 760
    # prices that nearly know the truth: the market recipe is nearer to them beyond doubt
    assert compared["kl_to_market"]["high"] < 0
    assert "kl_to_market minus that of" in capsys.readouterr().out
