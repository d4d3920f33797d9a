"""A bucket whose objects are read without the SDK; writes and listings still use it, loaded when needed."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from chalicelib.errors import ServiceError
from chalicelib.storage.aws_http import Answer, AwsEndpoint, AwsUnreachable
from chalicelib.storage.objects import (
    ConditionFailed,
    ObjectMissing,
    ObjectStoreUnavailable,
    S3ObjectStore,
    StoredObject,
)

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class DirectS3ObjectStore(S3ObjectStore):
    """The objects of one S3 bucket.

    Args:
        endpoint: The bucket's endpoint.
        prefix: Path before a key: empty, or the bucket if the host does not name it.
        sdk: Makes the SDK's client.
        bucket: Name of the bucket.
    """

    def __init__(self, endpoint: AwsEndpoint, prefix: str, sdk: "Callable[[], S3Client]", bucket: str) -> None:
        self._endpoint = endpoint
        self._prefix = prefix
        self._sdk = sdk
        self._bucket = bucket

    @property
    def _client(self) -> "S3Client":  # type: ignore[override]
        return self._sdk()

    def get(self, key: str, unless_etag: str | None = None) -> StoredObject | None:
        """See `ObjectStore.get`."""
        condition = {"if-none-match": unless_etag} if unless_etag else {}
        try:
            answer = self._endpoint.request("GET", f"{self._prefix}/{key}", condition)
        except AwsUnreachable as error:
            raise ObjectStoreUnavailable(f"the bucket does not answer: {error}") from error
        if answer.status == HTTPStatus.OK:
            return StoredObject(answer.body, answer.headers["etag"])
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        raise _translated(answer, key)

    def get_range(self, key: str, start: int, length: int, only_if_etag: str | None) -> bytes:
        """See `ObjectStore.get_range`."""
        headers = {"range": f"bytes={start}-{start + length - 1}"}
        if only_if_etag:
            headers["if-match"] = only_if_etag
        try:
            answer = self._endpoint.request("GET", f"{self._prefix}/{key}", headers)
        except AwsUnreachable as error:
            raise ObjectStoreUnavailable(f"the bucket does not answer: {error}") from error
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            return answer.body
        raise _translated(answer, key)


def _translated(answer: Answer, key: str) -> ServiceError:
    # a missing bucket is a 404 too
    missing = answer.status == HTTPStatus.NOT_FOUND and b"<Code>NoSuchKey</Code>" in answer.body
    if missing or answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return ObjectMissing(f"no object {key}")
    if answer.status == HTTPStatus.PRECONDITION_FAILED:
        return ConditionFailed(f"{key} was written by another process meanwhile")
    return ObjectStoreUnavailable(f"the bucket answered {answer.status}")
