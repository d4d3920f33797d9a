"""Which form of a list a caller wants (RFC 9110, 12.5.1): JSON, or CSV where it says so."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chalicelib.csv_cells import harmless

CSV: Final = "text/csv"


def prefers_csv(accept: str) -> bool:
    """Whether an `Accept` header prefers CSV to JSON; on equal weights JSON wins."""
    weights: dict[str, float] = {}
    for item in accept.lower().split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        weights[media] = min((_weight(parameter) for parameter in parameters), default=1.0)
    json_weight = max(weights.get(media, 0.0) for media in ("application/json", "application/*", "*/*"))
    return weights.get(CSV, 0.0) > json_weight


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def rows_csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]], *, header: bool = True) -> str:
    """Rows as CSV (RFC 4180): null is empty, truth is true or false, text is never a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    if header:
        writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return harmless(value) if isinstance(value, str) else value
