"""What a bucket deletes by itself."""

from __future__ import annotations

from typing import Any, Final

from checkup.model import SECOND
from checkup.storage.keys import is_run_file
from checkup.storage.s3_aspects import BucketSetting, get_setting, put_setting
from checkup.storage.s3_bucket import S3Bucket

_OURS: Final = "checkup-"
_DAY: Final = 86_400 * SECOND
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
        days = -(-check_expiry // _DAY)
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
    return not all(is_run_file(name.removeprefix(prefix)) for name in bucket.names(start, ""))


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


def _is_ours(rule: Any) -> bool:  # noqa: ANN401 - boto3 has no static type
    return str(rule.get("ID", "")).startswith(_OURS)


def _is_same(rule: dict[str, Any], other: Any) -> bool:  # noqa: ANN401 - boto3 has no static type
    return all(other.get(key) == value for key, value in rule.items())
