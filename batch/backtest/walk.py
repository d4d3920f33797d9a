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
"""Units that a bettor begins with."""


@dataclass(frozen=True)
class Walked:
    """What the folds gave.

    Attributes:
        forecasts: One row a forecast match, sorted by (match_date, match_id): SHOWN, `fold`, `settled` (both sides
            have played 5 in the season), PROBABILITIES, BASE_RATES (of the fold's known matches), `outcome` (0, 1, 2),
            MARKET (margin-free closing, else latest price; missing without one) and ODDS (that could be taken).
        bets: One row a bet, in the same order: SHOWN, `fold`, `bet` (0, 1, 2), `stake`, `odds`, `edge`, `profit`
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

    Features are computed once: each stands for its match's kickoff, so no refit can change it. Arguments as in
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
        forecaster = learn(rows.known(fold.train), rows.known(fold.validation))
        asked = rows.asked(fold.test)
        base = evaluate.base_rates(rows.outcome[fold.train | fold.validation], len(asked))
        return asked.matches.assign(
            fold=fold.number,
            settled=rows.settled[fold.test],
            **_columns(PROBABILITIES, checked_forecast(forecaster(asked), len(asked))),
            **_columns(BASE_RATES, base),
            outcome=rows.outcome[fold.test],
        )

    # threads, since LightGBM leaves the interpreter while it fits; a trainer of somebody's own may not bear company
    own = not isinstance(trainer, TrainingSettings)
    with ThreadPoolExecutor(jobs or (1 if own else os.cpu_count() or 1)) as pool:
        fits = pool.map(forecast, plan)
        parts = list(tqdm(fits, desc="refitting", total=len(plan), unit="fit", disable=None if progress else True))
    forecasts = _priced(pd.concat(parts, ignore_index=True), prices)
    forecasts = forecasts.sort_values(["match_date", "match_id"], ignore_index=True)
    return Walked(forecasts, place_bets(forecasts, prices, bettor or ValueBettor()), plan)


def place_bets(forecasts: pd.DataFrame, prices: pd.DataFrame | None, bettor: Bettor) -> pd.DataFrame:
    """The bets that a bettor makes day by day on forecasts with a price, settled at the end of each day."""
    priced = forecasts[forecasts[ODDS[0]].notna()].reset_index(drop=True)
    shown = priced[[*SHOWN, "fold", *PROBABILITIES, *ODDS]]
    odds, outcome = priced[ODDS].to_numpy(np.float64), priced["outcome"].to_numpy(np.int64)
    stakes = np.zeros_like(odds)
    won = np.eye(evaluate.N_OUTCOMES)[outcome] * odds - 1
    days = priced["match_date"].dt.floor("D").to_numpy()
    bounds = np.flatnonzero(np.r_[True, days[1:] != days[:-1], True]) if len(priced) else np.zeros(1, dtype=np.int64)
    bankroll = BANKROLL
    for first, after in pairwise(bounds.tolist()):
        stakes[first:after] = checked_stakes(bettor(shown.iloc[first:after], bankroll), after - first)
        bankroll += float((stakes[first:after] * won[first:after]).sum())
    row, bet = np.nonzero(stakes)
    made = priced.loc[row, [*SHOWN, "fold"]].reset_index(drop=True)
    closing = _closing_probabilities(prices, made["match_id"])
    taken = odds[row, bet]
    return made.assign(
        bet=bet,
        stake=stakes[row, bet],
        odds=taken,
        edge=priced[PROBABILITIES].to_numpy(np.float64)[row, bet] * taken - 1,
        profit=(stakes * won)[row, bet],
        clv=taken * closing[np.arange(len(bet)), bet] - 1,
    )


@dataclass(frozen=True)
class _Rows:
    """The features of all matches, handed out fold by fold."""

    table: FeatureTable
    outcome: evaluate.Outcomes
    weight: npt.NDArray[np.float64] | None

    def asked(self, where: Booleans) -> MatchRows:
        """Matches without their results."""
        return MatchRows(
            self.table.features[where].reset_index(drop=True),
            self.table.display.loc[where, SHOWN].reset_index(drop=True),
        )

    def known(self, where: Booleans) -> ResultRows:
        """Matches with their results."""
        asked = self.asked(where)
        goals = self.table.display.loc[where, ["home_goals", "away_goals"]].reset_index(drop=True)
        weight = None if self.weight is None else self.weight[where]
        return ResultRows(asked.features, asked.matches, weight, outcome=self.outcome[where], goals=goals)

    @property
    def settled(self) -> Booleans:
        counts = self.table.features[["home_season_matches", "away_season_matches"]].min(axis="columns")
        return np.asarray(counts >= evaluate.SETTLED_MATCHES)


def _outcome(table: FeatureTable) -> evaluate.Outcomes:
    shown = table.display
    finished = (shown["home_goals"].notna() & shown["away_goals"].notna()).to_numpy(bool)
    outcome = np.zeros(len(shown), dtype=np.int64)
    outcome[finished] = evaluate.outcomes(shown.loc[finished, "home_goals"], shown.loc[finished, "away_goals"])
    return outcome


def _priced(forecasts: pd.DataFrame, prices: pd.DataFrame | None) -> pd.DataFrame:
    """The forecasts with MARKET and ODDS, missing where there is no price that is a market."""
    market = past_prices.closing_probabilities(prices, forecasts["match_id"])
    odds = np.full((len(forecasts), evaluate.N_OUTCOMES), math.nan)
    if prices is not None and len(prices):
        row = pd.Index(prices["match_id"]).get_indexer(forecasts["match_id"])
        stated = prices[ODDS].to_numpy(np.float64)[row]
        usable = (row >= 0) & odds_arrays.is_market(odds_arrays.booksum(stated))
        odds[usable] = stated[usable]
    return forecasts.assign(**_columns(MARKET, market), **_columns(ODDS, odds))


def _closing_probabilities(prices: pd.DataFrame | None, match_id: pd.Series) -> npt.NDArray[np.float64]:
    """Margin-free closing probabilities alone: where no closing price is known the bet has no closing-line value."""
    if prices is None or not set(past_prices.CLOSING) <= set(prices.columns):
        return np.full((len(match_id), evaluate.N_OUTCOMES), math.nan)
    stated = prices[["match_id", *past_prices.CLOSING]]
    stated = stated.rename(columns=dict(zip(past_prices.CLOSING, past_prices.ODDS, strict=True)))
    return past_prices.closing_probabilities(stated, match_id)


def _columns(names: list[str], values: npt.NDArray[np.float64]) -> dict[str, Any]:
    return {name: values[:, place] for place, name in enumerate(names)}
