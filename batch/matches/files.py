"""Read one raw match file: parquet, CSV or JSON lines, gzip or not, to its columns as they are written."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from batch.matches.schema import TEXT_COLUMNS
from chalicelib.errors import InvalidMatches

HEADER_BYTES: Final = 65_536
"""A CSV header ends within this many bytes."""


class RawFile(NamedTuple):
    """A file's content, not validated yet.

    Attributes:
        frame: The columns as read, and `row`, the row's number in the file.
        unreadable_rows: Numbers of the rows that are not in `frame`.
        total_rows: All rows, the unreadable ones included.
    """

    frame: pd.DataFrame
    unreadable_rows: list[int]
    total_rows: int


def read_file(name: str, content: bytes, columns: frozenset[str]) -> RawFile:
    """Read those of `columns` that the file has.

    Raises:
        InvalidMatches: the file cannot be read.
    """
    try:
        if content[:2] == b"\x1f\x8b":
            content, name = gzip.decompress(content), name.removesuffix(".gz")
        return _reader(name, content)(content, columns)
    # everything that pyarrow raises for damaged files; its exceptions have no parent in common
    except (pa.ArrowException, ValueError, OSError, EOFError, KeyError) as error:
        raise InvalidMatches(f"{name}: cannot be read: {error}") from error


def _reader(name: str, content: bytes) -> Callable[[bytes, frozenset[str]], RawFile]:
    suffix = name.lower().rpartition(".")[2]
    if content[:4] == b"PAR1" or suffix in {"parquet", "pq"}:
        return _read_parquet
    if suffix in {"jsonl", "ndjson", "json"} or content.lstrip()[:1] in {b"{", b"["}:
        return _read_json_lines
    return _read_csv


def _read_parquet(content: bytes, columns: frozenset[str]) -> RawFile:
    parquet = pq.ParquetFile(io.BytesIO(content))
    # without the writer's pandas metadata: it may name an index that is not read, or types that the file does not have
    table = parquet.read(columns=[name for name in parquet.schema_arrow.names if name in columns])
    table = table.replace_schema_metadata(None)
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise ValueError(f"column {', '.join(nested)} holds lists or structs")
    for position, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type):
            table = table.set_column(position, column.name, table.column(position).cast(pa.float64()))
    frame = table.to_pandas(date_as_object=True)
    return RawFile(frame.assign(row=np.arange(1, len(frame) + 1)), [], table.num_rows)


def _read_csv(content: bytes, columns: frozenset[str]) -> RawFile:
    content.decode()  # fails here; Arrow would read a number column with one undecodable cell as bytes
    content, open_quotes = _without_open_quotes(content)
    malformed: list[int] = []

    def skip(row: Any) -> Literal["skip"]:
        malformed.append(int(row.number) - 1 if row.number is not None else 0)
        return "skip"

    table = pa.csv.read_csv(
        io.BytesIO(content),
        # one thread: otherwise the numbers of skipped rows are unknown
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter=csv_delimiter(content), invalid_row_handler=skip),
        convert_options=pa.csv.ConvertOptions(
            # number columns are left to Arrow, which reads a column as text as soon as one cell is something else
            column_types=dict.fromkeys([*TEXT_COLUMNS, "kickoff", "kickoff_time_known"], pa.string()),
            strings_can_be_null=True,
            null_values=["", "NA", "NaN", "nan", "null", "None"],
            quoted_strings_can_be_null=True,
        ),
    )
    frame = table.to_pandas()
    frame.columns = frame.columns.str.strip()
    frame = frame.loc[:, frame.columns.isin(columns)]
    total = len(frame) + len(malformed) + len(open_quotes)
    parsed_rows = np.setdiff1d(np.arange(1, total + 1), np.asarray(open_quotes, dtype=np.int64))
    unreadable_rows = sorted([*open_quotes, *(int(parsed_rows[row - 1]) if row else 0 for row in malformed)])
    readable_rows = np.delete(parsed_rows, [row - 1 for row in malformed if row])
    return RawFile(frame.assign(row=readable_rows), unreadable_rows, total)


def _without_open_quotes(content: bytes) -> tuple[bytes, list[int]]:
    """Drop the lines of a CSV file that leave a quote open; return the rest and the row numbers of what was dropped.

    A parser would read on to the next quote and swallow every row in between. None of our columns contains a
    line break, so each line must close its own quotes.

    Raises:
        ValueError: the header leaves a quote open.
    """
    if content.count(b'"') == 0:
        return content, []
    header, *lines = [line for line in content.splitlines(keepends=True) if line.strip()] or [b""]
    if header.count(b'"') % 2:
        raise ValueError("the header leaves a quote open")
    open_quotes = [number for number, line in enumerate(lines, start=1) if line.count(b'"') % 2]
    if not open_quotes:
        return content, []
    skipped = set(open_quotes)
    return b"".join([header, *(line for n, line in enumerate(lines, start=1) if n not in skipped)]), open_quotes


def csv_delimiter(content: bytes) -> str:
    """The separator in the header: a comma, or the semicolon or tab that spreadsheets use with decimal commas."""
    header = content[:HEADER_BYTES].lstrip().partition(b"\n")[0]
    return max((",", ";", "\t"), key=lambda delimiter: header.count(delimiter.encode()))


def _read_json_lines(content: bytes, columns: frozenset[str]) -> RawFile:
    rows, row_numbers, unreadable_rows, number = [], [], [], 0
    for row in _json_values(content.decode("utf-8-sig")):
        number += 1
        if isinstance(row, dict) and not any(isinstance(row.get(name), list | dict) for name in columns):
            rows.append(row)
            row_numbers.append(number)
        else:
            unreadable_rows.append(number)
    if number and not rows:
        raise ValueError("no line is a JSON object")
    # a key that some lines omit is null there; one that no line has is a missing column
    names = sorted(columns & set().union(*rows))
    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})
    return RawFile(frame.assign(row=row_numbers), unreadable_rows, number)


def _json_values(text: str) -> Iterator[Any]:
    """The value of each non-blank line, None where it is not JSON; or the members of a single array."""
    if text.lstrip().startswith("["):
        try:
            yield from json.loads(text)
        except json.JSONDecodeError:
            pass  # only the first line is an array
        else:
            return
    # not splitlines(): texts may hold other Unicode line separators unescaped
    for line in text.split("\n"):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                yield None
