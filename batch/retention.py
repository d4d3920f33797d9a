"""Decide which releases stay readable, and delete the others.

An odds refresh writes its own folder and moves the pointer, 72 times between two rebuilds; so rebuilds
count, not folders: the newest ones stay, each with the odds of its last pointer, for going back. Also kept is whatever
a reader may still use: everything named by a pointer served in the last hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from batch.release import iso
from chalicelib.errors import ReleaseUnavailable
from chalicelib.releases.pointer import Pointer
from chalicelib.storage.objects import ObjectStore, read_if_present

POINTERS: Final = "releases/pointers/"


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept.

    Args:
        rebuilds: Rebuilds kept behind the current one.
        hours: Hours for which a replaced pointer, and all that it names, stays readable.
    """

    rebuilds: int = 14
    hours: float = 24


def retained(pointers: Iterable[Pointer], current: Pointer, now: datetime, retention: Retention) -> list[Pointer]:
    """The pointers whose files are kept: the current one, those of the last hours, the last of each kept rebuild."""
    # pointers of the same second have no order; they are kept as long as the last of them
    in_order = sorted([*pointers, current], key=lambda pointer: pointer.published_at)
    oldest = iso(now - timedelta(hours=retention.hours))
    recent = [pointer for pointer, successor in pairwise(in_order) if successor.published_at >= oldest]
    last_of_rebuild = {pointer.release_id: pointer for pointer in in_order if pointer.release_id != current.release_id}
    newest = sorted(last_of_rebuild, reverse=True)[: retention.rebuilds]
    # a refresh may have moved the pointer meanwhile
    return [current, in_order[-1], *recent, *(last_of_rebuild[release_id] for release_id in newest)]


def delete_old_releases(
    objects: ObjectStore, current: Pointer, now: datetime, retention: Retention = Retention()
) -> list[str]:
    """Delete pointers and files that are neither in use nor kept.

    Files of the last hours are kept too: another run may be about to publish them.

    Returns:
        The deleted keys.
    """
    pointers = dict(_pointers(objects))
    staying = retained(pointers.values(), current, now, retention)
    folders = {pointer.release_id for pointer in staying}
    folders |= {_folder(entry.key) for pointer in staying for entry in pointer.datasets.values()}
    oldest_kept = f"{now - timedelta(hours=retention.hours):%Y%m%dT%H%M%SZ}"
    files = [
        key
        for key, _ in objects.keys("releases/")
        if _is_file(key) and _folder(key) not in folders and _folder(key) < oldest_kept
    ]
    versions = {pointer.version for pointer in staying}
    stale = [key for key, pointer in pointers.items() if pointer.version not in versions]
    # pointers first: a readable one never names a missing file
    for key in [*stale, *files]:
        objects.delete(key)
    return [*stale, *files]


def _pointers(objects: ObjectStore) -> Iterable[tuple[str, Pointer]]:
    """Every readable kept pointer; damaged ones are left for inspection."""
    for key, _ in objects.keys(POINTERS):
        if (stored := read_if_present(objects, key)) is None:
            continue
        try:
            yield key, Pointer.from_json(stored.body)
        except ReleaseUnavailable:
            continue


def _is_file(key: str) -> bool:
    """Whether it is `releases/<id>/<file>`."""
    return key.count("/") >= 2 and not key.startswith(POINTERS)  # noqa: PLR2004


def _folder(key: str) -> str:
    return key.split("/")[1]
