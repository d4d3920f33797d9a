"""Tables in chunks, and sorted parts put together to the bytes of one table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from batch.release import ROW_GROUP_ROWS, parquet_bytes, typed_table
from batch.rows import FrameRows, ParquetRows, merged, part_bytes, read_part, write_parquet

SCHEMA = pa.schema(
    [("match_id", pa.int64()), ("match_date", pa.timestamp("ms", "UTC")), ("label", pa.string()), ("goals", pa.int16())]
)
KEYS = ["match_date", "match_id"]


def table_of(count: int) -> pd.DataFrame:
    """Rows in order of the keys; every fifth date, text and number is missing."""
    number = np.arange(count)
    missing = number % 5 == 0
    frame = pd.DataFrame(
        {
            "match_id": number + 1,
            "match_date": pd.Series(pd.to_datetime(number % 97, unit="D", utc=True)).dt.as_unit("ms").mask(missing),
            "label": pd.Series(number % 7, dtype="str").mask(missing),
            "goals": pd.Series(number % 11, dtype="Int16").mask(missing),
        }
    )
    return frame.sort_values(KEYS, ignore_index=True, na_position="last")


def stored(frame: pd.DataFrame, path: Path) -> pa.Table:
    path.write_bytes(part_bytes(typed_table(frame, SCHEMA)))
    return read_part(path)


def test_parts_put_together_are_the_bytes_of_the_whole(tmp_path: Path) -> None:
    whole = table_of(2 * ROW_GROUP_ROWS + 1)
    owner = np.random.default_rng(3).integers(0, 4, len(whole))
    # Part 4 has no row.
    parts = [stored(whole[owner == part], tmp_path / f"{part}") for part in range(5)]
    rows = write_parquet(tmp_path / "whole.parquet", SCHEMA, merged(parts, KEYS))
    assert rows == len(whole)
    assert (tmp_path / "whole.parquet").read_bytes() == parquet_bytes(whole, SCHEMA)


def test_a_part_without_rows_is_the_bytes_of_a_table_without_rows(tmp_path: Path) -> None:
    empty = table_of(0)
    write_parquet(tmp_path / "empty.parquet", SCHEMA, merged([stored(empty, tmp_path / "part")], KEYS))
    assert (tmp_path / "empty.parquet").read_bytes() == parquet_bytes(empty, SCHEMA)
    assert [len(chunk) for chunk in ParquetRows(tmp_path / "empty.parquet").chunks()] == [0]


def test_a_file_gives_the_rows_that_the_frame_gives(tmp_path: Path) -> None:
    frame = table_of(ROW_GROUP_ROWS + 10)
    (tmp_path / "rows.parquet").write_bytes(parquet_bytes(frame, SCHEMA))
    in_file, in_memory = ParquetRows(tmp_path / "rows.parquet"), FrameRows(frame)
    assert len(in_file) == len(in_memory) == ROW_GROUP_ROWS + 10
    pd.testing.assert_frame_equal(in_file.columns(), frame)
    pd.testing.assert_frame_equal(in_file.columns(["goals"]), frame[["goals"]])
    for one, other in zip(in_file.chunks(), in_memory.chunks(), strict=True):
        pd.testing.assert_frame_equal(one, other.reset_index(drop=True))
