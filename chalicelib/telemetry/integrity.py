"""Check that stored objects are as written: every object that the pointer and the mirrors name.

`make doctor` and the sweep check and repair: the pointer from a kept one, files from their versions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.domain import Stage
from chalicelib.errors import DriftReportUnreadable, InvalidModel, ReleaseUnavailable
from chalicelib.models.mirror import ModelInfo, mirror_key
from chalicelib.releases.drift_report import DRIFT_REPORT_KEY, read_drift_report
from chalicelib.releases.kept_pointers import current_pointer, heal_pointer, is_whole
from chalicelib.releases.pointer import POINTER_KEY, PREDICTIONS
from chalicelib.storage.objects import ObjectStore, read_if_present
from chalicelib.storage.versions import VersionedBucket


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged object.

    Args:
        key: Its key.
        problem: `missing`, `damaged` (another checksum) or `malformed`.
        repair: What was done about it; None if nothing could be done.
        remedy: The function whose next run writes it again.
    """

    key: str
    problem: str
    repair: str | None
    remedy: str


def examine(objects: ObjectStore, bucket: VersionedBucket, *, repair: bool) -> list[Damage]:
    """Check every object that the pointer and the mirrors name against its checksum.

    Args:
        objects: The bucket.
        bucket: The same, with its versions.
        repair: Whether to repair.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
    """
    return [
        *_pointer(objects, repair=repair),
        *_datasets(objects, bucket, repair=repair),
        *(damage for stage in Stage for damage in _mirror(objects, bucket, stage, repair=repair)),
        *_drift_report(objects),
    ]


def _pointer(objects: ObjectStore, *, repair: bool) -> Iterator[Damage]:
    stored = read_if_present(objects, POINTER_KEY)
    if stored is not None and is_whole(stored.body):
        return
    problem = "missing" if stored is None else "malformed"
    try:
        pointer, _ = current_pointer(objects)
        healed = heal_pointer(objects) if repair else None
    except ReleaseUnavailable:
        pointer, healed = None, None
    if pointer is None and stored is None:
        # nothing was ever published
        return
    yield Damage(POINTER_KEY, problem, f"moved to the kept pointer {healed.version}" if healed else None, "rebuild")


def _datasets(objects: ObjectStore, bucket: VersionedBucket, *, repair: bool) -> Iterator[Damage]:
    try:
        pointer, _ = current_pointer(objects)
    except ReleaseUnavailable:
        return
    for name, entry in sorted(pointer.datasets.items()) if pointer else []:
        remedy = "refresh_odds" if "odds" in name or "prices" in name else "rebuild"
        yield from _file(bucket, entry.key, entry.sha256, remedy, repair=repair)


def _mirror(objects: ObjectStore, bucket: VersionedBucket, stage: Stage, *, repair: bool) -> Iterator[Damage]:
    key = mirror_key(stage)
    stored = read_if_present(objects, key)
    if stored is None:
        # no version has the alias, which is not damage; unless the release was predicted by it: then it was lost.
        if stage is Stage.CHAMPION and _has_predictions(objects):
            yield Damage(key, "missing", None, "sync_models")
        return
    try:
        info = ModelInfo.from_json(stored.body, stage)
    except InvalidModel:
        yield Damage(key, "malformed", None, "sync_models")
        return
    yield from _file(bucket, info.model_key, info.model_sha256, "sync_models", repair=repair)
    if info.reference_key is not None and info.reference_sha256 is not None:
        yield from _file(bucket, info.reference_key, info.reference_sha256, "sync_models", repair=repair)


def _has_predictions(objects: ObjectStore) -> bool:
    try:
        pointer, _ = current_pointer(objects)
    except ReleaseUnavailable:
        return False
    return pointer is not None and PREDICTIONS in pointer.datasets


def _drift_report(objects: ObjectStore) -> Iterator[Damage]:
    try:
        read_drift_report(objects)
    except DriftReportUnreadable:
        yield Damage(DRIFT_REPORT_KEY, "malformed", None, "monitor_drift")


def _file(bucket: VersionedBucket, key: str, sha256: str, remedy: str, *, repair: bool) -> Iterator[Damage]:
    actual = bucket.sha256(key)
    if actual == sha256:
        return
    version = bucket.restore(key, sha256) if repair else None
    problem = "missing" if actual is None else "damaged"
    yield Damage(key, problem, f"restored from version {version}" if version else None, remedy)
