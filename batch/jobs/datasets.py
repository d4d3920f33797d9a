"""The current release as frames, the returns that belong to it, and what runs say of either."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from batch import refresh as odds_refresh
from batch.mlflow.run_log import InputFile
from batch.release import ReleaseWriter
from chalicelib.models.mirror import ModelInfo
from chalicelib.releases.pointer import REGION_ROI, TRACK_RECORD, DatasetEntry, Pointer
from chalicelib.releases.store import ReleaseStore
from chalicelib.storage.objects import ObjectStore


def frame_of(objects: ObjectStore, pointer: Pointer | None, dataset: str) -> pd.DataFrame | None:
    """A parquet data set of a release; None where there is none.

    Raises:
        DatasetUnavailable: it is there but cannot be read.
    """
    if pointer is None or dataset not in pointer.datasets:
        return None
    frame: pd.DataFrame = ReleaseStore(objects, check_seconds=0).table(pointer.datasets[dataset]).to_pandas()
    return frame


def write_returns(
    writer: ReleaseWriter, predictions: pd.DataFrame, odds: pd.DataFrame | None
) -> dict[str, DatasetEntry]:
    """ROI and track record of a release, if there are odds to compute them from."""
    if odds is None:
        return {}
    record = odds_refresh.returns(predictions, odds)
    return {
        REGION_ROI: writer.write(f"{REGION_ROI}.csv", record.roi_csv, record.regions),
        TRACK_RECORD: writer.write(f"{TRACK_RECORD}.json", record.track_record_json(), record.track_record["matches"]),
    }


def outputs(entries: Mapping[str, DatasetEntry]) -> dict[str, dict[str, Any]]:
    """Key, checksum and rows of data sets, as run reports list them."""
    return {name: {"key": one.key, "sha256": one.sha256, "rows": one.rows} for name, one in sorted(entries.items())}


def as_input(pointer: Pointer, dataset: str) -> InputFile:
    """A data set of a release as a run's input."""
    entry = pointer.datasets[dataset]
    return InputFile(entry.key, entry.sha256, rows=entry.rows)


def model_params(info: ModelInfo) -> dict[str, str]:
    """Which model a run used, for its log."""
    stage = str(info.stage)
    return {
        f"{stage}_version": info.registered_version,
        f"{stage}_run_id": info.model_run_id,
        f"{stage}_model_sha256": info.model_sha256,
    }
