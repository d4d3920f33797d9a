"""Write a run's files under its own id, then move the one pointer that readers follow.

Files are immutable and checksummed; the pointer is replaced only if no other run replaced it meanwhile. A run
that dies before the last step leaves the previous release served, and nothing to repair.
"""

import hashlib
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from chalicelib.errors import ReleaseUnavailable, ServiceError
from chalicelib.models.mirror import ModelInfo
from chalicelib.releases.kept_pointers import current_pointer
from chalicelib.releases.pointer import POINTER_KEY, DatasetEntry, Pointer, pointer_version_key
from chalicelib.storage.objects import ConditionFailed, ObjectStore, read_if_present

logger = logging.getLogger(__name__)

MOVE_ATTEMPTS: Final = 8
"""Attempts to write the pointer; two simultaneous writers need two."""

ROW_GROUP_ROWS: Final = 50_000


class Overtaken(ServiceError):
    """A data set that a run's results were computed from has been replaced meanwhile."""

    code = "overtaken"


@dataclass(frozen=True, slots=True)
class Published:
    """The result of publishing.

    Args:
        pointer: The current pointer.
        moved: False where a later release was already served; its files stay unused.
    """

    pointer: Pointer
    moved: bool


def new_release_id(now: datetime) -> str:
    """A unique run id that begins with its start time (not its as_of, which a replay changes)."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def iso(moment: datetime) -> str:
    """A time as written in the pointer."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parquet_bytes(frame: pd.DataFrame, schema: pa.Schema | None = None) -> bytes:
    """The frame as a parquet file; equal frames give equal bytes.

    Args:
        frame: Rows; the index is not written.
        schema: Column types; columns come in its order.

    Raises:
        pyarrow.ArrowInvalid: a column does not fit the schema.
    """
    table = typed_table(frame, schema)
    sink = pa.BufferOutputStream()
    with open_parquet(sink, table.schema) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def typed_table(frame: pd.DataFrame, schema: pa.Schema | None = None) -> pa.Table:
    """The frame as the table that is stored; see `parquet_bytes`."""
    if schema is None:
        columns = {str(name): _array(frame[name]) for name in frame.columns}
    else:
        columns = {field.name: _array(frame[field.name]).cast(field.type) for field in schema}
    # Without pandas' metadata: it names library versions, which would change the bytes at every upgrade.
    return pa.table(columns, schema=schema).replace_schema_metadata(None)


def open_parquet(sink: "Path | pa.BufferOutputStream", schema: pa.Schema) -> pq.ParquetWriter:
    """A parquet file to write to, with the settings of every file of a release."""
    return pq.ParquetWriter(sink, schema, compression="zstd", version="2.6")


def _array(column: pd.Series) -> pa.Array:
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        return pa.Array.from_pandas(column)
    # through naive UTC: pyarrow's own conversion of zoned times uses a deprecated pandas call
    return pa.array(column.dt.tz_convert(None).to_numpy(), from_pandas=True).cast(pa.timestamp("ms", "UTC"))


@dataclass(frozen=True, slots=True)
class ReleaseWriter:
    """Writes the files of one run.

    Args:
        objects: The bucket.
        release_id: The run's own id.
        as_of: The run's time.
        now: When its data sets were computed.
    """

    objects: ObjectStore
    release_id: str
    as_of: datetime
    now: datetime

    def write(self, file_name: str, content: bytes, rows: int, model: ModelInfo | None = None) -> DatasetEntry:
        """Write one file of the release and describe it.

        Raises:
            ObjectStoreUnavailable: the write failed.
        """
        key = f"releases/{self.release_id}/{file_name}"
        etag = self.objects.put(key, content)
        return self._entry(key, rows, len(content), hashlib.sha256(content).hexdigest(), etag, model)

    def write_file(self, path: Path, rows: int, model: ModelInfo | None = None) -> DatasetEntry:
        """Write one file of the release from the disk, under its own name, and describe it.

        Raises:
            ObjectStoreUnavailable: the write failed.
        """
        key = f"releases/{self.release_id}/{path.name}"
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        etag = self.objects.put_file(key, path)
        return self._entry(key, rows, path.stat().st_size, sha256, etag, model)

    def _entry(self, key: str, rows: int, size: int, sha256: str, etag: str, model: ModelInfo | None) -> DatasetEntry:
        return DatasetEntry(
            key=key,
            rows=rows,
            bytes=size,
            sha256=sha256,
            as_of=iso(self.as_of),
            computed_at=iso(self.now),
            model_stage=str(model.stage) if model else None,
            registered_version=model.registered_version if model else None,
            model_run_id=model.model_run_id if model else None,
            etag=etag,
        )


def publish_release(
    objects: ObjectStore,
    writer: ReleaseWriter,
    datasets: Mapping[str, DatasetEntry],
    *,
    keep: frozenset[str],
    based_on: Mapping[str, DatasetEntry | None] | None = None,
    backwards: bool = False,
) -> Published:
    """Publish a rebuild's data sets.

    Args:
        objects: The bucket.
        writer: The run.
        datasets: Its data sets.
        keep: Data sets of other jobs (odds), which stay as they are unless this run wrote them.
        based_on: Those of `keep` that this run's data sets were computed from, by name; None if it did not exist.
        backwards: Whether an as_of before the current release's may replace it (an intended replay of the past).

    Raises:
        Overtaken: one of `based_on` is no longer current; nothing was published.
    """

    def change(current: Pointer | None) -> Pointer | None:
        if current is not None and not backwards and current.as_of > iso(writer.as_of):
            return None
        for name, entry in (based_on or {}).items():
            if (current.datasets.get(name) if current else None) != entry:
                raise Overtaken(f"{name} was replaced meanwhile")
        kept_entries = {name: entry for name, entry in current.datasets.items() if name in keep} if current else {}
        return Pointer(writer.release_id, iso(writer.as_of), iso(writer.now), {**kept_entries, **datasets})

    return _move(objects, change)


def publish_datasets(
    objects: ObjectStore, based_on: Pointer, datasets: Mapping[str, DatasetEntry], now: datetime
) -> Published:
    """Replace single data sets of the current release, leaving the others.

    Args:
        objects: The bucket.
        based_on: The release they were computed from; if another one is current, nothing is published.
        datasets: What to replace.
        now: The time of the change.
    """

    def change(current: Pointer | None) -> Pointer | None:
        if current is None or current.release_id != based_on.release_id:
            return None
        return replace(current, published_at=iso(now), datasets={**current.datasets, **datasets})

    return _move(objects, change)


def _move(objects: ObjectStore, change: Callable[[Pointer | None], Pointer | None]) -> Published:
    for _ in range(MOVE_ATTEMPTS):
        current, etag = read_pointer(objects)
        changed = change(current)
        if changed is None:
            assert current is not None  # noqa: S101 - without a current pointer every change is wanted or based on it
            return Published(current, moved=False)
        body = changed.to_json()
        # first under its version, so that readers of the pointer can return to it
        objects.put(pointer_version_key(changed.version), body)
        try:
            objects.put(POINTER_KEY, body, only_if_etag=etag, only_if_absent=etag is None)
        except ConditionFailed:
            continue
        return Published(changed, moved=True)
    raise ReleaseUnavailable(f"the release pointer changed during each of {MOVE_ATTEMPTS} attempts")


def read_pointer(objects: ObjectStore) -> tuple[Pointer | None, str | None]:
    """The current pointer, or a kept one in its place, and the ETag to replace it by; see `current_pointer`.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
    """
    try:
        return current_pointer(objects)
    except ReleaseUnavailable:
        # no pointer is readable: a rebuild starts over
        logger.exception("no pointer is whole")
        stored = read_if_present(objects, POINTER_KEY)
        return None, stored.etag if stored is not None else None
