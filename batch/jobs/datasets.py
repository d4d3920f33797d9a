"""The current release as frames, its returns, and how runs report both."""

import csv
import io
import logging
from collections.abc import Mapping
from itertools import chain
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from batch import refresh as odds_refresh
from batch.mlflow.run_log import InputFile
from batch.release import ReleaseWriter
from batch.returns.value_signal import value_signal
from batch.rows import Rows
from batch.serving import temporary_file, write_odds, write_serving
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import DatasetUnavailable, ReleaseDamaged
from chalicelib.models.mirror import ModelInfo
from chalicelib.releases.kept_pointers import kept_pointers
from chalicelib.releases.pointer import (
    REGION_ROI,
    SERVING,
    SERVING_ODDS,
    TRACK_RECORD,
    DatasetEntry,
    Pointer,
)
from chalicelib.releases.store import ReleaseStore
from chalicelib.storage.objects import ObjectStore, ObjectStoreUnavailable
from chalicelib.telemetry.names import DAMAGED_OBJECTS, OF_SERVICE

logger = logging.getLogger(__name__)


def frame_of(objects: ObjectStore, pointer: Pointer | None, dataset: str) -> pd.DataFrame | None:
    """A parquet data set of a release; None if missing.

    Raises:
        DatasetUnavailable: it exists but cannot be read.
    """
    if pointer is None or dataset not in pointer.datasets:
        return None
    content = ReleaseStore(objects, check_seconds=0).content(pointer.datasets[dataset])
    frame: pd.DataFrame = pq.ParquetFile(pa.BufferReader(content)).read().to_pandas()
    return frame


def write_serving_file(writer: ReleaseWriter, features: Rows, predictions: Mapping[Stage, Rows]) -> DatasetEntry:
    """Write the file from which lists read matches, predictions and features.

    Raises:
        ReleaseTooLarge: it does not fit into the temporary folder.
    """
    with temporary_file(f"{SERVING}.sqlite") as path:
        write_serving(path, features, predictions)
        return writer.write_file(path, len(predictions[Stage.CHAMPION]))


def write_serving_odds(
    writer: ReleaseWriter,
    predictions: Mapping[Stage, pd.DataFrame],
    odds: pd.DataFrame,
    signals: Mapping[Stage, pd.DataFrame],
    roi_by_region: Mapping[str, float | None],
    history: pd.DataFrame | None = None,
) -> DatasetEntry:
    """Write the file from which lists read odds, edges, value, returns and price movements.

    Raises:
        ReleaseTooLarge: it does not fit into the temporary folder.
    """
    with temporary_file("odds.sqlite") as path:
        rows = write_odds(path, odds, predictions, signals, roi_by_region, history)
        return writer.write_file(path, rows)


def readable(objects: ObjectStore, pointer: Pointer | None, dataset: str) -> tuple[DatasetEntry, pd.DataFrame] | None:
    """A data set that is carried from release to release; where it is damaged, the newest undamaged version.

    Returns:
        Its entry and rows; None where none was ever published or none can be read.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
    """
    if pointer is None:
        return None
    damaged: set[str] = set()
    for candidate in chain([pointer], kept_pointers(objects)):
        entry = candidate.datasets.get(dataset)
        if entry is None or entry.key in damaged:
            continue
        try:
            frame = frame_of(objects, candidate, dataset)
        except (DatasetUnavailable, ReleaseDamaged) as error:
            if isinstance(error.__cause__, ObjectStoreUnavailable):
                raise error.__cause__ from error
            damaged.add(entry.key)
            logger.error("data set damaged, the one before is used", extra={"key": entry.key, "detail": error.message})  # noqa: TRY400 - not a defect in the code
            wiring.recorder().count(DAMAGED_OBJECTS, OF_SERVICE)
            continue
        assert frame is not None  # noqa: S101 - it has an entry
        return entry, frame
    return None


def write_returns(
    writer: ReleaseWriter,
    predictions: Mapping[Stage, pd.DataFrame],
    odds: pd.DataFrame | None,
    history: pd.DataFrame | None = None,
) -> dict[str, DatasetEntry]:
    """Write ROI, track record and serving file of a release's odds, if there are any.

    The serving file is published only with the predictions it was made from.
    """
    if odds is None:
        return {}
    record = odds_refresh.returns(predictions[Stage.CHAMPION], odds)
    roi = {
        row["region"]: float(row["roi"]) if row["roi"] else None
        for row in csv.DictReader(io.StringIO(record.roi_csv.decode()))
    }
    by_match = {
        stage: (record.signal if stage is Stage.CHAMPION else value_signal(frame, odds)).by_match()
        for stage, frame in predictions.items()
    }
    return {
        SERVING_ODDS: write_serving_odds(writer, predictions, odds, by_match, roi, history),
        REGION_ROI: writer.write(f"{REGION_ROI}.csv", record.roi_csv, record.regions),
        TRACK_RECORD: writer.write(f"{TRACK_RECORD}.json", record.track_record_json(), record.track_record["matches"]),
    }


def outputs(entries: Mapping[str, DatasetEntry]) -> dict[str, dict[str, Any]]:
    """Key, checksum and rows of data sets, for run reports."""
    return {
        name: {"key": entry.key, "sha256": entry.sha256, "rows": entry.rows} for name, entry in sorted(entries.items())
    }


def as_input(pointer: Pointer, dataset: str) -> InputFile:
    """A data set of a release as a run's input."""
    entry = pointer.datasets[dataset]
    return InputFile(entry.key, entry.sha256, rows=entry.rows)


def model_params(info: ModelInfo) -> dict[str, str]:
    """The model a run used, for its log."""
    stage = str(info.stage)
    return {
        f"{stage}_version": info.registered_version,
        f"{stage}_run_id": info.model_run_id,
        f"{stage}_model_sha256": info.model_sha256,
    }
