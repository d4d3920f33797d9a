"""Features by hand, and the proof that none of them looks ahead."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch import synthetic
from batch.features import FEATURES, FeatureSettings, FeatureTable, build_features
from batch.ratings import EloSettings, MarketSettings
from batch.sample import MATCHES_PATH
from batch.sample.prices import sample_prices
from tests.unit.batch.league import START, Row, accepted, match

LATER = START + pd.Timedelta(days=1000)


def features_of(rows: list[Row], match_id: int, as_of: pd.Timestamp = LATER) -> dict[str, Any]:
    table = build_features(accepted(rows), as_of).features
    return {str(name): value for name, value in table.set_index("match_id").loc[match_id].items()}


FIVE_OF_A = [
    match(1, "A", "X", (2, 0)),
    match(2, "Y", "A", (1, 1)),
    match(3, "A", "Z", (0, 3)),
    match(4, "X", "A", (1, 2)),
    match(5, "A", "Y", (4, 1)),
]
"""A: won, drew, lost, won, won; goals 2-0, 1-1, 0-3, 2-1, 4-1."""

ONE_OF_B = match(6, "B", "W", (0, 1))
TEST = match(10, "A", "B")


def test_the_columns_are_the_schema_in_its_order() -> None:
    table = build_features(accepted([TEST]), LATER).features
    assert table.columns.tolist() == ["match_id", *(feature.name for feature in FEATURES)]


def test_share_of_wins_over_the_last_five() -> None:
    assert features_of([*FIVE_OF_A, ONE_OF_B, TEST], 10)["diff_win_5_mean"] == pytest.approx(3 / 5 - 0 / 1)


def test_only_the_last_five_count_in_a_window_of_five() -> None:
    rows = [match(99, "A", "V", (9, 0), kickoff=START), *FIVE_OF_A, ONE_OF_B, TEST]
    assert features_of(rows, 10)["diff_win_5_mean"] == pytest.approx(3 / 5)
    assert features_of(rows, 10)["diff_win_10_mean"] == pytest.approx(4 / 6)


def test_points_over_the_last_five() -> None:
    assert features_of([*FIVE_OF_A, ONE_OF_B, TEST], 10)["diff_points_5_mean"] == pytest.approx(10 / 5)


def test_goals_over_the_last_three() -> None:
    row = features_of([*FIVE_OF_A, ONE_OF_B, TEST], 10)
    assert row["diff_goals_for_3_mean"] == pytest.approx((0 + 2 + 4) / 3 - 0)
    assert row["diff_goals_against_3_mean"] == pytest.approx((3 + 1 + 1) / 3 - 1)


def test_windows_are_settings() -> None:
    table = build_features(accepted([*FIVE_OF_A, TEST, ONE_OF_B]), LATER, FeatureSettings(win_windows=(2,)))
    assert table.features.set_index("match_id").loc[10, "diff_win_2_mean"] == pytest.approx(1.0)


def test_differences_are_zero_while_either_side_has_no_match() -> None:
    row = features_of([*FIVE_OF_A, TEST], 10)
    assert row["diff_win_5_mean"] == row["diff_points_ew"] == row["diff_goals_for_3_mean"] == 0


def test_optional_features_are_missing_without_history_and_required_ones_never() -> None:
    row = features_of([TEST], 10)
    missing = {name for name, value in row.items() if math.isnan(value)}
    assert missing == {feature.name for feature in FEATURES if not feature.required}


def test_weighted_form_halves_every_half_life() -> None:
    rows = [match(1, "A", "X", (3, 0)), match(2, "A", "Y", (0, 1)), ONE_OF_B, TEST]
    table = build_features(accepted(rows), LATER, FeatureSettings(half_life=1.0)).features.set_index("match_id")
    # weights 1/2 for the older, 1 for the newer: goals for (3/2 + 0) / (3/2) = 1, against (0 + 1) / (3/2) = 2/3
    assert table.loc[10, "home_goals_for_ew"] == pytest.approx(1.0)
    assert table.loc[10, "home_goals_against_ew"] == pytest.approx(2 / 3)
    # points (3/2 + 0) / (3/2) = 1 against B's 0; goal difference 1 - 2/3 against B's -1
    assert table.loc[10, "diff_points_ew"] == pytest.approx(1.0)
    assert table.loc[10, "diff_goal_difference_ew"] == pytest.approx(1 / 3 + 1)


def test_weighted_form_over_a_long_history_agrees_with_pandas() -> None:
    goals = [int(g) for g in np.random.default_rng(7).integers(0, 5, 300)]
    rows = [match(i + 1, "A", "X", (g, 0)) for i, g in enumerate(goals)]
    row = features_of([*rows, match(301, "A", "B")], 301)
    expected = pd.Series(goals).ewm(halflife=25).mean().iloc[-1]
    assert row["home_goals_for_ew"] == pytest.approx(expected, abs=1e-9)


def test_venue_form_counts_home_matches_of_the_home_team_and_away_matches_of_the_away_team() -> None:
    rows = [
        match(1, "A", "X", (4, 0)),
        match(2, "Y", "A", (9, 0)),
        match(3, "B", "X", (5, 0)),
        match(4, "Y", "B", (1, 0)),
    ]
    row = features_of([*rows, TEST], 10)
    assert row["home_venue_goal_difference_ew"] == pytest.approx(4)
    assert row["away_venue_goal_difference_ew"] == pytest.approx(-1)


def test_rest_days_since_the_last_match_and_at_most_fourteen() -> None:
    row = features_of([match(1, "A", "X"), match(7, "B", "Y"), match(20, "A", "B")], 20)
    assert (row["home_rest_days"], row["away_rest_days"]) == (14, 13)


def test_rest_days_count_a_match_that_is_still_to_be_played_in_between() -> None:
    rows = [match(1, "A", "X"), match(5, "A", "Y", None), match(8, "A", "B", None)]
    as_of = START + pd.Timedelta(days=4)
    assert features_of(rows, 8, as_of)["home_rest_days"] == 3
    # and what was known a week ahead is what is known at kickoff
    assert features_of([rows[0], match(5, "A", "Y"), rows[2]], 8)["home_rest_days"] == 3


def test_rest_days_pass_over_a_match_that_should_be_over_and_has_no_result() -> None:
    rows = [match(1, "A", "X"), match(5, "A", "Y", None), match(8, "A", "B", None)]
    assert features_of(rows, 8, START + pd.Timedelta(days=6))["home_rest_days"] == 7


def test_matches_played_in_all_and_in_the_season() -> None:
    old = match(1, "A", "X", season="2022/23")
    row = features_of([old, match(2, "A", "Y"), match(3, "B", "A"), TEST], 10)
    assert (row["home_matches_played"], row["away_matches_played"]) == (3, 1)
    assert (row["home_season_matches"], row["away_season_matches"]) == (2, 1)


def test_elo_before_the_match_moves_with_the_results() -> None:
    first = features_of([match(1, "A", "B", (1, 0)), match(2, "A", "B")], 1)
    second = features_of([match(1, "A", "B", (1, 0)), match(2, "A", "B")], 2)
    expected = 1 / (1 + 10 ** (-65 / 400))
    assert first["home_elo_pre"] == first["away_elo_pre"] == 1500
    assert first["elo_expected_home"] == pytest.approx(expected)
    assert second["diff_elo"] == pytest.approx(2 * 18 * (1 - expected))


def test_sex_is_a_feature() -> None:
    assert features_of([match(1, "A", "B", sex=1)], 1)["sex"] == 1


@pytest.mark.parametrize("other", [{"region": "Spain"}, {"sex": 1}])
def test_clubs_of_one_name_in_another_region_or_sex_are_other_clubs(other: dict[str, Any]) -> None:
    row = features_of([match(1, "A", "X", (5, 0), **other), TEST], 10)
    assert (row["home_matches_played"], row["home_elo_pre"]) == (0, 1500)


def test_a_clubs_history_crosses_leagues_of_its_region() -> None:
    row = features_of([match(1, "A", "X", (5, 0), league="Championship"), TEST], 10)
    assert row["home_matches_played"] == 1
    assert row["home_season_matches"] == 0


def test_a_result_of_the_same_instant_is_not_seen() -> None:
    rows = [match(1, "A", "X", (5, 0)), match(2, "A", "B", kickoff=START + pd.Timedelta(days=1))]
    assert features_of(rows, 2)["home_matches_played"] == 0


def test_an_upcoming_match_sees_results_before_as_of_only() -> None:
    rows = [match(1, "A", "X", (5, 0)), match(2, "A", "Y", (5, 0)), match(9, "A", "B", None)]
    over = START + pd.Timedelta(days=2, hours=2)
    assert features_of(rows, 9, over)["home_matches_played"] == 1
    assert features_of(rows, 9, over + pd.Timedelta(milliseconds=1))["home_matches_played"] == 2


def test_a_result_is_known_two_hours_after_kickoff() -> None:
    """The league's home advantage is the one thing that two matches of four clubs share."""
    first, kickoff = match(1, "A", "X", (5, 0)), START + pd.Timedelta(days=1)
    during, after = (
        features_of([first, match(2, "B", "C", kickoff=kickoff + pd.Timedelta(minutes=minutes))], 2)
        for minutes in (120, 121)
    )
    assert during["elo_expected_home"] == pytest.approx(1 / (1 + 10 ** (-65 / 400)))
    assert after["elo_expected_home"] > during["elo_expected_home"]


def test_a_match_in_play_is_no_longer_upcoming_and_has_no_result_yet() -> None:
    rows = [match(1, "A", "X", (2, 1))]
    display = build_features(accepted(rows), START + pd.Timedelta(days=1, hours=1)).display
    assert display["is_future"].tolist() == [False]
    assert display["home_goals"].tolist() == [pd.NA]


def test_a_postponed_match_without_a_result_leaves_no_trace() -> None:
    with_it = features_of([match(1, "A", "X", None), match(2, "A", "Y"), TEST], 10)
    without = features_of([match(2, "A", "Y"), TEST], 10)
    assert with_it == pytest.approx(without, nan_ok=True)


def test_of_a_bare_date_the_result_is_known_when_the_day_is_over() -> None:
    day = START.normalize()
    dated = match(1, "A", "X", (5, 0), kickoff=day, kickoff_time_known=False)
    noon = match(2, "A", "B", kickoff=day + pd.Timedelta(hours=12), kickoff_time_known=True)
    next_day = match(3, "A", "B", kickoff=day + pd.Timedelta(days=1), kickoff_time_known=True)
    rows = [dated, noon, next_day]
    assert features_of(rows, 2)["home_matches_played"] == 0
    assert features_of(rows, 3)["home_matches_played"] == 2


def test_a_match_without_a_kickoff_is_upcoming_and_has_no_rest_days() -> None:
    rows = [match(1, "A", "X"), match(2, "A", "B", None, kickoff=None)]
    table = build_features(accepted(rows), LATER)
    assert table.display["is_future"].tolist() == [False, True]
    row = features_of(rows, 2)
    assert row["home_matches_played"] == 1
    assert math.isnan(row["home_rest_days"])


def test_results_at_and_after_as_of_are_hidden_from_the_display() -> None:
    rows = [match(1, "A", "X", (2, 1)), match(2, "A", "Y", (3, 0))]
    display = build_features(accepted(rows), START + pd.Timedelta(days=2)).display
    assert display["is_future"].tolist() == [False, True]
    assert display["home_goals"].tolist() == [2, pd.NA]


PRICE_NAMES = ["odds_home", "odds_draw", "odds_away"]


def prices(rows: dict[int, tuple[float, float, float]]) -> pd.DataFrame:
    return pd.DataFrame([[match_id, *odds] for match_id, odds in rows.items()], columns=["match_id", *PRICE_NAMES])


def market_of(rows: list[Row], odds: pd.DataFrame, match_id: int, as_of: pd.Timestamp = LATER) -> tuple[float, ...]:
    table = build_features(accepted(rows), as_of, prices=odds).features
    names = ["market_expected_home", "market_priced_matches", "market_stale_matches"]
    return tuple(table.loc[table["match_id"] == match_id, names].iloc[0].tolist())


def test_a_price_affects_both_clubs_later_matches_but_not_its_own() -> None:
    rows = [match(1, "A", "B"), match(2, "A", "X"), match(3, "Y", "B")]
    unpriced, short = prices({}), prices({1: (1.25, 6.5, 13.0)})
    assert market_of(rows, short, 1) == market_of(rows, unpriced, 1)
    assert market_of(rows, short, 2)[0] > market_of(rows, unpriced, 2)[0]
    assert market_of(rows, short, 3)[0] > market_of(rows, unpriced, 3)[0]


def test_priced_and_stale_matches_are_counted_for_the_side_that_is_worse_off() -> None:
    rows = [match(1, "A", "X"), match(2, "A", "Y"), match(3, "A", "Z"), match(4, "B", "X"), match(5, "A", "B")]
    odds = prices({1: (2.0, 3.5, 4.0), 2: (2.0, 3.5, 4.0), 4: (2.0, 3.5, 4.0)})
    assert market_of(rows, odds, 5)[1:] == (1, 1)
    assert market_of(rows, prices({1: (2.0, 3.5, 4.0)}), 5)[1:] == (0, 99)


def test_a_price_is_known_from_kickoff_on_and_not_before() -> None:
    rows = [match(1, "A", "B", None), match(9, "A", "X", None)]
    odds = prices({1: (1.25, 6.5, 13.0)})
    kickoff = START + pd.Timedelta(days=1)
    assert market_of(rows, odds, 9, kickoff)[1] == 0
    unpriced = market_of(rows, prices({}), 9, kickoff)[0]
    assert market_of(rows, odds, 9, kickoff)[0] == unpriced
    assert market_of(rows, odds, 9, kickoff + pd.Timedelta(milliseconds=1))[0] > unpriced


def test_the_closing_price_has_precedence_over_the_one_taken() -> None:
    rows = [match(1, "A", "B"), match(2, "A", "X")]
    odds = prices({1: (2.7, 3.2, 2.7)}).assign(closing_home=1.25, closing_draw=6.5, closing_away=13.0)
    assert market_of(rows, odds, 2)[0] > market_of(rows, prices({1: (2.7, 3.2, 2.7)}), 2)[0]


def test_scrambling_every_price_from_a_kickoff_on_moves_no_feature_before_it() -> None:
    matches, odds = _sample(), sample_prices()
    kickoff = matches.set_index("match_id")["kickoff"]
    moment = pd.Timestamp("2024-01-20", tz="UTC")
    scrambled = odds.copy()
    late = (kickoff.reindex(odds["match_id"]) >= moment).to_numpy()
    scrambled.loc[late, PRICE_NAMES] = scrambled.loc[late, PRICE_NAMES[::-1]].to_numpy()
    before, after = (build_features(matches, LATER, prices=frame).features for frame in (odds, scrambled))
    early = (kickoff.reindex(before["match_id"]) <= moment).to_numpy()
    pd.testing.assert_frame_equal(before[early], after[early])
    assert (before[~early] != after[~early]).any(axis="columns").mean() > 0.9


def test_a_matchs_own_price_is_in_none_of_its_features() -> None:
    matches, odds = _sample(), sample_prices()
    all_features = build_features(matches, LATER, prices=odds).features.set_index("match_id")
    for match_id in odds["match_id"].iloc[::150]:
        without = build_features(matches, LATER, prices=odds[odds["match_id"] != match_id]).features
        pd.testing.assert_series_equal(all_features.loc[match_id], without.set_index("match_id").loc[match_id])


def test_without_a_price_the_market_rating_moves_as_elo_does() -> None:
    one_season = FeatureSettings(market=MarketSettings(elo=EloSettings()))
    table = build_features(_sample(), LATER, one_season).features
    np.testing.assert_array_equal(table["market_expected_home"], table["elo_expected_home"])


def test_extra_columns_become_features_of_either_side() -> None:
    rows = [match(1, "A", "X", xg_home=2.0, xg_away=0.5), match(2, "Y", "B", xg_home=1.0, xg_away=None)]
    table = build_features(
        accepted([*rows, TEST | {"xg_home": 9.0, "xg_away": 9.0}]),
        LATER,
        FeatureSettings(extra_columns=("xg_home", "xg_away")),
    ).features.set_index("match_id")
    names = ["home_xg_for_ew", "home_xg_against_ew", "away_xg_for_ew", "away_xg_against_ew"]
    assert table.columns.tolist() == [*(feature.name for feature in FEATURES), *names]
    assert table.loc[[10], names].iloc[0].tolist() == pytest.approx([2.0, 0.5, math.nan, 1.0], nan_ok=True)


def test_extra_columns_come_in_pairs() -> None:
    with pytest.raises(ValueError, match="xg_home"):
        build_features(accepted([TEST]), LATER, FeatureSettings(extra_columns=("xg_home",)))


def test_form_reads_oldest_first_and_at_most_five() -> None:
    display = build_features(accepted([match(90, "A", "V", (9, 0), kickoff=START), *FIVE_OF_A, TEST]), LATER).display
    forms = display.set_index("match_id")
    assert forms.loc[10, "home_form"] == "WDLWW"[-5:]
    assert forms.loc[10, "away_form"] == ""
    assert forms.loc[3, "home_form"] == "WWD"


def test_as_of_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build_features(accepted([TEST]), pd.Timestamp("2024-01-01"))


def test_no_matches_give_an_empty_table() -> None:
    table = build_features(accepted([TEST]).iloc[:0], LATER)
    assert table.features.shape == (0, 1 + len(FEATURES))
    assert len(table.display) == 0


def test_the_order_of_the_rows_does_not_matter() -> None:
    matches = _sample().head(2000)
    shuffled = matches.sample(frac=1, random_state=3)
    _same(build_features(matches, LATER), build_features(shuffled, LATER))


def test_scrambling_every_result_from_a_time_on_moves_no_earlier_feature() -> None:
    matches = _sample()
    moment = pd.Timestamp("2015-11-21", tz="UTC")
    late = (matches["kickoff"] >= moment).to_numpy()
    scrambled = matches.copy()
    goals = np.random.default_rng(11).integers(0, 9, (int(late.sum()), 2))
    scrambled.loc[late, ["home_goals", "away_goals"]] = goals
    before, after = build_features(matches, LATER).features, build_features(scrambled, LATER).features
    early = matches.set_index("match_id")["kickoff"].loc[before["match_id"]].le(moment).to_numpy()
    pd.testing.assert_frame_equal(before[early], after[early])
    # and the test would notice: nearly every later row did move
    assert (before[~early] != after[~early]).any(axis="columns").mean() > 0.9


def test_a_match_has_the_same_features_when_everything_after_it_is_cut_off() -> None:
    matches = _sample()
    moment = pd.Timestamp("2014-03-08", tz="UTC")
    all_features = build_features(matches, LATER).features.set_index("match_id")
    cut = build_features(matches[matches["kickoff"] <= moment], LATER).features.set_index("match_id")
    pd.testing.assert_frame_equal(all_features.loc[cut.index], cut)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(day=st.integers(0, 400), seed=st.integers(0, 1000))
def test_no_feature_looks_ahead_whatever_the_cut(day: int, seed: int) -> None:
    matches = synthetic.matches(400, seed)
    moment = synthetic.FIRST_KICKOFF + pd.Timedelta(days=day)
    late = (matches["kickoff"] >= moment).to_numpy()
    scrambled = matches.copy()
    scrambled.loc[late, "home_goals"] = (scrambled.loc[late, "home_goals"] + 3) % 7
    before, after = build_features(matches, LATER).features, build_features(scrambled, LATER).features
    early = (matches["kickoff"] <= moment).to_numpy()
    pd.testing.assert_frame_equal(before[early], after[early])


def test_upcoming_features_equal_those_computed_once_the_match_is_played() -> None:
    """A match's features as of its own kickoff are those that training will see: one code, no skew."""
    matches = _sample()
    kickoff = matches["kickoff"].iloc[-1]
    last = matches.loc[matches["kickoff"] == kickoff, "match_id"]
    ahead = build_features(matches, kickoff).features.set_index("match_id").loc[last]
    behind = build_features(matches, LATER).features.set_index("match_id").loc[last]
    pd.testing.assert_frame_equal(ahead, behind)


def _sample() -> pd.DataFrame:
    return pd.read_parquet(MATCHES_PATH).astype({"home_goals": "Int16", "away_goals": "Int16"})


def _same(first: FeatureTable, second: FeatureTable) -> None:
    pd.testing.assert_frame_equal(first.features, second.features)
    pd.testing.assert_frame_equal(first.display, second.display)


def test_a_regions_features_do_not_depend_on_other_regions_in_the_files() -> None:
    matches = _sample()
    all_regions = build_features(matches, LATER).features.set_index("match_id")
    alone = build_features(matches[matches["region"] == "Austria"], LATER).features.set_index("match_id")
    pd.testing.assert_frame_equal(all_regions.loc[alone.index], alone)
