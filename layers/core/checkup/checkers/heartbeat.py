"""The ``heartbeat`` checker: does a job report in time, or write its file in time?"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from glob import glob
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta, Struct, field, structs

from checkup.checkers.failures import CheckFailedError
from checkup.deadline import Deadline
from checkup.documents import compare_and_set, encode, save
from checkup.errors import CheckUnknownError, StorageError, UnavailableError
from checkup.interfaces import Checker, CheckerContext, Storage
from checkup.interfaces.kinds import Duration, SettingProblem
from checkup.model import Attempt
from checkup.times import DAY, HOUR, MINUTE, SECOND, format_date, format_duration, short_duration

KEY_PREFIX: Final = "heartbeats/"
_S3_SCHEME: Final = "s3://"

_CLOCK_SKEW: Final = 15 * MINUTE
"""How far the clock of a job may be ahead."""

_VANISHED: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE}
"""Errors of files that were deleted just now, and of links that lead nowhere."""


class Heartbeat(Struct, frozen=True):
    """The last report of a job: the document under ``heartbeats/<id>``.

    Attributes:
        at_ns: when, by the storage's clock, in nanoseconds since the epoch.
        failed: the job reports that it did not succeed.
    """

    at_ns: int = field(name="at")
    failed: bool = False


def store_heartbeat(storage: Storage, checker: str, *, failed: bool = False) -> None:
    """Store that the job behind a checker's id reports now.

    Raises:
        StorageError: it could not be stored.
    """
    key = KEY_PREFIX + checker

    def attempt() -> None:
        stored = storage.get(key)
        body = encode(Heartbeat(storage.now_ns(), failed), order="deterministic")
        save(storage, key, stored, body)

    compare_and_set(attempt, key)


class HeartbeatChecker(Checker, frozen=True, kw_only=True):
    """Expects heartbeats of a job: ``checkup ping NAME``, or a file or object that it writes.

    It is down when the last heartbeat, or the file or object at ``path``, is older than
    ``period`` and ``grace`` together, or when the job reports a failure. Until the first
    heartbeat the result is unknown, and so it is when the only recent one is from the future.
    """

    kind: ClassVar[str] = "heartbeat"

    period: Annotated[Duration, Meta(description="How often the job must send a heartbeat.")] = DAY
    grace: Annotated[Duration, Meta(description="How late a heartbeat may be.")] = HOUR
    path: Annotated[
        str,
        Meta(
            description="A file or s3://bucket/key that the job writes instead; "
            "with * anywhere in the last part, the newest counts."
        ),
    ] = ""

    def find_errors(self) -> Iterator[SettingProblem]:
        """Reject a period in which no job can report."""
        if self.period <= 0:
            yield SettingProblem("period", "must be more than 0")
        if self.grace < 0:
            yield SettingProblem("grace", "must be at least 0")

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        if not self.path.startswith(_S3_SCHEME):
            return
        if not all(self.path.removeprefix(_S3_SCHEME).partition("/")[::2]):
            yield SettingProblem("path", "names no object", "write s3://bucket/key", is_fatal=True)

    @property
    def endpoint(self) -> str:
        """The file or object, or how often a report is due."""
        return self.path or self.endpoint_url or f"every {format_duration(self.period)}"

    def with_context(self, context: CheckerContext) -> Checker:
        """Return the checker that reads the storage of this place."""
        fields = {info.name: getattr(self, info.name) for info in structs.fields(HeartbeatChecker)}
        return _CheckerWithContext(**fields, context=context)

    def _context(self) -> CheckerContext:
        raise CheckUnknownError("config", "no storage available, so jobs cannot send heartbeats")

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.interfaces.Checker.attempt`."""
        try:
            heartbeats, now = self._heartbeats()
        except CheckFailedError as failed:
            return Attempt(error=str(failed), failure=failed.failure)
        past = [heartbeat for heartbeat in heartbeats if heartbeat.at_ns <= now + _CLOCK_SKEW]
        last = max(past, key=lambda heartbeat: heartbeat.at_ns, default=None)
        age = now - last.at_ns if last else 0
        if last and last.failed:
            return Attempt(error="the job reported a failure", failure="heartbeat_failed")
        if last and age <= self.period + self.grace:
            return Attempt()
        if len(past) < len(heartbeats):
            # It is not known when the job ran; it would be healthy until that time comes.
            future = format_date(max(heartbeat.at_ns for heartbeat in heartbeats))
            raise CheckUnknownError(
                "heartbeat_future", f"the last heartbeat is dated {future}, in the future"
            )
        passed = short_duration(age // SECOND * SECOND)
        due = short_duration(self.period)
        error = f"no heartbeat for {passed}, expected every {due}"
        return Attempt(error=error, failure="heartbeat_late")

    def _heartbeats(self) -> tuple[Sequence[Heartbeat], int]:
        """Return the last reports, at least one, and the time by the clock that wrote them.

        Raises:
            CheckFailedError: what the job should have written is not there.
            CheckUnknownError: it cannot be read, or there never was a report.
        """
        if self.path.startswith(_S3_SCHEME):
            try:
                client = self._context().s3()
            except UnavailableError as error:
                raise CheckUnknownError("config", str(error)) from error
            at, now = newest_object_ns(client, self.path.removeprefix(_S3_SCHEME))
            return [Heartbeat(at)], now
        if self.path:
            return list(map(Heartbeat, file_times_ns(self.path))), time.time_ns()
        try:
            storage = self._context().storage()
            if storage is None:
                raise CheckUnknownError(
                    "config", "no storage configured, so jobs cannot send heartbeats"
                )
            stored = storage.get(KEY_PREFIX + self.id)
        except (StorageError, UnavailableError) as error:
            raise CheckUnknownError("storage", "cannot read the stored heartbeats") from error
        if stored is None:
            raise CheckUnknownError("heartbeat_none", "no heartbeat received yet")
        try:
            return [msgspec.json.decode(stored.body, type=Heartbeat)], storage.now_ns()
        except msgspec.DecodeError as error:
            raise CheckUnknownError("storage", "the stored heartbeat is damaged") from error


class _CheckerWithContext(HeartbeatChecker, frozen=True, kw_only=True):
    context: CheckerContext

    def _context(self) -> CheckerContext:
        return self.context


def file_times_ns(pattern: str) -> Sequence[int]:
    """Return when the files that match a pattern were last written; at least one.

    Brackets may belong to a name, or be a set of characters as in a shell: both match. Files that
    vanish meanwhile, and links to nowhere, are not there.

    Returns:
        Nanoseconds since the epoch, by the clock of their file system.

    Raises:
        CheckFailedError: there is none.
        CheckUnknownError: the folder, or the time of a file, cannot be read.
    """
    try:
        return [Path(pattern).stat().st_mtime_ns]
    except (FileNotFoundError, NotADirectoryError, ValueError):
        if not set(pattern) & set("*?["):
            raise _missing("file") from None
    except OSError as error:
        raise CheckUnknownError("config", "cannot read the time of the file") from error
    found = {*glob(pattern), *glob(pattern.replace("[", "[[]"))}  # noqa: PTH207 - as written
    times, unreadable = [], None
    for path in found:
        try:
            times.append(Path(path).stat().st_mtime_ns)
        except OSError as error:
            if error.errno not in _VANISHED:
                unreadable = error
    folder = Path(pattern).parent
    if not times and (unreadable or (folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK))):
        raise CheckUnknownError("config", "cannot read the times of the files") from unreadable
    if not times:
        raise _missing("file")
    return times


def newest_object_ns(client: Any, place: str) -> tuple[int, int]:
    """Return when an object in S3 was written, and the time by the clock of S3.

    Args:
        client: boto3's client of S3.
        place: ``bucket/key``; with ``*`` in its last part the newest that matches. At the end it
            stands for anything, elsewhere for anything but a slash.

    Returns:
        Both in nanoseconds since the epoch, in whole seconds.

    Raises:
        CheckFailedError: there is none.
        CheckUnknownError: S3 did not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # it is there by now

    bucket, _, key = place.partition("/")
    try:
        found = list(_objects(client, bucket, key))
    except ClientError as error:
        if error.response["Error"].get("Code") in {"404", "NoSuchKey"}:
            raise _missing("object") from error
        raise CheckUnknownError("storage", "S3 returned an error for the object") from error
    except BotoCoreError as error:
        raise CheckUnknownError("storage", "S3 cannot be reached") from error
    if not found:
        raise _missing("object")
    written, asked = max(found)
    return int(written.timestamp()) * SECOND, int(asked.timestamp()) * SECOND


def _objects(client: Any, bucket: str, key: str) -> Iterator[tuple[datetime, datetime]]:
    """Yield for each object when it was written, and the date of the response."""
    if "*" not in key:
        answer = client.head_object(Bucket=bucket, Key=key)
        yield answer["LastModified"], _date(answer)
        return
    prefix, *parts = map(re.escape, key.split("*"))
    rest = "[^/]*".join(["", *parts]) if parts[-1] else "[^/]*".join(["", *parts[:-1]]) + ".*"
    matching = re.compile(f"{prefix}{rest}", re.DOTALL)
    folder = key[: key.index("*")]
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
    for page in pages:
        for found in page.get("Contents", ()):
            # Consoles make empty objects for folders, which no job has written.
            if matching.fullmatch(found["Key"]) and not found["Key"].endswith("/"):
                yield found["LastModified"], _date(page)


def _date(answer: dict[str, Any]) -> datetime:
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])


def _missing(what: str) -> CheckFailedError:
    return CheckFailedError("heartbeat_missing", f"the {what} that the job writes does not exist")
