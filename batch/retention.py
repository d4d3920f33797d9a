"""Which releases stay readable, and the deletion of the rest.

An odds refresh writes a folder of its own and moves the pointer, 72 times between two rebuilds; so what counts is
rebuilds, not folders: the newest so many of them stay, each with the odds that its last pointer named, so that a person
can go back to one. Beside them stays whatever a reader may still hold: everything that any pointer named that was
served in the last hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from batch.release import iso
from chalicelib.errors import ReleaseUnavailable
from chalicelib.releases.pointer import Pointer
from chalicelib.storage.objects import ObjectStore, read_if_there

POINTERS: Final = "releases/pointers/"


@dataclass(frozen=True, slots=True)
class Retention:
    """How much stays.

    Args:
        rebuilds: Rebuilds kept behind the current one.
        hours: Hours for which a pointer that was replaced, and all that it names, can still be read.
    """

    rebuilds: int = 14
    hours: float = 24


def retained(pointers: Iterable[Pointer], current: Pointer, now: datetime, retention: Retention) -> list[Pointer]:
    """The pointers whose files stay: the current one, those of the last hours, and the last of each kept rebuild."""
    # Pointers of the same second are in no order; all of them then stay as long as the last.
    in_order = sorted([*pointers, current], key=lambda pointer: pointer.published_at)
    oldest = iso(now - timedelta(hours=retention.hours))
    recent = [pointer for pointer, successor in pairwise(in_order) if successor.published_at >= oldest]
    last_of_rebuild = {pointer.release_id: pointer for pointer in in_order if pointer.release_id != current.release_id}
    newest = sorted(last_of_rebuild, reverse=True)[: retention.rebuilds]
    # A refresh may have moved the pointer on since the caller saw it.
    return [current, in_order[-1], *recent, *(last_of_rebuild[release_id] for release_id in newest)]


def forget_old_releases(
    objects: ObjectStore, current: Pointer, now: datetime, retention: Retention = Retention()
) -> list[str]:
    """Delete pointers and files that nobody can be reading and nobody would go back to.

    Nothing written in the last hours is deleted either: another run may be about to publish it.

    Returns:
        The deleted keys.
    """
    pointers = dict(_pointers(objects))
    staying = retained(pointers.values(), current, now, retention)
    folders = {pointer.release_id for pointer in staying}
    folders |= {_folder(entry.key) for pointer in staying for entry in pointer.datasets.values()}
    begun = f"{now - timedelta(hours=retention.hours):%Y%m%dT%H%M%SZ}"
    files = [
        key
        for key, _ in objects.keys("releases/")
        if _is_file(key) and _folder(key) not in folders and _folder(key) < begun
    ]
    versions = {pointer.version for pointer in staying}
    stale = [key for key, pointer in pointers.items() if pointer.version not in versions]
    # Pointers first: one that can be read never names a file that is gone.
    for key in [*stale, *files]:
        objects.delete(key)
    return [*stale, *files]


def _pointers(objects: ObjectStore) -> Iterable[tuple[str, Pointer]]:
    """Every kept pointer that can be read; a damaged one stays for people to look at."""
    for key, _ in objects.keys(POINTERS):
        if (stored := read_if_there(objects, key)) is None:
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
