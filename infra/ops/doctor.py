"""`make doctor`: check every stored object that the pointer and the mirrors name, and repair it if possible.

A malformed or missing pointer is replaced by the newest kept one; a damaged file by its version with the recorded
checksum. Files without such a version are rewritten by running their function: `rebuild` and
`refresh_odds` from the raw files, `sync_models` from the registry, `monitor_drift` from the release.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import ServiceError
from chalicelib.storage.objects import S3ObjectStore
from chalicelib.storage.versions import VersionedBucket
from chalicelib.telemetry.integrity import Damage, examine
from infra.stack.outputs import read_outputs

_FUNCTION_SECONDS: Final = 900
_ORDER: Final = ("sync_models", "rebuild", "refresh_odds", "monitor_drift")
"""In order: each function needs what the previous ones write."""


def run_remedies(damage: list[Damage], invoke: Callable[[str], str | None]) -> None:
    """Run the functions that rewrite what could not be repaired.

    Args:
        damage: The damaged objects.
        invoke: Runs a function; returns its error, or None.
    """
    remedies = {damaged.remedy for damaged in damage if damaged.repair is None}
    for function in _ORDER:
        if function in remedies:
            error = invoke(function)
            print(f"{function}: {error or 'done'}")


def report(damage: list[Damage]) -> None:
    """Print one line for each damaged object."""
    for damaged in damage:
        print(f"{damaged.problem:<10}{damaged.key}   {damaged.repair or f'not repaired: {damaged.remedy} rewrites it'}")
    print(f"{len(damage)} damaged" if damage else "everything is whole")


def _bucket_and_stack(environment: Mapping[str, str], stack: str | None) -> tuple[str, str]:
    if stack is None:
        try:
            return environment["BUCKET"], environment["STACK_NAME"]
        except KeyError:
            raise LookupError("which system? Start the local one with `make up`, or name a stack: --stack") from None
    outputs = read_outputs(boto3.client("cloudformation"), stack)
    if outputs is None:
        raise LookupError(f"no complete stack {stack} here")
    return outputs.bucket, stack


def _invoke(client: Any, stack: str, function: str) -> str | None:
    answer = client.invoke(FunctionName=f"{stack}-{function}", Payload=b"{}")
    payload = answer["Payload"].read().decode()
    if not answer.get("FunctionError"):
        return None
    return str(json.loads(payload).get("errorMessage", payload))[:500]


def main(arguments: list[str] | None = None) -> int:
    """Examine, repair, examine again; exit code 1 if something is still damaged, 2 if nothing could be examined."""
    parser = argparse.ArgumentParser(prog="python -m infra.ops.doctor", description=__doc__)
    parser.add_argument("--stack", help="a stack on AWS; without it the local system")
    parser.add_argument("--check", action="store_true", help="only report damage")
    options = parser.parse_args(arguments)
    try:
        bucket, stack = _bucket_and_stack(os.environ, options.stack)
        s3 = boto3.client("s3")
        objects, versions = S3ObjectStore(s3, bucket), VersionedBucket(s3, bucket)
        damage = examine(objects, versions, repair=not options.check)
        report(damage)
        if options.check or not damage:
            return 1 if damage else 0
        if any(damaged.repair is None for damaged in damage):
            patience = Config(read_timeout=_FUNCTION_SECONDS, retries={"max_attempts": 1})
            functions = boto3.client("lambda", config=patience)
            run_remedies(damage, lambda function: _invoke(functions, stack, function))
        print("once more:")
        still_damaged = examine(objects, versions, repair=True)
        report(still_damaged)
    except (LookupError, ServiceError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 1 if still_damaged else 0


if __name__ == "__main__":
    raise SystemExit(main())
