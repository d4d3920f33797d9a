"""A DynamoDB table as a file in the bucket, for analysts.

Where the table has a point-in-time backup (on AWS), DynamoDB itself writes the export from it: the table is not read,
however large it is. Elsewhere the table is scanned page by page into one parquet file, whose rows go through the disk,
so that memory stays bounded. Attributes become columns: strings and numbers as they are, everything nested as JSON
text. A scan is consistent within each page only.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from batch.release import iso

EXPORTS: Final = "exports/"
ROWS_PER_GROUP: Final = 10_000
GROUP_BYTES: Final = 16 << 20
"""A row group ends at so much text too: an item may have 400 KB."""

_TYPES: Final = {str: pa.string(), float: pa.float64(), bool: pa.bool_()}


def start_export(client: Any, table: str, bucket: str, moment: datetime) -> str:
    """Let DynamoDB export a table from its backup; it goes on for minutes after this.

    Args:
        client: DynamoDB client.
        table: The table.
        bucket: Where the files go, below `exports/`.
        moment: When it was asked for, which names the folder.

    Returns:
        The export's ARN.

    Raises:
        botocore.exceptions.ClientError: it was refused; PointInTimeRecoveryUnavailableException without a backup.
    """
    arn = client.describe_table(TableName=table)["Table"]["TableArn"]
    description = client.export_table_to_point_in_time(
        TableArn=arn,
        S3Bucket=bucket,
        S3Prefix=_name(table, moment),
        S3SseAlgorithm="AES256",
        ExportFormat="DYNAMODB_JSON",
    )
    return str(description["ExportDescription"]["ExportArn"])


def scan(client: Any, table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table, in DynamoDB's own typed form, a page at a time.

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


def write_parquet(items: Iterable[dict[str, Any]], path: Path) -> int:
    """Write all items to one parquet file; rows in the order of the items, columns in order of their names.

    The columns are known only when every item was seen, so the rows wait in a compressed file beside it.

    Args:
        items: In DynamoDB's typed form.
        path: The file, which does not exist yet.

    Returns:
        The number of rows.
    """
    waiting = path.with_suffix(".rows.gz")
    kinds: dict[str, set[type]] = defaultdict(set)
    rows = 0
    with gzip.open(waiting, "wt", compresslevel=1, encoding="utf-8") as file:
        for item in items:
            row = plain(item)
            for name, value in row.items():
                kinds[name] |= set() if value is None else {type(value)}
            file.write(json.dumps(row) + "\n")
            rows += 1
    schema = pa.schema([(name, _type(kinds[name])) for name in sorted(kinds)])
    with (
        pq.ParquetWriter(path, schema, compression="zstd") as writer,
        gzip.open(waiting, "rt", encoding="utf-8") as file,
    ):
        for group in _groups(file):
            columns = [_column([row.get(field.name) for row in group], field.type) for field in schema]
            writer.write_table(pa.table(columns, schema=schema))
    waiting.unlink()
    return rows


def _groups(lines: Iterable[str]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        group.append(json.loads(line))
        size += len(line)
        if len(group) >= ROWS_PER_GROUP or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _type(kinds: set[type]) -> pa.DataType:
    # One attribute with two types in different items is a text column: parquet has one type per column.
    return pa.null() if not kinds else _TYPES[next(iter(kinds))] if len(kinds) == 1 else pa.string()


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        values = [None if value is None else str(value) for value in values]
    return pa.array(values, kind)


def _name(table: str, moment: datetime) -> str:
    return f"{EXPORTS}{table}/{iso(moment).replace(':', '')}"


def export_key(table: str, moment: datetime) -> str:
    """Where a parquet file is written."""
    return f"{_name(table, moment)}.parquet"


def export_prefix(table: str, moment: datetime) -> str:
    """Below which DynamoDB writes an export of its own."""
    return f"{_name(table, moment)}/"
