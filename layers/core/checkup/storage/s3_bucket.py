"""One bucket of S3 and the requests that a storage makes of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from checkup.model import SECOND
from checkup.ports import StoredDocument
from checkup.storage.s3_errors import S3Error, botocore_errors, s3_error

_CONFLICT_PAUSES = (0.05, 0.1, 0.2, 0.4)
_READS = 3


class S3Bucket:
    """Objects by name. Every method raises S3Error when S3 does not do what is asked.

    Attributes:
        name: of the bucket.
    """

    def __init__(self, client: Any, name: str) -> None:  # noqa: ANN401 - boto3 has no static type
        self._client = client
        self.name = name
        self._answered_at = 0

    @property
    def region(self) -> str:
        """Where the client looks for the bucket."""
        return str(self._client.meta.region_name)

    @property
    def is_over_tls(self) -> bool:
        """Whether what is sent to the bucket is encrypted on the way."""
        return str(self._client.meta.endpoint_url).startswith("https:")

    def address(self, name: str) -> str:
        """Return how people know an object."""
        return f"s3://{self.name}/{name}"

    def read(self, name: str) -> StoredDocument | None:
        """Return the object and its ETag, or None if there is none."""
        for reads_left in reversed(range(_READS)):
            try:
                answer = self.ask("read", name, "get_object", Key=name)
                return StoredDocument(answer["Body"].read(), answer["ETag"])
            except S3Error as no:
                if no.code == "NoSuchKey":
                    return None
                raise
            except botocore_errors() as error:  # the body broke off, which no client retries
                if not reads_left:
                    raise s3_error(error, "read", self.address(name)) from None
        raise AssertionError  # the last read has returned or raised

    def write(self, name: str, body: bytes, **more: object) -> str:
        """Write and return the new ETag.

        S3 may say that another write is under way (409), which proves nothing: it is asked
        again. A condition that fails after the client sent the request more than once may have
        been met by our own first try: then the object is read, and the same bytes are ours.

        Args:
            more: the condition, and what else S3 is to keep with an object that is not JSON.
        """
        pauses, sent_before = iter(_CONFLICT_PAUSES), False
        while True:
            try:
                return self._write_once(name, body, more)
            except S3Error as no:
                sent_before = sent_before or no.retried
                if no.status == HTTPStatus.PRECONDITION_FAILED and sent_before:
                    return self._own(name, body, no)
                pause = next(pauses, None)
                if no.status != HTTPStatus.CONFLICT or pause is None:
                    raise
            time.sleep(random.uniform(0.5, 1) * pause)  # noqa: S311 - only to spread

    def names(self, prefix: str, after: str, **more: str) -> Iterator[str]:
        """Yield the names that begin with ``prefix`` and sort after ``after``, ascending."""
        query = {"Prefix": prefix, **({"StartAfter": after} if after else {}), **more}
        while True:
            page = self.ask("list", prefix, "list_objects_v2", **query)
            yield from (entry["Key"] for entry in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            query["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, name: str) -> None:
        """Remove the object, if there is one."""
        self.ask("delete", name, "delete_object", Key=name)

    def answered_at(self) -> int:
        """Return S3's own time at its last answer, in nanoseconds but to the second."""
        if not self._answered_at:
            self.ask("reach", "", "head_bucket")
        return self._answered_at

    def ask(self, action: str, name: str, operation: str, **parameters: Any) -> Any:  # noqa: ANN401
        """Call S3 about this bucket, and keep the time at which it answered.

        Args:
            action: what is tried, for the sentence of a refusal.
            name: of the object that it is tried on; empty for the bucket itself.
            operation: boto3's name of it.
        """
        try:
            answer = getattr(self._client, operation)(Bucket=self.name, **parameters)
        except botocore_errors() as error:
            self._keep_time(getattr(error, "response", None) or {})
            raise s3_error(error, action, self.address(name)) from None
        self._keep_time(answer)
        return answer

    def _write_once(self, name: str, body: bytes, more: dict[str, object]) -> str:
        content = {"Body": body, "ContentType": "application/json", **more}
        answer = self.ask("write", name, "put_object", Key=name, **content)
        return str(answer["ETag"])

    def _own(self, name: str, body: bytes, no: S3Error) -> str:
        """Return the ETag of what is there if it is what we wrote."""
        current = self.read(name)
        if current is None or current.body != body:
            raise no
        return current.version

    def _keep_time(self, answer: Any) -> None:  # noqa: ANN401 - whatever botocore gives
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            self._answered_at = int(parsedate_to_datetime(date).timestamp()) * SECOND
