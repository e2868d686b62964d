"""What a bucket needs before it keeps runs: private, encrypted, over TLS only, with a memory.

The same as for the buckets of the stack, in template.yaml. No key is published and no user is
made: whoever stores brings credentials of their own. Whoever else uses the bucket is respected;
statements of its policy and rules of its lifecycle are added to, never replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus

from checkup.errors import StorageError
from checkup.ports import ProvisionStep
from checkup.storage.s3_aspects import BucketSetting, bucket_settings, put_setting, tls_only
from checkup.storage.s3_bucket import S3Bucket
from checkup.storage.s3_errors import S3Error
from checkup.storage.s3_lifecycle import lifecycle, lifecycle_rules


def pending_steps(bucket: S3Bucket, prefix: str, check_expiry: int) -> Sequence[ProvisionStep]:
    """Return what has to be done to a bucket, or to make it.

    Args:
        prefix: of what is stored in it; empty or ending in a slash.
        check_expiry: nanoseconds; 0 for ever.

    Raises:
        StorageError: its settings cannot be read.
    """
    exists = _exists(bucket)
    make = BucketSetting(_make_says(bucket), "s3:CreateBucket", _exists, _make)
    # A service in one's own network may have no TLS; its owner must not be shut out.
    tls = [tls_only()] if bucket.is_over_tls else []
    last = lifecycle(lifecycle_rules(bucket, prefix, check_expiry, exists=exists))
    wanted = [*bucket_settings(), *tls, last]
    due = [aspect for aspect in wanted if not exists or not _is_met(aspect, bucket)]
    return [
        ProvisionStep(aspect.says, partial(_take, aspect, bucket))
        for aspect in ([] if exists else [make]) + due
    ]


def _exists(bucket: S3Bucket) -> bool:
    try:
        bucket.ask("look for", "", "head_bucket")
    except S3Error as no:
        if no.status == HTTPStatus.NOT_FOUND:
            return False
        if no.status == HTTPStatus.FORBIDDEN:
            address = bucket.address("")
            raise StorageError(
                f"{address}: it is somebody else's, or it takes s3:ListBucket to see it"
            ) from no
        raise
    return True


def _make_says(bucket: S3Bucket) -> str:
    return f"make the bucket {bucket.address('')} in {bucket.region}"


def _make(bucket: S3Bucket) -> None:
    # The first region must not be named: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    where = {"LocationConstraint": bucket.region}
    options = {} if bucket.region == "us-east-1" else {"CreateBucketConfiguration": where}
    put_setting(bucket, "create_bucket", **options)


def _is_met(aspect: BucketSetting, bucket: S3Bucket) -> bool:
    """Say whether nothing has to be done; not every service has every setting of S3's."""
    try:
        return aspect.is_met(bucket)
    except S3Error as no:
        if _is_unknown(no):
            return True
        raise


def _is_unknown(no: S3Error) -> bool:
    return no.status == HTTPStatus.NOT_IMPLEMENTED or no.code == "NotImplemented"


def _take(aspect: BucketSetting, bucket: S3Bucket) -> None:
    try:
        aspect.make(bucket)
    except S3Error as no:
        address = bucket.address("")
        if no.status == HTTPStatus.FORBIDDEN:
            raise StorageError(f"{address}: access is denied; it takes {aspect.permission}") from no
        if _is_unknown(no):
            raise StorageError(
                f"{address}: the service cannot {aspect.says}; run it again for the rest"
            ) from no
        raise
