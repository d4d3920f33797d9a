"""Earlier versions of the bucket's objects, and checksums of objects too large for memory."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.storage.objects import ObjectStoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_CHUNK_BYTES: Final = 1 << 20
_NOT_THERE: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})


class VersionedBucket:
    """A bucket with versioning.

    Args:
        client: S3 client.
        bucket: Its name.
    """

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def sha256(self, key: str, version: str | None = None) -> str | None:
        """SHA-256 of an object in hex, read in chunks; None if missing.

        Raises:
            ObjectStoreUnavailable: the bucket does not answer.
        """
        version_argument: dict[str, Any] = {} if version is None else {"VersionId": version}
        digest = hashlib.sha256()
        with _translated():
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=key, **version_argument)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] in _NOT_THERE:
                    return None
                raise
            for chunk in body.iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def versions(self, key: str) -> list[str]:
        """Ids of an object's versions, the newest first.

        Raises:
            ObjectStoreUnavailable: the bucket does not answer.
        """
        with _translated():
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
            versions = [version for page in pages for version in page.get("Versions", []) if version["Key"] == key]
        newest_first = sorted(versions, key=lambda version: version["LastModified"], reverse=True)
        return [version["VersionId"] for version in newest_first]

    def restore(self, key: str, sha256: str) -> str | None:
        """Make the newest version with that checksum the current one again.

        Returns:
            The version's id; None where there is no such version.

        Raises:
            ObjectStoreUnavailable: the bucket does not answer.
        """
        for version in self.versions(key):
            if self.sha256(key, version) == sha256:
                source: Any = {"Bucket": self._bucket, "Key": key, "VersionId": version}
                with _translated():
                    self._client.copy_object(Bucket=self._bucket, Key=key, CopySource=source)
                return version
        return None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise ObjectStoreUnavailable(f"the bucket answered {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise ObjectStoreUnavailable(f"the bucket does not answer: {type(error).__name__}") from error
