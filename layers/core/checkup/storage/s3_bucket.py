"""Requests to one S3 bucket, and their errors.

Error messages are ours, because those of S3 contain account numbers, key ids and addresses.
:class:`S3Bucket` is for the storage's bucket. :class:`S3Object` is one object that another
program writes: it is read when it has changed, or by its version.
"""

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

_NOT_ALLOWED = (
    "access denied; required: s3:GetObject, s3:PutObject and s3:DeleteObject on the objects"
    " and s3:ListBucket on the bucket"
)

_EXPIRED = "the AWS credentials have expired"
_INVALID = "the AWS credentials are invalid"
_ELSEWHERE = "the bucket is in another region"
_NO_ANSWER = "no response from S3"

_MESSAGES = {
    # Error codes in responses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "AccessDenied": _NOT_ALLOWED,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "ExpiredToken": _EXPIRED,
    "InvalidAccessKeyId": _INVALID,
    "InvalidToken": _INVALID,
    "NoSuchBucket": "the bucket does not exist",
    "PermanentRedirect": _ELSEWHERE,
    "RequestTimeTooSkewed": "the clock of this machine is wrong",
    "SignatureDoesNotMatch": _INVALID,
    "SlowDown": "S3 is overloaded (SlowDown)",
    "TokenRefreshRequired": _EXPIRED,
    # Names of botocore's exceptions, for requests without a response.
    "ConnectTimeoutError": _NO_ANSWER,
    "ConnectionClosedError": _NO_ANSWER,
    "CredentialRetrievalError": "cannot get AWS credentials",
    "EndpointConnectionError": _NO_ANSWER,
    "IncompleteReadError": "incomplete response from S3",
    "NoCredentialsError": "no AWS credentials in the configuration or the environment",
    "NoRegionError": 'no region; set "region" or the environment variable AWS_DEFAULT_REGION',
    "ParamValidationError": "invalid bucket name",
    "PartialCredentialsError": "incomplete AWS credentials",
    "ReadTimeoutError": _NO_ANSWER,
    "ResponseStreamingError": "incomplete response from S3",
    "SSLError": "the certificate of S3 is not trusted",
}


class S3Error(StorageError):
    """A failed request to S3.

    Attributes:
        status: HTTP status of the response; 0 if there was none.
        code: S3's error code; empty if there was no response.
        retried: the client had sent the request before, so it may have been processed.
    """

    def __init__(self, message: str, *, status: int, code: str, retried: bool) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retried = retried


def botocore_errors() -> tuple[type[Exception], ...]:
    """Return botocore's two families of exceptions."""
    from botocore.exceptions import BotoCoreError, ClientError  # an extra

    return BotoCoreError, ClientError


def s3_error(error: Exception, action: str, address: str) -> S3Error:
    """Return the error to raise in place of botocore's exception, whose text has account numbers.

    Args:
        action: the failed action, such as ``write``.
        address: of the object, such as ``s3://bucket/key``.
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
    if code in _MESSAGES:
        return _MESSAGES[code]
    if status == 403:  # noqa: PLR2004 - as in HTTP
        return _NOT_ALLOWED
    shown = f" ({code})" if re.fullmatch(r"[A-Za-z][A-Za-z0-9.]{0,60}", code) else ""
    return f"S3 answered {status}{shown}"


def _reason_without_answer(name: str) -> str:
    return _MESSAGES.get(name, f"the request failed ({name})")


_CONFLICT_PAUSES = (0.05, 0.1, 0.2, 0.4)
_READS = 3


class S3Bucket:
    """Objects by name. Every method raises S3Error if a request fails.

    Attributes:
        name: of the bucket.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name
        self._last_response_ns = 0

    @property
    def region(self) -> str:
        """The client's region."""
        return str(self._client.meta.region_name)

    @property
    def is_over_tls(self) -> bool:
        """Whether requests are sent over TLS."""
        return str(self._client.meta.endpoint_url).startswith("https:")

    def uri(self, name: str) -> str:
        """Return the ``s3://`` address of an object."""
        return f"s3://{self.name}/{name}"

    def read(self, name: str) -> StoredDocument | None:
        """Return the object and its ETag, or None if there is none."""
        for reads_left in reversed(range(_READS)):
            try:
                answer = self.call("read", name, "get_object", Key=name)
                return StoredDocument(answer["Body"].read(), answer["ETag"])
            except S3Error as error:
                if error.code == "NoSuchKey":
                    return None
                raise
            except (
                botocore_errors()
            ) as error:  # the body was incomplete, which boto3 does not retry
                if not reads_left:
                    raise s3_error(error, "read", self.uri(name)) from None
        raise AssertionError  # the last attempt has returned or raised

    def write(self, name: str, body: bytes, **more: object) -> str:
        """Write and return the new ETag.

        S3 may answer that another write is in progress (409): the request is then retried.
        If the condition fails (412) after the request was sent more than once, our first attempt
        may have succeeded: then the object is read, and identical bytes count as success.

        Args:
            more: the condition, and further parameters of an object that is not JSON.
        """
        pauses, sent_before = iter(_CONFLICT_PAUSES), False
        while True:
            try:
                return self._write_once(name, body, more)
            except S3Error as error:
                sent_before = sent_before or error.retried
                if error.status == HTTPStatus.PRECONDITION_FAILED and sent_before:
                    return self._confirm_own_write(name, body, error)
                pause = next(pauses, None)
                if error.status != HTTPStatus.CONFLICT or pause is None:
                    raise
            time.sleep(random.uniform(0.5, 1) * pause)  # noqa: S311 - only to spread

    def list_names(self, prefix: str, after: str, **more: str) -> Iterator[str]:
        """Yield the names that start with ``prefix`` and sort after ``after``, ascending."""
        query = {"Prefix": prefix, **({"StartAfter": after} if after else {}), **more}
        while True:
            page = self.call("list", prefix, "list_objects_v2", **query)
            yield from (entry["Key"] for entry in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            query["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, name: str) -> None:
        """Delete the object, if it exists."""
        self.call("delete", name, "delete_object", Key=name)

    def server_time_ns(self) -> int:
        """Return S3's time at its last response, in nanoseconds (whole seconds)."""
        if not self._last_response_ns:
            self.call("reach", "", "head_bucket")
        return self._last_response_ns

    def call(self, action: str, name: str, operation: str, **parameters: Any) -> Any:
        """Call an operation on this bucket, and remember the time of the response.

        Args:
            action: verb for the error message.
            name: of the object; empty for the bucket itself.
            operation: boto3's name of the operation.
        """
        try:
            answer = getattr(self._client, operation)(Bucket=self.name, **parameters)
        except botocore_errors() as error:
            self._remember_time(getattr(error, "response", None) or {})
            raise s3_error(error, action, self.uri(name)) from None
        self._remember_time(answer)
        return answer

    def _write_once(self, name: str, body: bytes, more: dict[str, object]) -> str:
        content = {"Body": body, "ContentType": "application/json", **more}
        answer = self.call("write", name, "put_object", Key=name, **content)
        return str(answer["ETag"])

    def _confirm_own_write(self, name: str, body: bytes, error: S3Error) -> str:
        """Return the ETag of the stored object if it has our content, else raise ``error``."""
        current = self.read(name)
        if current is None or current.body != body:
            raise error
        return current.version

    def _remember_time(self, answer: Any) -> None:
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            self._last_response_ns = int(parsedate_to_datetime(date).timestamp()) * SECOND


_MISSING = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
"""Without permission to list the bucket, S3 answers 403 for a missing object."""


class ObjectVersion(Struct, frozen=True):
    """One version of an object.

    Attributes:
        etag: identifies the content.
        id: version id; empty if the bucket has no versioning.
    """

    body: bytes
    etag: str
    id: str


class ObjectNotFoundError(StorageError):
    """The object does not exist, or access is denied."""


class S3Object:
    """One object in a bucket that another program writes.

    Attributes:
        address: the ``s3://`` address.
    """

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._bucket = S3Bucket(client, bucket)
        self._key = key
        self.address = self._bucket.uri(key)

    def get_if_changed(self, etag: str) -> ObjectVersion | None:
        """Return the current object, or None if its ETag is still ``etag``.

        Raises:
            ObjectNotFoundError: it does not exist.
            StorageError: the request failed.
        """
        return self._get(**({"IfNoneMatch": etag} if etag else {}))

    def get_version(self, version: str) -> ObjectVersion:
        """Return an earlier version of the object.

        Raises:
            ObjectNotFoundError: the version does not exist.
            StorageError: the request failed.
        """
        found = self._get(VersionId=version)
        assert found is not None  # noqa: S101 - only a conditional request can return None
        return found

    def _get(self, **which: str) -> ObjectVersion | None:
        try:
            answer = self._bucket.call("read", self._key, "get_object", Key=self._key, **which)
        except S3Error as error:
            if error.status == HTTPStatus.NOT_MODIFIED:
                return None
            if error.status in _MISSING:
                raise ObjectNotFoundError(str(error)) from None
            raise
        version = answer.get("VersionId", "")
        return ObjectVersion(
            answer["Body"].read(), answer["ETag"], "" if version == "null" else version
        )
