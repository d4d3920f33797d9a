"""Walk-forward backtests of recipes, or of your own trainer and bettor: scores, returns and closing-line value.

From a notebook:

    from batch.backtest import backtest
    result = backtest(matches, prices, start="2016-07-01")
    result                     # the report, as Markdown
    result.forecasts, result.bets
    result.figures()["bankroll"]

From a command line: `python -m batch.backtest --help`. See docs/backtest.md.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from batch.backtest.folds import Fold, Refit
from batch.backtest.report import build, markdown
from batch.backtest.strategies import Bettor, Forecaster, MatchRows, ResultRows, Trainer, ValueBettor
from batch.backtest.walk import Walked, walk
from batch.features import DEFAULT_SETTINGS, FeatureSettings
from batch.times import parse_date
from batch.training.fitting import CHAMPION, TrainingSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BacktestResult",
    "Bettor",
    "Fold",
    "Forecaster",
    "MatchRows",
    "Refit",
    "ResultRows",
    "Trainer",
    "ValueBettor",
    "backtest",
]


@dataclass(frozen=True)
class BacktestResult:
    """A backtest's forecasts, bets and report; a notebook shows the report.

    Attributes:
        walked: Forecasts, bets and folds.
        report: Plain values, ready for JSON (`batch.backtest.report.build`).
    """

    walked: Walked
    report: dict[str, Any]

    @property
    def forecasts(self) -> pd.DataFrame:
        """One row per forecast match, with its fold, forecast, outcome, market and odds."""
        return self.walked.forecasts

    @property
    def bets(self) -> pd.DataFrame:
        """One row per bet, with stake, odds, edge, profit and closing-line value."""
        return self.walked.bets

    def figures(self) -> "dict[str, Figure]":
        """Reliability, loss over time, bankroll and closing-line value by edge, as matplotlib figures."""
        from batch.backtest.plots import figures  # noqa: PLC0415 - matplotlib is needed for drawing only

        return figures(self.report)

    def write(self, folder: Path) -> list[Path]:
        """Write report.json, report.md, forecasts.parquet, bets.parquet and the figures; returns their paths."""
        from batch.backtest.plots import write  # noqa: PLC0415 - the same

        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            "report.json": json.dumps(self.report, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
            "report.md": markdown(self.report),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name, frame in (("forecasts.parquet", self.forecasts), ("bets.parquet", self.bets)):
            frame.to_parquet(folder / name, index=False, compression="zstd")
        return [folder / name for name in (*texts, "forecasts.parquet", "bets.parquet")] + write(folder, self.report)

    def _repr_markdown_(self) -> str:
        return markdown(self.report)


def backtest(
    matches: pd.DataFrame,
    prices: pd.DataFrame | None = None,
    *,
    start: str | pd.Timestamp,
    end: str | pd.Timestamp | None = None,
    refit: Refit | str = Refit.SEASON,
    trainer: TrainingSettings | Trainer = CHAMPION,
    bettor: Bettor | None = None,
    weights: pd.Series | None = None,
    settings: FeatureSettings = DEFAULT_SETTINGS,
    jobs: int | None = None,
    about: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> BacktestResult:
    """Refit walk-forward, forecast every finished match from `start` on, bet, and report.

    Args:
        matches: Accepted matches (`batch.matches.read_matches(...).accepted`).
        prices: Prices of past matches (`batch.odds.price_files.read_prices(...).prices`): used for features of later
            matches, to judge forecasts and to take bets. None: scores only.
        start: First kickoff that is forecast (UTC where it names no zone), and the first refit.
        end: Kickoffs from here on are not forecast.
        refit: "season" (every twelve months from `start`) or "month".
        trainer: A recipe, or a callable of your own: `trainer(train, validation)` returns `forecaster(rows)`.
        bettor: `bettor(day, bankroll)` returns stakes; a unit on each edge over 5 % if None.
        weights: Sample weights by match_id; 1 for matches that are not in it.
        settings: Settings of the features.
        jobs: Number of parallel refits; None is one per core for a recipe, one for a trainer of your own. Forecasts do
            not depend on it.
        about: Further facts for the report's head, such as the files read.
        progress: Whether a progress bar is shown.

    Raises:
        ValueError: nothing to forecast, or nothing to learn from.
        InvalidForecast: the trainer's forecasts are not probabilities.
        InvalidStakes: the bettor's stakes are not stakes.
    """
    first = _moment(start)
    walked = walk(
        matches,
        prices,
        first,
        end=None if end is None else _moment(end),
        refit=Refit(refit),
        trainer=trainer,
        bettor=bettor,
        weights=weights,
        settings=settings,
        jobs=jobs,
        progress=progress,
    )
    recipe = trainer if isinstance(trainer, TrainingSettings) else None
    facts = {
        "trainer": recipe.name if recipe else _name_of(trainer),
        "recipe": asdict(recipe) if recipe else None,
        "bettor": _name_of(bettor or ValueBettor()),
        "refit": str(Refit(refit)),
        "from": first.date().isoformat(),
        "to": walked.forecasts["match_date"].max().date().isoformat(),
        **(about or {}),
    }
    return BacktestResult(walked, build(walked, facts))


def _moment(value: str | pd.Timestamp) -> pd.Timestamp:
    return parse_date(value) if isinstance(value, str) else pd.Timestamp(value)


def _name_of(callable_object: object) -> str:
    """The name of a trainer or bettor in the report."""
    if is_dataclass(callable_object):
        return repr(callable_object)
    return str(getattr(callable_object, "__name__", type(callable_object).__name__))
