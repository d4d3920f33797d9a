"""The time a run takes for now, as a command line gives it."""

import argparse

from chalicelib.timestamps import parse_utc


def parse_as_of(text: str) -> str:
    """An ISO date or time as UTC with `Z`; the `type` of an argument.

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    try:
        return parse_utc(text).isoformat().replace("+00:00", "Z")
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an ISO date such as 2024-05-01 or 2024-05-01T12:00:00Z"
        ) from error
