"""Puts the page into an S3 bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from checkup.errors import PublishError
from checkup.ports import PageFile
from checkup_page.publishers.order import index_last

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DIGEST: Final = "sha256"
_ABSENT: Final = {"403", "404", "NoSuchKey", "NotFound"}
"""Without the right to list a bucket, a missing object is a forbidden one."""

_STALE_IF_ERROR: Final = 24 * 3600
"""An old page says how old it is; an error page says nothing."""


class S3Publisher:
    """A bucket behind a content delivery network.

    Each object carries the hash of its content, so that a look at its metadata tells whether
    it has changed: that costs a twelfth of writing it again.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def publish(self, files: Mapping[str, PageFile]) -> Sequence[str]:
        """Write what changed; see :meth:`checkup.ports.Publisher.publish`."""
        return [path for path in index_last(files) if self._write(path, files[path])]

    def _write(self, path: str, file: PageFile) -> bool:
        digest = hashlib.sha256(file.body).hexdigest()
        try:
            if self._digest(path) == digest:
                return False
            self._client.put_object(
                Bucket=self._bucket,
                Key=path,
                Body=file.body,
                ContentType=file.content_type,
                CacheControl=f"public, max-age={file.max_age}, stale-if-error={_STALE_IF_ERROR}",
                Metadata={_DIGEST: digest},
            )
        except ClientError as error:
            raise PublishError(f"{self._bucket}/{path}: S3 answered {_code(error)}") from error
        except BotoCoreError as error:
            problem = type(error).__name__
            raise PublishError(f"{self._bucket}/{path}: no answer of S3 ({problem})") from error
        return True

    def _digest(self, path: str) -> str | None:
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=path)
        except ClientError as error:
            if _code(error) in _ABSENT:
                return None
            raise
        return head["Metadata"].get(_DIGEST)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "an error")
