"""Dates that people write on command lines and in files' parameters; without a zone they are UTC, as everywhere."""

import re
from typing import Final

import pandas as pd

_ISO: Final = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ].+)?)?)?")


def parse_date(text: str) -> pd.Timestamp:
    """A year, month, date or time in ISO 8601; UTC where it names no zone.

    Raises:
        ValueError: it is written in any other way, such as 01/12/2016, which is two different days to two readers.
    """
    if not _ISO.fullmatch(text.strip()):
        raise ValueError(f"not an ISO 8601 date such as 2023-07-01: {text}")
    moment = pd.Timestamp(text.strip())
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
