"""The objects that a page in a bucket consists of."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, NamedTuple

from checkup.model import SECOND
from checkup.ports import PageFile, PageVersion
from checkup.storage.s3_bucket import S3Bucket
from checkup.storage.s3_errors import S3Error
from checkup_page.publishers.manifest import INDEX, MANIFEST, Manifest

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
        seen: the ETag of index.html; empty if there is none.
        is_marked: it carries the seal of some edition.
        is_whole: the edition of the manifest has been put there to its end.
    """

    manifest: Manifest = Manifest()
    version: str = ""
    seen: str = ""
    is_marked: bool = False
    is_whole: bool = True


class PageBucket:
    """The page's objects. Every method raises S3Error when S3 does not do what is asked.

    Args:
        prefix: what all their names begin with; empty or ending in a slash.
    """

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:  # noqa: ANN401 - boto3
        self._bucket = S3Bucket(client, bucket)
        self._prefix = prefix
        self.address = self._bucket.address(prefix)

    def now(self) -> int:
        """Return S3's own time at its last answer, in nanoseconds."""
        return self._bucket.answered_at()

    def look(self) -> BucketState:
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
            return BucketState(seen=seen, is_marked=bool(seal))
        manifest = Manifest.read(stored.body)
        is_whole = seal == _number(manifest.edition)
        return BucketState(manifest, stored.version, seen, bool(seal), is_whole)

    def age(self) -> float:
        """Return how long ago the manifest was written, in seconds of S3's own time."""
        written = self._head(MANIFEST).get("LastModified")
        return self.now() / SECOND - written.timestamp() if written else 0.0

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

    def _head(self, path: str) -> Any:  # noqa: ANN401 - whatever boto3 gives
        try:
            return self._bucket.ask("read", path, "head_object", Key=self._prefix + path)
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
