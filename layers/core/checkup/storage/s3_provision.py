"""What a bucket needs before it keeps runs: private, encrypted, over TLS only, with a memory.

The same as for the buckets of the stack, in template.yaml. No key is published and no user is
made: whoever stores brings credentials of their own. Whoever else uses the bucket is respected;
statements of its policy and rules of its lifecycle are added to, never replaced.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from msgspec import Struct

from checkup.errors import StorageError
from checkup.interfaces import ProvisionStep
from checkup.storage.layout import is_run_file
from checkup.storage.s3_bucket import S3Bucket, S3Error
from checkup.times import DAY

# Settings that a bucket should have, each with how it is read and how it is made.


_BLOCK: Final = dict.fromkeys(
    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
)

_OWNERSHIP: Final = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
_ENCRYPTION: Final = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}

_NOT_SET: Final = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "OwnershipControlsNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)


class BucketSetting(Struct, frozen=True):
    """One setting of a bucket.

    Attributes:
        description: what is done about it.
        permission: what that takes.
        is_met: whether the bucket is so already.
        apply: makes it so.
    """

    description: str
    permission: str
    is_met: Callable[[S3Bucket], bool]
    apply: Callable[[S3Bucket], object]


def tls_only() -> BucketSetting:
    """Return the part of the bucket's policy that is ours."""
    return BucketSetting(
        "refuse requests without TLS",
        "s3:PutBucketPolicy",
        lambda bucket: any(map(_refuses_plain, _statements(bucket))),
        _refuse_plain,
    )


def bucket_settings() -> list[BucketSetting]:
    """Return what every bucket should have, whatever is stored there and however."""
    return [
        BucketSetting(
            "let nobody in from outside: block public access",
            "s3:PutBucketPublicAccessBlock",
            lambda bucket: (
                get_setting(bucket, "public_access_block", "PublicAccessBlockConfiguration")
                == _BLOCK
            ),
            lambda bucket: put_setting(
                bucket, "put_public_access_block", PublicAccessBlockConfiguration=_BLOCK
            ),
        ),
        BucketSetting(
            "let its owner own every object, without ACLs",
            "s3:PutBucketOwnershipControls",
            lambda bucket: (
                get_setting(bucket, "bucket_ownership_controls", "OwnershipControls") == _OWNERSHIP
            ),
            lambda bucket: put_setting(
                bucket, "put_bucket_ownership_controls", OwnershipControls=_OWNERSHIP
            ),
        ),
        BucketSetting(
            "encrypt every object",
            "s3:PutEncryptionConfiguration",
            lambda bucket: bool(
                get_setting(bucket, "bucket_encryption", "ServerSideEncryptionConfiguration")
            ),
            lambda bucket: put_setting(
                bucket, "put_bucket_encryption", ServerSideEncryptionConfiguration=_ENCRYPTION
            ),
        ),
        BucketSetting(
            "keep old versions of the state, to look at and to go back to",
            "s3:PutBucketVersioning",
            lambda bucket: get_setting(bucket, "bucket_versioning", "Status") == "Enabled",
            lambda bucket: put_setting(
                bucket, "put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"}
            ),
        ),
    ]


def get_setting(bucket: S3Bucket, setting: str, key: str) -> Any:
    """Return a part of a setting, or None if it was never set."""
    try:
        return bucket.call("look at", "", f"get_{setting}").get(key)
    except S3Error as no:
        if no.code in _NOT_SET:
            return None
        raise


def put_setting(bucket: S3Bucket, operation: str, **settings: Any) -> None:
    """Set a setting."""
    bucket.call("prepare", "", operation, **settings)


def _refuses_plain(statement: Any) -> bool:
    about = (statement.get("Effect"), statement.get("Principal"), statement.get("Action"))
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return about == ("Deny", "*", "s3:*") and statement.get("Condition") == condition


def _statements(bucket: S3Bucket) -> list[Any]:
    text = get_setting(bucket, "bucket_policy", "Policy")
    statements = json.loads(text)["Statement"] if text else []
    return statements if isinstance(statements, list) else [statements]


def _refuse_plain(bucket: S3Bucket) -> None:
    arn = f"arn:aws:s3:::{bucket.name}"
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [*_statements(bucket), statement]}
    put_setting(bucket, "put_bucket_policy", Policy=json.dumps(policy))


# What a bucket deletes by itself.


_OURS: Final = "checkup-"
_OLD_VERSIONS_DAYS: Final = 30

_RUNS_BEGIN: Final = "1"
"""Nanoseconds of 19 digits begin so until May 2033."""


def lifecycle_rules(
    bucket: S3Bucket, prefix: str, check_expiry: int, *, exists: bool
) -> list[dict[str, Any]]:
    """Return the rules of the lifecycle.

    Checkup itself deletes expired runs. A rule does so too where nobody stores any more, as long
    as nothing else in the bucket has a name like that.
    """
    rules: list[dict[str, Any]] = [
        {
            "ID": f"{_OURS}old-versions",
            "Filter": {"Prefix": prefix},
            "NoncurrentVersionExpiration": {"NoncurrentDays": _OLD_VERSIONS_DAYS},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
    runs = prefix + _RUNS_BEGIN
    if check_expiry > 0 and not (exists and _has_others(bucket, runs, prefix)):
        days = -(-check_expiry // DAY)
        for name, start in (("runs", runs), ("late-runs", f"{prefix}late/")):
            rules.append(
                {
                    "ID": _OURS + name,
                    "Filter": {"Prefix": start},
                    "Expiration": {"Days": days},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                }
            )
    return [{**rule, "Status": "Enabled"} for rule in rules]


def _has_others(bucket: S3Bucket, start: str, prefix: str) -> bool:
    return not all(is_run_file(name.removeprefix(prefix)) for name in bucket.list_names(start, ""))


def lifecycle(rules: list[dict[str, Any]]) -> BucketSetting:
    """Return the lifecycle as one setting, in which the rules of others stay as they are."""
    days = [rule["Expiration"]["Days"] for rule in rules if "Days" in rule["Expiration"]]
    runs = f", and runs after {days[0]} days" if days else ""

    def is_met(bucket: S3Bucket) -> bool:
        ours = [rule for rule in _found(bucket) if _is_ours(rule)]
        return len(ours) == len(rules) and all(
            any(_is_same(rule, other) for other in ours) for rule in rules
        )

    def make(bucket: S3Bucket) -> None:
        others = [rule for rule in _found(bucket) if not _is_ours(rule)]
        configuration = {"Rules": [*others, *rules]}
        operation = "put_bucket_lifecycle_configuration"
        put_setting(bucket, operation, LifecycleConfiguration=configuration)

    return BucketSetting(
        f"delete old versions after {_OLD_VERSIONS_DAYS} days{runs}",
        "s3:PutLifecycleConfiguration",
        is_met,
        make,
    )


def _found(bucket: S3Bucket) -> list[Any]:
    return get_setting(bucket, "bucket_lifecycle_configuration", "Rules") or []


def _is_ours(rule: Any) -> bool:
    return str(rule.get("ID", "")).startswith(_OURS)


def _is_same(rule: dict[str, Any], other: Any) -> bool:
    return all(other.get(key) == value for key, value in rule.items())


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
        ProvisionStep(aspect.description, partial(_take, aspect, bucket))
        for aspect in ([] if exists else [make]) + due
    ]


def _exists(bucket: S3Bucket) -> bool:
    try:
        bucket.call("look for", "", "head_bucket")
    except S3Error as no:
        if no.status == HTTPStatus.NOT_FOUND:
            return False
        if no.status == HTTPStatus.FORBIDDEN:
            address = bucket.uri("")
            raise StorageError(
                f"{address}: it is somebody else's, or it takes s3:ListBucket to see it"
            ) from no
        raise
    return True


def _make_says(bucket: S3Bucket) -> str:
    return f"make the bucket {bucket.uri('')} in {bucket.region}"


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
        aspect.apply(bucket)
    except S3Error as no:
        address = bucket.uri("")
        if no.status == HTTPStatus.FORBIDDEN:
            raise StorageError(f"{address}: access is denied; it takes {aspect.permission}") from no
        if _is_unknown(no):
            raise StorageError(
                f"{address}: the service cannot {aspect.description}; run it again for the rest"
            ) from no
        raise
