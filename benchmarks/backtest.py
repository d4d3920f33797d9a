"""`make bench-backtest`: seconds and peak memory of 24 monthly refits over 41,000 generated matches with prices.

Every refit is as large as such a backtest can ask for: the matches forecast are the latest ones, so that each
fit learns from nearly all of the others. Report, bets and plots are part of what is measured.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from batch import synthetic
from batch.backtest import Refit, backtest
from batch.backtest.folds import folds
from batch.matches import read_matches
from batch.odds.past_prices import typed
from batch.release import parquet_bytes
from batch.training.fitting import RECIPES
from benchmarks import history
from benchmarks.timing import machine
from infra.paths import ROOT

MATCHES: Final = 41_000
REFITS: Final = 24
SEED: Final = 20260401
HISTORY: Final = history.FOLDER / "backtest.json"


def prices(matches: pd.DataFrame) -> pd.DataFrame:
    """A price taken and a closing price of every match: the margin on made-up probabilities, which is all it needs."""
    generator = np.random.default_rng(SEED)
    share = generator.dirichlet([9.0, 5.2, 6.0], len(matches))
    names = ("home", "draw", "away")
    taken_odds = 1 / (1.05 * np.clip(share + generator.normal(0, 0.01, share.shape), 0.03, 0.9))
    closing = 1 / (1.05 * np.clip(share, 0.03, 0.9))
    return typed(
        pd.DataFrame(
            {"match_id": matches["match_id"], "provider": "made up", "collected_at": matches["kickoff"]}
            | {f"odds_{name}": taken_odds[:, place] for place, name in enumerate(names)}
            | {f"closing_{name}": closing[:, place] for place, name in enumerate(names)}
        )
    )


def measure(recipe: str) -> dict[str, Any]:
    """Run one backtest in this process."""
    matches = read_matches({"matches.parquet": parquet_bytes(synthetic.matches(MATCHES, SEED))}).accepted
    start = _start(matches)
    started, cpu = time.perf_counter(), time.process_time()
    result = backtest(matches, prices(matches), start=start, refit=Refit.MONTH, trainer=RECIPES[recipe])
    fitted = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result.write(Path(folder))
    return {
        "recipe": recipe,
        "matches": len(matches),
        "refits": len(result.walked.folds),
        "forecast": len(result.forecasts),
        "bets": len(result.bets),
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "seconds_to_write": round(time.perf_counter() - fitted, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024),
    }


def _start(matches: pd.DataFrame) -> pd.Timestamp:
    """The first of a month from which there are REFITS monthly refits: months of summer have no match to forecast."""
    ordered = matches.sort_values("match_id", ignore_index=True)
    start: pd.Timestamp = matches["kickoff"].max().normalize().replace(day=1)
    while len(folds(ordered, start, refit=Refit.MONTH)) < REFITS:
        start -= pd.DateOffset(months=1)
    return start


def main() -> int:
    """Print the figures; keep them with --record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="market")
    parser.add_argument("--record", action="store_true", help=f"append to {HISTORY.relative_to(ROOT)}")
    arguments = parser.parse_args()
    facts = machine()
    figures = {**facts, **measure(arguments.recipe)}
    print(json.dumps(figures, indent=1))
    if arguments.record:
        history.append(HISTORY, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
