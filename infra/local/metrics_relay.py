"""Turn EMF log lines into CloudWatch metrics on the emulator: `python -m infra.local.metrics_relay`.

On AWS, CloudWatch itself does this; the emulator does not. Runs beside the local system until it is stopped. The
position is saved in a file, so that a restart neither repeats nor loses a line.
"""

import argparse
import contextlib
import itertools
import json
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

POLL_SECONDS: Final = 1.0
_DATA_PER_CALL: Final = 500
_VALUES_PER_DATUM: Final = 150
_EVENTS_PER_PAGE: Final = 10_000
# an invocation's lines are stamped shortly before they can be read
_OVERLAP_MS: Final = 3_000
# reading takes longer after many invocations: pause longer then, to leave the emulator to its work
_PAUSE_PER_READ: Final = 9.0
_LONGEST_PAUSE_SECONDS: Final = 5.0

Datum = dict[str, Any]
# namespace, metric, unit, dimensions, second
_Key = tuple[str, str, str, tuple[tuple[str, str], ...], int]


def metric_data(lines: Iterable[str]) -> Iterator[tuple[str, list[Datum]]]:
    """Convert EMF lines as CloudWatch does: per namespace, batches for `PutMetricData`.

    Values of one metric, dimension set and second become one datum with `Values` and `Counts`, which keeps every
    statistic exact. Other lines are ignored.
    """
    by_namespace: dict[str, list[Datum]] = defaultdict(list)
    for (namespace, name, unit, dimensions, second), counts in _grouped(lines).items():
        values = sorted(counts.items())
        for start in range(0, len(values), _VALUES_PER_DATUM):
            part = values[start : start + _VALUES_PER_DATUM]
            by_namespace[namespace].append(
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions],
                    "Timestamp": second,
                    "Unit": unit,
                    "Values": [value for value, _ in part],
                    "Counts": [float(count) for _, count in part],
                }
            )
    for namespace, data in by_namespace.items():
        for start in range(0, len(data), _DATA_PER_CALL):
            yield namespace, data[start : start + _DATA_PER_CALL]


def _grouped(lines: Iterable[str]) -> dict[_Key, Counter[float]]:
    grouped: dict[_Key, Counter[float]] = defaultdict(Counter)
    for document in filter(None, map(_emf, lines)):
        second = document["_aws"]["Timestamp"] // 1_000
        for directive in document["_aws"]["CloudWatchMetrics"]:
            for metric, names in itertools.product(directive["Metrics"], directive["Dimensions"]):
                value = document[metric["Name"]]
                dimensions = tuple(sorted((name, str(document[name])) for name in names))
                key = (directive["Namespace"], metric["Name"], metric.get("Unit", "None"), dimensions, second)
                grouped[key].update(map(float, value if isinstance(value, list) else [value]))
    return grouped


def _emf(line: str) -> dict[str, Any] | None:
    start = line.find("{")
    if start < 0 or '"CloudWatchMetrics"' not in line:
        return None
    try:
        document: dict[str, Any] = json.loads(line[start:])
    except json.JSONDecodeError:
        return None
    return document if isinstance(document.get("_aws"), dict) else None


@dataclass
class _Position:
    """Read position of a log group: the latest time, and the invocations (streams) read around it."""

    reached_ms: int = 0
    streams: dict[str, int] = field(default_factory=dict)


class MetricsRelay:
    """Relays the log groups of a stack.

    Args:
        logs: CloudWatch Logs client.
        cloudwatch: CloudWatch client.
        prefix: Log groups whose names begin with it are relayed.
        memory: File with the read positions.
    """

    def __init__(self, logs: Any, cloudwatch: Any, prefix: str, memory: Path) -> None:
        self._logs = logs
        self._cloudwatch = cloudwatch
        self._prefix = prefix
        self._memory = memory
        self._positions: dict[str, _Position] = defaultdict(_Position)
        if memory.exists():
            for group, (reached, streams) in json.loads(memory.read_text(encoding="utf-8")).items():
                self._positions[group] = _Position(reached, streams)

    def relay(self) -> int:
        """Relay new lines; returns the number of EMF lines.

        Raises:
            ClientError, BotoCoreError: the emulator does not answer; the same lines are relayed the next time.
        """
        lines: list[str] = []
        positions: dict[str, _Position] = {}
        for group in self._groups():
            new, position = self._new_lines(group)
            if new:
                lines += new
                positions[group] = position
        for namespace, data in metric_data(lines):
            self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        if positions:
            self._positions |= positions
            self._remember()
        return len(lines)

    def _groups(self) -> list[str]:
        pages = self._logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=self._prefix)
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def _new_lines(self, group: str) -> tuple[list[str], _Position]:
        position = self._positions[group]
        lines: list[str] = []
        streams = dict(position.streams)
        start = max(0, position.reached_ms - _OVERLAP_MS)
        while True:
            # The emulator gives at most a page, oldest first, and no token. A stream is one invocation, all of whose
            # lines have one time and appear at once.
            events: Sequence[Any] = self._logs.filter_log_events(
                logGroupName=group, startTime=start, filterPattern='"CloudWatchMetrics"', limit=_EVENTS_PER_PAGE
            )["events"]
            full = len(events) == _EVENTS_PER_PAGE
            last = events[-1]["timestamp"] if events else start
            if full and events[0]["timestamp"] < last:
                # the last millisecond may have been cut in two
                events = [event for event in events if event["timestamp"] < last]
            elif full:
                # a page of one millisecond: nothing of it can be asked for again
                last += 1
            new_events = [event for event in events if event["logStreamName"] not in streams]
            lines += [event["message"] for event in new_events]
            streams |= {event["logStreamName"]: event["timestamp"] for event in new_events}
            start = max(start, last)
            if not full:
                break
        recent_streams = {name: moment for name, moment in streams.items() if moment >= start - 2 * _OVERLAP_MS}
        return lines, _Position(start, recent_streams)

    def _remember(self) -> None:
        text = json.dumps(
            {group: [position.reached_ms, position.streams] for group, position in self._positions.items()}
        )
        partial = self._memory.with_suffix(".partial")
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(self._memory)


def pause_after(seconds: float) -> float:
    """Pause after a reading that took this long."""
    # bounded: one slow reading, during a deployment, must not stop the relay for minutes
    return min(max(POLL_SECONDS, _PAUSE_PER_READ * seconds), _LONGEST_PAUSE_SECONDS)


def log(text: str) -> None:
    """Print a line; a full disk must not end the relay."""
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Relay until stopped; once more at the end, so that nothing printed before is lost."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.metrics_relay", description=__doc__)
    parser.add_argument("--stack", default=os.environ.get("STACK_NAME", "soccer-local"))
    parser.add_argument("--memory", type=Path, required=True, help="file with the read positions")
    options = parser.parse_args(arguments)
    relay = MetricsRelay(
        boto3.client("logs"), boto3.client("cloudwatch"), f"/aws/lambda/{options.stack}-", options.memory
    )
    running = True

    def stop(_signal: int, _frame: Any) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while True:
        last, started = not running, time.monotonic()
        try:
            relay.relay()
        except (BotoCoreError, ClientError) as error:
            log(f"the emulator does not answer: {type(error).__name__}")
        except OSError as error:
            # probably a full disk: after a restart, lines since then would be relayed again
            log(f"the read positions cannot be saved: {error}")
        with contextlib.suppress(OSError):
            # shows `make status` when a dead relay was last alive
            (options.memory.parent / "alive").touch()
        if last:
            return 0
        deadline = time.monotonic() + pause_after(time.monotonic() - started)
        while running and time.monotonic() < deadline:
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
