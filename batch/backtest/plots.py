"""Plots of a backtest: reliability, loss over time and the market's, bankroll, closing-line value by edge."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")  # no display where backtests run

import matplotlib.dates as mdates
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS: Final = {"home": "#1b6ca8", "draw": "#8a8a8a", "away": "#c0392b"}
SMOOTHED_MONTHS: Final = 6
"""Months over which the loss over time is averaged."""


def figures(report: dict[str, Any]) -> dict[str, Figure]:
    """Draw the figures; keys are their file names without suffix."""
    draw: dict[str, Callable[[Axes, dict[str, Any]], None]] = {
        "reliability": _reliability,
        "loss_over_time": _loss_over_time,
        "bankroll": _bankroll,
        "clv_by_edge": _clv_by_edge,
    }
    drawn = {}
    for name, plot in draw.items():
        figure = Figure(figsize=(6, 6) if name == "reliability" else (8, 4.5), layout="constrained")
        plot(figure.add_subplot(), report)
        drawn[name] = figure
    return drawn


def write(folder: Path, report: dict[str, Any]) -> list[Path]:
    """Write the figures as PNG files; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in figures(report).items():
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1], dpi=110, metadata={"Software": None})
    return paths


def _reliability(axes: Axes, report: dict[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for label, colour in COLOURS.items():
        bins = report["reliability"][label]
        forecast, frequency = [row["forecast"] for row in bins], [row["frequency"] for row in bins]
        axes.plot(forecast, frequency, color=colour, linewidth=1, label=label)
        axes.scatter(forecast, frequency, s=[max(row["count"] ** 0.5, 4) for row in bins], color=colour, alpha=0.6)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="forecast probability", ylabel="frequency")
    axes.set_title(f"Reliability on {report['total']['matches']} matches")
    axes.legend(frameon=False)


def _loss_over_time(axes: Axes, report: dict[str, Any]) -> None:
    months = pd.DataFrame(report["by_month"])
    when = pd.to_datetime(months["month"])
    weight = months["matches"].rolling(SMOOTHED_MONTHS, min_periods=1).sum()
    for name, colour in (("model", COLOURS["home"]), ("market", "0.4")):
        values = pd.to_numeric(months[name])
        if values.notna().any():
            summed = (values * months["matches"]).rolling(SMOOTHED_MONTHS, min_periods=1).sum()
            axes.plot(when, summed / weight, color=colour, label=name)
    axes.set(ylabel="mean log loss", title=f"Log loss, mean of the last {SMOOTHED_MONTHS} months")
    axes.legend(frameon=False)
    _dates(axes)


def _bankroll(axes: Axes, report: dict[str, Any]) -> None:
    axes.axhline(0, color="0.7", linewidth=1)
    if report["bankroll"]:
        curve = pd.DataFrame(report["bankroll"], columns=["day", "bets", "profit", "low", "high"])
        when = pd.to_datetime(curve["day"])
        axes.fill_between(when, curve["low"], curve["high"], color=COLOURS["home"], alpha=0.15, label="95 % band")
        axes.plot(when, curve["profit"], color=COLOURS["home"], label="profit")
        axes.legend(frameon=False)
        _dates(axes)
    axes.set(ylabel="units", title=f"Profit of {report['total']['bets']} bets")


def _clv_by_edge(axes: Axes, report: dict[str, Any]) -> None:
    axes.axhline(0, color="0.7", linewidth=1)
    rows = [row for row in report["bets_by_edge"] if row["clv"] is not None]
    for place, row in enumerate(rows):
        if row["clv_low"] is not None:
            axes.plot([place, place], [100 * row["clv_low"], 100 * row["clv_high"]], color=COLOURS["home"])
        axes.plot(place, 100 * row["clv"], "o", color=COLOURS["home"])
    names = [
        f"over {row['edge_over']:.0%}" if row["edge_to"] is None else f"{row['edge_over']:.0%} to {row['edge_to']:.0%}"
        for row in rows
    ]
    axes.set_xticks(
        range(len(rows)), [f"{name}\n{row['clv_bets']} bets" for name, row in zip(names, rows, strict=True)]
    )
    suffix = "" if rows else ": no closing price is known"
    axes.set(
        xlabel="edge at the price taken", ylabel="closing-line value, %", title=f"Closing-line value by edge{suffix}"
    )


def _dates(axes: Axes) -> None:
    locator = mdates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
