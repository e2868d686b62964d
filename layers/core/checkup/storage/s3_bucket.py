"""One bucket of S3 and the requests that a storage makes of it."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from checkup.errors import StorageError
from checkup.interfaces import StoredDocument
from checkup.times import SECOND

# What S3 refuses, in sentences of ours: without account numbers, key ids or addresses.


_NOT_ALLOWED = (
    "access is denied; it takes s3:GetObject, s3:PutObject and s3:DeleteObject on the objects"
    " and s3:ListBucket on the bucket"
)

_EXPIRED = "the credentials have expired"
_INVALID = "the credentials are not valid"
_ELSEWHERE = "the bucket is in another region"
_NO_ANSWER = "S3 did not answer"

_SENTENCES = {
    # codes of answers, https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "AccessDenied": _NOT_ALLOWED,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "ExpiredToken": _EXPIRED,
    "InvalidAccessKeyId": _INVALID,
    "InvalidToken": _INVALID,
    "NoSuchBucket": "there is no such bucket",
    "PermanentRedirect": _ELSEWHERE,
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "SignatureDoesNotMatch": _INVALID,
    "SlowDown": "S3 is too busy",
    "TokenRefreshRequired": _EXPIRED,
    # names of botocore's exceptions, for calls without an answer
    "ConnectTimeoutError": _NO_ANSWER,
    "ConnectionClosedError": _NO_ANSWER,
    "CredentialRetrievalError": "the AWS credentials could not be had",
    "EndpointConnectionError": _NO_ANSWER,
    "IncompleteReadError": "the answer of S3 was cut short",
    "NoCredentialsError": "no AWS credentials are configured or in the environment",
    "NoRegionError": 'no region: set "region", or AWS_DEFAULT_REGION in the environment',
    "ParamValidationError": "the name of the bucket is not valid",
    "PartialCredentialsError": "the AWS credentials are not complete",
    "ReadTimeoutError": _NO_ANSWER,
    "ResponseStreamingError": "the answer of S3 was cut short",
    "SSLError": "the certificate of S3 cannot be trusted",
}


class S3Error(StorageError):
    """A request to S3 that came to nothing, told in a sentence.

    Attributes:
        status: of the answer; 0 if there was none.
        code: S3's own name for it; empty if there was no answer.
        retried: the client had tried before, so the request may already have been carried out.
    """

    def __init__(self, sentence: str, *, status: int, code: str, retried: bool) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.retried = retried


def botocore_errors() -> tuple[type[Exception], ...]:
    """Return botocore's two families of exceptions."""
    from botocore.exceptions import BotoCoreError, ClientError  # an extra

    return BotoCoreError, ClientError


def s3_error(error: Exception, action: str, address: str) -> S3Error:
    """Return what to raise in place of botocore's exception, whose text has account numbers.

    Args:
        action: what was tried, such as ``write``.
        address: what it was tried on, such as ``s3://bucket/key``.
    """
    answer: dict[str, Any] = getattr(error, "response", None) or {}
    code = str(answer.get("Error", {}).get("Code", ""))
    about: dict[str, Any] = answer.get("ResponseMetadata", {})
    status = about.get("HTTPStatusCode", 0)
    reason = _reason(status, code) if answer else _reason_without_answer(type(error).__name__)
    return S3Error(
        f"cannot {action} {address}: {reason}",
        status=status,
        code=code,
        retried=about.get("RetryAttempts", 0) > 0,
    )


def _reason(status: int, code: str) -> str:
    if code in _SENTENCES:
        return _SENTENCES[code]
    if status == 403:  # noqa: PLR2004 - as in HTTP
        return _NOT_ALLOWED
    shown = f" ({code})" if re.fullmatch(r"[A-Za-z][A-Za-z0-9.]{0,60}", code) else ""
    return f"S3 answered {status}{shown}"


def _reason_without_answer(name: str) -> str:
    return _SENTENCES.get(name, f"the request failed ({name})")


_CONFLICT_PAUSES = (0.05, 0.1, 0.2, 0.4)
_READS = 3


class S3Bucket:
    """Objects by name. Every method raises S3Error when S3 does not do what is asked.

    Attributes:
        name: of the bucket.
    """

    def __init__(self, client: Any, name: str) -> None:
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

    def uri(self, name: str) -> str:
        """Return how people know an object."""
        return f"s3://{self.name}/{name}"

    def read(self, name: str) -> StoredDocument | None:
        """Return the object and its ETag, or None if there is none."""
        for reads_left in reversed(range(_READS)):
            try:
                answer = self.call("read", name, "get_object", Key=name)
                return StoredDocument(answer["Body"].read(), answer["ETag"])
            except S3Error as no:
                if no.code == "NoSuchKey":
                    return None
                raise
            except botocore_errors() as error:  # the body broke off, which no client retries
                if not reads_left:
                    raise s3_error(error, "read", self.uri(name)) from None
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

    def list_names(self, prefix: str, after: str, **more: str) -> Iterator[str]:
        """Yield the names that begin with ``prefix`` and sort after ``after``, ascending."""
        query = {"Prefix": prefix, **({"StartAfter": after} if after else {}), **more}
        while True:
            page = self.call("list", prefix, "list_objects_v2", **query)
            yield from (entry["Key"] for entry in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            query["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, name: str) -> None:
        """Remove the object, if there is one."""
        self.call("delete", name, "delete_object", Key=name)

    def server_time_ns(self) -> int:
        """Return S3's own time at its last answer, in nanoseconds but to the second."""
        if not self._answered_at:
            self.call("reach", "", "head_bucket")
        return self._answered_at

    def call(self, action: str, name: str, operation: str, **parameters: Any) -> Any:
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
            raise s3_error(error, action, self.uri(name)) from None
        self._keep_time(answer)
        return answer

    def _write_once(self, name: str, body: bytes, more: dict[str, object]) -> str:
        content = {"Body": body, "ContentType": "application/json", **more}
        answer = self.call("write", name, "put_object", Key=name, **content)
        return str(answer["ETag"])

    def _own(self, name: str, body: bytes, no: S3Error) -> str:
        """Return the ETag of what is there if it is what we wrote."""
        current = self.read(name)
        if current is None or current.body != body:
            raise no
        return current.version

    def _keep_time(self, answer: Any) -> None:
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            self._answered_at = int(parsedate_to_datetime(date).timestamp()) * SECOND


# One object in a bucket that somebody else writes: read when it has changed, or by its version.


_NOT_THERE = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
"""Without the right to list a bucket, a missing object is a forbidden one."""


class ObjectVersion(Struct, frozen=True):
    """The object as it was at some time.

    Attributes:
        etag: a mark of the content.
        id: S3's name of this version; empty in a bucket that keeps none.
    """

    body: bytes
    etag: str
    id: str


class ObjectNotFoundError(StorageError):
    """There is no such object, or it may not be read."""


class S3Object:
    """An object by its name.

    Attributes:
        address: how people know it.
    """

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._bucket = S3Bucket(client, bucket)
        self._key = key
        self.address = self._bucket.uri(key)

    def get_if_changed(self, etag: str) -> ObjectVersion | None:
        """Return the object as it is now, or None if its content is still the one of ``etag``.

        Raises:
            ObjectNotFoundError: there is none.
            StorageError: S3 could not be asked.
        """
        return self._get(**({"IfNoneMatch": etag} if etag else {}))

    def get_version(self, version: str) -> ObjectVersion:
        """Return the object as it was in an earlier version.

        Raises:
            ObjectNotFoundError: that version is gone.
            StorageError: S3 could not be asked.
        """
        found = self._get(VersionId=version)
        assert found is not None  # noqa: S101 - only a condition can be answered so
        return found

    def _get(self, **which: str) -> ObjectVersion | None:
        try:
            answer = self._bucket.call("read", self._key, "get_object", Key=self._key, **which)
        except S3Error as no:
            if no.status == HTTPStatus.NOT_MODIFIED:
                return None
            if no.status in _NOT_THERE:
                raise ObjectNotFoundError(str(no)) from None
            raise
        kept = answer.get("VersionId", "")
        return ObjectVersion(answer["Body"].read(), answer["ETag"], "" if kept == "null" else kept)
