"""When something was last written: a file, or an object in S3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from glob import glob
from pathlib import Path
from typing import Any

from checkup.checkers.failures import CheckFailedError
from checkup.errors import CheckUnknownError
from checkup.model import SECOND

_ABSENT = {"404", "NoSuchKey"}


def newest_file_ns(pattern: str) -> int:
    """Return when the file, or the newest that ``*`` and ``?`` find, was written.

    Returns:
        Nanoseconds since the epoch, by the clock of its file system.

    Raises:
        CheckFailedError: there is none.
        CheckUnknownError: it may not be looked at.
    """
    found = glob(pattern) if set(pattern) & set("*?[") else [pattern]  # noqa: PTH207 - as written
    try:
        return max(Path(path).stat().st_mtime_ns for path in found)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing("file") from error
    except OSError as error:
        raise CheckUnknownError("config", "the file cannot be looked at") from error
    except ValueError as error:  # nothing was found, or it is no possible path
        raise _missing("file") from error


def newest_object_ns(client: Any, place: str) -> tuple[int, int]:  # noqa: ANN401 - boto3 has no type
    """Return when the object was written, and what time it is at the store.

    Args:
        client: of S3, as boto3 makes it.
        place: ``bucket/key``; with ``*`` at its end the newest that begins so.

    Returns:
        Both in nanoseconds since the epoch, in whole seconds.

    Raises:
        CheckFailedError: there is none.
        CheckUnknownError: the store did not say.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - it is there by now

    bucket, _, key = place.partition("/")
    try:
        found = list(_objects(client, bucket, key))
    except ClientError as error:
        if error.response["Error"].get("Code") in _ABSENT:
            raise _missing("object") from error
        raise CheckUnknownError("storage", "S3 does not say when the object was written") from error
    except BotoCoreError as error:
        raise CheckUnknownError("storage", "S3 cannot be asked for the object") from error
    if not found:
        raise _missing("object")
    written, asked = max(found)
    return int(written.timestamp()) * SECOND, int(asked.timestamp()) * SECOND


def _objects(client: Any, bucket: str, key: str) -> Iterator[tuple[datetime, datetime]]:  # noqa: ANN401
    """Yield for each object when it was written and when the store said so."""
    if not key.endswith("*"):
        answer = client.head_object(Bucket=bucket, Key=key)
        yield answer["LastModified"], _date(answer)
        return
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key[:-1])
    for page in pages:
        for found in page.get("Contents", ()):
            yield found["LastModified"], _date(page)


def _date(answer: dict[str, Any]) -> datetime:
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


def _missing(what: str) -> CheckFailedError:
    return CheckFailedError("heartbeat_missing", f"the {what} that the job writes does not exist")
