"""A picture of what the Grafana dashboard shows, drawn from real scrapes of `GET /metrics`."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests
from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scrape:
    """All samples of one moment, by name and labels."""

    at: float
    seconds: float
    values: Mapping[tuple[str, Labels], float]

    def of(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        required = set(labels.items())
        return sum(value for (family, has), value in self.values.items() if family == name and required <= set(has))


def scrape(base_url: str, key: str) -> Scrape:
    """Read `GET /metrics` once."""
    started = time.time()
    answer = requests.get(f"{base_url}/metrics", headers={"X-API-Key": key}, timeout=30)
    answer.raise_for_status()
    values = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    return Scrape(started, time.time() - started, values)


@contextmanager
def scraping(base_url: str, key: str, every_seconds: float) -> Iterator[list[Scrape]]:
    """Scrape again and again in the background, as Prometheus does."""
    scrapes, stop = [scrape(base_url, key)], threading.Event()

    def work() -> None:
        while not stop.wait(every_seconds):
            scrapes.append(scrape(base_url, key))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield scrapes
    finally:
        stop.set()
        thread.join()
        scrapes.append(scrape(base_url, key))


def quantile(before: Scrape, after: Scrape, share: float, source: str) -> float:
    """Prometheus' `histogram_quantile` of the increase between two scrapes; NaN where nothing happened.

    Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile (linear inside a
    bucket; the last finite bound for the highest bucket).
    """
    name = "prediction_latency_seconds_bucket"
    bounds = sorted(
        (float(dict(labels)["le"]), value - before.values.get((family, labels), 0.0))
        for (family, labels), value in after.values.items()
        if family == name and dict(labels)["source"] == source
    )
    total = bounds[-1][1]
    if total <= 0:
        return float("nan")
    rank, lower, below = share * total, 0.0, 0.0
    for bound, count in bounds:
        if count >= rank:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (rank - below) / (count - below)
        lower, below = bound, count
    return lower


def draw(scrapes: Sequence[Scrape], path: Path) -> None:
    """Draw the dashboard's panels over the scrapes."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    start = scrapes[0].at
    pairs = list(pairwise(scrapes))
    times = [after.at - start for _, after in pairs]
    figure, axes = plt.subplots(3, 3, figsize=(15, 9.5))
    panels = iter(axes.flat)

    def label_sets(name: str, *labels: str) -> list[dict[str, str]]:
        label_sets = {
            tuple((label, dict(has)[label]) for label in labels)
            for (family, has), value in scrapes[-1].values.items()
            if family == name and value > scrapes[0].values.get((family, has), 0.0)
        }
        return [dict(label_set) for label_set in sorted(label_sets)]

    def rates(title: str, unit: str, name: str, *labels: str) -> None:
        panel = next(panels)
        for chosen in label_sets(name, *labels):
            series = [(b.of(name, **chosen) - a.of(name, **chosen)) / (b.at - a.at) for a, b in pairs]
            panel.plot(times, series, label=" ".join(chosen.values()))
        _finish(panel, title, unit)

    def gauges(title: str, unit: str, series: Mapping[str, Callable[[Scrape], float]], **limits: Any) -> None:
        panel = next(panels)
        for label, value in series.items():
            panel.plot([scrape.at - start for scrape in scrapes], [value(scrape) for scrape in scrapes], label=label)
        _finish(panel, title, unit)
        panel.set_ylim(bottom=0, **limits)

    rates("Prediction requests", "per second", "prediction_requests_total", "source", "stage")
    panel = next(panels)
    for share in (0.5, 0.95, 0.99):
        panel.plot(times, [quantile(a, b, share, "sync") for a, b in pairs], label=f"p{100 * share:g}")
    panel.axhline(0.05, color="grey", linestyle=":", linewidth=0.8)
    panel.axhline(0.2, color="grey", linestyle="--", linewidth=0.8)
    panel.set_yscale("log")
    _finish(panel, "Sync latency in the function (levels: p50 dotted, p99 dashed)", "seconds")
    panel = next(panels)
    for share in (0.5, 0.95, 0.99):
        panel.plot(times, [quantile(a, b, share, "async") for a, b in pairs], label=f"p{100 * share:g}")
    _finish(panel, "Async latency, submission to end", "seconds")
    rates("Prediction errors by reason", "per second", "prediction_errors_total", "source", "reason")
    rates("HTTP requests by status", "per second", "http_requests_total", "status")
    gauges(
        "Inference queue: depth and age",
        "messages, seconds",
        {
            "waiting": lambda one: one.of("inference_queue_messages", state="waiting"),
            "in flight": lambda one: one.of("inference_queue_messages", state="in_flight"),
            "dead letters": lambda one: one.of("inference_dead_letters"),
            "oldest task, s": lambda one: one.of("inference_oldest_task_age_seconds"),
        },
    )
    gauges("Cold starts since the beginning", "sandboxes", {"all": _since(scrapes[0], "cold_starts_total")})
    gauges(
        "Age of the data",
        "hours",
        {
            name: lambda one, name=name: one.of("data_release_age_seconds", dataset=name) / 3_600  # type: ignore[misc]
            for name in ("predictions", "fonbet_odds")
        },
    )
    _facts(next(panels), scrapes)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _facts(panel: Any, scrapes: Sequence[Scrape]) -> None:
    """What the dashboard's single figures show."""
    panel.axis("off")
    models = [dict(labels) for (name, labels), _ in scrapes[-1].values.items() if name == "model_version_info"]
    failed = sum(
        value - scrapes[0].values.get((name, labels), 0.0)
        for (name, labels), value in scrapes[-1].values.items()
        if name == "http_requests_total" and dict(labels)["status"].startswith("5")
    )
    requests_answered = scrapes[-1].of("http_requests_total") - scrapes[0].of("http_requests_total")
    text = [
        f"{scrape['stage']}: version {scrape['registered_version']}, run {scrape['model_run_id'][:12]}"
        for scrape in models
    ]
    text += [f"feature drift score: {scrapes[-1].of('feature_drift_score'):.3f}", ""]
    text += [f"requests: {requests_answered:.0f}, of them 5xx: {failed:.0f}"]
    text += [f"burn of the availability level: {failed / max(requests_answered, 1) / 0.01:.2f} x"]
    took = sorted(scrape.seconds for scrape in scrapes)
    text += [
        f"scrapes: {len(scrapes)}, median {1_000 * took[len(took) // 2]:.0f} ms, longest {1_000 * took[-1]:.0f} ms"
    ]
    panel.text(0, 0.95, "\n".join(text), va="top", fontsize=10, family="monospace")
    panel.set_title("Model, drift, service level", fontsize=10)


def _since(first: Scrape, name: str) -> Callable[[Scrape], float]:
    return lambda scrape: scrape.of(name) - first.of(name)


def _finish(panel: Any, title: str, unit: str) -> None:
    panel.set_title(title, fontsize=10)
    panel.set_ylabel(unit, fontsize=8)
    panel.tick_params(labelsize=8)
    panel.grid(alpha=0.3)
    if panel.get_legend_handles_labels()[1]:
        panel.legend(fontsize=7)
