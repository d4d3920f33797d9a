"""What a trained model must not get wrong, on real matches."""

from pathlib import Path

import numpy as np
import pytest

from batch.features import FEATURES
from batch.train import ranking
from batch.training.experiment import Experiment, contributions, report
from batch.training.fitting import CHAMPION, MARKET, RECIPES
from batch.training.plots import write_plots
from chalicelib.models.native import NativeModel
from tests.model.conftest import Trained

pytestmark = pytest.mark.slow


def test_the_booster_names_are_the_feature_schema(trained: Trained) -> None:
    expected = [feature.name for feature in FEATURES if feature.name in trained.model.feature_names]
    assert trained.model.booster().feature_name() == expected == list(trained.model.feature_names)


def test_probabilities_are_probabilities(trained: Trained) -> None:
    everywhere = np.ones(len(trained.experiment.outcome), dtype=bool)
    probabilities = trained.experiment.predict(trained.model, everywhere)
    assert (probabilities > 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)


def test_the_figures_promised_are_reached(trained: Trained) -> None:
    scores = trained.report["scores"]["test_settled"]["model"]
    assert scores["log_loss"] <= 0.975
    assert scores["rps"] <= 0.194
    assert scores["ece"] <= 0.03


def test_past_prices_are_worth_what_was_promised(experiment: Experiment) -> None:
    """Prices of 2023/24 alone, none while fitting: nearer to the results, and beyond doubt nearer to the market."""
    market, champion = (report(experiment, experiment.fit(recipe)) for recipe in (MARKET, CHAMPION))
    assert market["rows"]["test"] == 760
    assert market["rows"]["test_settled"] == 658
    assert market["scores"]["test"]["model"]["log_loss"] <= 0.942
    assert market["scores"]["test_settled"]["model"]["log_loss"] <= 0.945
    better = [result["scores"]["test"]["model"]["kl_to_market"] for result in (market, champion)]
    assert better[0] < better[1] / 2
    assert ranking({"champion": champion, "market": market}) == ["market", "champion"]


def test_the_model_beats_the_base_rates_beyond_doubt(trained: Trained) -> None:
    assert trained.report["against"]["test_settled"]["base_rates"]["high"] < -0.05


def test_the_model_is_not_better_than_a_model_without_odds_can_be(trained: Trained) -> None:
    """Better than the bookmakers' odds on the same matches would mean that a feature has seen a result."""
    scores = trained.report["scores"]["test"]
    assert scores["market"]["log_loss"] < scores["model"]["log_loss"]


@pytest.mark.parametrize("step", [50.0, 100.0, 200.0])
def test_a_stronger_home_side_never_lowers_its_chance_on_average(trained: Trained, step: float) -> None:
    names = trained.model.feature_names
    rows = trained.experiment.matrix(trained.experiment.test, names)
    stronger = rows.copy()
    stronger[:, names.index("home_elo_pre")] += step
    stronger[:, names.index("diff_elo")] += step
    for share in {"elo_expected_home", "market_expected_home"} & set(names):
        odds = rows[:, names.index(share)] / (1 - rows[:, names.index(share)]) * 10 ** (step / 400)
        stronger[:, names.index(share)] = odds / (1 + odds)
    before, after = trained.model.predict(rows), trained.model.predict(stronger)
    assert (after[:, 0] - before[:, 0]).mean() > 0
    assert (after[:, 2] - before[:, 2]).mean() < 0


def test_with_nothing_known_of_either_side_home_is_the_favourite(trained: Trained) -> None:
    even = 1 / (1 + 10 ** (-65 / 400))
    unknown = {"home_elo_pre": 1500.0, "away_elo_pre": 1500.0, "elo_expected_home": even, "market_expected_home": even}
    names = trained.model.feature_names
    row = [[unknown.get(f.name, 0.0 if f.required else np.nan) for f in FEATURES if f.name in names]]
    home, draw, away = trained.model.predict(np.array(row))[0]
    assert home > away > 0.2
    assert 0.2 < draw < 0.35


def test_what_is_served_is_what_was_trained(trained: Trained, tmp_path: Path) -> None:
    """The native library, fed row by row, agrees with the booster."""
    (tmp_path / "model.lgb").write_text(trained.model.text)
    native = NativeModel(tmp_path / "model.lgb")
    rows = trained.experiment.matrix(trained.experiment.test, trained.model.feature_names)
    served = np.array([native.predict_row(row.tolist()) for row in rows])
    np.testing.assert_allclose(served, trained.model.predict(rows), rtol=0, atol=1e-9)


def test_the_same_matches_give_the_same_text(experiment: Experiment) -> None:
    assert experiment.fit(CHAMPION).text == experiment.fit(CHAMPION).text


def test_champion_and_challenger_differ_on_purpose(experiment: Experiment) -> None:
    texts = {recipe.name: experiment.fit(recipe).text for recipe in RECIPES.values()}
    assert texts["champion"] != texts["challenger"]


def test_the_reference_is_training_rows_alone(experiment: Experiment) -> None:
    trained_ids = set(experiment.table.features.loc[experiment.train, "match_id"])
    reference = experiment.reference()
    assert len(reference) == 2000
    assert set(reference["match_id"]) <= trained_ids


def test_the_plots_are_written_overall_and_by_region(trained: Trained, tmp_path: Path) -> None:
    paths = write_plots(tmp_path, trained.report)
    assert [path.name for path in paths] == [
        "reliability.png",
        "feature_importance.png",
        "reliability_by_region.png",
        "feature_importance_by_region.png",
    ]
    assert {path.read_bytes()[:4] for path in paths} == {b"\x89PNG"}
    assert set(trained.report["calibration_by_region"]) == {"England", "Spain"}


def test_contributions_are_those_that_add_up_to_the_scores(trained: Trained, experiment: Experiment) -> None:
    one = experiment.matrix(experiment.test, trained.model.feature_names)[:1]
    booster = trained.model.booster()
    given = np.asarray(booster.predict(one, pred_contrib=True)).reshape(3, -1)
    assert given.sum(axis=1) == pytest.approx(np.asarray(booster.predict(one, raw_score=True))[0])
    by_name = contributions(trained.model, one)
    place = list(by_name).index("elo_expected_home")
    assert by_name["elo_expected_home"] == pytest.approx(np.abs(given[:, place]).mean())
