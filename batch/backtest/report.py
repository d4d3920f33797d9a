"""Report a backtest as plain values and as Markdown: scores, closing-line value and returns, with intervals.

Intervals are 95 % percentile intervals from resampling matches (bets: matches with a bet), seeded; none below ten.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch import evaluate
from batch.backtest.strategies import PROBABILITIES
from batch.backtest.walk import BASE_RATES, MARKET, Walked
from batch.training.experiment import without_nan
from chalicelib.domain import Outcome

Floats = npt.NDArray[np.float64]

SCHEMA_VERSION: Final = 1
ROUNDS: Final = 1000
GROUPS: Final = 2000
"""With more matches than this, random groups of them are resampled: the same interval, faster."""
MIN_FOR_INTERVAL: Final = 10
SEED: Final = 20260401
EDGES: Final = (0.0, 0.05, 0.10, 0.20, 0.40, math.inf)
"""Bounds of the edges by which bets are grouped."""
CURVE_POINTS: Final = 400


def build(walked: Walked, about: dict[str, Any]) -> dict[str, Any]:
    """The report as plain JSON values.

    Returns:
        The content of `about`; `total`, `settled`, `by_season`, `by_league` and `by_fold`, rows of `line`;
        `bets_by_edge`; `reliability`, bins by outcome; `by_month`, mean log loss of model and market on priced matches;
        `bankroll`, a list of [day, bets, profit, low, high].
    """
    forecasts, bets = walked.forecasts, walked.bets
    in_league = [forecasts["region"] + ", " + forecasts["league"], bets["region"] + ", " + bets["league"]]
    settled = forecasts[forecasts["settled"]]
    sizes = {
        fold.number: {
            "from": fold.start.isoformat(),
            "train": int(fold.train.sum()),
            "validation": int(fold.validation.sum()),
        }
        for fold in walked.folds
    }
    report = {
        "schema_version": SCHEMA_VERSION,
        **about,
        "total": line(forecasts, bets),
        "settled": line(settled, bets[bets["match_id"].isin(settled["match_id"])]),
        "by_season": _by("season", forecasts, bets, forecasts["season"], bets["season"]),
        "by_league": _by("league", forecasts, bets, *in_league),
        "by_fold": [row | sizes[row["fold"]] for row in _by("fold", forecasts, bets, forecasts["fold"], bets["fold"])],
        "bets_by_edge": _by_edge(bets),
        "reliability": _reliability(forecasts),
        "by_month": _by_month(forecasts),
        "bankroll": _bankroll(bets),
    }
    plain: dict[str, Any] = without_nan(report)
    return plain


def line(forecasts: pd.DataFrame, bets: pd.DataFrame) -> dict[str, Any]:
    """One line of the report: the scores of some matches and what their bets returned.

    Returns:
        `matches`, log_loss (with `log_loss_low`, `log_loss_high`), rps, brier, accuracy, ece, `base_rates_log_loss`;
        `priced`, the matches with a price, and on these `kl_to_market`, `priced_log_loss`, `market_log_loss` and
        `against_market`, the former less the latter, with `_low` and `_high`; `bets`, `turnover`, `profit`, `promised`
        (mean edge), roi and clv, the latter two with `_low` and `_high`, and `clv_bets`, the bets with a closing price.
    """
    outcome = forecasts["outcome"].to_numpy(np.int64)
    model = forecasts[PROBABILITIES].to_numpy(np.float64)
    losses = evaluate.log_losses(model, outcome)
    low, high = interval(losses)
    measured = evaluate.scores(model, outcome)
    priced = forecasts[MARKET[0]].notna().to_numpy(bool)
    market = forecasts.loc[priced, MARKET].to_numpy(np.float64)
    market_losses = evaluate.log_losses(market, outcome[priced])
    against = losses[priced] - market_losses
    against_low, against_high = interval(against)
    base = evaluate.log_losses(forecasts[BASE_RATES].to_numpy(np.float64), outcome)
    return {
        "matches": len(forecasts),
        "log_loss": measured["log_loss"],
        "log_loss_low": low,
        "log_loss_high": high,
        **{name: measured[name] for name in ("rps", "brier", "accuracy", "ece")},
        "base_rates_log_loss": _mean(base),
        "priced": int(priced.sum()),
        "kl_to_market": _mean(evaluate.kl_divergences(market, model[priced])),
        "priced_log_loss": _mean(losses[priced]),
        "market_log_loss": _mean(market_losses),
        "against_market": _mean(against),
        "against_market_low": against_low,
        "against_market_high": against_high,
        **returns(bets),
    }


def returns(bets: pd.DataFrame) -> dict[str, Any]:
    """What bets returned: bets, turnover, profit, promised, roi and clv with their intervals."""
    stake, profit = bets["stake"].to_numpy(np.float64), bets["profit"].to_numpy(np.float64)
    clv, edge = bets["clv"].to_numpy(np.float64), bets["edge"].to_numpy(np.float64)
    closed = np.isfinite(clv)
    roi_low, roi_high = interval(profit, stake)
    clv_low, clv_high = interval((clv * stake)[closed], stake[closed])
    turnover = float(stake.sum())
    return {
        "bets": len(bets),
        "turnover": turnover,
        "profit": float(profit.sum()),
        "promised": float((edge * stake).sum()) / turnover if turnover else math.nan,
        "roi": float(profit.sum()) / turnover if turnover else math.nan,
        "roi_low": roi_low,
        "roi_high": roi_high,
        "clv_bets": int(closed.sum()),
        "clv": float((clv * stake)[closed].sum() / stake[closed].sum()) if closed.any() else math.nan,
        "clv_low": clv_low,
        "clv_high": clv_high,
    }


def interval(values: Floats, weights: Floats | None = None) -> tuple[float, float]:
    """The 95 % interval of sum(values) / sum(weights), rows resampled together; of the mean without weights."""
    n = len(values)
    if n < MIN_FOR_INTERVAL:
        return math.nan, math.nan
    generator = np.random.default_rng(SEED)
    sums: Floats = values
    stakes: Floats = np.ones(n) if weights is None else weights
    if n > GROUPS:
        group = generator.permutation(n) % GROUPS
        sums, stakes = (np.bincount(group, each).astype(np.float64) for each in (sums, stakes))
    means = np.empty(ROUNDS)
    for first in range(0, ROUNDS, _ROUNDS_AT_ONCE):
        drawn = generator.integers(0, len(sums), (_ROUNDS_AT_ONCE, len(sums)))
        means[first : first + _ROUNDS_AT_ONCE] = sums[drawn].sum(axis=1) / stakes[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


_ROUNDS_AT_ONCE: Final = 100


def _by(
    name: str, forecasts: pd.DataFrame, bets: pd.DataFrame, of_forecast: pd.Series, of_bet: pd.Series
) -> list[dict[str, Any]]:
    return [
        {name: value.item() if isinstance(value, np.generic) else value}
        | line(forecasts[(of_forecast == value).to_numpy(bool)], bets[(of_bet == value).to_numpy(bool)])
        for value in sorted(of_forecast.unique())
    ]


def _by_edge(bets: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for low, high in pairwise(EDGES):
        chosen = bets[((bets["edge"] > low) & (bets["edge"] <= high)).to_numpy(bool)]
        if len(chosen):
            rows.append({"edge_over": low, "edge_to": high if math.isfinite(high) else None} | returns(chosen))
    return rows


def _reliability(forecasts: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    outcome = forecasts["outcome"].to_numpy(np.int64)
    return {
        label.label: evaluate.calibration_table(
            forecasts[PROBABILITIES[label]].to_numpy(np.float64), outcome == int(label)
        ).to_dict("records")  # type: ignore[misc]
        for label in Outcome
    }


def _by_month(forecasts: pd.DataFrame) -> list[dict[str, Any]]:
    outcome = forecasts["outcome"].to_numpy(np.int64)
    frame = pd.DataFrame(
        {
            "month": forecasts["match_date"].dt.strftime("%Y-%m"),
            "model": evaluate.log_losses(forecasts[PROBABILITIES].to_numpy(np.float64), outcome),
            "market": evaluate.log_losses(forecasts[MARKET].to_numpy(np.float64), outcome),
        }
    )
    # on the same matches: those with a price, or all where none has one
    if frame["market"].notna().any():
        frame = frame[frame["market"].notna()]
    means = frame.groupby("month", sort=True).agg(
        matches=("model", "size"), model=("model", "mean"), market=("market", "mean")
    )
    return [{str(key): value for key, value in row.items()} for row in means.reset_index().to_dict("records")]


def _bankroll(bets: pd.DataFrame) -> list[list[Any]]:
    """Cumulative profit by day, with the 95 % band of the same bets resampled."""
    if bets.empty:
        return []
    day = bets["match_date"].dt.strftime("%Y-%m-%d")
    daily = bets.groupby(day, sort=True)["profit"].agg(["count", "sum"])
    profit = daily["sum"].to_numpy(np.float64)
    generator = np.random.default_rng(SEED)
    sampled_days = np.unique(np.linspace(0, len(profit) - 1, min(CURVE_POINTS, len(profit))).round().astype(int))
    paths = np.empty((ROUNDS, len(sampled_days)))
    for number in range(ROUNDS):
        paths[number] = profit[generator.integers(0, len(profit), len(profit))].cumsum()[sampled_days]
    low, high = np.percentile(paths, [2.5, 97.5], axis=0)
    counts, cumulative = daily["count"].to_numpy().cumsum()[sampled_days], profit.cumsum()[sampled_days]
    return [
        [name, int(n), round(float(value), 6), round(float(under), 6), round(float(over), 6)]
        for name, n, value, under, over in zip(daily.index[sampled_days], counts, cumulative, low, high, strict=True)
    ]


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan


# --- Markdown -----------------------------------------------------------------------------------------------

_Cell = Callable[[dict[str, Any]], str]


def markdown(report: dict[str, Any]) -> str:
    """The report as a page."""
    total = report["total"]
    head = (
        f"{total['matches']} matches from {report['from']} to {report['to']}, {_fits(report)}; "
        f"{total['priced']} with a price. Intervals are 95 %, matches resampled."
    )
    parts = [
        f"# Backtest: {report['trainer']}",
        head,
        "## Scores",
        "Lower is better throughout. Against the market: log loss of the model less the market's on the same matches.",
        _scores([{"of": "all matches"} | total, {"of": "both sides settled"} | report["settled"]], "of"),
        "### By season",
        _scores(report["by_season"], "season"),
        "### By league",
        _scores(report["by_league"], "league"),
        "### By fold",
        _scores(report["by_fold"], "fold"),
        "## Bets",
        _bet_verdict(total),
        _bet_table([{"of": "all bets"} | total], "of"),
        "### By season",
        _bet_table(report["by_season"], "season"),
        "### By league",
        _bet_table(report["by_league"], "league"),
        "### By edge",
        _bet_table([{"edge": _edge_range(row)} | row for row in report["bets_by_edge"]], "edge"),
    ]
    return "\n\n".join(parts) + "\n"


def summary(report: dict[str, Any]) -> str:
    """The report without its breakdowns, for the command line."""
    scores, _, breakdowns = markdown(report).partition("### By season")
    bets, _, _ = breakdowns.partition("## Bets")[2].partition("### By season")
    return f"{scores.strip()}\n\n## Bets\n\n{bets.strip()}\n"


def _fits(report: dict[str, Any]) -> str:
    count = len(report["by_fold"])
    return "1 fit" if count == 1 else f"{count} fits, one a {report['refit']}"


def _bet_verdict(total: dict[str, Any]) -> str:
    if not total["bets"]:
        return "No bet was made."
    if total["clv_low"] is None:
        return "Closing prices are unknown, so it is unknown whether the bets beat the closing line."
    if total["clv_low"] > 0:
        return "The bets beat the closing line: the interval of their closing-line value lies above zero."
    return "The bets did not beat the closing line: the interval of their closing-line value is not above zero."


def _scores(rows: Sequence[dict[str, Any]], name: str) -> str:
    return _table(
        rows,
        {
            name: lambda row: str(row[name]),
            "matches": lambda row: str(row["matches"]),
            "log loss": lambda row: _with_interval(row, "log_loss", "{:.4f}"),
            "RPS": lambda row: _number(row["rps"]),
            "Brier": lambda row: _number(row["brier"]),
            "ECE": lambda row: _number(row["ece"]),
            "base rates": lambda row: _number(row["base_rates_log_loss"]),
            "priced": lambda row: str(row["priced"]),
            "KL to market": lambda row: _number(row["kl_to_market"]),
            "market": lambda row: _number(row["market_log_loss"]),
            "against market": lambda row: _with_interval(row, "against_market", "{:+.4f}"),
        },
    )


def _bet_table(rows: Sequence[dict[str, Any]], name: str) -> str:
    return _table(
        [row for row in rows if row["bets"]],
        {
            name: lambda row: str(row[name]),
            "bets": lambda row: str(row["bets"]),
            "turnover": lambda row: f"{row['turnover']:.1f}",
            "profit": lambda row: f"{row['profit']:+.1f}",
            "promised": lambda row: _number(row["promised"], "{:+.1%}"),
            "ROI": lambda row: _with_interval(row, "roi", "{:+.1%}"),
            "closing-line value": lambda row: _with_interval(row, "clv", "{:+.1%}"),
        },
    )


def _table(rows: Sequence[dict[str, Any]], columns: dict[str, _Cell]) -> str:
    def written(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    body = [written(cell(row) for cell in columns.values()) for row in rows]
    return "\n".join([written(columns), written("---" for _ in columns), *body]) if rows else "none"


def _number(value: float | None, form: str = "{:.4f}") -> str:
    return "" if value is None else form.format(value)


def _with_interval(row: dict[str, Any], name: str, form: str) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if value is None or low is None:
        return _number(value, form)
    return f"{form.format(value)} ({form.format(low)} to {form.format(high)})"


def _edge_range(row: dict[str, Any]) -> str:
    low, high = row["edge_over"], row["edge_to"]
    return f"over {low:.0%}" if high is None else f"{low:.0%} to {high:.0%}"
