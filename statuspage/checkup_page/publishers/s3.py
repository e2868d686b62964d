"""Publishes the page to an S3 bucket."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from msgspec import Meta, structs

from checkup.deadline import Deadline
from checkup.errors import NewerPageError, PublishError, UnfinishedPageError
from checkup.interfaces import Clients, PageFile, PageVersion, PublisherSettings
from checkup.interfaces.kinds import Secret
from checkup.storage.s3 import S3Settings
from checkup.storage.s3_bucket import S3Bucket, S3Error
from checkup.times import SECOND
from checkup_page.publishers.manifest import INDEX, MANIFEST, Manifest, PublishPlan

_STALE_IF_ERROR: Final = 24 * 3600
"""An old page shows its age; an error page shows nothing."""

_ABSENT: Final = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
"""Without the right to list a bucket, a missing object is a forbidden one."""

_CHANGED: Final = {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND}
_SEAL: Final = "edition"


class BucketState(NamedTuple):
    """What is in the bucket.

    Attributes:
        version: the ETag of the manifest; empty if there is none.
        index_etag: the ETag of index.html; empty if there is none.
        has_seal: index.html carries the seal of some version.
        is_complete: index.html carries the seal of the manifest's version.
    """

    manifest: Manifest = Manifest()
    version: str = ""
    index_etag: str = ""
    has_seal: bool = False
    is_complete: bool = True


class PageBucket:
    """The objects of the page. Every method raises S3Error if a request fails.

    Args:
        prefix: of all names; empty or ending in a slash.
    """

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._bucket = S3Bucket(client, bucket)
        self._prefix = prefix
        self.address = self._bucket.uri(prefix)

    def server_time_ns(self) -> int:
        """Return S3's time at its last response, in nanoseconds."""
        return self._bucket.server_time_ns()

    def read_state(self) -> BucketState:
        """Read the manifest, and the seal of the index."""
        try:
            stored = self._bucket.read(self._prefix + MANIFEST)
        except S3Error as error:
            if error.status not in _ABSENT:
                raise
            stored = None
        index = self._head(INDEX)
        etag, seal = index.get("ETag", ""), index.get("Metadata", {}).get(_SEAL, "")
        if stored is None:
            return BucketState(index_etag=etag, has_seal=bool(seal))
        manifest = Manifest.read(stored.body)
        is_complete = seal == _number(manifest.version)
        return BucketState(manifest, stored.version, etag, bool(seal), is_complete)

    def manifest_age(self) -> float:
        """Return the age of the manifest in seconds, by S3's clock."""
        written = self._head(MANIFEST).get("LastModified")
        return self.server_time_ns() / SECOND - written.timestamp() if written else 0.0

    def claim(self, manifest: Manifest, etag: str) -> str:
        """Replace the manifest that was read.

        Returns:
            The new ETag; empty if another publisher was faster.
        """
        body = manifest.encode()
        file = PageFile(body=body, content_type="application/json", max_age=0)
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        return self._put_if(MANIFEST, file, condition)

    def put(self, path: str, file: PageFile) -> None:
        """Write a file unconditionally."""
        self._bucket.write(self._prefix + path, file.body, **_about(file))

    def seal(self, file: PageFile, version: PageVersion, etag: str) -> str:
        """Replace the index that was seen by that of a version.

        Returns:
            The new ETag; empty if another publisher was faster.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        return self._put_if(INDEX, file, {**condition, "Metadata": {_SEAL: _number(version)}})

    def remove(self, path: str, replacement: PageFile | None) -> None:
        """Delete a file; without permission to do so, replace it by another one."""
        try:
            self._bucket.delete(self._prefix + path)
        except S3Error as error:
            if error.status != HTTPStatus.FORBIDDEN or replacement is None:
                raise
            self.put(path, replacement)

    def _put_if(self, path: str, file: PageFile, more: dict[str, Any]) -> str:
        try:
            return self._bucket.write(self._prefix + path, file.body, **_about(file), **more)
        except S3Error as error:
            if error.status in _CHANGED and error.code != "NoSuchBucket":
                return ""
            raise

    def _head(self, path: str) -> Any:
        try:
            return self._bucket.call("read", path, "head_object", Key=self._prefix + path)
        except S3Error as error:
            if error.status in _ABSENT:
                return {}
            raise


def _about(file: PageFile) -> dict[str, str]:
    age = f"max-age={file.max_age}, stale-while-revalidate={file.max_age}"
    cache = f"public, {age}, stale-if-error={_STALE_IF_ERROR}" if file.max_age else "no-cache"
    return {"ContentType": file.content_type, "CacheControl": cache}


def _number(version: PageVersion) -> str:
    return f"{version.position}-{version.made}"


LEASE_SECONDS: Final = 60
"""A publisher is considered active for so long after it wrote the manifest."""

_PART_SECONDS: Final = 10.0
"""A part of a version starts no request later than this, so that the last one, retries included,
and the next manifest are done before the lease ends."""

_PART_FILES: Final = 2_000
"""Files of one part at most: what is written again if the publisher is killed."""

_WAIT_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.25
_TRIES: Final = 8
_CONCURRENCY: Final = 16
_SLOW_DOWN_SECONDS: Final = 1.0
_NOT_FOUND: Final = "404.html"


class S3PublisherSettings(PublisherSettings, frozen=True, kw_only=True):
    """A bucket of S3 or of a compatible service, behind something that serves it."""

    kind: ClassVar[str] = "s3"
    needs_extra: ClassVar[str] = "aws"

    bucket: Annotated[str, Meta(min_length=1, description="The bucket's name.")]
    prefix: Annotated[str, Meta(description="A folder in the bucket; its root if empty.")] = ""
    region: Annotated[str, Meta(description="Where it is; as in the environment if empty.")] = ""
    access_key_id: Annotated[
        Secret, Meta(description="With the secret, or else the environment's credentials.")
    ] = ""
    secret_access_key: Annotated[
        Secret, Meta(description="With the id, or else the environment's credentials.")
    ] = ""
    endpoint_url: Annotated[str, Meta(description="Another service with S3's protocol.")] = ""

    @property
    def address(self) -> str:
        """The address, for people."""
        return f"s3://{self.bucket}/{self.prefix.strip('/')}"

    def open(self, clients: Clients) -> S3Publisher:
        """Return the publisher; no request is sent yet."""
        there = S3Settings(
            bucket=self.bucket,
            prefix=self.prefix,
            region=self.region,
            access_key_id=self.access_key_id,
            secret_access_key=self.secret_access_key,
            endpoint_url=self.endpoint_url,
        )
        return S3Publisher(there.connect(clients), self.bucket, there.folder)


class S3Publisher:
    """A bucket behind a content delivery network.

    ``manifest.json`` describes what is there: nothing is listed, and no object is read to see
    whether it has changed. A version is published in three steps:

    1. Its manifest replaces the one that was read, if that is still there.
    2. Its files are written, and removed ones are deleted.
    3. ``index.html`` replaces the one that was seen, if that is still there. It carries the number
       of the version: the seal, which says that this version is complete.

    A large version is published in parts, and each part begins with step 1: its manifest says that
    the files of the parts before are written. The seal comes as soon as nothing new, removed or
    urgent is left; after it, each part is sealed, and another publisher may step in between two.
    If time is up, the manifest records the progress and the next publisher goes on from there.

    A publisher that finds a manifest without its seal waits for the other one. After the lease it
    takes over, and writes again what the unfinished part may have changed.

    Args:
        client: boto3's client of S3, with bounded waits as by
            :func:`checkup.storage.s3.s3_client_config`.
        prefix: what all object names begin with; empty or ending in a slash.
    """

    throttles_writes: ClassVar[bool] = True

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._objects = PageBucket(client, bucket, prefix)
        self._known: BucketState | None = None
        self._claimed = ""

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        """Write what changed and is due; see :meth:`checkup.interfaces.Publisher.publish`."""
        deadline = deadline or Deadline(math.inf)
        try:
            return self._publish(files, version, deadline)
        except S3Error as error:
            raise PublishError(str(error)) from error

    def _publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline
    ) -> Sequence[str]:
        written: list[str] = []
        for number in itertools.count():
            part = PageVersion(version.position, version.made + number)
            plan, index_etag = self._begin(files, part, deadline)
            if plan is None:
                break
            done, error = self._write(plan, files, deadline)
            written += (path for path in done if path in files)
            missing = {*plan.write, *plan.manifest.removed} - {*done, INDEX}
            left = plan.left + len(missing)
            if plan.is_complete and not missing:
                index_etag = self._objects.seal(files[INDEX], part, index_etag)
                if not index_etag:
                    raise NewerPageError(
                        f"{self._objects.address}: another publisher has taken over"
                    )
                written.append(INDEX)
                self._known = BucketState(plan.manifest, self._claimed, index_etag)
                if not left or deadline.remaining() <= 0:
                    break  # what is left can wait
                time.sleep(2 * _POLL_SECONDS)  # let a publisher in that waits for this one
                continue
            manifest = plan.manifest.reopen([*missing, INDEX])
            self._known = BucketState(manifest, self._claimed, index_etag)
            if deadline.remaining() <= 0 or (error and not done):
                self._release()
                raise error or UnfinishedPageError(
                    f"{self._objects.address}: time is up and {left} files are left to write;"
                    " the next run continues"
                )
        return list(dict.fromkeys(written))

    def _begin(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline
    ) -> tuple[PublishPlan | None, str]:
        """Plan a version or a part of it, and replace the manifest.

        Returns:
            The plan, None if there is nothing to do; and the ETag of the index.
        """
        for _ in range(_TRIES):
            there, self._known = self._known or self._look(version, deadline), None
            there.manifest.check_newer(version, self._objects.server_time_ns())
            plan = PublishPlan.of(
                files,
                version,
                there.manifest,
                throttled=self.throttles_writes,
                limit=_PART_FILES,
            )
            if plan.is_empty:
                self._known = there
                return None, there.index_etag
            self._claimed = self._objects.claim(plan.manifest, there.version)
            if self._claimed:
                return plan, there.index_etag
        raise PublishError(f"{self._objects.address}: conflicts with other publishers")

    def _look(self, version: PageVersion, deadline: Deadline) -> BucketState:
        """Return what is there, as soon as nobody else is at work.

        Raises:
            NewerPageError: the other publisher's version is newer.
            UnfinishedPageError: the other publisher is still at work.
            PublishError: this is another site.
        """
        end = deadline.within(_WAIT_SECONDS)
        while True:
            there = self._objects.read_state()
            if there.index_etag:
                index = f"{self._objects.address}{INDEX}"
                there.manifest.check_owner(index, marked=there.has_seal)
            if there.is_complete:
                return there
            there.manifest.check_newer(version, self._objects.server_time_ns())
            if there.version == self._claimed or self._is_abandoned(there):
                return there._replace(manifest=there.manifest.distrust_unfinished())
            if end.remaining() <= 0:
                raise UnfinishedPageError(
                    f"{self._objects.address}: another publisher is still running"
                )
            time.sleep(_POLL_SECONDS)

    def _is_abandoned(self, there: BucketState) -> bool:
        """Whether nobody is at work on a version that is incomplete, or can still be."""
        manifest = there.manifest
        return (
            not manifest.files
            or bool(manifest.released)
            or self._objects.manifest_age() >= LEASE_SECONDS
        )

    def _write(
        self, plan: PublishPlan, files: Mapping[str, PageFile], deadline: Deadline
    ) -> tuple[list[str], S3Error | None]:
        """Write the files of a part except the index, then delete removed ones.

        Returns:
            The paths that were written or deleted, and an error. Without one, others are missing
            because time was up.
        """
        end, absent = deadline.within(_PART_SECONDS), files.get(_NOT_FOUND)
        errors: list[S3Error] = []

        def attempt(path: str) -> bool:
            if end.remaining() <= 0 or any(not _is_slow_down(error) for error in errors):
                return False
            try:
                if path in files:
                    self._objects.put(path, files[path])
                else:
                    self._objects.remove(path, absent)
            except S3Error as error:
                errors.append(error)
                if _is_slow_down(error):
                    time.sleep(_SLOW_DOWN_SECONDS)
                return False
            return True

        done: list[str] = []
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            for paths in ([path for path in plan.write if path != INDEX], plan.manifest.removed):
                outcomes = zip(paths, pool.map(attempt, paths), strict=True)
                written = [path for path, is_done in outcomes if is_done]
                done += written
                if len(written) < len(paths):
                    break
        serious = [error for error in errors if not _is_slow_down(error)]
        return done, next(iter([*serious, *errors]), None)

    def _release(self) -> None:
        """Record in the manifest what is written, and that nobody is at work any more."""
        there, self._known = self._known, None
        if there is None:
            return
        manifest = structs.replace(there.manifest, released=True)
        with suppress(S3Error):  # the lease does as well
            self._claimed = self._objects.claim(manifest, there.version)
            if self._claimed:
                self._known = there._replace(manifest=manifest, version=self._claimed)


def _is_slow_down(error: S3Error) -> bool:
    return error.status == HTTPStatus.SERVICE_UNAVAILABLE
