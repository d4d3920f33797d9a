"""Backtest a recipe, or a trainer and bettor of your own, on files.

    python -m batch.backtest --matches FILE… --odds FILE… --from DATE [--refit season|month] [--recipe NAME] --out DIR

FILE is parquet, CSV or JSON lines: matches in the raw-matches schema, odds as `python -m batch.rebuild --odds` reads
them (docs/odds.md). Without --matches the embedded sample is used, with its odds. DIR receives report.json, report.md,
forecasts.parquet, bets.parquet and the plots.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from batch.backtest import BacktestResult, Refit, ValueBettor, backtest
from batch.backtest.report import summary
from batch.features import FeatureSettings
from batch.odds.market import DEFAULT_VALUE_THRESHOLD
from batch.sample import MATCHES_PATH
from batch.times import parse_date
from batch.train import column_names, prices_of, read_files
from batch.training.fitting import CHAMPION, TooFewMatches
from batch.training.recipes import load_recipe
from batch.training.weights import read_weights
from chalicelib.errors import ServiceError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = _arguments(argv)
    try:
        result = run(arguments)
        paths = result.write(arguments.out)
    except (ServiceError, TooFewMatches, OSError, ValueError) as error:
        print(f"batch.backtest: {error}", file=sys.stderr)
        return 1
    print(summary(result.report))
    print(f"{', '.join(path.name for path in paths)} in {arguments.out}")
    return 0


def run(arguments: argparse.Namespace) -> BacktestResult:
    """The backtest that the arguments describe."""
    trainer = _callable(arguments.trainer) if arguments.trainer else load_recipe(arguments.recipe, arguments.set)
    bettor = _callable(arguments.bettor) if arguments.bettor else ValueBettor(arguments.threshold)
    data, checksums = read_files(arguments.matches, arguments.extra_columns)
    prices, price_summary = prices_of(arguments, data.accepted)
    return backtest(
        data.accepted,
        prices,
        start=arguments.start,
        end=arguments.until,
        refit=arguments.refit,
        trainer=trainer,
        bettor=bettor,
        weights=read_weights(arguments.weights) if arguments.weights else None,
        settings=FeatureSettings(extra_columns=arguments.extra_columns),
        jobs=arguments.jobs,
        about={"inputs": {"files": checksums, "matches": data.summary(), "prices": price_summary}},
    )


def _callable(name: str) -> Any:
    """The object that "module:name" names.

    Raises:
        ValueError: it does not exist or cannot be called.
    """
    module, separator, attribute = name.partition(":")
    if os.getcwd() not in sys.path:  # noqa: PTH109 - entries of sys.path are texts
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        target = getattr(importlib.import_module(module), attribute if separator else "")
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{name!r} is not module:function: {error}") from error
    if not callable(target):
        raise ValueError(f"{name!r} cannot be called")  # noqa: TRY004 - the caller's text is wrong, not a type
    return target


def _date(text: str) -> pd.Timestamp:
    try:
        return parse_date(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m batch.backtest", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--matches", nargs="+", type=Path, metavar="FILE", help="raw matches; default: the sample")
    parser.add_argument("--odds", nargs="+", type=Path, metavar="FILE", help="prices of past matches (docs/odds.md)")
    parser.add_argument("--from", dest="start", type=_date, required=True, metavar="DATE", help="first kickoff (UTC)")
    parser.add_argument("--until", type=_date, metavar="DATE", help="kickoffs from here on are not forecast (UTC)")
    parser.add_argument("--refit", choices=[str(each) for each in Refit], default=str(Refit.SEASON))
    parser.add_argument("--recipe", default=CHAMPION.name, help="champion, challenger, market or a TOML file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the recipe: num_leaves=8")
    parser.add_argument("--trainer", metavar="MODULE:NAME", help="a trainer of your own, instead of a recipe")
    parser.add_argument("--bettor", metavar="MODULE:NAME", help="a bettor of your own, instead of flat value bets")
    parser.add_argument("--threshold", type=float, default=DEFAULT_VALUE_THRESHOLD, help="edge of a value bet (0.05)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="sample weights: match_id, weight (CSV, parquet)")
    parser.add_argument(
        "--extra-columns",
        type=column_names,
        default=(),
        metavar="NAMES",
        help="numeric columns of the matches to make features from, as in xg_home,xg_away (docs/features.md)",
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="refits at once; default: one a core for a recipe")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where report, plots and rows go")
    arguments = parser.parse_args(argv)
    arguments.matches = arguments.matches or [MATCHES_PATH]
    return arguments


if __name__ == "__main__":
    sys.exit(main())
