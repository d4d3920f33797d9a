"""The drift report as one readable page of HTML: no script, nothing loaded from elsewhere. Pure."""

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from batch.drift.measure import drifted_columns
from batch.odds.arrays import Floats

BINS: Final = 24
_WIDTH: Final = 220
_HEIGHT: Final = 56

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #d0d7de; --soft: #57606a; --reference: #8c959f;
  --current: #0969da; --bad: #b42318; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d; --soft: #9198a1;
  --reference: #6e7681; --current: #58a6ff; --bad: #ff7b72; --good: #56d364; } }
body { margin: 0 auto; max-width: 96rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; } p { max-width: 48rem; } .soft { color: var(--soft); }
dl { display: flex; flex-wrap: wrap; gap: .75rem 2rem; margin: 1rem 0; } dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child, .text { text-align: left; } thead th { color: var(--soft); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
.note { border-left: 4px solid var(--bad); padding: .25rem .75rem; }
svg { display: block; } .reference { fill: var(--reference); opacity: .55; }
.current { fill: none; stroke: var(--current); stroke-width: 1.5; } .key { font-size: .85rem; color: var(--soft); }
.key b { color: var(--reference); } .key i { color: var(--current); font-style: normal; font-weight: 600; }
"""


def render(report: Mapping[str, Any], reference: pd.DataFrame, current: pd.DataFrame) -> bytes:
    """The page of one report.

    Args:
        report: From `batch.drift.measure.drift_report`.
        reference: The reference sample it was made from, for the plots.
        current: The current sample.

    Returns:
        UTF-8 HTML; the same input gives the same bytes. Drifted columns come first, by distance beyond
        their threshold.
    """
    columns: Mapping[str, Mapping[str, Any]] = report["drift_by_columns"]
    first = drifted_columns(report)
    names = [*first, *sorted(set(columns) - set(first))]
    rows = "\n".join(_row(columns[name], reference[name], current[name]) for name in names)
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Feature drift at {_text(report["as_of"])}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Feature drift</h1>
<p class="soft">At {_text(report["as_of"])}: the features of the current matches against those the model was trained
on.</p> <p><strong>{_verdict(report)}</strong></p>
{_note(report["note"])}
<dl>
{_figure("Beyond chance at this size", f"{report['number_of_columns_beyond_noise']} of {report['number_of_columns']}")}
{_figure("Sample", "large enough" if report["sufficient_sample"] else "too small to tell")}
{_figure("Current matches", f"{report['current_rows']:,}")}
{_figure("Reference matches", f"{report['reference_rows']:,}")}
{_figure("Drifted by definition", f"{report['number_of_drifted_columns']} of {report['number_of_columns']}")}
{_figure("Drift score", _number(report["drift_score"]))}
</dl>
<p class="key">Pictures: <b>filled</b> the reference, <i>line</i> the current matches. A test's score is a distance
(drift at or above its threshold) or a p-value (drift below it). <em>Chance</em> is the distance that one sample in
twenty of this size shows without any drift; a score under it proves nothing. PSI under 0.10 is none, up to 0.25
moderate, above major.</p> <div class="scroll">
<table>
<thead><tr><th scope="col">Feature</th><th scope="col" class="text">Distribution</th><th scope="col">Drift</th>
<th scope="col" class="text">Test</th><th scope="col">Score</th><th scope="col">Threshold</th><th
scope="col">Chance</th> <th scope="col">PSI</th><th scope="col">Mean before</th><th scope="col">Mean now</th><th
scope="col">Missing before</th> <th scope="col">Missing now</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
{_skipped(report["skipped_columns"])}
</body>
</html>
"""
    return page.encode()


def _verdict(report: Mapping[str, Any]) -> str:
    """The report's conclusion beyond chance; the share of drifted columns proves nothing at small sizes."""
    if report["drift_score"] is None:
        return "Nothing could be compared."
    if not report["sufficient_sample"]:
        return "Too few matches to tell."
    beyond = report["number_of_columns_beyond_noise"]
    if beyond == 0:
        return "No feature has moved beyond chance."
    drift = "the data set has drifted" if report["dataset_drift"] else "the data set as a whole has not drifted"
    return f"{beyond} of {report['number_of_columns']} features have moved beyond chance; {drift}."


def _row(column: Mapping[str, Any], reference: pd.Series, current: pd.Series) -> str:
    drifted, surely = column["drift_detected"], column["beyond_noise"]
    word = "yes" if surely else "within chance" if drifted else "no"
    cells = [
        f'<th scope="row">{_text(column["column_name"])}</th>',
        f'<td class="text">{_picture(column["column_name"], reference, current)}</td>',
        f'<td class="{"bad" if surely else "good" if not drifted else "soft"}">{word}</td>',
        f'<td class="text">{_text(column["stattest_name"])}</td>',
        *(
            f"<td>{_number(column[key])}</td>"
            for key in ("drift_score", "stattest_threshold", "noise_floor", "psi", "reference_mean", "current_mean")
        ),
        *(f"<td>{column[key]:.1%}</td>" for key in ("reference_missing_share", "current_missing_share")),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _picture(name: str, reference: pd.Series, current: pd.Series) -> str:
    """Both distributions as inline SVG, with the same bins."""
    before, now = _values(reference), _values(current)
    if not len(before) and not len(now):
        return ""
    pooled = np.concatenate([before, now])
    # outliers would squeeze everything else into one bar
    low, high = (float(edge) for edge in np.percentile(pooled, [0.5, 99.5]))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    reference_shares, current_shares = _shares(before, edges), _shares(now, edges)
    top = max(float(reference_shares.max()), float(current_shares.max()), 1e-9)
    width = _WIDTH / BINS
    bars = "".join(
        f'<rect class="reference" x="{bin_ * width:.1f}" y="{_HEIGHT - height:.1f}" width="{width - 0.5:.1f}" '
        f'height="{height:.1f}"/>'
        for bin_, height in enumerate((reference_shares / top * _HEIGHT).tolist())
        if height > 0
    )
    steps = " ".join(_steps((current_shares / top * _HEIGHT).tolist(), width))
    line = f'<polyline class="current" points="{steps}"/>' if len(now) else ""
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="Distribution of {_text(name)} before and now">{bars}{line}</svg>'
    )


def _steps(heights: Sequence[float], width: float) -> Iterable[str]:
    for bin_, height in enumerate(heights):
        yield f"{bin_ * width:.1f},{_HEIGHT - height:.1f}"
        yield f"{(bin_ + 1) * width:.1f},{_HEIGHT - height:.1f}"


def _shares(values: Floats, edges: Floats) -> Floats:
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    return np.asarray(counts / max(len(values), 1), dtype=np.float64)


def _values(column: pd.Series) -> Floats:
    """The finite numbers of a column; none for categories that are not numbers."""
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        return np.empty(0)
    values = column.to_numpy(np.float64, na_value=np.nan)
    return np.asarray(values[np.isfinite(values)], dtype=np.float64)


def _figure(name: str, value: str) -> str:
    return f"<div><dt>{name}</dt><dd>{value}</dd></div>"


def _note(note: str | None) -> str:
    return f'<p class="note">{_text(note)}</p>' if note else ""


def _skipped(skipped: Mapping[str, str]) -> str:
    if not skipped:
        return ""
    entries = "".join(f"<li>{_text(name)}: {_text(reason)}</li>" for name, reason in sorted(skipped.items()))
    return f"<h2>Not compared</h2><ul>{entries}</ul>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"  # noqa: RUF001 - the dash that stands for no value in a table


def _text(value: object) -> str:
    return html.escape(str(value))
