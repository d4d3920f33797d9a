"""One training of each recipe on the sample, shared by all tests here."""

from dataclasses import dataclass
from typing import Any

import pytest

from batch.matches import read_matches
from batch.sample import MATCHES_PATH
from batch.sample.prices import sample_prices
from batch.times import parse_date
from batch.train import SAMPLE_TEST_FROM, SAMPLE_VALIDATE_FROM
from batch.training.experiment import Experiment, report
from batch.training.fitting import RECIPES, FittedModel


@dataclass(frozen=True)
class Trained:
    """A recipe fitted on the sample, with its report."""

    experiment: Experiment
    model: FittedModel
    report: dict[str, Any]


@pytest.fixture(scope="session")
def experiment() -> Experiment:
    matches = read_matches({"matches.parquet": MATCHES_PATH.read_bytes()}).accepted
    return Experiment.of(matches, parse_date(SAMPLE_VALIDATE_FROM), parse_date(SAMPLE_TEST_FROM), sample_prices())


@pytest.fixture(scope="session", params=sorted(RECIPES))
def trained(request: pytest.FixtureRequest, experiment: Experiment) -> Trained:
    model = experiment.fit(RECIPES[request.param])
    return Trained(experiment, model, report(experiment, model))
