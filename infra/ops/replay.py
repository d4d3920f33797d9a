"""Run a day of batch again: `make replay AS_OF=2024-03-20 [STACK=soccer-prod]`.

Invoke the rebuild, the odds refresh and the drift report with that time instead of today's. They use only what was
known then, so the same raw files give the same data sets. The rebuild's release becomes the current one even if it is
older: readers go back to that day until the next scheduled rebuild.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import boto3
from botocore.config import Config

from infra.as_of import parse_as_of

Say = Callable[[str], None]

FUNCTIONS: Final = ("rebuild", "refresh_odds", "monitor_drift")
# Lambda's longest run is 15 minutes; a retry would run it twice
_PATIENCE: Final = Config(read_timeout=905, retries={"max_attempts": 0, "mode": "standard"})


class ReplayFailed(Exception):
    """A function failed; the message has its error."""


def replay(awslambda: Any, stack: str, event: Mapping[str, Any], say: Say) -> None:
    """Invoke the batch functions one after the other with an event; without `backwards` only the rebuild.

    Odds and drift report would be replaced whatever their time.

    Args:
        awslambda: A boto3 client.
        stack: Functions are named `<stack>-<function>`.
        event: Event of each function.
        say: Prints a line for each.

    Raises:
        ReplayFailed: One failed; those after it were not invoked.
    """
    for function in FUNCTIONS if event.get("backwards") else FUNCTIONS[:1]:
        answer = awslambda.invoke(FunctionName=f"{stack}-{function}", Payload=json.dumps(dict(event)).encode())
        payload = answer["Payload"].read().decode()
        if answer.get("FunctionError"):
            raise ReplayFailed(f"{function} failed: {payload[:2_000]}")
        say(f"{function}: {payload[:400]}")


def main(arguments: list[str] | None = None) -> int:
    """Replay a day on a stack."""
    parser = argparse.ArgumentParser(prog="python -m infra.ops.replay", description=__doc__)
    parser.add_argument("--as-of", type=parse_as_of, required=True, help="the time to use as now, such as 2024-03-20")
    parser.add_argument("--stack", default="soccer-local")
    parser.add_argument(
        "--keep-current", action="store_true", help="rebuild only, and publish it only if it is not older"
    )
    options = parser.parse_args(arguments)
    try:
        event = {"as_of": options.as_of, "backwards": not options.keep_current}
        replay(boto3.client("lambda", config=_PATIENCE), options.stack, event, print)
    except ReplayFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
