"""Tables that may be larger than memory: read by columns or in chunks, and merged from sorted parts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from batch.release import ROW_GROUP_ROWS, open_parquet

Integers = npt.NDArray[np.int64]

LAST: Final = np.iinfo(np.int64).max
"""Stands for a missing key: it sorts behind every other."""

_NULLABLE: Final = {pa.int16(): pd.Int16Dtype(), pa.bool_(): pd.BooleanDtype()}
"""Types of which a missing value would otherwise make another type."""


class Rows(Protocol):
    """The rows of a table, in a fixed order."""

    def __len__(self) -> int:
        """Their number."""
        ...

    def columns(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """These columns of all rows; all columns if None."""
        ...

    def chunks(self) -> Iterator[pd.DataFrame]:
        """All columns of consecutive rows; at least one chunk, also of a table without rows."""
        ...


@dataclass(frozen=True, slots=True)
class FrameRows:
    """The rows of a frame in memory."""

    frame: pd.DataFrame

    def __len__(self) -> int:
        """See `Rows`."""
        return len(self.frame)

    def columns(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """See `Rows.columns`."""
        return self.frame if names is None else self.frame[list(names)]

    def chunks(self) -> Iterator[pd.DataFrame]:
        """See `Rows.chunks`."""
        for start in range(0, max(len(self.frame), 1), ROW_GROUP_ROWS):
            yield self.frame.iloc[start : start + ROW_GROUP_ROWS]


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """The rows of a parquet file on the disk, of which a row group at a time is in memory."""

    path: Path

    def __len__(self) -> int:
        """See `Rows`."""
        return int(pq.read_metadata(self.path).num_rows)

    def columns(self, names: Sequence[str] | None = None) -> pd.DataFrame:
        """See `Rows.columns`."""
        return to_frame(pq.ParquetFile(self.path).read(columns=None if names is None else list(names)))

    def chunks(self) -> Iterator[pd.DataFrame]:
        """See `Rows.chunks`."""
        file = pq.ParquetFile(self.path)
        if not file.num_row_groups:
            yield to_frame(file.schema_arrow.empty_table())
        for number in range(file.num_row_groups):
            yield to_frame(file.read_row_group(number))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """A table as a frame; missing values do not change a column's type."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_NULLABLE.get)
    return frame


def part_bytes(table: pa.Table) -> bytes:
    """A table as `read_part` reads it: uncompressed, so that a file of it needs no memory."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def read_part(path: Path) -> pa.Table:
    """The table in a file of `part_bytes`, mapped into memory and not read."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def merged(parts: Sequence[pa.Table], keys: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of all parts in order of the keys, a row group at a time.

    Args:
        parts: Tables of one schema, at least one, each in order of the keys.
        keys: Columns of times or whole numbers, together unique; missing values come last.
    """
    order = np.lexsort([np.concatenate([_key(part[key]) for part in parts]) for key in reversed(keys)])
    ends = np.cumsum([part.num_rows for part in parts])
    begins = np.zeros(len(parts), dtype=np.int64)
    for start in range(0, max(len(order), 1), ROW_GROUP_ROWS):
        rows = order[start : start + ROW_GROUP_ROWS]
        # Each part is sorted, so what it gives to this chunk follows what it gave to the chunk before.
        counts = np.bincount(np.searchsorted(ends, rows, side="right"), minlength=len(parts))
        slices = [part.slice(int(a), int(n)) for part, a, n in zip(parts, begins, counts, strict=True)]
        begins += counts
        together = pa.concat_tables(slices).combine_chunks()
        yield together.take(pa.array(np.searchsorted(np.sort(rows), rows)))


def _key(column: pa.ChunkedArray) -> Integers:
    numbers = column.cast(pa.int64()).combine_chunks().fill_null(int(LAST))
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.int64)


def write_parquet(path: Path, schema: pa.Schema, chunks: Iterable[pa.Table]) -> int:
    """Write chunks of a row group each to a file; the bytes are those of `parquet_bytes` of all rows at once.

    Returns:
        The number of rows.
    """
    rows = 0
    with open_parquet(path, schema) as writer:
        for chunk in chunks:
            writer.write_table(chunk, row_group_size=ROW_GROUP_ROWS)
            rows += chunk.num_rows
    return rows
