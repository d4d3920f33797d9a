"""The committed sample is what ORIGIN.md says."""

import pandas as pd

from batch.sample import MATCHES_PATH, ODDS_PATH
from batch.sample.build import collected_before
from batch.sample.prices import sample_prices


def test_odds_were_collected_before_kickoff() -> None:
    odds = pd.read_parquet(ODDS_PATH)
    assert (odds["collected_at"] < odds["kickoff"]).all()
    assert set(odds["collected_at"].dt.day_name()) == {"Tuesday", "Friday"}


def test_odds_of_friday_noon_were_collected_on_tuesday() -> None:
    friday_noon = pd.Timestamp("2024-05-03 12:00", tz="UTC")
    assert collected_before(friday_noon) == pd.Timestamp("2024-04-30 15:00", tz="UTC")


def test_every_match_of_2023_24_has_odds_and_only_those() -> None:
    matches = pd.read_parquet(MATCHES_PATH)
    assert set(sample_prices()["match_id"]) == set(matches.loc[matches["season"] == "2023/24", "match_id"])


def test_clubs_of_both_sources_are_the_same_clubs() -> None:
    matches = pd.read_parquet(MATCHES_PATH)
    recent = matches["season"] == "2023/24"
    old, new = (set(matches.loc[where & (matches["region"] == "Spain"), "home_team"]) for where in (~recent, recent))
    assert new - old == {"Cadiz", "Girona", "Mallorca"}


def test_times_of_day_are_unknown_before_2023() -> None:
    matches = pd.read_parquet(MATCHES_PATH)
    assert (matches["kickoff_time_known"] == (matches["season"] == "2023/24")).all()
