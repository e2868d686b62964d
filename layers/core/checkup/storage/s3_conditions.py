"""Whether a service with S3's protocol keeps to conditions; some take them and write all the same.

Everything rests on them: where both of two writers are told that they were the one, runs and
messages get lost without a trace.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from uuid import uuid4

from checkup.errors import StorageError
from checkup.storage.s3_bucket import S3Bucket
from checkup.storage.s3_errors import S3Error

PROBE_KEY: Final = "state/conditions-test"
"""The object that is written to find out; it stays, so that the next test writes nothing."""


def verify_conditional_writes(bucket: S3Bucket, name: str) -> None:
    """Make sure that a second creation and a replacement of what is not there are refused.

    Raises:
        StorageError: they are not, or the service cannot be written to.
    """
    if _writes(bucket, name, IfNoneMatch="*") and _writes(bucket, name, IfNoneMatch="*"):
        raise StorageError(_ignored(bucket, name, "If-None-Match"))
    if _writes(bucket, name, IfMatch='"00000000000000000000000000000000"'):
        raise StorageError(_ignored(bucket, name, "If-Match"))


def _writes(bucket: S3Bucket, name: str, **condition: str) -> bool:
    """Say whether a write goes through; its content is new, so no other is taken for it."""
    try:
        bucket.write(name, uuid4().hex.encode(), **condition)
    except S3Error as no:
        if no.status == HTTPStatus.PRECONDITION_FAILED:
            return False
        raise
    return True


def _ignored(bucket: S3Bucket, name: str, condition: str) -> str:
    address = bucket.address(name)
    return (
        f"{address}: the service ignores {condition}, so two runs could overwrite each other "
        "unseen; use a service with conditional writes"
    )
