"""Monthly cost: `python -m infra.reference.cost [--predictions 100000]`, beside the always-on system it replaces.

Times are those of `measured.json` (`make bench-cold`), prices those of `prices.json`, dated and with their source. What
is assumed about callers is in `Workload`, each value with its reason, and can be changed from the command line.
`--write` makes the tables of docs/cost.md.
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from infra.paths import ROOT
from infra.stack.functions import FUNCTIONS
from infra.stack.monitoring import alarms

PRICES: Final = ROOT / "infra" / "reference" / "prices.json"
MEASURED: Final = ROOT / "infra" / "reference" / "measured.json"
PAGE: Final = ROOT / "docs" / "cost.md"

HOURS: Final = 730.0
"""Hours of an average month, as in AWS's own calculator."""
SECONDS: Final = HOURS * 3_600
DAY: Final = 86_400
FULL_CORE_MB: Final = 1_769
"""Memory at which Lambda gives one whole processor core; below it a share in proportion (AWS Lambda guide)."""
SANDBOX_IDLE_SECONDS: Final = 300.0
"""How long an idle sandbox is kept. AWS guarantees nothing and some minutes are usual, so this overestimates the
cost."""
SCALING_COLD_SHARE: Final = 0.001
"""Cold starts for other reasons: more callers at once, sandboxes replaced."""
POLLS_PER_QUEUE: Final = 5 * SECONDS / 20
"""Receive calls of an idle event source mapping: five pollers, 20 s long polling."""
QUEUES: Final = 2
SIZES: Final = (1_000, 100_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Workload:
    """A month of use.

    Args:
        predictions: Predictions, synchronous and queued.
        async_share: Share of them that are queued.
        polls_per_task: How often a caller polls a queued result.
        reads_per_prediction: Calls of lists (cards, odds) per prediction.
        read_kilobytes: Size of such an answer, compressed.
        log_bytes: Log and metrics text of one call, with Lambda's own three lines.
        log_days: How long logs are kept (`LogRetentionDays` of prod).
        task_write_units: DynamoDB write units of a task: put and update of a 1 to 2 kB item and of its index entry.
        stored_gb: In the bucket: raw matches, 15 releases, models, old versions.
        rebuilds: Rebuilds a month (twice a day).
        odds_refreshes: Every ten minutes.
        model_syncs: Every five minutes.
        sweeps: Every fifteen minutes.
        metric_series: Custom metrics in CloudWatch.
        alarms: Alarms, with the one on each function's Errors.
        secrets: Secrets.
    """

    predictions: float
    async_share: float = 0.2
    polls_per_task: float = 2
    reads_per_prediction: float = 0.5
    read_kilobytes: float = 20
    log_bytes: float = 1_200
    log_days: float = 90
    task_write_units: float = 6
    stored_gb: float = 2
    rebuilds: float = 61
    odds_refreshes: float = 4_380
    model_syncs: float = 8_760
    sweeps: float = 2_920
    metric_series: float = 100
    alarms: float = len(alarms()) + len(FUNCTIONS)
    secrets: float = 2

    @property
    def tasks(self) -> float:
        """Queued predictions."""
        return self.predictions * self.async_share

    def calls(self) -> dict[str, float]:
        """Invocations by function; inference drains one task each, which overestimates the cost."""
        return {
            "predict": self.predictions - self.tasks,
            "predict_async": self.tasks,
            "inference": self.tasks,
            "task_status": self.tasks * self.polls_per_task,
            "cards": self.predictions * self.reads_per_prediction,
            "rebuild": self.rebuilds,
            "refresh_odds": self.odds_refreshes,
            "sync_models": self.model_syncs,
            "monitor_drift": 30,
            "sweep": self.sweeps,
        }

    @property
    def http_calls(self) -> float:
        """What passes API Gateway."""
        calls = self.calls()
        return calls["predict"] + calls["predict_async"] + calls["task_status"] + calls["cards"]


def cold_share(calls: float) -> float:
    """Share of a function's calls that start a sandbox, if they come at random times through the month.

    With λ calls a second, a sandbox is gone if none came for `SANDBOX_IDLE_SECONDS` T: probability exp(-λT).
    """
    idle = math.exp(-calls / SECONDS * SANDBOX_IDLE_SECONDS)
    return min(1.0, idle + SCALING_COLD_SHARE)


def billed_gb_seconds(calls: float, memory_mb: float, warm_ms: float, cold_ms: float) -> float:
    """GB-seconds of a function's month; the start is billed too, as AWS does since August 2025.

    Args:
        calls: Invocations.
        memory_mb: The function's memory.
        warm_ms: Time of a warm call on a whole core.
        cold_ms: Time of a cold start with its first call on a whole core.
    """
    slower = max(1.0, FULL_CORE_MB / memory_mb)
    cold = cold_share(calls)
    # billed by the millisecond, rounded up
    milliseconds = (1 - cold) * math.ceil(warm_ms * slower) + cold * math.ceil(cold_ms * slower)
    return calls * milliseconds / 1_000 * memory_mb / 1_024


def monthly(workload: Workload, measured: Mapping[str, Any], prices: Mapping[str, Any]) -> dict[str, float]:
    """Dollars a month by service."""
    calls = workload.calls()
    functions = measured["functions"]
    gb_seconds = sum(
        billed_gb_seconds(count, function["memory_mb"], function["warm_ms"], function["cold_ms"])
        for name, count in calls.items()
        for function in [functions[name]]
    )
    all_calls = sum(calls.values())
    dynamodb, s3, watch = prices["dynamodb"], prices["s3"], prices["cloudwatch"]
    # A function compares an ETag at most every five seconds while it is used, and never more often than it is called.
    checks = sum(min(count, SECONDS / 5) for count in calls.values())
    log_gb = all_calls * workload.log_bytes / 1e9
    return {
        "Lambda": gb_seconds * prices["lambda"]["gb_second"] + all_calls * prices["lambda"]["request"],
        "API Gateway": workload.http_calls * prices["api_gateway"]["rest_request"],
        "SQS": (QUEUES * POLLS_PER_QUEUE + 3 * workload.tasks) * prices["sqs"]["request"],
        "DynamoDB": workload.tasks * workload.task_write_units * dynamodb["write_unit"]
        + workload.tasks * workload.polls_per_task * dynamodb["read_unit"]
        + 0.01 * (dynamodb["gb_month"] + dynamodb["backup_gb_month"]),
        "S3": workload.stored_gb * s3["gb_month"]
        + checks * s3["get"]
        + (10 * workload.rebuilds + 4 * workload.odds_refreshes) * s3["put"],
        "Logs": log_gb * (watch["log_gb"] + watch["log_stored_gb_month"] * workload.log_days * DAY / SECONDS),
        "Metrics, alarms": workload.metric_series * watch["metric_month"]
        + workload.alarms * watch["alarm_month"]
        + watch["dashboard_month"],
        "Secrets": workload.secrets * prices["secrets_manager"]["secret_month"],
        "Transfer": workload.predictions
        * workload.reads_per_prediction
        * workload.read_kilobytes
        / 1e6
        * prices["transfer"]["out_gb"],
    }


def options(workload: Workload, measured: Mapping[str, Any], prices: Mapping[str, Any]) -> dict[str, float]:
    """Dollars a month of what a parameter or a neighbour adds."""
    edge, watch, always = prices["edge"], prices["cloudwatch"], prices["always_on"]
    calls = workload.http_calls
    megabytes = workload.predictions * workload.reads_per_prediction * workload.read_kilobytes / 1e3
    metrics = measured["functions"]["metrics"]
    scrapes = SECONDS / 60
    scrape_time = billed_gb_seconds(scrapes, metrics["memory_mb"], metrics["warm_ms"], metrics["cold_ms"])
    return {
        "Web ACL, two rules (`AddressLimit`)": edge["acl_month"]
        + 2 * edge["acl_rule_month"]
        + calls * edge["acl_request"],
        "CloudFront (`Cdn`), nothing cached": calls * (edge["cdn_request"] + edge["cdn_function_call"])
        + megabytes / 1e3 * (edge["cdn_out_gb"] - prices["transfer"]["out_gb"])
        + prices["secrets_manager"]["secret_month"],
        "Alarms on Throttles and Duration (`FunctionAlarms`)": 2 * len(FUNCTIONS) * watch["alarm_month"],
        "`GET /metrics` scraped each minute": scrapes
        * (prices["api_gateway"]["rest_request"] + prices["lambda"]["request"])
        + scrapes * workload.metric_series * watch["get_metric"]
        + scrape_time * prices["lambda"]["gb_second"],
        "MLflow server, half a core and 2 GB on Fargate": HOURS
        * (0.5 * always["fargate_vcpu_hour"] + 2 * always["fargate_gb_hour"])
        + VOLUME_GB * always["ebs_gb_month"],
        "Secrets of an MLflow server and an odds provider": 2 * prices["secrets_manager"]["secret_month"],
    }


@dataclass(frozen=True, slots=True)
class Pod:
    """A container that always runs.

    Args:
        name: Its part.
        vcpu: Processor cores it is given.
        gigabytes: Memory it is given.
    """

    name: str
    vcpu: float
    gigabytes: float


# The original at its smallest: an API pod, a Celery worker, RabbitMQ; pandas and mlflow need the memory.
PODS: Final = (Pod("API", 0.5, 2), Pod("worker", 0.5, 2), Pod("broker", 0.5, 1))
VOLUME_GB: Final = 20


def always_on(prices: Mapping[str, Any], *, cluster: bool = True) -> dict[str, float]:
    """Dollars a month of the original on EKS with Fargate; the same at every size it can carry.

    Args:
        prices: The price table.
        cluster: Whether the Kubernetes control plane is paid for (no: containers on ECS).
    """
    sizes = prices["always_on"]
    hourly = {
        **({"Kubernetes": sizes["eks_cluster_hour"]} if cluster else {}),
        **{pod.name: pod.vcpu * sizes["fargate_vcpu_hour"] + pod.gigabytes * sizes["fargate_gb_hour"] for pod in PODS},
        "Load balancer": sizes["load_balancer_hour"] + sizes["load_balancer_lcu_hour"],
    }
    volume = {"Volume": VOLUME_GB * sizes["ebs_gb_month"]}
    return {name: price * HOURS for name, price in hourly.items()} | volume


def break_even(cost: Callable[[float], float], limit: float, most: float = 1e10) -> float:
    """Predictions a month at which a rising cost reaches a limit; `most` if it never does.

    Args:
        cost: Dollars for this many predictions.
        limit: Dollars to compare with.
        most: Where the search ends.
    """
    low, high = 0.0, most
    if cost(high) <= limit:
        return most
    while high - low > max(1.0, low * 1e-6):
        middle = (low + high) / 2
        low, high = (middle, high) if cost(middle) <= limit else (low, middle)
    return low


def provisioned(memory_mb: float, sandboxes: float, price: Mapping[str, float]) -> float:
    """Dollars a month of sandboxes kept warm (provisioned concurrency), idle."""
    return sandboxes * memory_mb / 1_024 * SECONDS * price["provisioned_gb_second_idle"]


def snapstart(memory_mb: float, restores: float, price: Mapping[str, float]) -> float:
    """Dollars a month of SnapStart for one version: its snapshot kept, and each cold start restored from it."""
    gigabytes = memory_mb / 1_024
    return (
        gigabytes * SECONDS * price["snapstart_cache_gb_second"] + restores * gigabytes * price["snapstart_restore_gb"]
    )


# ── The page ────────────────────────────────────────────────────────────────────────────────────────


def load(path: Path) -> dict[str, Any]:
    """A JSON table."""
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table


def tables(measured: Mapping[str, Any], prices: Mapping[str, Any], base: Workload) -> str:
    """The tables of docs/cost.md, as Markdown."""
    months = [monthly(replace(base, predictions=size), measured, prices) for size in SIZES]
    dates = f"Prices of {prices['as_of']}, {prices['region']}; times measured on {measured['measured_at']}"
    lines = [
        f"{dates} ({measured['machine']}).",
        "",
        "| $ a month | " + " | ".join(f"{size:,}" for size in SIZES) + " |",
        "|---|" + "---:|" * len(SIZES),
    ]
    lines += [f"| {name} | " + " | ".join(f"{month[name]:,.2f}" for month in months) + " |" for name in months[0]]
    lines.append("| **Sum** | " + " | ".join(f"**{sum(month.values()):,.2f}**" for month in months) + " |")
    thousands = [sum(month.values()) / size * 1_000 for month, size in zip(months, SIZES, strict=True)]
    lines.append("| per 1,000 predictions | " + " | ".join(f"{figures:,.4f}" for figures in thousands) + " |")
    more = [options(replace(base, predictions=size), measured, prices) for size in SIZES]
    lines += ["", "| Beside these, $ a month | " + " | ".join(f"{size:,}" for size in SIZES) + " |"]
    lines += ["|---|" + "---:|" * len(SIZES)]
    lines += [f"| {name} | " + " | ".join(f"{month[name]:,.2f}" for month in more) + " |" for name in more[0]]
    original = always_on(prices)

    def cost(predictions: float) -> float:
        return sum(monthly(replace(base, predictions=predictions), measured, prices).values())

    with_cluster = break_even(cost, sum(original.values()))
    without = break_even(cost, sum(always_on(prices, cluster=False).values()))
    function = measured["functions"]["predict"]
    warm_price = provisioned(function["memory_mb"], 1, prices["lambda"])
    restores = cold_share(base.calls()["predict"]) * base.calls()["predict"]
    snap = snapstart(function["memory_mb"], restores, prices["lambda"])
    against = f"**{with_cluster / 1e6:.1f} million** predictions a month against the original on Kubernetes"
    leaner = f"{without / 1e6:.1f} million against the same containers without the cluster's fee (ECS)"
    memory = function["memory_mb"]
    warm = f"One `predict` sandbox kept warm (provisioned concurrency, {memory} MB): ${warm_price:,.2f} a month"
    snapshot = f"SnapStart for `predict`: ${snap:,.2f} a month for one version at {base.predictions:,.0f} predictions"
    parts = ", ".join(f"{name} {price:,.2f}" for name, price in original.items())
    lines += ["", f"The original, always on: **${sum(original.values()):,.2f}** a month ({parts})."]
    lines += [f"Break-even: {against}, {leaner}.", f"{warm}. {snapshot}."]
    return "\n".join(lines)


_MARKS: Final = ("<!-- made by make cost -->", "<!-- end -->")


def with_tables(page: str, tables_text: str) -> str:
    """A page with its made part replaced.

    Raises:
        ValueError: It has no such part.
    """
    pattern = re.compile(f"{re.escape(_MARKS[0])}.*{re.escape(_MARKS[1])}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE} lacks {_MARKS[0]}")
    return pattern.sub(lambda _: f"{_MARKS[0]}\n{tables_text}\n{_MARKS[1]}", page)


def main(arguments: list[str] | None = None) -> int:
    """Print a month's cost, or write the page."""
    parser = argparse.ArgumentParser(prog="python -m infra.reference.cost", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables of docs/cost.md")
    for field in fields(Workload):
        argument = {"type": float, "default": 100_000 if field.name == "predictions" else field.default}
        parser.add_argument(f"--{field.name.replace('_', '-')}", metavar="N", **argument)  # type: ignore[arg-type]
    options = parser.parse_args(arguments)
    base = Workload(**{field.name: getattr(options, field.name) for field in fields(Workload)})
    measured, prices = load(MEASURED), load(PRICES)
    if options.write:
        tables_text = tables(measured, prices, base)
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables_text), encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} written")
        return 0
    month = monthly(base, measured, prices)
    print(f"{base.predictions:,.0f} predictions a month, {prices['region']}, prices of {prices['as_of']}")
    for name, dollars in month.items():
        print(f"  {name:<14}{dollars:>12,.2f}")
    original = sum(always_on(prices).values())
    total = sum(month.values())
    print(f"  {'sum':<14}{total:>12,.2f}   always on: {original:,.2f}")
    print(f"  prices: {prices['source']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
