"""Promotion: both models on the same matches, a worse one refused, the alias moved."""

from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from batch import synthetic
from batch.features import RESULT_FEATURES
from batch.promote import REFUSED, parse_arguments, promote, trained_on
from batch.times import parse_date
from batch.training.elo_curve import EloCurve
from batch.training.experiment import Experiment
from batch.training.fitting import curve_booster
from chalicelib.domain import Stage
from chalicelib.errors import InvalidModel

GOOD, FLAT, WRONG = EloCurve(), EloCurve(slope=0.6), EloCurve(slope=-1.0)


class ThreeVersions:
    """A registry in memory: 1 sound, 2 a little flat, 3 upside down."""

    def __init__(self, champion: str | None) -> None:
        self.aliases: dict[Stage, str | None] = {Stage.CHAMPION: champion, Stage.CHALLENGER: None}
        self.curves = {"1": GOOD, "2": FLAT, "3": WRONG}

    def version_of(self, stage: Stage) -> str | None:
        return self.aliases[stage]

    def describe(self, version: str) -> dict[str, Any]:
        return {"run_id": f"run{version}", "tags": {}, "params": {"curve": self.curves[version]}}

    def booster(self, version: str) -> lgb.Booster:
        return curve_booster(RESULT_FEATURES, self.curves[version])

    def set_alias(self, stage: Stage, version: str) -> None:
        self.aliases[stage] = version


@pytest.fixture(scope="module")
def matches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matches") / "matches.parquet"
    synthetic.matches(1140, seed=4).to_parquet(path)
    return path


def run(registry: ThreeVersions, matches: Path, *options: str) -> int:
    return promote(
        parse_arguments(["--matches", str(matches), "--test-from", "2005-07-01", "--version", *options]), registry
    )


def test_a_worse_candidate_is_refused_and_the_alias_stays(matches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = ThreeVersions(champion="1")
    assert run(registry, matches, "3") == REFUSED
    assert registry.aliases[Stage.CHAMPION] == "1"
    printed = capsys.readouterr().out
    assert "version 3 (candidate)" in printed
    assert "version 1 (champion now)" in printed
    assert "refused" in printed


def test_a_worse_candidate_is_promoted_when_forced(matches: Path) -> None:
    registry = ThreeVersions(champion="1")
    assert run(registry, matches, "3", "--force") == 0
    assert registry.aliases[Stage.CHAMPION] == "3"


def test_a_better_candidate_is_promoted(matches: Path) -> None:
    registry = ThreeVersions(champion="3")
    assert run(registry, matches, "1") == 0
    assert registry.aliases[Stage.CHAMPION] == "1"


def test_the_first_version_of_a_stage_needs_no_comparison(matches: Path) -> None:
    registry = ThreeVersions(champion="1")
    assert run(registry, matches, "2", "--stage", "challenger") == 0
    assert registry.aliases == {Stage.CHAMPION: "1", Stage.CHALLENGER: "2"}


def test_promoting_what_is_promoted_changes_nothing(matches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ThreeVersions(champion="1"), matches, "1") == 0
    assert "already" in capsys.readouterr().out


def test_an_unknown_version_is_named(matches: Path) -> None:
    with pytest.raises(ValueError, match="no version 9"):
        run(ThreeVersions(champion="1"), matches, "9")


def test_without_a_test_match_there_is_no_comparison(matches: Path) -> None:
    arguments = parse_arguments(["--matches", str(matches), "--test-from", "2030-01-01", "--version", "2"])
    with pytest.raises(ValueError, match="no finished match"):
        promote(arguments, ThreeVersions(champion="1"))


class OldModel(ThreeVersions):
    """Its models need a feature that the batch does not compute."""

    def booster(self, version: str) -> lgb.Booster:
        del version
        data = lgb.Dataset(np.zeros((50, 1)), np.zeros(50), feature_name=["moon_phase"], params={"verbosity": -1})
        return lgb.train({"objective": "regression", "verbosity": -1}, data, 1)


def test_a_model_of_features_that_are_gone_is_refused(matches: Path) -> None:
    with pytest.raises(ValueError, match="moon_phase"):
        run(OldModel(champion="1"), matches, "2")


def test_a_model_that_has_seen_the_test_is_shown_as_such() -> None:
    tags = {"validate_from": "2022-07-01", "test_from": "2023-07-01"}
    test_from = parse_date("2023-01-01")
    assert "HAS SEEN" in trained_on({"tags": tags}, test_from)
    assert "HAS SEEN" not in trained_on({"tags": tags}, test_from + pd.Timedelta(days=365))
    assert trained_on({"tags": {}}, test_from) == "training period unknown"


def test_where_there_are_prices_the_divergence_from_the_market_decides(
    matches: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prices made of the sound model's forecasts: the flat one's distance shows with the same few matches."""
    frame = pd.read_parquet(matches)
    experiment = Experiment.of(frame, parse_date("2005-07-01"), parse_date("2005-07-01"))
    sound = curve_booster(RESULT_FEATURES, GOOD).predict(experiment.matrix(experiment.test))
    prices = pd.DataFrame(0.96 / np.asarray(sound), columns=["odds_home", "odds_draw", "odds_away"])
    prices.assign(match_id=experiment.table.features.loc[experiment.test, "match_id"].to_numpy()).to_parquet(
        tmp_path / "prices.parquet"
    )
    registry = ThreeVersions(champion="1")
    assert run(registry, matches, "2", "--odds", str(tmp_path / "prices.parquet")) == REFUSED
    assert "by its divergence from the market" in capsys.readouterr().out


class RecordedPush:
    """A stack's bucket, of which only what is asked matters; refuses version 2."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def examine(self, version: str) -> None:
        self.steps.append(f"examine {version}")
        if version == "2":
            raise InvalidModel("the model file is damaged")

    def write(self, stage: Stage) -> None:
        self.steps.append(f"write {stage}")


def pushed(registry: ThreeVersions, matches: Path, *options: str) -> tuple[int, list[str]]:
    push = RecordedPush()
    arguments = parse_arguments(["--matches", str(matches), "--test-from", "2005-07-01", "--version", *options])
    return promote(arguments, registry, push), push.steps


def test_a_pushed_model_is_examined_before_the_alias_moves_and_written_afterwards(matches: Path) -> None:
    registry = ThreeVersions(champion="3")
    assert pushed(registry, matches, "1") == (0, ["examine 1", "write champion"])
    assert registry.aliases[Stage.CHAMPION] == "1"


def test_a_model_that_cannot_be_served_moves_nothing(matches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = ThreeVersions(champion="3")
    assert pushed(registry, matches, "2") == (REFUSED, ["examine 2"])
    assert registry.aliases[Stage.CHAMPION] == "3"
    assert "cannot be served" in capsys.readouterr().out


def test_a_worse_model_is_not_written(matches: Path) -> None:
    assert pushed(ThreeVersions(champion="1"), matches, "3") == (REFUSED, ["examine 3"])


def test_pushing_what_is_promoted_writes_it_to_another_stack(matches: Path) -> None:
    assert pushed(ThreeVersions(champion="1"), matches, "1") == (0, ["examine 1", "write champion"])
