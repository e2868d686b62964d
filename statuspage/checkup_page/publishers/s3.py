"""Puts the page into an S3 bucket."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from checkup.errors import NewerPageError, PublishError
from checkup.options import Secret
from checkup.ports import Clients, PageFile, PageVersion, PublisherSettings
from checkup.storage.s3 import S3Settings
from checkup.storage.s3_errors import S3Error
from checkup_page.publishers.manifest import INDEX, PublishPlan
from checkup_page.publishers.s3_objects import BucketState, PageBucket

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

    patient: ClassVar[bool] = True

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:  # noqa: ANN401 - boto3
        self._objects = PageBucket(client, bucket, prefix)
        self._known: BucketState | None = None
        self._claimed = ""

    def publish(self, files: Mapping[str, PageFile], edition: PageVersion) -> Sequence[str]:
        """Write what changed and is due; see :meth:`checkup.ports.Publisher.publish`."""
        try:
            return self._publish(files, edition)
        except S3Error as no:
            raise PublishError(str(no)) from no

    def _publish(self, files: Mapping[str, PageFile], edition: PageVersion) -> Sequence[str]:
        for _ in range(_TRIES):
            there, self._known = self._known or self._look(edition), None
            there.manifest.refuse_older(edition, self._objects.now())
            plan = PublishPlan.of(files, edition, there.manifest, patient=self.patient)
            if plan.is_empty:
                self._known = there
                return []
            self._claimed = self._objects.claim(plan.manifest, there.version)
            if self._claimed:
                index = self._carry_out(plan, files, there.seen)
                self._known = BucketState(plan.manifest, self._claimed, index)
                return plan.put
        raise PublishError(f"{self._objects.address}: others publish all the time")

    def _look(self, edition: PageVersion) -> BucketState:
        """Return what is there, as soon as nobody else is at work.

        Raises:
            NewerPageError: the other one's edition is newer.
            PublishError: the other one does not come to an end, or this is another site.
        """
        end = time.monotonic() + _WAIT_SECONDS
        while True:
            there = self._objects.look()
            if there.seen:
                index = f"{self._objects.address}{INDEX}"
                there.manifest.refuse_stranger(index, marked=there.is_marked)
            if there.is_whole:
                return there
            there.manifest.refuse_older(edition, self._objects.now())
            if there.version == self._claimed or self._is_abandoned(there):
                return there._replace(manifest=there.manifest.without_last())
            if time.monotonic() > end:
                raise PublishError(f"{self._objects.address}: another publisher is at work")
            time.sleep(_POLL_SECONDS)

    def _is_abandoned(self, there: BucketState) -> bool:
        """Say whether nobody is at work on an edition that is not whole, or can still be."""
        return not there.manifest.files or self._objects.age() >= LEASE_SECONDS

    def _carry_out(self, plan: PublishPlan, files: Mapping[str, PageFile], seen: str) -> str:
        """Write the files, the index last; return its ETag.

        Raises:
            NewerPageError: somebody else has written the index meanwhile.
            PublishError: it takes too long; the next edition writes all of this once more.
        """
        objects, end = self._objects, time.monotonic() + _WORK_SECONDS

        def in_time(work: Callable[[], None]) -> None:
            if time.monotonic() > end:
                raise PublishError(f"{objects.address}: S3 is too slow; the next run goes on")
            work()

        put = [partial(objects.put, path, files[path]) for path in plan.put if path != INDEX]
        gone = [partial(objects.remove, path, files.get(_NOT_FOUND)) for path in plan.manifest.gone]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(in_time, [*put, *gone]):
                pass
        in_time(lambda: None)
        etag = objects.seal(files[INDEX], plan.manifest.edition, seen)
        if not etag:
            raise NewerPageError(f"{objects.address}: another publisher has taken over")
        return etag
