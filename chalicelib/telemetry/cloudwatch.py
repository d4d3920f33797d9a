"""Totals since a fixed instant, read from CloudWatch.

A sandbox's memory knows only its own requests, so counters are summed in CloudWatch. The window
begins at a fixed instant (`window_start`), never "N days ago": a sliding window would make counters fall.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient

logger = logging.getLogger(__name__)

PERIOD: Final = timedelta(days=7)
WINDOW: Final = 52 * PERIOD
"""Period of the totals before they restart; CloudWatch keeps hourly data for 455 days, which is longer."""

_SERIES_PER_CALL: Final = 500
# clocks differ; a point of this minute must not be cut off
_AHEAD: Final = timedelta(minutes=5)

Statistic = Literal["SampleCount", "Sum"]


class CountersUnavailable(Retryable):
    """CloudWatch does not answer."""

    code = "counters_unavailable"


@dataclass(frozen=True, slots=True)
class Series:
    """One CloudWatch metric with exactly these dimensions, in any order."""

    metric: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, metric: str, **dimensions: str) -> Self:
        """The series with these dimensions."""
        return cls(metric, frozenset(dimensions.items()))

    @property
    def labels(self) -> dict[str, str]:
        """Its dimensions."""
        return dict(self.dimensions)


Total = tuple[Series, Statistic]


def window_start(now: datetime) -> datetime:
    """When the totals began: the last multiple of 52 weeks since 1970.

    It is a multiple of the period, so no data point spans it however CloudWatch aligns periods.
    """
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


class CloudWatchCounters:
    """Totals of a namespace.

    Args:
        client: CloudWatch client.
        namespace: The metrics' namespace.
    """

    def __init__(self, client: "CloudWatchClient", namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._highest: dict[tuple[datetime, Total], float] = {}

    def listed(self) -> set[Series]:
        """Every series that CloudWatch lists: those of the last two weeks, up to 15 minutes late.

        Raises:
            CountersUnavailable: CloudWatch does not answer.
        """
        try:
            pages = self._client.get_paginator("list_metrics").paginate(Namespace=self._namespace)
            return {
                Series(metric["MetricName"], frozenset((d["Name"], d["Value"]) for d in metric["Dimensions"]))
                for page in pages
                for metric in page["Metrics"]
            }
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error

    def totals(self, requested_totals: Iterable[Total], now: datetime) -> Mapping[Total, float]:
        """The total of each series since `window_start`, 0 without data; never less than returned before.

        Raises:
            CountersUnavailable: CloudWatch does not answer, or not completely.
        """
        start, requested = window_start(now), list(requested_totals)
        totals: dict[Total, float] = {}
        for first in range(0, len(requested), _SERIES_PER_CALL):
            totals |= self._read(requested[first : first + _SERIES_PER_CALL], start, now + _AHEAD)
        # CloudWatch is eventually consistent: an answer may be older than the previous one, and Prometheus treats
        # a falling counter as a restart. Earlier windows' totals are dropped.
        highest = {(start, total): max(value, self._highest.get((start, total), 0)) for total, value in totals.items()}
        self._highest = {key: value for key, value in self._highest.items() if key[0] == start} | highest
        return {total: value for (_, total), value in highest.items()}

    def _read(self, requested: list[Total], start: datetime, end: datetime) -> dict[Total, float]:
        by_id = {f"m{index}": total for index, total in enumerate(requested)}
        queries: Any = [self._query(name, series, statistic) for name, (series, statistic) in by_id.items()]
        totals = dict.fromkeys(requested, 0.0)
        try:
            pages = self._client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries, StartTime=start, EndTime=end
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    if result.get("StatusCode") in ("InternalError", "Forbidden"):
                        raise CountersUnavailable(f"CloudWatch answered {result['StatusCode']} for {result['Id']}")
                    totals[by_id[result["Id"]]] += sum(result["Values"])
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        return totals

    def _query(self, name: str, series: Series, statistic: Statistic) -> dict[str, Any]:
        dimensions = [{"Name": key, "Value": value} for key, value in sorted(series.dimensions)]
        metric = {"Namespace": self._namespace, "MetricName": series.metric, "Dimensions": dimensions}
        stat = {"Metric": metric, "Period": int(PERIOD.total_seconds()), "Stat": statistic}
        return {"Id": name, "MetricStat": stat, "ReturnData": True}


def _unavailable(error: Exception) -> CountersUnavailable:
    return CountersUnavailable(f"CloudWatch does not answer: {type(error).__name__}")
