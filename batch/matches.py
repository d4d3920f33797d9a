"""Raw match files to validated matches: one row a match, every refused row counted and explained.

The raw-matches schema: match_id, kickoff (UTC, null = not known yet), season, region, league, sex (0 men,
1 women), home_team, away_team, home_goals, away_goals (null before the match). Columns may come in any order,
further columns are ignored unless they are asked for, with one exception: an optional `kickoff_time_known` (false where
only the date is known). A kickoff written as a bare date says the same by itself.

A club is (region, sex, name): two clubs of one name in different regions, or the men's and the women's team of
one club, are never the same. Files are taken in the order of their names, so that a later file corrects an earlier one.
"""

import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from chalicelib.errors import InvalidMatches

TEXT_COLUMNS: Final = ("season", "region", "league", "home_team", "away_team")
REQUIRED_COLUMNS: Final = (
    "match_id",
    "kickoff",
    *TEXT_COLUMNS[:3],
    "sex",
    *TEXT_COLUMNS[3:],
    "home_goals",
    "away_goals",
)

READ_COLUMNS: Final = frozenset({*REQUIRED_COLUMNS, "kickoff_time_known"})

ROW_NUMBER: Final = "row"
"""A row's number in its file, beside the file's own columns."""

MATCH_COLUMNS: Final = (
    "match_id",
    "kickoff",
    "kickoff_time_known",
    "season",
    "region",
    "league",
    "sex",
    "home_team",
    "away_team",
    "home_goals",
    "away_goals",
)
"""Columns of an accepted frame, in this order."""

MATCH_ID_LIMIT: Final = 2**53
"""Ids must be below this: JSON clients read numbers as doubles."""

GOALS_LIMIT: Final = 99
"""More goals than this by one side is taken for a typing error."""

LISTED_LIMIT: Final = 1000
"""At most so many refused rows are listed; all of them are counted."""

HEADER_BYTES: Final = 65_536
"""A CSV header ends within these."""

SAME_FIXTURE_WITHIN: Final = pd.Timedelta(hours=12)
"""One pairing listed twice within this time is one match: time zones and midnight move a kickoff by less."""

CLUB_BUSY_FOR: Final = pd.Timedelta(minutes=90)
"""A club that kicked off cannot kick off another match before the first is over."""

EARLIEST_KICKOFF: Final = pd.Timestamp("1850-01-01", tz="UTC")
LATEST_KICKOFF: Final = pd.Timestamp("2200-01-01", tz="UTC")
"""Kickoffs outside are typing errors; the first association football rules date from 1863."""


class Reason(StrEnum):
    """Why a row was refused."""

    UNREADABLE_ROW = "unreadable_row"
    """Not a row of the file's format: a CSV line of the wrong width or with a quote left open, a line that is not a
    JSON object."""
    INVALID_MATCH_ID = "invalid_match_id"
    """Missing, not a whole number, not positive, or 2^53 and more."""
    MISSING_TEXT = "missing_text"
    """No season, region, league, home or away team."""
    SAME_TEAM = "same_team"
    """A team against itself."""
    INVALID_SEX = "invalid_sex"
    """Neither 0 nor 1."""
    INVALID_KICKOFF = "invalid_kickoff"
    """Something is written, and it is not an ISO 8601 time within 1850 to 2200."""
    INVALID_GOALS = "invalid_goals"
    """Not a whole number from 0 to 99."""
    HALF_RESULT = "half_result"
    """One side's goals without the other's."""
    RESULT_WITHOUT_KICKOFF = "result_without_kickoff"
    """A result of unknown time cannot be placed before or after any other match."""
    SUPERSEDED = "superseded"
    """A later row of the same match took its place (a result came in, or the match was re-dated)."""
    MATCH_ID_REUSED = "match_id_reused"
    """The id already belongs to another pairing."""
    DUPLICATE = "duplicate"
    """The same pairing on the same day, or within twelve hours, under another id."""
    REPLAYED = "replayed"
    """Never played at this date: the same pairing was played later that season under another id."""
    CLUB_BUSY = "club_busy"
    """One of its clubs kicks off another match within 90 minutes of it; a copy with the sides swapped is one too."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A refused row: file name, row number in it (1 is the first after any header), its id if readable, and why."""

    file: str
    row: int
    match_id: int | None
    reason: Reason


@dataclass(frozen=True)
class MatchesFile:
    """What one file holds: rows good in themselves, and the refused. Depends on that file alone, so it can be kept.

    `rows` has MATCH_COLUMNS and `row`, the row's number in the file.
    """

    name: str
    rows: pd.DataFrame
    rejected: tuple[RejectedRow, ...]
    rejected_counts: Mapping[Reason, int]
    total_rows: int
    sha256: str = ""
    """Of its content as stored, in hex."""


@dataclass(frozen=True)
class MatchesReport:
    """All files together.

    Attributes:
        accepted: MATCH_COLUMNS and the extra columns asked for, one row a match_id, sorted by (kickoff, match_id),
            unknown kickoffs last.
            kickoff datetime64[ms, UTC], goals Int16 (missing = no result), sex int8, texts str.
        rejected: The first LISTED_LIMIT refused rows, by file and row.
        rejected_counts: Number of refused rows by reason, complete.
        files: Number of files read.
        inputs: Each file's name, SHA-256, rows, and rows refused for themselves, as plain values in order of names.
        total_rows: Rows in them, refused ones included.
    """

    accepted: pd.DataFrame
    rejected: list[RejectedRow] = field(default_factory=list)
    rejected_counts: Mapping[Reason, int] = field(default_factory=dict)
    files: int = 0
    inputs: tuple[Mapping[str, Any], ...] = ()
    total_rows: int = 0

    def summary(self) -> dict[str, Any]:
        """The counts as plain values, for a run report."""
        return {
            "files": self.files,
            "rows": self.total_rows,
            "accepted": len(self.accepted),
            "rejected": sum(self.rejected_counts.values()),
            "rejected_by_reason": {str(reason): count for reason, count in sorted(self.rejected_counts.items())},
        }


def read_matches(
    files: Mapping[str, bytes], as_of: datetime | None = None, extra_columns: Sequence[str] = ()
) -> MatchesReport:
    """Read and validate raw match files.

    Args:
        files: File name to content; parquet, CSV or JSON lines, gzip or not. The order of names decides which of
            two contradicting rows is the later.
        as_of: The moment of knowledge, as `combine` has it.
        extra_columns: As `parse_file` has them.

    Raises:
        InvalidMatches: a file cannot be read, or lacks a column.
    """
    return combine((parse_file(name, content, extra_columns) for name, content in files.items()), as_of)


def parse_file(name: str, content: bytes, extra_columns: Sequence[str] = ()) -> MatchesFile:
    """Validate one file's rows, each by itself.

    Args:
        name: The file's name, which tells the format.
        content: Its bytes.
        extra_columns: Further numeric columns to carry along; a cell that is no number is a missing value.

    Raises:
        InvalidMatches: the file cannot be read, or lacks a column of the schema or of `extra_columns`.
    """
    raw, unreadable, total = _read(name, content, READ_COLUMNS | set(extra_columns))
    missing = [column for column in (*REQUIRED_COLUMNS, *extra_columns) if column not in raw.columns]
    if missing:
        found = [str(column) for column in raw.columns if column != ROW_NUMBER]
        raise InvalidMatches(f"{name}: column {', '.join(missing)} missing; found {', '.join(found)}")
    twice = sorted(READ_COLUMNS & set(raw.columns[raw.columns.duplicated()]))
    if twice:
        raise InvalidMatches(f"{name}: column {', '.join(twice)} appears twice")

    rows, reasons = _validate(raw)
    rows = rows.assign(**{column: _finite_numbers(raw[column]) for column in extra_columns})
    refused = np.flatnonzero(reasons.to_numpy() != "")
    match_ids = _whole_numbers(raw["match_id"])[0]
    rejected = [RejectedRow(name, row, None, Reason.UNREADABLE_ROW) for row in unreadable]
    rejected += [
        RejectedRow(name, int(raw["row"].iloc[i]), _id_or_none(match_ids[i]), Reason(reasons.iloc[i]))
        for i in refused[:LISTED_LIMIT]
    ]
    counts = Counter({Reason(str(reason)): int(n) for reason, n in reasons.iloc[refused].value_counts().items()})
    if unreadable:
        counts[Reason.UNREADABLE_ROW] += len(unreadable)
    good = rows[(reasons == "").to_numpy()].reset_index(drop=True)
    listed = tuple(sorted(rejected, key=lambda r: r.row)[:LISTED_LIMIT])
    return MatchesFile(name, good, listed, dict(counts), total, hashlib.sha256(content).hexdigest())


def combine(files: Iterable[MatchesFile], as_of: datetime | None = None) -> MatchesReport:
    """Bring the files' rows together and settle what contradicts.

    Re-dated matches and results that came in replace the earlier row of the same id (a row with a result is
    never replaced by one without); ids used for two pairings, pairings listed twice for one day, and listings that
    were played later that season under another id are refused.

    Args:
        files: In any order; their names decide.
        as_of: With its time zone. Only matches that had begun by then can show that an earlier listing was never
            played: a replay of the past must not drop a fixture because of what came later. None: all of them.
    """
    parsed = sorted(files, key=lambda file: file.name)
    frames = [file.rows.assign(file=number) for number, file in enumerate(parsed) if len(file.rows)]
    rows = pd.concat(frames, ignore_index=True) if frames else _empty_rows()
    reasons = pd.Series("", index=rows.index, dtype=object)

    def settle_replays(remaining: pd.DataFrame) -> pd.Series:
        return _settle_replays(remaining, as_of)

    for settle in (_settle_ids, _settle_duplicates, settle_replays, _settle_busy_clubs):
        refused_now = settle(rows[reasons == ""])
        reasons.loc[refused_now.index] = refused_now

    counts: Counter[Reason] = Counter()
    for file in parsed:
        counts.update(file.rejected_counts)
    refused = rows[reasons != ""]
    counts.update(Reason(reason) for reason in reasons[reasons != ""])
    listed = [row for file in parsed for row in file.rejected]
    first = refused.head(LISTED_LIMIT)
    listed += [
        RejectedRow(parsed[file].name, int(row), int(match_id), Reason(reason))
        for file, row, match_id, reason in zip(
            first["file"], first["row"], first["match_id"], reasons[first.index], strict=True
        )
    ]
    extra_columns = [column for column in rows.columns if column not in {*MATCH_COLUMNS, ROW_NUMBER, "file"}]
    accepted = rows.loc[reasons == "", [*MATCH_COLUMNS, *extra_columns]]
    return MatchesReport(
        accepted=accepted.sort_values(["kickoff", "match_id"], ignore_index=True, na_position="last"),
        rejected=sorted(listed, key=lambda row: (row.file, row.row))[:LISTED_LIMIT],
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


# reading --------------------------------------------------------------------------------------------------


def _read(name: str, content: bytes, columns: frozenset[str]) -> tuple[pd.DataFrame, list[int], int]:
    """The file's columns as found plus `row`, the numbers of its unreadable rows, and the number of rows."""
    try:
        if content[:2] == b"\x1f\x8b":
            content, name = gzip.decompress(content), name.removesuffix(".gz")
        return _reader(name, content)(content, columns)
    # pyarrow has no common parent of its own for what a damaged file provokes; these are what it raises
    except (pa.ArrowException, ValueError, OSError, EOFError, KeyError) as error:
        raise InvalidMatches(f"{name}: cannot be read: {error}") from error


def _reader(name: str, content: bytes) -> Callable[[bytes, frozenset[str]], tuple[pd.DataFrame, list[int], int]]:
    suffix = name.lower().rpartition(".")[2]
    if content[:4] == b"PAR1" or suffix in {"parquet", "pq"}:
        return _read_parquet
    if suffix in {"jsonl", "ndjson", "json"} or content.lstrip()[:1] in {b"{", b"["}:
        return _read_json_lines
    return _read_csv


def _read_parquet(content: bytes, columns: frozenset[str]) -> tuple[pd.DataFrame, list[int], int]:
    parquet = pq.ParquetFile(io.BytesIO(content))
    # Without the writer's notes for pandas: they may name an index that is not read, or types that it has not.
    table = parquet.read(columns=[name for name in parquet.schema_arrow.names if name in columns])
    table = table.replace_schema_metadata(None)
    nested = [field.name for field in table.schema if pa.types.is_nested(field.type)]
    if nested:
        raise ValueError(f"column {', '.join(nested)} holds lists or structures")
    for position, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type):
            table = table.set_column(position, column.name, table.column(position).cast(pa.float64()))
    return _numbered(table.to_pandas(date_as_object=True)), [], table.num_rows


def _read_csv(content: bytes, columns: frozenset[str]) -> tuple[pd.DataFrame, list[int], int]:
    # Arrow would make bytes of a number column in which one cell is no text.
    content.decode()
    content, open_quotes = _without_open_quotes(content)
    malformed: list[int] = []

    def skip(row: Any) -> Literal["skip"]:
        malformed.append(int(row.number) - 1 if row.number is not None else 0)
        return "skip"

    table = pa.csv.read_csv(
        io.BytesIO(content),
        # one thread: row numbers of skipped rows are only known then
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(delimiter=csv_delimiter(content), invalid_row_handler=skip),
        convert_options=pa.csv.ConvertOptions(
            # numbers are left to Arrow, which makes a column text as soon as one cell is something else
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
    unreadable = sorted([*open_quotes, *(int(parsed_rows[row - 1]) if row else 0 for row in malformed)])
    readable = np.delete(parsed_rows, [row - 1 for row in malformed if row])
    return frame.assign(row=readable), unreadable, total


def _without_open_quotes(content: bytes) -> tuple[bytes, list[int]]:
    """A CSV file without the lines that leave a quote open, and these lines' row numbers.

    A parser reads on to the next quote, wherever it is, and swallows every row between; none of our columns holds a
    line break, so each line must close what it opens.

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
    """What separates the header's names: a comma, or what spreadsheets write where the comma is a decimal point."""
    header = content[:HEADER_BYTES].lstrip().partition(b"\n")[0]
    return max((",", ";", "\t"), key=lambda delimiter: header.count(delimiter.encode()))


def _read_json_lines(content: bytes, columns: frozenset[str]) -> tuple[pd.DataFrame, list[int], int]:
    rows, numbers, unreadable, number = [], [], [], 0
    for row in _json_values(content.decode("utf-8-sig")):
        number += 1
        if isinstance(row, dict) and not any(isinstance(row.get(name), list | dict) for name in columns):
            rows.append(row)
            numbers.append(number)
        else:
            unreadable.append(number)
    if number and not rows:
        raise ValueError("no line is a JSON object")
    # a key that some lines leave out is null there; one that no line has is a missing column
    names = sorted(columns & set().union(*rows))
    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})
    return frame.assign(row=numbers), unreadable, number


def _json_values(text: str) -> Iterator[Any]:
    """The value of each line that is not blank, None where it is no JSON; or the members of one array."""
    if text.lstrip().startswith("["):
        try:
            yield from json.loads(text)
        except json.JSONDecodeError:
            pass  # its first line is an array, the others are something else
        else:
            return
    # "\n" alone ends a line: texts may hold other line separators of Unicode unescaped
    for line in text.split("\n"):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                yield None


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(row=np.arange(1, len(frame) + 1))


# validating -----------------------------------------------------------------------------------------------


def _validate(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Typed rows, and for each the first reason against it or the empty string."""
    match_id, _, id_ok = _whole_numbers(raw["match_id"])
    sex, _, sex_ok = _whole_numbers(raw["sex"])
    home_goals, home_null, home_ok = _whole_numbers(raw["home_goals"])
    away_goals, away_null, away_ok = _whole_numbers(raw["away_goals"])
    kickoff, kickoff_null, date_only = _kickoffs(raw["kickoff"])
    texts = {column: _texts(raw[column]) for column in TEXT_COLUMNS}
    time_known = ~date_only
    if "kickoff_time_known" in raw.columns:
        time_known &= ~_is_false(raw["kickoff_time_known"])

    id_ok &= (match_id >= 1) & (match_id < MATCH_ID_LIMIT)
    home_bad = ~home_null & ~(home_ok & (home_goals >= 0) & (home_goals <= GOALS_LIMIT))
    away_bad = ~away_null & ~(away_ok & (away_goals >= 0) & (away_goals <= GOALS_LIMIT))
    no_text = np.logical_or.reduce([(text == "").to_numpy() for text in texts.values()])
    out_of_range = (kickoff < EARLIEST_KICKOFF) | (kickoff > LATEST_KICKOFF)
    bad_kickoff = (kickoff.isna().to_numpy() & ~kickoff_null) | out_of_range.to_numpy()
    reasons = np.select(
        [
            ~id_ok,
            no_text,
            (texts["home_team"] == texts["away_team"]).to_numpy(),
            ~(sex_ok & ((sex == 0) | (sex == 1))),
            bad_kickoff,
            home_bad | away_bad,
            home_null != away_null,
            ~home_null & kickoff.isna().to_numpy(),
        ],
        [
            Reason.INVALID_MATCH_ID,
            Reason.MISSING_TEXT,
            Reason.SAME_TEAM,
            Reason.INVALID_SEX,
            Reason.INVALID_KICKOFF,
            Reason.INVALID_GOALS,
            Reason.HALF_RESULT,
            Reason.RESULT_WITHOUT_KICKOFF,
        ],
        default="",
    )
    good = reasons == ""
    rows = pd.DataFrame(
        {
            "match_id": np.where(good, match_id, 0).astype(np.int64),
            "kickoff": kickoff,
            "kickoff_time_known": time_known,
            "season": texts["season"],
            "region": texts["region"],
            "league": texts["league"],
            "sex": np.where(good, sex, 0).astype(np.int8),
            "home_team": texts["home_team"],
            "away_team": texts["away_team"],
            "home_goals": pd.array(np.where(good & ~home_null, home_goals, 0).astype(np.int16), dtype="Int16"),
            "away_goals": pd.array(np.where(good & ~away_null, away_goals, 0).astype(np.int16), dtype="Int16"),
            "row": raw["row"].to_numpy(),
        }
    )
    rows.loc[home_null, ["home_goals", "away_goals"]] = pd.NA
    return rows, pd.Series(reasons, dtype=object)


def _whole_numbers(column: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values as float64 (NaN where none), where the cell is empty, and where it is a whole number."""
    is_bool = np.zeros(len(column), dtype=bool)
    if pd.api.types.is_bool_dtype(column.dtype):
        is_bool[:] = True
    elif not pd.api.types.is_numeric_dtype(column.dtype):
        if column.dtype == object:
            is_bool = column.map(lambda value: isinstance(value, bool)).to_numpy(dtype=bool)
        text = column.astype("str").str.strip()
        column = column.mask((text == "") | text.isna())
    empty = column.isna().to_numpy(dtype=bool)
    numeric = pd.to_numeric(column.where(~is_bool) if is_bool.any() else column, errors="coerce")
    values = numeric.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(values) & (values == np.floor(values))
    return values, empty, whole


def _finite_numbers(column: pd.Series) -> np.ndarray:
    """Values as float64, NaN where there is no finite number."""
    values = _whole_numbers(column)[0]
    return np.where(np.isfinite(values), values, np.nan)


def _texts(column: pd.Series) -> pd.Series:
    """Text with outer blanks off and inner runs of blanks as one; the empty string where there is none."""
    if pd.api.types.is_float_dtype(column.dtype):
        column = column.astype("Int64")  # a season such as 2015 that met a missing value on its way here
    # a handful of clubs and seasons, a million times each: every spelling is cleaned once
    codes, spellings = pd.factorize(column)
    cleaned = [" ".join(str(spelling).split()) for spelling in spellings]
    return pd.Series(np.array([*cleaned, ""], dtype=object)[codes], dtype="str")


def _kickoffs(column: pd.Series) -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Kickoffs as datetime64[ms, UTC], where the cell is empty, and where it is a bare date."""
    date_only = np.zeros(len(column), dtype=bool)
    if isinstance(column.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(column.dtype):
        kickoff = pd.to_datetime(column, utc=True)
        empty = column.isna().to_numpy(dtype=bool)
    elif pd.api.types.is_numeric_dtype(column.dtype):
        empty = column.isna().to_numpy(dtype=bool)
        kickoff = pd.Series(pd.NaT, index=column.index, dtype="datetime64[ms, UTC]")
    else:
        # Arrow's date columns arrive as datetime.date objects, whose text is the bare date
        text = column.astype("str").str.strip()
        empty = (column.isna() | (text == "") | text.isna()).to_numpy(dtype=bool)
        # ISO 8601 also allows 2023, 2023-08 and 20230811: too easily something else
        dated = text.str.match(r"\d{4}-\d{2}-\d{2}(?:[T ]|$)").fillna(value=False).to_numpy(dtype=bool)
        date_only = dated & (text.str.len() == len("2023-08-11")).fillna(value=False).to_numpy(dtype=bool)
        kickoff = pd.to_datetime(text.where(dated & ~empty), format="ISO8601", utc=True, errors="coerce")
    return kickoff.dt.as_unit("ms").reset_index(drop=True), empty, date_only


def _is_false(column: pd.Series) -> np.ndarray:
    return column.astype("str").str.strip().str.lower().isin(["false", "0", "0.0"]).to_numpy(dtype=bool)


def _id_or_none(value: float) -> int | None:
    return int(value) if np.isfinite(value) and value == np.floor(value) else None


# settling -------------------------------------------------------------------------------------------------

CLUB_PAIR: Final = ["region", "sex", "home_team", "away_team"]


def _settle_ids(rows: pd.DataFrame) -> pd.Series:
    """Rows that share a match_id: the first decides whose id it is, the last with a result (else the last) stays."""
    shared = rows[rows["match_id"].duplicated(keep=False)]
    if shared.empty:
        return pd.Series(dtype=object)
    owner = shared.drop_duplicates("match_id").set_index("match_id")[CLUB_PAIR]
    owners = owner.loc[shared["match_id"]].set_axis(shared.index)
    theirs = (owners == shared[CLUB_PAIR]).all(axis="columns")
    same = shared[theirs]
    ranked = same.assign(played=same["home_goals"].notna()).sort_values(["match_id", "played", "file", "row"])
    stays = ranked.drop_duplicates("match_id", keep="last").index
    reasons = pd.Series(str(Reason.MATCH_ID_REUSED), index=shared.index[~theirs], dtype=object)
    older = pd.Series(str(Reason.SUPERSEDED), index=same.index.difference(stays), dtype=object)
    return pd.concat([reasons, older])


def _settle_duplicates(rows: pd.DataFrame) -> pd.Series:
    """One pairing listed under two ids for one day or within hours: the row with a result stays, else the first."""
    dated = rows[rows["kickoff"].notna()]
    home, away = _club_codes(dated)
    kickoffs = dated["kickoff"].to_numpy(dtype="datetime64[ms]")
    order = np.lexsort((kickoffs, away, home))
    days = kickoffs[order].astype("datetime64[D]")
    near = (np.diff(kickoffs[order]) <= SAME_FIXTURE_WITHIN.to_timedelta64()) | (days[1:] == days[:-1])
    repeats = np.zeros(len(dated), dtype=bool)
    repeats[1:] = (np.diff(home[order]) == 0) & (np.diff(away[order]) == 0) & near
    if not repeats.any():
        return pd.Series(dtype=object)
    # A fixture begins with each listing that repeats none before it.
    listed = dated.iloc[order].assign(fixture=np.cumsum(~repeats), unplayed=dated["home_goals"].isna())
    ranked = listed[listed.duplicated("fixture", keep=False)].sort_values(["unplayed", "file", "row"])
    return pd.Series(str(Reason.DUPLICATE), index=ranked.index[ranked.duplicated("fixture")], dtype=object)


def _settle_busy_clubs(rows: pd.DataFrame) -> pd.Series:
    """A club in two matches at once: the match with a result stays, else the first listed."""
    dated = rows[rows["kickoff"].notna()]
    clubs = np.concatenate(_club_codes(dated))
    kickoffs = np.tile(dated["kickoff"].to_numpy(dtype="datetime64[ms]"), 2)
    order = np.lexsort((kickoffs, clubs))
    clash = np.zeros(len(order), dtype=bool)
    soon = np.diff(kickoffs[order]) < CLUB_BUSY_FOR.to_timedelta64()
    clash[1:] = (np.diff(clubs[order]) == 0) & soon
    if not clash.any():
        return pd.Series(dtype=object)
    clash[:-1] |= clash[1:]
    positions = np.unique(order[clash] % len(dated))
    ranked = dated.iloc[positions].assign(unplayed=lambda frame: frame["home_goals"].isna())
    taken: dict[tuple[Any, ...], list[pd.Timestamp]] = {}
    refused: list[Any] = []
    row: Any
    for row in ranked.sort_values(["unplayed", "file", "row"]).itertuples():
        sides = [(row.region, row.sex, row.home_team), (row.region, row.sex, row.away_team)]
        if any(abs(row.kickoff - other) < CLUB_BUSY_FOR for side in sides for other in taken.get(side, ())):
            refused.append(row.Index)
            continue
        for side in sides:
            taken.setdefault(side, []).append(row.kickoff)
    return pd.Series(str(Reason.CLUB_BUSY), index=refused, dtype=object)


def _club_codes(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """A whole number for each row's home and away club, equal for equal clubs: (region, sex, name)."""
    country = pd.factorize(rows["region"])[0].astype(np.int64) * 2 + rows["sex"].to_numpy(np.int64)
    name, names = pd.factorize(pd.concat([rows["home_team"], rows["away_team"]]))
    codes = np.tile(country, 2) * len(names) + name
    return codes[: len(rows)], codes[len(rows) :]


def _settle_replays(rows: pd.DataFrame, as_of: datetime | None) -> pd.Series:
    """A listing without a result, when the pairing has a later result in the same league and season."""
    key = [*CLUB_PAIR, "league", "season"]
    played = rows["home_goals"].notna()
    if as_of is not None:
        played &= rows["kickoff"] < pd.Timestamp(as_of)
    waiting = rows[~played & rows["kickoff"].notna()]
    if waiting.empty:
        return pd.Series(dtype=object)
    last = rows[played].groupby(key, sort=False, observed=True)["kickoff"].max().rename("last").reset_index()
    joined = waiting[[*key, "kickoff"]].reset_index(names="at").merge(last, on=key)
    return pd.Series(str(Reason.REPLAYED), index=joined.loc[joined["last"] > joined["kickoff"], "at"], dtype=object)


def _empty_rows() -> pd.DataFrame:
    raw = pd.DataFrame({name: pd.Series(dtype=object) for name in REQUIRED_COLUMNS}).assign(row=np.array([], dtype=int))
    return _validate(raw)[0].assign(file=np.array([], dtype=int))
