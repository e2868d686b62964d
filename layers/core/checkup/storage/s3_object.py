"""One object in a bucket that somebody else writes: read when it has changed, or by its version."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from msgspec import Struct

from checkup.errors import StorageError
from checkup.storage.s3_bucket import Bucket
from checkup.storage.s3_errors import S3Refusal

_NOT_THERE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
"""Without the right to list a bucket, a missing object is a forbidden one."""


class Version(Struct, frozen=True):
    """The object as it was at some time.

    Attributes:
        etag: a mark of the content.
        id: S3's name of this version; empty in a bucket that keeps none.
    """

    body: bytes
    etag: str
    id: str


class NotThere(StorageError):  # noqa: N818 - an answer of S3 that callers expect
    """There is no such object, or it may not be read."""


class S3Object:
    """An object by its name.

    Attributes:
        address: how people know it.
    """

    def __init__(self, client: Any, bucket: str, key: str) -> None:  # noqa: ANN401 - boto3
        self._bucket = Bucket(client, bucket)
        self._key = key
        self.address = self._bucket.address(key)

    def changed(self, etag: str) -> Version | None:
        """Return the object as it is now, or None if its content is still the one of ``etag``.

        Raises:
            NotThere: there is none.
            StorageError: S3 could not be asked.
        """
        return self._get(**({"IfNoneMatch": etag} if etag else {}))

    def at(self, version: str) -> Version:
        """Return the object as it was in an earlier version.

        Raises:
            NotThere: that version is gone.
            StorageError: S3 could not be asked.
        """
        found = self._get(VersionId=version)
        assert found is not None  # noqa: S101 - only a condition can be answered so
        return found

    def _get(self, **which: str) -> Version | None:
        try:
            answer = self._bucket.ask("read", self._key, "get_object", Key=self._key, **which)
        except S3Refusal as no:
            if no.status == HTTPStatus.NOT_MODIFIED:
                return None
            if no.status in _NOT_THERE:
                raise NotThere(str(no)) from None
            raise
        kept = answer.get("VersionId", "")
        return Version(answer["Body"].read(), answer["ETag"], "" if kept == "null" else kept)
