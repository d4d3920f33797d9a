"""Raw match files to validated matches: one row per match, every rejected row counted and explained.

Files are taken in the order of their names, so that a later file corrects an earlier one.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

import numpy as np
import pandas as pd

from batch.matches.files import read_file
from batch.matches.schema import (
    LISTED_LIMIT,
    MATCH_COLUMNS,
    READ_COLUMNS,
    REQUIRED_COLUMNS,
    ROW_NUMBER,
    MatchesFile,
    MatchesReport,
    Reason,
    RejectedRow,
)
from batch.matches.settle import settle_busy_clubs, settle_duplicates, settle_ids, settle_replays
from batch.matches.validate import finite_numbers, validate, whole_numbers
from chalicelib.errors import InvalidMatches


def read_matches(
    files: Mapping[str, bytes], as_of: datetime | None = None, extra_columns: Sequence[str] = ()
) -> MatchesReport:
    """Read and validate raw match files.

    Args:
        files: File name to content; parquet, CSV or JSON lines, gzip or not. The order of names decides which of
            two contradicting rows is the later.
        as_of: See `combine`.
        extra_columns: See `parse_file`.

    Raises:
        InvalidMatches: a file cannot be read, or lacks a column.
    """
    return combine((parse_file(name, content, extra_columns) for name, content in files.items()), as_of)


def parse_file(name: str, content: bytes, extra_columns: Sequence[str] = ()) -> MatchesFile:
    """Validate the rows of one file, each by itself.

    Args:
        name: The file's name, which decides the format.
        content: Its bytes.
        extra_columns: Further numeric columns to carry through; a cell that is not a number becomes a missing value.

    Raises:
        InvalidMatches: the file cannot be read, or lacks a column of the schema or of `extra_columns`.
    """
    raw, unreadable_rows, total_rows = read_file(name, content, READ_COLUMNS | set(extra_columns))
    missing_columns = [column for column in (*REQUIRED_COLUMNS, *extra_columns) if column not in raw.columns]
    if missing_columns:
        columns = [str(column) for column in raw.columns if column != ROW_NUMBER]
        raise InvalidMatches(f"{name}: missing column {', '.join(missing_columns)}; it has {', '.join(columns)}")
    repeated_columns = sorted(READ_COLUMNS & set(raw.columns[raw.columns.duplicated()]))
    if repeated_columns:
        raise InvalidMatches(f"{name}: column {', '.join(repeated_columns)} appears twice")

    rows, reasons = validate(raw)
    rows = rows.assign(**{column: finite_numbers(raw[column]) for column in extra_columns})
    accepted = rows[(reasons == "").to_numpy()].reset_index(drop=True)

    invalid = np.flatnonzero(reasons.to_numpy() != "")
    match_ids = whole_numbers(raw["match_id"])[0]
    rejected = [RejectedRow(name, row, None, Reason.UNREADABLE_ROW) for row in unreadable_rows]
    rejected += [
        RejectedRow(name, int(raw["row"].iloc[i]), _id_or_none(match_ids[i]), Reason(reasons.iloc[i]))
        for i in invalid[:LISTED_LIMIT]
    ]
    counts = Counter({Reason(str(reason)): int(n) for reason, n in reasons.iloc[invalid].value_counts().items()})
    if unreadable_rows:
        counts[Reason.UNREADABLE_ROW] += len(unreadable_rows)
    first_rejected = tuple(sorted(rejected, key=lambda r: r.row)[:LISTED_LIMIT])
    return MatchesFile(name, accepted, first_rejected, dict(counts), total_rows, hashlib.sha256(content).hexdigest())


def combine(files: Iterable[MatchesFile], as_of: datetime | None = None) -> MatchesReport:
    """Merge the rows of all files and settle contradictions between them.

    Re-dated matches and results that came in replace the earlier row of the same id (a row with a result is
    never replaced by one without). Ids used for two pairings, pairings listed twice for one day, listings that were
    played later that season under another id, and clubs in two matches at once are rejected.

    Args:
        files: In any order; their names decide which of two contradicting rows is the later.
        as_of: With its time zone. Only matches that had begun by then can show that an earlier listing was never
            played: a replay of the past must not drop a fixture because of what came later. None: all of them.
    """
    parsed = sorted(files, key=lambda file: file.name)
    frames = [file.rows.assign(file=number) for number, file in enumerate(parsed) if len(file.rows)]
    rows = pd.concat(frames, ignore_index=True) if frames else _empty_rows()
    reasons = pd.Series("", index=rows.index, dtype=object)
    for settle in (settle_ids, settle_duplicates, partial(settle_replays, as_of=as_of), settle_busy_clubs):
        newly_rejected = settle(rows[reasons == ""])
        reasons.loc[newly_rejected.index] = newly_rejected

    counts: Counter[Reason] = Counter()
    for file in parsed:
        counts.update(file.rejected_counts)
    counts.update(Reason(reason) for reason in reasons[reasons != ""])
    rejected = [row for file in parsed for row in file.rejected]
    first_settled = rows[reasons != ""].head(LISTED_LIMIT)
    rejected += [
        RejectedRow(parsed[file].name, int(row), int(match_id), Reason(reason))
        for file, row, match_id, reason in zip(
            first_settled["file"],
            first_settled["row"],
            first_settled["match_id"],
            reasons[first_settled.index],
            strict=True,
        )
    ]
    extra_columns = [column for column in rows.columns if column not in {*MATCH_COLUMNS, ROW_NUMBER, "file"}]
    accepted = rows.loc[reasons == "", [*MATCH_COLUMNS, *extra_columns]]
    return MatchesReport(
        accepted=accepted.sort_values(["kickoff", "match_id"], ignore_index=True, na_position="last"),
        rejected=sorted(rejected, key=lambda row: (row.file, row.row))[:LISTED_LIMIT],
        rejected_counts=dict(counts),
        files=len(parsed),
        inputs=tuple(
            {
                "file": file.name,
                "sha256": file.sha256,
                "rows": file.total_rows,
                "rejected": sum(file.rejected_counts.values()),
            }
            for file in parsed
        ),
        total_rows=sum(file.total_rows for file in parsed),
    )


def _id_or_none(value: float) -> int | None:
    return int(value) if np.isfinite(value) and value == np.floor(value) else None


def _empty_rows() -> pd.DataFrame:
    raw = pd.DataFrame({name: pd.Series(dtype=object) for name in REQUIRED_COLUMNS}).assign(row=np.array([], dtype=int))
    return validate(raw)[0].assign(file=np.array([], dtype=int))
