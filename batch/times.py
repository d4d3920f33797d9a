"""Dates on command lines and in parameters; without a zone they are UTC."""

import re
from typing import Final

import pandas as pd

_ISO: Final = re.compile(r"\d{4}(-\d{2}(-\d{2}([T ].+)?)?)?")


def parse_date(text: str) -> pd.Timestamp:
    """A year, month, date or time in ISO 8601; UTC where it names no zone.

    Raises:
        ValueError: any other format, such as the ambiguous 01/12/2016.
    """
    if not _ISO.fullmatch(text.strip()):
        raise ValueError(f"not an ISO 8601 date such as 2023-07-01: {text}")
    moment = pd.Timestamp(text.strip())
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
