"""The backtest itself: features once, refits walk-forward, forecasts and bets of every fold. No files, no network."""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm.auto import tqdm

from batch import evaluate
from batch.backtest.folds import Fold, Refit, folds
from batch.backtest.strategies import (
    ODDS,
    PROBABILITIES,
    Bettor,
    MatchRows,
    RecipeTrainer,
    ResultRows,
    Trainer,
    ValueBettor,
    checked_forecast,
    checked_stakes,
)
from batch.features import DEFAULT_SETTINGS, FeatureSettings, FeatureTable, build_features
from batch.odds import arrays as odds_arrays
from batch.odds import past_prices
from batch.training.fitting import CHAMPION, TrainingSettings
from batch.training.weights import weights_of

Booleans = npt.NDArray[np.bool_]

MARKET: Final = ["market_home", "market_draw", "market_away"]
BASE_RATES: Final = ["base_home", "base_draw", "base_away"]
SHOWN: Final = ["match_id", "match_date", "season", "region", "league", "sex", "home_team", "away_team"]
BANKROLL: Final = 100.0
"""Units that a bettor starts with."""


@dataclass(frozen=True)
class Walked:
    """Forecasts and bets of all folds.

    Attributes:
        forecasts: One row per forecast match, sorted by (match_date, match_id): SHOWN, `fold`, `settled` (both sides
            have played 5 in the season), PROBABILITIES, BASE_RATES (of the fold's known matches), `outcome` (0, 1, 2),
            MARKET (margin-free closing, else latest price; missing without one) and ODDS (that could be taken).
        bets: One row per bet, in the same order: SHOWN, `fold`, `bet` (0, 1, 2), `stake`, `odds`, `edge`, `profit`
            (units) and `clv` (missing where no closing price is known).
        folds: The refits.
    """

    forecasts: pd.DataFrame
    bets: pd.DataFrame
    folds: list[Fold]


def walk(
    matches: pd.DataFrame,
    prices: pd.DataFrame | None,
    start: pd.Timestamp,
    *,
    end: pd.Timestamp | None = None,
    refit: Refit = Refit.SEASON,
    trainer: TrainingSettings | Trainer = CHAMPION,
    bettor: Bettor | None = None,
    weights: pd.Series | None = None,
    settings: FeatureSettings = DEFAULT_SETTINGS,
    jobs: int | None = None,
    progress: bool = True,
) -> Walked:
    """Forecast every finished match from `start` on with what was known at the refit before it.

    Features are computed once: each is as of its match's kickoff, so no refit can change it. Arguments as in
    `batch.backtest.backtest`.
    """
    matches = matches.sort_values("match_id", ignore_index=True)
    plan = folds(matches, start, end, refit)
    last = matches["kickoff"].max()
    table = build_features(matches, last + pd.Timedelta(days=2), settings, prices)
    extra = tuple(feature.name for feature in table.schema if feature.source == "extra")
    learn = RecipeTrainer(trainer).with_features(extra) if isinstance(trainer, TrainingSettings) else trainer
    rows = _Rows(table, _outcome(table), weights_of(weights, table.features["match_id"]))

    def forecast(fold: Fold) -> pd.DataFrame:
        forecaster = learn(rows.with_results(fold.train), rows.with_results(fold.validation))
        test_rows = rows.without_results(fold.test)
        base = evaluate.base_rates(rows.outcome[fold.train | fold.validation], len(test_rows))
        return test_rows.matches.assign(
            fold=fold.number,
            settled=rows.settled[fold.test],
            **_columns(PROBABILITIES, checked_forecast(forecaster(test_rows), len(test_rows))),
            **_columns(BASE_RATES, base),
            outcome=rows.outcome[fold.test],
        )

    # threads, because LightGBM releases the GIL while it fits; a custom trainer may not be thread-safe
    is_custom = not isinstance(trainer, TrainingSettings)
    with ThreadPoolExecutor(jobs or (1 if is_custom else os.cpu_count() or 1)) as pool:
        fits = pool.map(forecast, plan)
        parts = list(tqdm(fits, desc="refitting", total=len(plan), unit="fit", disable=None if progress else True))
    forecasts = _priced(pd.concat(parts, ignore_index=True), prices)
    forecasts = forecasts.sort_values(["match_date", "match_id"], ignore_index=True)
    return Walked(forecasts, place_bets(forecasts, prices, bettor or ValueBettor()), plan)


def place_bets(forecasts: pd.DataFrame, prices: pd.DataFrame | None, bettor: Bettor) -> pd.DataFrame:
    """Let a bettor bet day by day on forecasts with a price; each day's bets are settled at its end."""
    priced = forecasts[forecasts[ODDS[0]].notna()].reset_index(drop=True)
    visible = priced[[*SHOWN, "fold", *PROBABILITIES, *ODDS]]
    odds, outcome = priced[ODDS].to_numpy(np.float64), priced["outcome"].to_numpy(np.int64)
    stakes = np.zeros_like(odds)
    won = np.eye(evaluate.N_OUTCOMES)[outcome] * odds - 1
    days = priced["match_date"].dt.floor("D").to_numpy()
    bounds = np.flatnonzero(np.r_[True, days[1:] != days[:-1], True]) if len(priced) else np.zeros(1, dtype=np.int64)
    bankroll = BANKROLL
    for first, after in pairwise(bounds.tolist()):
        stakes[first:after] = checked_stakes(bettor(visible.iloc[first:after], bankroll), after - first)
        bankroll += float((stakes[first:after] * won[first:after]).sum())
    row, bet = np.nonzero(stakes)
    placed = priced.loc[row, [*SHOWN, "fold"]].reset_index(drop=True)
    closing = _closing_probabilities(prices, placed["match_id"])
    taken_odds = odds[row, bet]
    return placed.assign(
        bet=bet,
        stake=stakes[row, bet],
        odds=taken_odds,
        edge=priced[PROBABILITIES].to_numpy(np.float64)[row, bet] * taken_odds - 1,
        profit=(stakes * won)[row, bet],
        clv=taken_odds * closing[np.arange(len(bet)), bet] - 1,
    )


@dataclass(frozen=True)
class _Rows:
    """The features of all matches, selected by fold."""

    table: FeatureTable
    outcome: evaluate.Outcomes
    weight: npt.NDArray[np.float64] | None

    def without_results(self, where: Booleans) -> MatchRows:
        """Matches to forecast."""
        return MatchRows(
            self.table.features[where].reset_index(drop=True),
            self.table.display.loc[where, SHOWN].reset_index(drop=True),
        )

    def with_results(self, where: Booleans) -> ResultRows:
        """Matches to learn from."""
        rows = self.without_results(where)
        goals = self.table.display.loc[where, ["home_goals", "away_goals"]].reset_index(drop=True)
        weight = None if self.weight is None else self.weight[where]
        return ResultRows(rows.features, rows.matches, weight, outcome=self.outcome[where], goals=goals)

    @property
    def settled(self) -> Booleans:
        counts = self.table.features[["home_season_matches", "away_season_matches"]].min(axis="columns")
        return np.asarray(counts >= evaluate.SETTLED_MATCHES)


def _outcome(table: FeatureTable) -> evaluate.Outcomes:
    display = table.display
    finished = (display["home_goals"].notna() & display["away_goals"].notna()).to_numpy(bool)
    outcome = np.zeros(len(display), dtype=np.int64)
    outcome[finished] = evaluate.outcomes(display.loc[finished, "home_goals"], display.loc[finished, "away_goals"])
    return outcome


def _priced(forecasts: pd.DataFrame, prices: pd.DataFrame | None) -> pd.DataFrame:
    """The forecasts with MARKET and ODDS, missing without a valid price."""
    market = past_prices.closing_probabilities(prices, forecasts["match_id"])
    odds = np.full((len(forecasts), evaluate.N_OUTCOMES), math.nan)
    if prices is not None and len(prices):
        row = pd.Index(prices["match_id"]).get_indexer(forecasts["match_id"])
        stated = prices[ODDS].to_numpy(np.float64)[row]
        usable = (row >= 0) & odds_arrays.is_market(odds_arrays.booksum(stated))
        odds[usable] = stated[usable]
    return forecasts.assign(**_columns(MARKET, market), **_columns(ODDS, odds))


def _closing_probabilities(prices: pd.DataFrame | None, match_id: pd.Series) -> npt.NDArray[np.float64]:
    """Margin-free closing probabilities; missing, as closing-line value is, where no closing price is known."""
    if prices is None or not set(past_prices.CLOSING) <= set(prices.columns):
        return np.full((len(match_id), evaluate.N_OUTCOMES), math.nan)
    stated = prices[["match_id", *past_prices.CLOSING]]
    stated = stated.rename(columns=dict(zip(past_prices.CLOSING, past_prices.ODDS, strict=True)))
    return past_prices.closing_probabilities(stated, match_id)


def _columns(names: list[str], values: npt.NDArray[np.float64]) -> dict[str, Any]:
    return {name: values[:, place] for place, name in enumerate(names)}
