"""The made-up leagues are leagues."""

import pandas as pd

from batch import synthetic
from batch.matches import read_matches


def test_a_season_is_a_double_round_robin() -> None:
    season = synthetic.matches(380)
    pairs = season.groupby(["home_team", "away_team"]).size()
    assert (len(pairs), pairs.max()) == (20 * 19, 1)


def test_no_club_plays_twice_in_a_round() -> None:
    first = synthetic.matches(10)
    assert pd.concat([first["home_team"], first["away_team"]]).nunique() == 20


def test_every_match_is_acceptable() -> None:
    content = synthetic.matches(9000, seed=3).to_csv(index=False)
    assert read_matches({"a.csv": str(content).encode()}).rejected == []


def test_the_same_seed_gives_the_same_matches_and_another_seed_others() -> None:
    pd.testing.assert_frame_equal(synthetic.matches(500, seed=2), synthetic.matches(500, seed=2))
    assert not synthetic.matches(500, seed=2).equals(synthetic.matches(500, seed=3))
