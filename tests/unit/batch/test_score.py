"""From feature rows to prediction rows, with a model that only adds numbers."""

import ctypes

import pandas as pd
import pytest

from batch.features import build_features
from batch.score import PREDICTIONS_SCHEMA, ModelIdentity, score
from chalicelib.errors import InvalidModel
from tests.unit.batch.league import START, accepted, match

IDENTITY = ModelIdentity(run_id="run7", stage="champion", registered_version="7")


class EloShare:
    """P(home) is the Elo expectation, P(draw) nothing, P(away) the rest."""

    def __init__(self, *names: str) -> None:
        self.feature_names = list(names or ("sex", "elo_expected_home"))

    def predict_rows(self, rows: "ctypes.Array[ctypes.c_double]") -> list[tuple[float, float, float]]:
        width = len(self.feature_names)
        shares = [rows[i + width - 1] for i in range(0, len(rows), width)]
        return [(share, 0.0, 1.0 - share) for share in shares]


MATCHES = accepted(
    [
        match(3, "A", "B", (2, 0), kickoff=START),
        match(1, "B", "A", (1, 1), kickoff=START + pd.Timedelta(days=7)),
        match(2, "A", "C", (0, 4), kickoff=START + pd.Timedelta(days=14)),
        match(4, "C", "B", None, kickoff=None),
    ]
)
AS_OF = START + pd.Timedelta(days=14)


def predictions() -> pd.DataFrame:
    return score(build_features(MATCHES, AS_OF), EloShare(), IDENTITY)


def test_rows_are_in_the_order_of_kickoff_with_unknown_ones_last() -> None:
    assert predictions()["match_id"].tolist() == [3, 1, 2, 4]
    assert predictions().columns.tolist() == PREDICTIONS_SCHEMA.names


def test_the_model_gets_its_features_in_its_own_order() -> None:
    expected = 1 / (1 + 10 ** (-65 / 400))
    assert predictions()["proba_home"].iloc[0] == pytest.approx(expected)


def test_the_class_is_the_most_probable_outcome() -> None:
    first = predictions().iloc[0]
    assert (first["predicted_class"], first["predicted_label"]) == (0, "home")


def test_outcomes_are_shown_once_known_and_not_before() -> None:
    rows = predictions().set_index("match_id")
    assert rows["outcome_1x2"].fillna("-").to_dict() == {3: "home", 1: "draw", 2: "-", 4: "-"}
    assert rows["home_score"].fillna(-1).to_dict() == {3: 2, 1: 1, 2: -1, 4: -1}
    assert rows["is_future"].to_dict() == {3: False, 1: False, 2: True, 4: True}


def test_every_row_names_its_model() -> None:
    assert set(predictions()["model_run_id"]) == {"run7"}
    assert set(predictions()["model_stage"]) == {"champion"}
    assert set(predictions()["registered_version"]) == {"7"}


def test_a_model_that_wants_an_unknown_feature_is_refused_by_name() -> None:
    with pytest.raises(InvalidModel, match="moon_phase"):
        score(build_features(MATCHES, AS_OF), EloShare("moon_phase"), IDENTITY)


def test_no_matches_give_no_predictions() -> None:
    assert len(score(build_features(MATCHES.iloc[:0], AS_OF), EloShare(), IDENTITY)) == 0
