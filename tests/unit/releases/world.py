"""A release of some thousand matches with everything that lists can be asked for, and the same computed with pandas."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from chalicelib.domain import Stage
from chalicelib.releases.query import Query, Sort
from chalicelib.releases.store import ReleaseStore
from chalicelib.text import plain
from tests.support.builders import make_odds, publish
from tests.support.fakes import InMemoryObjectStore

MATCHES = 3_000
LEAGUES = {"Österreich": ["Bundesliga", "2. Liga"], "Spain": ["La Liga"], "England": ["Premier League", "Championship"]}
AS_OF = datetime(2024, 3, 1, 15, tzinfo=UTC)
ROI = {"Österreich": 0.031, "Spain": -0.08, "England": None}
LIVE_FOR = timedelta(hours=3)


@dataclass(frozen=True)
class World:
    """A bucket with the release, and its frames."""

    objects: InMemoryObjectStore
    predictions: dict[Stage, pd.DataFrame]
    odds: pd.DataFrame
    features: pd.DataFrame

    def store(self, **settings: Any) -> ReleaseStore:
        """A reader that has read nothing yet."""
        return ReleaseStore(self.objects, check_seconds=1e9, **settings)

    def cards(self, query: Query, stage: Stage, now: datetime) -> pd.DataFrame:
        """All rows that a query's filters admit, in its order, by whole columns instead of SQL."""
        frame = self.predictions[stage].merge(self.odds, on="match_id", how="left")
        is_open = frame["implied_home"].notna() & ~frame["suspended"].eq(True)
        edges = pd.DataFrame(
            {
                label: (frame[f"proba_{label}"] * frame[f"odds_{label}"] - 1).where(is_open)
                for label in ("home", "draw", "away")
            }
        )
        best = edges.max(axis=1)
        kickoff, finished = frame["match_date"], frame["outcome_1x2"].notna()
        has_begun, over = kickoff <= now, kickoff <= now - LIVE_FOR
        status = pd.Series("upcoming", index=frame.index).mask(has_begun, "live").mask(over | finished, "finished")
        frame = frame.assign(status=status, best=best, value=best > 0.05, roi=frame["region"].map(ROI))
        rows = frame[_admitted(frame, query)]
        if query.sort is Sort.EDGE:
            return rows.sort_values("best", ascending=False, kind="stable", na_position="last")
        return rows.iloc[::-1] if query.sort is Sort.LATEST else rows


def _admitted(frame: pd.DataFrame, query: Query) -> pd.Series:
    admitted = pd.Series(True, index=frame.index)
    for name in ("region", "league"):
        if (value := getattr(query, name)) is not None:
            admitted &= frame[name].map(plain) == plain(value)
    if query.status is not None:
        admitted &= frame["status"] == query.status
    if query.begin is not None:
        admitted &= frame["match_date"] >= query.begin
    if query.end is not None:
        admitted &= frame["match_date"] < query.end
    if query.min_region_roi is not None:
        admitted &= frame["roi"] >= query.min_region_roi
    if query.value_only:
        admitted &= frame["value"]
    if query.team is not None:
        sides = [frame[side].map(plain).str.contains(plain(query.team), regex=False) for side in SIDES]
        admitted &= sides[0] | sides[1]
    if query.match_ids is not None:
        admitted &= frame["match_id"].isin(query.match_ids)

    return admitted


SIDES = ("home_team", "away_team")


@cache
def world() -> World:
    """The release; the same at every call."""
    random = np.random.default_rng(11)
    leagues = [(region, league) for region, names in LEAGUES.items() for league in names]
    league = random.integers(0, len(leagues), MATCHES)
    club = random.integers(0, 12, (2, MATCHES))
    club[1] = np.where(club[0] == club[1], (club[1] + 1) % 12, club[1])
    hours = random.integers(-9_000, 1_200, MATCHES)
    kickoff = pd.Series([pd.Timestamp(AS_OF) + pd.Timedelta(hours=int(h)) for h in hours])
    kickoff = kickoff.where(~np.isin(np.arange(MATCHES), random.choice(MATCHES, 15, replace=False)))
    has_result = (kickoff < AS_OF - timedelta(hours=2)).to_numpy() & (random.random(MATCHES) < 0.97)
    ids = random.permutation(MATCHES) + 1
    frame = pd.DataFrame(
        {
            "match_id": ids,
            "home_team": [f"Klub {c:02d} {leagues[number][1]}" for c, number in zip(club[0], league, strict=True)],
            "away_team": [f"Klub {c:02d} {leagues[number][1]}" for c, number in zip(club[1], league, strict=True)],
            "match_date": kickoff.astype("datetime64[ms, UTC]"),
            "season": "2023/24",
            "region": [leagues[number][0] for number in league],
            "league": [leagues[number][1] for number in league],
            "sex": 0,
            "is_future": ~(kickoff <= AS_OF),
            "registered_version": "1",
            "outcome_1x2": ["home" if is_known else None for is_known in has_result],
            "home_score": pd.array([2 if is_known else None for is_known in has_result], dtype="Int16"),
            "away_score": pd.array([1 if is_known else None for is_known in has_result], dtype="Int16"),
            "home_elo": random.normal(1_500, 90, MATCHES),
            "away_elo": random.normal(1_500, 90, MATCHES),
            "home_form": "WDL",
            "away_form": "",
            "in_sample": pd.array([True if is_known else None for is_known in has_result], dtype="boolean"),
        }
    ).sort_values(["match_date", "match_id"], ignore_index=True, na_position="last")
    predictions = {}
    for stage in Stage:
        probabilities = random.dirichlet([4, 3, 3], MATCHES)
        columns = {f"proba_{label}": probabilities[:, i] for i, label in enumerate(("home", "draw", "away"))}
        best = probabilities.argmax(axis=1)
        labels = np.array(["home", "draw", "away"])[best]
        run = {"model_run_id": f"run of the {stage}", "model_stage": stage.value}
        predictions[stage] = frame.assign(**columns, predicted_class=best, predicted_label=labels, **run)
    priced = np.sort(random.choice(ids, MATCHES // 3, replace=False))
    odds = make_odds(priced.tolist())
    fair = random.dirichlet([8, 5, 6], len(priced))
    for i, label in enumerate(("home", "draw", "away")):
        odds[f"odds_{label}"], odds[f"implied_{label}"] = 0.95 / fair[:, i], fair[:, i]
    odds.loc[random.random(len(priced)) < 0.1, ["implied_home", "implied_draw", "implied_away"]] = np.nan
    odds["suspended"] = random.random(len(priced)) < 0.1
    features = pd.DataFrame(
        {
            "match_id": np.sort(ids),
            "diff_elo": random.normal(0, 100, MATCHES),
            "home_rest_days": np.where(random.random(MATCHES) < 0.1, np.nan, 7.5),
            "sex": 0,
        }
    )
    objects = InMemoryObjectStore()
    returns = "region,bets,turnover,profit,roi,roi_ci_low,roi_ci_high\n"
    returns += "".join(f"{region},1,1.0,0.0,{'' if roi is None else roi},,\n" for region, roi in ROI.items())
    publish(
        objects,
        predictions=predictions[Stage.CHAMPION],
        challenger=predictions[Stage.CHALLENGER],
        odds=odds,
        features=features,
        region_roi=returns,
        now=AS_OF,
    )
    return World(objects, predictions, odds, features)
