"""The current release as frames, and the returns that belong to it."""

import pandas as pd

from batch import odds_refresh
from batch.release import ReleaseWriter
from chalicelib.data_release import REGION_ROI, TRACK_RECORD, DatasetEntry, Pointer, ReleaseStore
from chalicelib.object_store import ObjectStore


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
