"""POST /predict/what-if/{match_id}: changed features, and what follows from them."""

import numpy as np
import pytest

from batch.ratings import expected_home_points
from chalicelib.models.what_if import changed, moved_share
from chalicelib.storage.objects import ObjectStore
from tests.handlers.calling import call
from tests.support.builders import mirror_model, publish

OWN = {"home_elo_pre": 1500.0, "away_elo_pre": 1450.0, "diff_elo": 50.0, "elo_expected_home": 0.66, "sex": 0}


@pytest.mark.parametrize("advantage", [0.0, 65.0])
def test_the_expected_share_follows_as_the_ratings_compute_it(advantage: float) -> None:
    homes, aways = np.array([1500.0, 1872.0, 1500.0]), np.array([1450.0, 1450.0, 1540.0])
    before, better, worse = expected_home_points(homes, aways, np.full(3, advantage)).tolist()
    assert moved_share(before, 372.0) == pytest.approx(better)
    assert moved_share(before, -90.0) == pytest.approx(worse)


def test_a_rating_carries_what_is_derived_from_it() -> None:
    features = changed(OWN, {"home_elo_pre": 1872.0})
    assert features["diff_elo"] == 422.0
    assert features["elo_expected_home"] == pytest.approx(moved_share(0.66, 372.0))
    assert features["sex"] == 0


def test_a_feature_set_by_the_caller_does_not_follow() -> None:
    features = changed(OWN, {"home_elo_pre": 1872.0, "elo_expected_home": 0.5})
    assert (features["diff_elo"], features["elo_expected_home"]) == (422.0, 0.5)


def test_without_a_change_nothing_moves_by_a_digit() -> None:
    assert changed(OWN, {}) == OWN
    assert changed(OWN, {"home_elo_pre": 1500.0}) == OWN


def test_no_difference_of_ratings_is_too_large() -> None:
    assert moved_share(0.5, 1e9) == 1.0
    assert moved_share(0.5, -1e9) == pytest.approx(0.0)


def test_a_changed_feature_changes_the_prediction(objects: ObjectStore) -> None:
    mirror_model(objects)
    publish(objects)
    unchanged_prediction = call("predict_match", match_id=1)[1]["prediction"]
    status, unchanged, _ = call("what_if", match_id=1, body={"changes": {}})
    assert (status, unchanged["prediction"], unchanged["followed"]) == (200, unchanged_prediction, [])
    better = call("what_if", match_id=1, body={"changes": {"diff_elo": 400.0}})[1]
    assert better["features"]["diff_elo"] == 400.0
    assert better["prediction"]["probabilities"]["0"] > unchanged_prediction["probabilities"]["0"]


def test_a_name_that_is_not_a_feature_of_the_match_is_named(objects: ObjectStore) -> None:
    mirror_model(objects)
    publish(objects)
    status, body, _ = call("what_if", match_id=1, body={"changes": {"home_eloo": 1.0}})
    assert status == 422
    assert body["details"][0]["loc"] == ["body", "changes", "home_eloo"]
    assert call("what_if", match_id=999, body={"changes": {}})[0] == 404
