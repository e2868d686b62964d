"""One object in a bucket that somebody else writes: read when it has changed, or by its version."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from msgspec import Struct

from checkup.errors import StorageError
from checkup.storage.s3_bucket import S3Bucket
from checkup.storage.s3_errors import S3Error

_NOT_THERE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
"""Without the right to list a bucket, a missing object is a forbidden one."""


class ObjectVersion(Struct, frozen=True):
    """The object as it was at some time.

    Attributes:
        etag: a mark of the content.
        id: S3's name of this version; empty in a bucket that keeps none.
    """

    body: bytes
    etag: str
    id: str


class ObjectNotFoundError(StorageError):
    """There is no such object, or it may not be read."""


class S3Object:
    """An object by its name.

    Attributes:
        address: how people know it.
    """

    def __init__(self, client: Any, bucket: str, key: str) -> None:  # noqa: ANN401 - boto3
        self._bucket = S3Bucket(client, bucket)
        self._key = key
        self.address = self._bucket.address(key)

    def changed(self, etag: str) -> ObjectVersion | None:
        """Return the object as it is now, or None if its content is still the one of ``etag``.

        Raises:
            ObjectNotFoundError: there is none.
            StorageError: S3 could not be asked.
        """
        return self._get(**({"IfNoneMatch": etag} if etag else {}))

    def at(self, version: str) -> ObjectVersion:
        """Return the object as it was in an earlier version.

        Raises:
            ObjectNotFoundError: that version is gone.
            StorageError: S3 could not be asked.
        """
        found = self._get(VersionId=version)
        assert found is not None  # noqa: S101 - only a condition can be answered so
        return found

    def _get(self, **which: str) -> ObjectVersion | None:
        try:
            answer = self._bucket.ask("read", self._key, "get_object", Key=self._key, **which)
        except S3Error as no:
            if no.status == HTTPStatus.NOT_MODIFIED:
                return None
            if no.status in _NOT_THERE:
                raise ObjectNotFoundError(str(no)) from None
            raise
        kept = answer.get("VersionId", "")
        return ObjectVersion(answer["Body"].read(), answer["ETag"], "" if kept == "null" else kept)
