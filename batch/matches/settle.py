"""Settle contradictions between rows that are valid in themselves: one id for two matches, one match listed twice, ...

Each function takes the rows that remain and returns a reason for each row it rejects, by index.
"""

from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from batch.matches.schema import CLUB_PAIR, Reason

SAME_FIXTURE_WITHIN: Final = pd.Timedelta(hours=12)
"""A pairing listed twice within this time is one match: time zones and midnight shift a kickoff by less."""

CLUB_BUSY_FOR: Final = pd.Timedelta(minutes=90)
"""A club cannot kick off another match before its first one is over."""


def settle_ids(rows: pd.DataFrame) -> pd.Series:
    """Of rows with one match_id, the first decides whose id it is; the last with a result, else the last, is kept."""
    shared = rows[rows["match_id"].duplicated(keep=False)]
    if shared.empty:
        return pd.Series(dtype=object)
    owner = shared.drop_duplicates("match_id").set_index("match_id")[CLUB_PAIR]
    owners = owner.loc[shared["match_id"]].set_axis(shared.index)
    is_owner = (owners == shared[CLUB_PAIR]).all(axis="columns")
    listings = shared[is_owner]
    ranked = listings.assign(played=listings["home_goals"].notna()).sort_values(["match_id", "played", "file", "row"])
    newest = ranked.drop_duplicates("match_id", keep="last").index
    reused = pd.Series(str(Reason.MATCH_ID_REUSED), index=shared.index[~is_owner], dtype=object)
    superseded = pd.Series(str(Reason.SUPERSEDED), index=listings.index.difference(newest), dtype=object)
    return pd.concat([reused, superseded])


def settle_duplicates(rows: pd.DataFrame) -> pd.Series:
    """Of a pairing listed under two ids for one day or within hours, the row with a result is kept, else the first."""
    dated = rows[rows["kickoff"].notna()]
    home, away = _club_codes(dated)
    kickoffs = dated["kickoff"].to_numpy(dtype="datetime64[ms]")
    order = np.lexsort((kickoffs, away, home))
    days = kickoffs[order].astype("datetime64[D]")
    near = (np.diff(kickoffs[order]) <= SAME_FIXTURE_WITHIN.to_timedelta64()) | (days[1:] == days[:-1])
    repeats = np.zeros(len(dated), dtype=bool)
    repeats[1:] = (np.diff(home[order]) == 0) & (np.diff(away[order]) == 0) & near
    if not repeats.any():
        return pd.Series(dtype=object)
    # Each listing that does not repeat the one before it begins a new fixture.
    listings = dated.iloc[order].assign(fixture=np.cumsum(~repeats), unplayed=dated["home_goals"].isna())
    ranked = listings[listings.duplicated("fixture", keep=False)].sort_values(["unplayed", "file", "row"])
    return pd.Series(str(Reason.DUPLICATE), index=ranked.index[ranked.duplicated("fixture")], dtype=object)


def settle_busy_clubs(rows: pd.DataFrame) -> pd.Series:
    """Of a club's matches at the same time, the one with a result is kept, else the first listed."""
    dated = rows[rows["kickoff"].notna()]
    clubs = np.concatenate(_club_codes(dated))
    kickoffs = np.tile(dated["kickoff"].to_numpy(dtype="datetime64[ms]"), 2)
    order = np.lexsort((kickoffs, clubs))
    clash = np.zeros(len(order), dtype=bool)
    soon = np.diff(kickoffs[order]) < CLUB_BUSY_FOR.to_timedelta64()
    clash[1:] = (np.diff(clubs[order]) == 0) & soon
    if not clash.any():
        return pd.Series(dtype=object)
    clash[:-1] |= clash[1:]
    positions = np.unique(order[clash] % len(dated))
    ranked = dated.iloc[positions].assign(unplayed=lambda frame: frame["home_goals"].isna())
    kickoffs_of: dict[tuple[Any, ...], list[pd.Timestamp]] = {}
    rejected: list[Any] = []
    row: Any
    for row in ranked.sort_values(["unplayed", "file", "row"]).itertuples():
        sides = [(row.region, row.sex, row.home_team), (row.region, row.sex, row.away_team)]
        if any(abs(row.kickoff - other) < CLUB_BUSY_FOR for side in sides for other in kickoffs_of.get(side, ())):
            rejected.append(row.Index)
            continue
        for side in sides:
            kickoffs_of.setdefault(side, []).append(row.kickoff)
    return pd.Series(str(Reason.CLUB_BUSY), index=rejected, dtype=object)


def _club_codes(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """An integer code for each row's home and away club; a club is (region, sex, name)."""
    country = pd.factorize(rows["region"])[0].astype(np.int64) * 2 + rows["sex"].to_numpy(np.int64)
    name, names = pd.factorize(pd.concat([rows["home_team"], rows["away_team"]]))
    codes = np.tile(country, 2) * len(names) + name
    return codes[: len(rows)], codes[len(rows) :]


def settle_replays(rows: pd.DataFrame, as_of: datetime | None) -> pd.Series:
    """Reject a listing without a result when the pairing has a later result in the same league and season."""
    key = [*CLUB_PAIR, "league", "season"]
    played = rows["home_goals"].notna()
    if as_of is not None:
        played &= rows["kickoff"] < pd.Timestamp(as_of)
    waiting = rows[~played & rows["kickoff"].notna()]
    if waiting.empty:
        return pd.Series(dtype=object)
    last = rows[played].groupby(key, sort=False, observed=True)["kickoff"].max().rename("last").reset_index()
    joined = waiting[[*key, "kickoff"]].reset_index(names="at").merge(last, on=key)
    return pd.Series(str(Reason.REPLAYED), index=joined.loc[joined["last"] > joined["kickoff"], "at"], dtype=object)
