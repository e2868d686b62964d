"""Settings that a bucket should have, each with how it is read and how it is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from checkup.storage.s3_bucket import S3Bucket
from checkup.storage.s3_errors import S3Error

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
        says: what is done about it.
        permission: what that takes.
        is_met: whether the bucket is so already.
        make: makes it so.
    """

    says: str
    permission: str
    is_met: Callable[[S3Bucket], bool]
    make: Callable[[S3Bucket], object]


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


def get_setting(bucket: S3Bucket, setting: str, key: str) -> Any:  # noqa: ANN401 - boto3 has no static type
    """Return a part of a setting, or None if it was never set."""
    try:
        return bucket.ask("look at", "", f"get_{setting}").get(key)
    except S3Error as no:
        if no.code in _NOT_SET:
            return None
        raise


def put_setting(bucket: S3Bucket, operation: str, **settings: Any) -> None:  # noqa: ANN401 - as boto3 wants it
    """Set a setting."""
    bucket.ask("prepare", "", operation, **settings)


def _refuses_plain(statement: Any) -> bool:  # noqa: ANN401 - any JSON
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
