"""The pictures of a report: calibration and feature importance, as PNG files."""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")  # no display where training runs

from matplotlib.figure import Figure

SHOWN_FEATURES: Final = 20


def write_plots(folder: Path, report: dict[str, Any]) -> list[Path]:
    """Write reliability.png and feature_importance.png; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "reliability.png", folder / "feature_importance.png"]
    for path, figure in zip(paths, (reliability(report), feature_importance(report)), strict=True):
        figure.savefig(path, dpi=110, metadata={"Software": None})
    return paths


def reliability(report: dict[str, Any]) -> Figure:
    """Frequency against forecast on the test matches, one line an outcome, dots as large as their number of matches."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for label, colour in (("home", "#1b6ca8"), ("draw", "#8a8a8a"), ("away", "#c0392b")):
        bins = report["calibration"].get(label, [])
        x, y = [row["forecast"] for row in bins], [row["frequency"] for row in bins]
        axes.plot(x, y, color=colour, linewidth=1, label=label)
        axes.scatter(x, y, s=[max(row["count"], 4) for row in bins], color=colour, alpha=0.6)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="forecast probability", ylabel="frequency")
    axes.set_title(f"Calibration on {report['rows']['test']} test matches")
    axes.legend(frameon=False)
    return figure


def feature_importance(report: dict[str, Any]) -> Figure:
    """Total gain of the splits on each feature, largest first; the Elo curve's own splits included."""
    ranked = sorted(report["feature_importance"].items(), key=lambda item: item[1])[-SHOWN_FEATURES:]
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.add_subplot()
    axes.barh([name for name, _ in ranked], [gain for _, gain in ranked], color="#1b6ca8")
    axes.set(xlabel="total gain", title="Feature importance")
    return figure
