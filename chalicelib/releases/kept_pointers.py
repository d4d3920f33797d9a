"""Kept pointers, which replace the current one when it is damaged or missing."""

import logging
from typing import Final

from chalicelib.errors import ReleaseUnavailable
from chalicelib.releases.pointer import POINTER_KEY, Pointer, pointer_version_key
from chalicelib.storage.objects import ConditionFailed, ObjectStore, read_if_present

logger = logging.getLogger(__name__)

KEPT_POINTERS: Final = "releases/pointers/"
_NEWEST_READ: Final = 20
"""Number of kept pointers to read for the latest one; several may be of the same second, some damaged."""


def kept_pointers(objects: ObjectStore, count: int = _NEWEST_READ) -> list[Pointer]:
    """The newest undamaged kept pointers, latest first.

    Raises:
        ObjectStoreUnavailable: the store does not answer.
    """
    pointers = []
    for key in objects.newest(KEPT_POINTERS, count):
        stored = read_if_present(objects, key)
        try:
            pointer = None if stored is None else Pointer.from_json(stored.body)
        except ReleaseUnavailable:
            logger.warning("kept pointer malformed", extra={"key": key})
            continue
        # its name is the checksum of its content
        if pointer is not None and pointer_version_key(pointer.version) == key:
            pointers.append(pointer)
    return sorted(pointers, key=lambda pointer: pointer.published_at, reverse=True)


def current_pointer(objects: ObjectStore) -> tuple[Pointer | None, str | None]:
    """The current pointer and its ETag; where it is malformed or missing, the latest kept one.

    Returns:
        The pointer, None before the first release; the ETag of the object under the current pointer's key, damaged or
        not, None without one.

    Raises:
        ObjectStoreUnavailable: the store does not answer.
        ReleaseUnavailable: it is malformed and every kept one is damaged.
    """
    stored = read_if_present(objects, POINTER_KEY)
    try:
        if stored is not None:
            return Pointer.from_json(stored.body), stored.etag
    except ReleaseUnavailable as error:
        newest = next(iter(kept_pointers(objects)), None)
        if newest is None:
            raise
        logger.exception("release pointer malformed, the newest kept one is used", extra={"reason": error.code})
        assert stored is not None  # noqa: S101 - it was parsed
        return newest, stored.etag
    newest = next(iter(kept_pointers(objects)), None)
    if newest is not None:
        logger.error("release pointer is gone, the newest kept one is used")
    return newest, None


def heal_pointer(objects: ObjectStore) -> Pointer | None:
    """Replace a malformed or missing current pointer by the newest kept one.

    Returns:
        The restored pointer; None if nothing was needed or another process was faster.

    Raises:
        ObjectStoreUnavailable: the store does not answer.
        ReleaseUnavailable: it is malformed and every kept one is damaged.
    """
    stored = read_if_present(objects, POINTER_KEY)
    if stored is not None and is_whole(stored.body):
        return None
    pointer, etag = current_pointer(objects)
    if pointer is None:
        return None
    try:
        objects.put(POINTER_KEY, pointer.to_json(), only_if_etag=etag, only_if_absent=etag is None)
    except ConditionFailed:
        return None
    return pointer


def is_whole(body: bytes) -> bool:
    """Whether it is a pointer."""
    try:
        Pointer.from_json(body)
    except ReleaseUnavailable:
        return False
    return True
