"""A DynamoDB table as one parquet file in the bucket, for analysts.

Attributes become columns: strings and numbers as they are, everything nested as JSON text. The table is read with
parallel-safe paging and without consistency guarantees beyond each page, as DynamoDB scans are.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from batch.release import iso

EXPORTS: Final = "exports/"
ROWS_PER_GROUP: Final = 10_000


def scan(client: Any, table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table, in DynamoDB's own typed form.

    Raises:
        botocore.exceptions.ClientError: the table cannot be read.
    """
    for page in client.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item's attributes as strings, floats and booleans; lists, maps and sets as JSON text."""
    return {name: _value(typed) for name, typed in item.items()}


def _value(typed: dict[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    if kind == "NULL":
        return None
    if kind == "N":
        return float(Decimal(value))
    if kind in ("S", "BOOL"):
        return value
    return json.dumps(value, sort_keys=True, default=str)


def parquet_of(items: Iterable[dict[str, Any]]) -> tuple[bytes, int]:
    """One parquet file of all items, and their number; rows in the order of their columns' text, for equal bytes."""
    rows = sorted((plain(item) for item in items), key=lambda row: json.dumps(row, sort_keys=True))
    names = sorted({name for row in rows for name in row})
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression="zstd", row_group_size=ROWS_PER_GROUP)
    return sink.getvalue().to_pybytes(), len(rows)


def _column(values: list[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    # One attribute with two types in different items is a text column: parquet has one type per column.
    return pa.array(values) if len(kinds) <= 1 else pa.array([None if v is None else str(v) for v in values])


def export_key(table: str, moment: datetime) -> str:
    """Where an export is written."""
    return f"{EXPORTS}{table}/{iso(moment).replace(':', '')}.parquet"
