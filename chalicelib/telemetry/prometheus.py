"""Prometheus' text format, version 0.0.4.

`prometheus_client` counts in the process, whose memory is one sandbox's: only its writer would be used (ADR 0014). Its
parser checks this writer in the tests.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text-based format).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a value under its labels.

    Args:
        value: Any number; NaN if unknown.
        labels: Label names to values.
        suffix: Suffix of a histogram's line: `_bucket`, `_count` or `_sum`.
    """

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its samples; a counter's name ends in `_total`."""

    name: str
    kind: Kind
    help: str
    samples: Sequence[Sample]


def histogram_samples(labels: Mapping[str, str], buckets: Mapping[str, float], total: float) -> list[Sample]:
    """The lines of one histogram; the last bucket and the count equal the sum of the buckets.

    Args:
        labels: Labels of all lines.
        buckets: Upper bound (as text) to the number of values above the previous bound; bounds ascending, `+Inf`
            last.
        total: Sum of all values.
    """
    lines, count = [], 0.0
    for bound, inside in buckets.items():
        count += inside
        lines.append(Sample(count, {**labels, "le": bound}, "_bucket"))
    return [*lines, Sample(total, labels, "_sum"), Sample(count, labels, "_count")]


def render(families: Iterable[Family]) -> str:
    """The exposition of all families, each with HELP and TYPE even when it has no sample."""
    lines: list[str] = []
    for family in families:
        lines.append(f"# HELP {family.name} {_escaped(family.help)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        lines += [
            f"{family.name}{sample.suffix}{_labels(sample.labels)} {_number(sample.value)}" for sample in family.samples
        ]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    quoted = ",".join(f'{name}="{_escaped(value, quotes=True)}"' for name, value in labels.items())
    return f"{{{quoted}}}"


def _escaped(text: str, *, quotes: bool = False) -> str:
    escaped = text.replace("\\", r"\\").replace("\n", r"\n")
    return escaped.replace('"', r"\"") if quotes else escaped


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
