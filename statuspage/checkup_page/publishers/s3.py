"""Publishes the page to an S3 bucket."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final, NamedTuple

from msgspec import Meta

from checkup.errors import NewerPageError, PublishError
from checkup.interfaces import Clients, PageFile, PageVersion, PublisherSettings
from checkup.interfaces.kinds import Secret
from checkup.storage.s3 import S3Settings
from checkup.storage.s3_bucket import S3Bucket, S3Error
from checkup.times import SECOND
from checkup_page.publishers.manifest import INDEX, MANIFEST, Manifest, PublishPlan

_STALE_IF_ERROR: Final = 24 * 3600
"""An old page says how old it is; an error page says nothing."""

_ABSENT: Final = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
"""Without the right to list a bucket, a missing object is a forbidden one."""

_CHANGED: Final = {HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_FOUND}
_SEAL: Final = "edition"


class BucketState(NamedTuple):
    """What is in the bucket.

    Attributes:
        version: of the manifest; empty if there is none.
        index_etag: the ETag of index.html; empty if there is none.
        has_seal: it carries the seal of some edition.
        is_complete: the edition of the manifest has been put there to its end.
    """

    manifest: Manifest = Manifest()
    version: str = ""
    index_etag: str = ""
    has_seal: bool = False
    is_complete: bool = True


class PageBucket:
    """The page's objects. Every method raises S3Error when S3 does not do what is asked.

    Args:
        prefix: what all their names begin with; empty or ending in a slash.
    """

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._bucket = S3Bucket(client, bucket)
        self._prefix = prefix
        self.address = self._bucket.uri(prefix)

    def server_time_ns(self) -> int:
        """Return S3's own time at its last answer, in nanoseconds."""
        return self._bucket.server_time_ns()

    def read_state(self) -> BucketState:
        """Read the manifest, and see by the index whether it is true."""
        try:
            stored = self._bucket.read(self._prefix + MANIFEST)
        except S3Error as no:
            if no.status not in _ABSENT:
                raise
            stored = None
        index = self._head(INDEX)
        seen, seal = index.get("ETag", ""), index.get("Metadata", {}).get(_SEAL, "")
        if stored is None:
            return BucketState(index_etag=seen, has_seal=bool(seal))
        manifest = Manifest.read(stored.body)
        is_whole = seal == _number(manifest.version)
        return BucketState(manifest, stored.version, seen, bool(seal), is_whole)

    def manifest_age(self) -> float:
        """Return how long ago the manifest was written, in seconds of S3's own time."""
        written = self._head(MANIFEST).get("LastModified")
        return self.server_time_ns() / SECOND - written.timestamp() if written else 0.0

    def claim(self, manifest: Manifest, version: str) -> str:
        """Put a manifest in the place of the one that was read.

        Returns:
            Its version; empty if somebody else was faster.
        """
        body = manifest.encode()
        file = PageFile(body=body, content_type="application/json", max_age=0)
        condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        return self._put_if(MANIFEST, file, condition)

    def put(self, path: str, file: PageFile) -> None:
        """Write a file, whatever is there."""
        self._bucket.write(self._prefix + path, file.body, **_about(file))

    def seal(self, file: PageFile, edition: PageVersion, etag: str) -> str:
        """Write the index of an edition in the place of the one that was seen.

        Returns:
            Its ETag; empty if it is another one by now.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        return self._put_if(INDEX, file, {**condition, "Metadata": {_SEAL: _number(edition)}})

    def remove(self, path: str, instead: PageFile | None) -> None:
        """Remove a file; without the right to do so, put another in its place."""
        try:
            self._bucket.delete(self._prefix + path)
        except S3Error as no:
            if no.status != HTTPStatus.FORBIDDEN or instead is None:
                raise
            self.put(path, instead)

    def _put_if(self, path: str, file: PageFile, more: dict[str, Any]) -> str:
        try:
            return self._bucket.write(self._prefix + path, file.body, **_about(file), **more)
        except S3Error as no:
            if no.status in _CHANGED and no.code != "NoSuchBucket":
                return ""
            raise

    def _head(self, path: str) -> Any:
        try:
            return self._bucket.call("read", path, "head_object", Key=self._prefix + path)
        except S3Error as no:
            if no.status in _ABSENT:
                return {}
            raise


def _about(file: PageFile) -> dict[str, str]:
    age = f"max-age={file.max_age}, stale-while-revalidate={file.max_age}"
    cache = f"public, {age}, stale-if-error={_STALE_IF_ERROR}" if file.max_age else "no-cache"
    return {"ContentType": file.content_type, "CacheControl": cache}


def _number(edition: PageVersion) -> str:
    return f"{edition.position}-{edition.made}"


LEASE_SECONDS: Final = 60
"""For how long a publisher is taken to be at work after it has written the manifest."""

_WORK_SECONDS: Final = 35.0
"""A publisher begins no request later than this, so that its last one, with all further tries,
is over when its lease is."""

_WAIT_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.25
_TRIES: Final = 8
_AT_ONCE: Final = 8
_NOT_FOUND: Final = "404.html"


class S3PublisherSettings(PublisherSettings, frozen=True, kw_only=True):
    """A bucket of S3 or of a service that speaks its protocol, behind something that serves it."""

    kind: ClassVar[str] = "s3"

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
        """Where it is, for people."""
        return f"s3://{self.bucket}/{self.prefix.strip('/')}"

    def open(self, clients: Clients) -> S3Publisher:
        """Return the place; nothing is sent before the first edition."""
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

    What is there stands in ``manifest.json``: nothing is listed, and no object is looked at to see
    whether it has changed. An edition is published in three steps:

    1. Its manifest takes the place of the one that was read, if that is still there.
    2. Its files are written, and those that are gone are removed.
    3. ``index.html`` takes the place of the one that was seen, if that is still there. It
       carries the number of the edition: the seal that says that this edition is whole.

    Who finds a manifest without its seal waits for the other, and takes over after its lease:
    all that the unfinished edition may have changed is then written again.

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

    def publish(self, files: Mapping[str, PageFile], edition: PageVersion) -> Sequence[str]:
        """Write what changed and is due; see :meth:`checkup.interfaces.Publisher.publish`."""
        try:
            return self._publish(files, edition)
        except S3Error as no:
            raise PublishError(str(no)) from no

    def _publish(self, files: Mapping[str, PageFile], edition: PageVersion) -> Sequence[str]:
        for _ in range(_TRIES):
            there, self._known = self._known or self._look(edition), None
            there.manifest.check_newer(edition, self._objects.server_time_ns())
            plan = PublishPlan.of(files, edition, there.manifest, patient=self.throttles_writes)
            if plan.is_empty:
                self._known = there
                return []
            self._claimed = self._objects.claim(plan.manifest, there.version)
            if self._claimed:
                index = self._carry_out(plan, files, there.index_etag)
                self._known = BucketState(plan.manifest, self._claimed, index)
                return plan.write
        raise PublishError(f"{self._objects.address}: conflicts with other publishers")

    def _look(self, edition: PageVersion) -> BucketState:
        """Return what is there, as soon as nobody else is at work.

        Raises:
            NewerPageError: the other one's edition is newer.
            PublishError: the other one does not come to an end, or this is another site.
        """
        end = time.monotonic() + _WAIT_SECONDS
        while True:
            there = self._objects.read_state()
            if there.index_etag:
                index = f"{self._objects.address}{INDEX}"
                there.manifest.check_owner(index, marked=there.has_seal)
            if there.is_complete:
                return there
            there.manifest.check_newer(edition, self._objects.server_time_ns())
            if there.version == self._claimed or self._is_abandoned(there):
                return there._replace(manifest=there.manifest.distrust_unfinished())
            if time.monotonic() > end:
                raise PublishError(f"{self._objects.address}: another publisher is still running")
            time.sleep(_POLL_SECONDS)

    def _is_abandoned(self, there: BucketState) -> bool:
        """Say whether nobody is at work on an edition that is not whole, or can still be."""
        return not there.manifest.files or self._objects.manifest_age() >= LEASE_SECONDS

    def _carry_out(self, plan: PublishPlan, files: Mapping[str, PageFile], seen: str) -> str:
        """Write the files, the index last; return its ETag.

        Raises:
            NewerPageError: somebody else has written the index meanwhile.
            PublishError: it takes too long; the next edition writes all of this once more.
        """
        objects, end = self._objects, time.monotonic() + _WORK_SECONDS

        def in_time(work: Callable[[], None]) -> None:
            if time.monotonic() > end:
                raise PublishError(f"{objects.address}: S3 is too slow; the next run continues")
            work()

        put = [partial(objects.put, path, files[path]) for path in plan.write if path != INDEX]
        gone = [
            partial(objects.remove, path, files.get(_NOT_FOUND)) for path in plan.manifest.removed
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(in_time, [*put, *gone]):
                pass
        in_time(lambda: None)
        etag = objects.seal(files[INDEX], plan.manifest.version, seen)
        if not etag:
            raise NewerPageError(f"{objects.address}: another publisher has taken over")
        return etag
