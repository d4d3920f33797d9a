"""The sample's prices under its match ids: for the market recipe and for judging forecasts."""

import pandas as pd

from batch.odds.past_prices import typed
from batch.sample import MATCHES_PATH, ODDS_PATH
from batch.sample.build import FOOTBALL_DATA_CLUBS


def sample_prices() -> pd.DataFrame:
    """Prices of the 760 matches of 2023/24, in the columns of past_prices.parquet.

    Joined by the table of spellings the sample was built with, not by team matching: a baseline must not depend on
    the part it is a baseline for.
    """
    odds = pd.read_parquet(ODDS_PATH)
    for side in ("home_team", "away_team"):
        names = zip(odds["region"], odds[side], strict=True)
        odds[side] = [FOOTBALL_DATA_CLUBS.get(name, name[1]) for name in names]
    key = ["region", "kickoff", "home_team", "away_team"]
    joined = pd.read_parquet(MATCHES_PATH, columns=["match_id", *key]).merge(odds, on=key, validate="one_to_one")
    return typed(joined)
