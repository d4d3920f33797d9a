"""Objects under keys: the small part of S3 that the service needs, and its errors."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import Retryable, ServiceError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef


class ObjectMissing(ServiceError):
    """There is no object under the key."""

    code = "object_missing"


class ObjectStoreUnavailable(Retryable):
    """The bucket does not answer."""

    code = "object_store_unavailable"


class ConditionFailed(ServiceError):
    """A conditional write failed: the object was written meanwhile."""

    code = "condition_failed"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's bytes and the ETag of this version of them."""

    body: bytes
    etag: str


class ObjectStore(Protocol):
    """Read and conditionally write whole objects."""

    def get(self, key: str, unless_etag: str | None = None) -> StoredObject | None:
        """The object, or None when its ETag is still `unless_etag`.

        Raises:
            ObjectMissing: it does not exist.
            ObjectStoreUnavailable: the store does not answer.
        """
        ...

    def get_range(self, key: str, start: int, length: int, only_if_etag: str | None) -> bytes:
        """Bytes of an object from an offset inside it; fewer at its end.

        Raises:
            ConditionFailed: its ETag is another one.
            ObjectMissing: it does not exist, or ends before the offset.
            ObjectStoreUnavailable: the store does not answer.
        """
        ...

    def put(self, key: str, body: bytes, *, only_if_etag: str | None = None, only_if_absent: bool = False) -> str:
        """Write the object and return its ETag.

        Raises:
            ConditionFailed: the condition did not hold.
            ObjectStoreUnavailable: the store does not answer.
        """
        ...

    def put_file(self, key: str, path: Path) -> str:
        """Write a file as an object, without reading it into memory, and return its ETag.

        Raises:
            ObjectStoreUnavailable: the store does not answer.
        """
        ...

    def delete(self, key: str) -> None:
        """Delete the object, if it exists.

        Raises:
            ObjectStoreUnavailable: the store does not answer.
        """
        ...

    def keys(self, prefix: str) -> list[tuple[str, str]]:
        """Key and ETag of every object under the prefix, in key order.

        Raises:
            ObjectStoreUnavailable: the store does not answer.
        """
        ...

    def newest(self, prefix: str, count: int) -> list[str]:
        """Keys of the objects under the prefix that were written last, the newest first.

        Raises:
            ObjectStoreUnavailable: the store does not answer.
        """
        ...


def read(objects: ObjectStore, key: str) -> StoredObject:
    """The object, whatever its ETag.

    Raises:
        ObjectMissing, ObjectStoreUnavailable: as `ObjectStore.get`.
    """
    stored = objects.get(key)
    assert stored is not None  # noqa: S101 - the store answers None only for an ETag it was given
    return stored


def read_if_present(objects: ObjectStore, key: str) -> StoredObject | None:
    """The object, whatever its ETag; None if missing.

    Raises:
        ObjectStoreUnavailable: the store does not answer.
    """
    try:
        return read(objects, key)
    except ObjectMissing:
        return None


class S3ObjectStore:
    """The objects of one S3 bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def get(self, key: str, unless_etag: str | None = None) -> StoredObject | None:
        """See `ObjectStore.get`."""
        condition = {"IfNoneMatch": unless_etag} if unless_etag else {}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **condition)  # type: ignore[arg-type]
            return StoredObject(answer["Body"].read(), answer["ETag"])
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 304:  # noqa: PLR2004 - Not Modified
                return None
            raise _translated(error, key) from error
        except BotoCoreError as error:
            raise ObjectStoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from error

    def get_range(self, key: str, start: int, length: int, only_if_etag: str | None) -> bytes:
        """See `ObjectStore.get_range`."""
        condition = {"IfMatch": only_if_etag} if only_if_etag else {}
        try:
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=key,
                Range=f"bytes={start}-{start + length - 1}",
                **condition,  # type: ignore[arg-type]
            )
            return answer["Body"].read()
        except ClientError as error:
            raise _translated(error, key) from error
        except BotoCoreError as error:
            raise ObjectStoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from error

    def put(self, key: str, body: bytes, *, only_if_etag: str | None = None, only_if_absent: bool = False) -> str:
        """See `ObjectStore.put`."""
        condition = {"IfMatch": only_if_etag} if only_if_etag else {"IfNoneMatch": "*"} if only_if_absent else {}
        try:
            return self._client.put_object(Bucket=self._bucket, Key=key, Body=body, **condition)["ETag"]  # type: ignore[arg-type]
        except ClientError as error:
            raise _translated(error, key) from error
        except BotoCoreError as error:
            raise ObjectStoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from error

    def put_file(self, key: str, path: Path) -> str:
        """See `ObjectStore.put_file`."""
        try:
            with path.open("rb") as file:
                return self._client.put_object(Bucket=self._bucket, Key=key, Body=file)["ETag"]
        except ClientError as error:
            raise _translated(error, key) from error
        except BotoCoreError as error:
            raise ObjectStoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from error

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key)
        except (ClientError, BotoCoreError) as error:
            raise ObjectStoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from error

    def keys(self, prefix: str) -> list[tuple[str, str]]:
        """See `ObjectStore.keys`."""
        return [(item["Key"], item["ETag"]) for item in self._listed(prefix)]

    def newest(self, prefix: str, count: int) -> list[str]:
        """See `ObjectStore.newest`."""
        items = sorted(self._listed(prefix), key=lambda item: item["LastModified"], reverse=True)
        return [item["Key"] for item in items[:count]]

    def _listed(self, prefix: str) -> "list[ObjectTypeDef]":
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return [item for page in pages for item in page.get("Contents", [])]
        except (ClientError, BotoCoreError) as error:
            raise ObjectStoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from error


def _translated(error: ClientError, key: str) -> ServiceError:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    code = error.response["Error"]["Code"]
    if code == "NoSuchKey" or status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return ObjectMissing(f"no object {key}")
    if status in (409, 412):
        return ConditionFailed(f"{key} was written by another process meanwhile")
    return ObjectStoreUnavailable(f"the bucket answered {code}")
