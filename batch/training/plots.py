"""Plots of a report: calibration and feature importance, overall and by region, as PNG files."""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")  # no display where training runs

from matplotlib.axes import Axes
from matplotlib.figure import Figure

SHOWN_FEATURES: Final = 20
SHOWN_FEATURES_OF_A_REGION: Final = 8
PANELS_ABREAST: Final = 3


def write_plots(folder: Path, report: dict[str, Any]) -> list[Path]:
    """Write reliability and feature importance, each overall and by region, as PNG files; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "reliability.png": reliability(report),
        "feature_importance.png": feature_importance(report),
        "reliability_by_region.png": reliability_by_region(report),
        "feature_importance_by_region.png": feature_importance_by_region(report),
    }
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=110, metadata={"Software": None})
    return [folder / name for name in figures]


def reliability(report: dict[str, Any]) -> Figure:
    """Frequency against forecast on the test matches, one line per outcome, dot sizes by number of matches."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.add_subplot()
    _reliability_lines(axes, report["calibration"])
    axes.set(xlabel="forecast probability", ylabel="frequency")
    axes.set_title(f"Calibration on {report['rows']['test']} test matches")
    axes.legend(frameon=False)
    return figure


def reliability_by_region(report: dict[str, Any]) -> Figure:
    """The same for each of the largest regions."""
    figure, panels = _panels(list(report["calibration_by_region"]), width=3.2, height=3.4)
    for region, axes in panels.items():
        _reliability_lines(axes, report["calibration_by_region"][region])
        scores = report["by_region"][region]
        axes.set_title(f"{region}: {scores['matches']} matches, ECE {scores['ece']:.3f}", fontsize=9)
    figure.supxlabel("forecast probability")
    figure.supylabel("frequency")
    return figure


def feature_importance(report: dict[str, Any]) -> Figure:
    """Total gain of the splits on each feature, largest first; the Elo curve's own splits included."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.add_subplot()
    _bars(axes, report["feature_importance"], SHOWN_FEATURES)
    axes.set(xlabel="total gain", title="Feature importance")
    return figure


def feature_importance_by_region(report: dict[str, Any]) -> Figure:
    """Mean absolute contribution of each feature on a region's test matches, in log odds."""
    figure, panels = _panels(list(report["feature_importance_by_region"]), width=4.6, height=2.8)
    for region, axes in panels.items():
        _bars(axes, report["feature_importance_by_region"][region], SHOWN_FEATURES_OF_A_REGION)
        axes.set_title(region, fontsize=9)
        axes.tick_params(labelsize=7)
    figure.supxlabel("mean absolute contribution, log odds")
    return figure


def _panels(names: list[str], width: float, height: float) -> tuple[Figure, dict[str, Axes]]:
    columns = min(PANELS_ABREAST, max(1, len(names)))
    rows = max(1, -(-len(names) // columns))
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    if not names:
        figure.text(0.5, 0.5, "no test match", ha="center")
    return figure, {name: figure.add_subplot(rows, columns, place) for place, name in enumerate(names, start=1)}


def _reliability_lines(axes: Axes, calibration: dict[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for label, colour in (("home", "#1b6ca8"), ("draw", "#8a8a8a"), ("away", "#c0392b")):
        bins = calibration.get(label, [])
        x, y = [row["forecast"] for row in bins], [row["frequency"] for row in bins]
        axes.plot(x, y, color=colour, linewidth=1, label=label)
        axes.scatter(x, y, s=[max(row["count"], 4) for row in bins], color=colour, alpha=0.6)
    axes.set(xlim=(0, 1), ylim=(0, 1))


def _bars(axes: Axes, by_name: dict[str, float], n_bars: int) -> None:
    ranked = sorted(by_name.items(), key=lambda item: item[1])[-n_bars:]
    axes.barh([name for name, _ in ranked], [value for _, value in ranked], color="#1b6ca8")
