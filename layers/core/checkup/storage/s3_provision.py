"""Provisioning of a bucket: private, encrypted, TLS only, with versions and lifecycle rules.

The settings are those of the stack's buckets in template.yaml. No access key and no user is
created. A bucket may have other users: policy statements and lifecycle rules of others are kept.
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
        description: of the provisioning step.
        permission: required to apply it.
        is_met: whether the bucket has the setting already.
        apply: changes the bucket.
    """

    description: str
    permission: str
    is_met: Callable[[S3Bucket], bool]
    apply: Callable[[S3Bucket], object]


def tls_only() -> BucketSetting:
    """Return the policy statement that denies requests without TLS."""
    return BucketSetting(
        "deny requests without TLS",
        "s3:PutBucketPolicy",
        lambda bucket: any(map(_denies_plain_http, _statements(bucket))),
        _deny_plain_http,
    )


def bucket_settings() -> list[BucketSetting]:
    """Return the settings of every bucket."""
    return [
        BucketSetting(
            "block public access",
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
            "disable ACLs: the bucket owner owns every object",
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
            "enable versioning, so that an earlier state can be restored",
            "s3:PutBucketVersioning",
            lambda bucket: get_setting(bucket, "bucket_versioning", "Status") == "Enabled",
            lambda bucket: put_setting(
                bucket, "put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"}
            ),
        ),
    ]


def get_setting(bucket: S3Bucket, setting: str, key: str) -> Any:
    """Return one part of a setting, or None if it is not set."""
    try:
        return bucket.call("read the settings of", "", f"get_{setting}").get(key)
    except S3Error as error:
        if error.code in _NOT_SET:
            return None
        raise


def put_setting(bucket: S3Bucket, operation: str, **settings: Any) -> None:
    """Change a setting."""
    bucket.call("configure", "", operation, **settings)


def _denies_plain_http(statement: Any) -> bool:
    parts = (statement.get("Effect"), statement.get("Principal"), statement.get("Action"))
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return parts == ("Deny", "*", "s3:*") and statement.get("Condition") == condition


def _statements(bucket: S3Bucket) -> list[Any]:
    text = get_setting(bucket, "bucket_policy", "Policy")
    statements = json.loads(text)["Statement"] if text else []
    return statements if isinstance(statements, list) else [statements]


def _deny_plain_http(bucket: S3Bucket) -> None:
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


_OURS: Final = "checkup-"
_OLD_VERSIONS_DAYS: Final = 30

_RUNS_BEGIN: Final = "1"
"""First digit of run names (19 digits of nanoseconds) until May 2033."""


def lifecycle_rules(
    bucket: S3Bucket, prefix: str, retention: int, *, exists: bool
) -> list[dict[str, Any]]:
    """Return the lifecycle rules.

    Checkup deletes expired runs itself. A rule does so too, for when checks have stopped, unless
    other objects in the bucket have similar names.
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
    if retention > 0 and not (exists and _has_others(bucket, runs, prefix)):
        days = -(-retention // DAY)
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
    """Return the lifecycle as one setting, which keeps the rules of others."""
    days = [rule["Expiration"]["Days"] for rule in rules if "Days" in rule["Expiration"]]
    runs = f", and runs after {days[0]} days" if days else ""

    def is_met(bucket: S3Bucket) -> bool:
        ours = [rule for rule in _current_rules(bucket) if _is_ours(rule)]
        return len(ours) == len(rules) and all(
            any(_is_same(rule, other) for other in ours) for rule in rules
        )

    def apply(bucket: S3Bucket) -> None:
        others = [rule for rule in _current_rules(bucket) if not _is_ours(rule)]
        configuration = {"Rules": [*others, *rules]}
        operation = "put_bucket_lifecycle_configuration"
        put_setting(bucket, operation, LifecycleConfiguration=configuration)

    return BucketSetting(
        f"delete old versions after {_OLD_VERSIONS_DAYS} days{runs}",
        "s3:PutLifecycleConfiguration",
        is_met,
        apply,
    )


def _current_rules(bucket: S3Bucket) -> list[Any]:
    return get_setting(bucket, "bucket_lifecycle_configuration", "Rules") or []


def _is_ours(rule: Any) -> bool:
    return str(rule.get("ID", "")).startswith(_OURS)


def _is_same(rule: dict[str, Any], other: Any) -> bool:
    return all(other.get(key) == value for key, value in rule.items())


def pending_steps(bucket: S3Bucket, prefix: str, retention: int) -> Sequence[ProvisionStep]:
    """Return the steps that create or configure the bucket.

    Args:
        prefix: of all objects; empty or ending in a slash.
        retention: nanoseconds; 0 for no expiry.

    Raises:
        StorageError: the settings cannot be read.
    """
    exists = _exists(bucket)
    create = BucketSetting(_create_step(bucket), "s3:CreateBucket", _exists, _create)
    # A service in a private network may have no TLS; the policy must not lock its owner out.
    tls = [tls_only()] if bucket.is_over_tls else []
    last = lifecycle(lifecycle_rules(bucket, prefix, retention, exists=exists))
    wanted = [*bucket_settings(), *tls, last]
    due = [setting for setting in wanted if not exists or not _is_met(setting, bucket)]
    return [
        ProvisionStep(setting.description, partial(_apply, setting, bucket))
        for setting in ([] if exists else [create]) + due
    ]


def _exists(bucket: S3Bucket) -> bool:
    try:
        bucket.call("find", "", "head_bucket")
    except S3Error as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return False
        if error.status == HTTPStatus.FORBIDDEN:
            address = bucket.uri("")
            raise StorageError(
                f"{address}: access denied; the bucket has another owner, or s3:ListBucket"
                " is missing"
            ) from error
        raise
    return True


def _create_step(bucket: S3Bucket) -> str:
    return f"create the bucket {bucket.uri('')} in {bucket.region}"


def _create(bucket: S3Bucket) -> None:
    # us-east-1 must not be named: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    location = {"LocationConstraint": bucket.region}
    options = {} if bucket.region == "us-east-1" else {"CreateBucketConfiguration": location}
    put_setting(bucket, "create_bucket", **options)


def _is_met(setting: BucketSetting, bucket: S3Bucket) -> bool:
    """Whether the setting is met, or not supported by a service that is compatible with S3."""
    try:
        return setting.is_met(bucket)
    except S3Error as error:
        if _is_unsupported(error):
            return True
        raise


def _is_unsupported(error: S3Error) -> bool:
    return error.status == HTTPStatus.NOT_IMPLEMENTED or error.code == "NotImplemented"


def _apply(setting: BucketSetting, bucket: S3Bucket) -> None:
    try:
        setting.apply(bucket)
    except S3Error as error:
        address = bucket.uri("")
        if error.status == HTTPStatus.FORBIDDEN:
            raise StorageError(
                f"{address}: access denied; required: {setting.permission}"
            ) from error
        if _is_unsupported(error):
            raise StorageError(
                f"{address}: the service does not support a step ({setting.description});"
                " run it again for the rest"
            ) from error
        raise
