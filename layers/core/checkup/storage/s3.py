"""Storage in an S3 bucket, or in a service that is compatible with S3.

Every write is conditional: ``If-None-Match: *`` creates, ``If-Match`` replaces, so S3 resolves
races and no write is lost. If the response to a write is lost, the client's retry fails the
condition because of its own first attempt; the object is then read back, and identical bytes count
as a successful write.

Some compatible services accept conditions and ignore them: two writers would then both succeed,
and runs and alerts would be lost silently. Therefore such a service is tested before the first
write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final
from uuid import uuid4

from msgspec import Meta

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.interfaces import Clients, LockState, ProvisionStep, StorageSettings, StoredDocument
from checkup.interfaces.kinds import Secret
from checkup.model import RUNS_PREFIX
from checkup.storage.layout import is_key, is_run_file, run_file_name, valid_key, valid_prefix
from checkup.storage.s3_bucket import S3Bucket, S3Error

PROBE_KEY: Final = "state/conditions-test"
"""The object that the test writes; it is kept, so the next test does not write again."""


def verify_conditional_writes(bucket: S3Bucket, name: str) -> None:
    """Check that S3 rejects creating an object twice and replacing a version that does not exist.

    Raises:
        StorageError: the service ignores conditions, or the write failed.
    """
    absent = {"IfNoneMatch": "*"}
    if _try_write(bucket, name, **absent) and _try_write(bucket, name, **absent):
        raise StorageError(_without_condition(bucket, name, "ignores", absent))
    other = {"IfMatch": '"00000000000000000000000000000000"'}
    if _try_write(bucket, name, **other):
        raise StorageError(_without_condition(bucket, name, "ignores", other))


def _try_write(bucket: S3Bucket, name: str, **condition: str) -> bool:
    """Whether a conditional write succeeds; its content is unique."""
    try:
        bucket.write(name, uuid4().hex.encode(), **condition)
    except S3Error as error:
        if error.status == HTTPStatus.PRECONDITION_FAILED:
            return False
        if error.status == HTTPStatus.NOT_IMPLEMENTED or error.code == "NotImplemented":
            raise StorageError(
                _without_condition(bucket, name, "does not support", condition)
            ) from None
        raise
    return True


def _without_condition(bucket: S3Bucket, name: str, verb: str, condition: Mapping[str, str]) -> str:
    header = {"IfNoneMatch": "If-None-Match", "IfMatch": "If-Match"}[next(iter(condition))]
    return (
        f"{bucket.uri(name)}: the service {verb} {header}, so concurrent runs could overwrite each "
        "other; use a service with conditional writes"
    )


class S3Settings(StorageSettings, frozen=True, kw_only=True):
    """Check files in an S3 bucket."""

    kind: ClassVar[str] = "s3"
    needs_extra: ClassVar[str] = "aws"
    needs_fields: ClassVar[tuple[str, ...]] = ("bucket",)

    access_key_id: Annotated[
        Secret, Meta(description="Access key id; default: the environment's credentials.")
    ] = ""
    secret_access_key: Annotated[
        Secret, Meta(description="Secret access key, required with the id.")
    ] = ""
    region: Annotated[str, Meta(description="AWS region; default: the environment's.")] = ""
    bucket: Annotated[str, Meta(description="Bucket name.")] = ""
    prefix: Annotated[str, Meta(description="Folder in the bucket; leave empty for Go's page.")] = (
        ""
    )
    endpoint_url: Annotated[
        str, Meta(description="URL of a service that is compatible with S3.", extra={"url": True})
    ] = ""

    def open(self, clients: Clients) -> S3Storage:
        """Return the storage; it connects on first use."""
        return S3Storage(
            self.connect(clients),
            self.bucket,
            prefix=self.folder,
            conditional_writes_verified=not self.endpoint_url,
        )

    @property
    def folder(self) -> str:
        """The prefix of all object names; empty or ending in a slash."""
        folder = self.prefix.strip("/")
        return f"{folder}/" if folder else ""

    def connect(self, clients: Clients) -> Any:
        """Return a client for the bucket's service."""
        options: dict[str, Any] = {
            "region_name": self.region,
            "endpoint_url": self.endpoint_url,
            "config": s3_client_config(is_aws=not self.endpoint_url),
        }
        if self.access_key_id and self.secret_access_key:
            options["aws_access_key_id"] = clients.secret(self.access_key_id)
            options["aws_secret_access_key"] = clients.secret(self.secret_access_key)
        given = {name: option for name, option in options.items() if option}
        return clients.aws("s3", **given)


_NO_CHECKSUMS: Final[dict[str, Any]] = {
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def s3_client_config(*, is_aws: bool = True) -> Any:
    """Return the botocore options of a client whose calls end within seconds.

    The defaults of botocore wait for a minute, five times. None without botocore, for making
    the client then says what is missing.

    Args:
        is_aws: the service is S3 itself. Many compatible ones reject the checksum headers that
            botocore sends and asks for by default since 1.36, so there it does so only where an
            operation requires one.
    """
    try:
        from botocore.config import Config  # an extra
    except ImportError:
        return None
    checksums = {} if is_aws else _NO_CHECKSUMS
    return Config(
        **checksums,
        connect_timeout=2,
        read_timeout=4,
        max_pool_connections=16,  # a page is written with as many threads
        retries={"mode": "standard", "total_max_attempts": 3},
    )


class S3Storage:
    """Documents as objects of one bucket.

    A StorageError from a write says that the outcome is unknown: it may have been carried out.
    Reading a key that is absent takes s3:ListBucket; without it S3 says that access is denied.

    Args:
        client: boto3's client of S3, with bounded waits as by :func:`s3_client_config`.
        prefix: what all object names begin with; empty or ending in a slash.
        runs_prefix: what the names of check files have after that; Go has nothing there.
        is_proven: the service is known to keep to conditions, as S3 itself does. If not, that is
            tested before the first write.
    """

    max_concurrent_reads = 10
    """As many as botocore keeps connections."""

    def __init__(
        self,
        client: Any,
        bucket: str,
        *,
        prefix: str = "",
        runs_prefix: str = "",
        conditional_writes_verified: bool = True,
    ) -> None:
        self._bucket = S3Bucket(client, bucket)
        self._prefix = prefix
        self._runs_prefix = prefix + runs_prefix
        self._conditions_verified = conditional_writes_verified

    def get(self, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        return self._bucket.read(self._name(key))

    def create(self, key: str, body: bytes) -> str:
        """Write a new document; see :meth:`checkup.interfaces.Storage.create`."""
        name = self._name(key)
        try:
            return self._write(name, body, IfNoneMatch="*")
        except S3Error as error:
            if error.status == HTTPStatus.PRECONDITION_FAILED:
                raise DocumentExistsError(f"{self._bucket.uri(name)} already exists") from None
            raise

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.interfaces.Storage.replace`."""
        name = self._name(key)
        try:
            return self._write(name, body, IfMatch=version)
        except S3Error as error:
            if error.status == HTTPStatus.PRECONDITION_FAILED or error.code == "NoSuchKey":
                address = self._bucket.uri(name)
                raise DocumentChangedError(f"{address} has changed since it was read") from None
            raise

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order; S3 is asked page by page."""
        keys = self._runs if valid_prefix(prefix).startswith(RUNS_PREFIX) else self._documents
        for key in keys(prefix, after):
            if key.startswith(prefix) and key > after:
                yield key

    def delete(self, key: str) -> None:
        """Delete the document, if it exists."""
        self._bucket.delete(self._name(key))

    def now_ns(self) -> int:
        """Return S3's time at its last response, in nanoseconds (whole seconds)."""
        return self._bucket.server_time_ns()

    def lock(self, name: str) -> AbstractContextManager[LockState]:
        """S3 has no locks that are released when their owner exits."""
        return nullcontext(LockState.UNSUPPORTED)

    def _write(self, name: str, body: bytes, **condition: str) -> str:
        if not self._conditions_verified:
            verify_conditional_writes(self._bucket, self._prefix + PROBE_KEY)
            self._conditions_verified = True
        return self._bucket.write(name, body, **condition)

    def provision_steps(self, retention: int) -> Sequence[ProvisionStep]:
        """Return the steps that create or configure the bucket."""
        from checkup.storage.s3_provision import pending_steps  # runs never need it

        return pending_steps(self._bucket, self._prefix, retention)

    def _name(self, key: str) -> str:
        run = run_file_name(valid_key(key))
        return self._prefix + key if run is None else self._runs_prefix + run

    def _runs(self, prefix: str, after: str) -> Iterator[str]:
        """Yield the keys of check files; other objects may be among them."""
        top = self._runs_prefix
        start = top + after.removeprefix(RUNS_PREFIX) if after.startswith(RUNS_PREFIX) else ""
        for name in self._bucket.list_names(
            top + prefix.removeprefix(RUNS_PREFIX), start, Delimiter="/"
        ):
            if is_run_file(name.removeprefix(top)):
                yield RUNS_PREFIX + name.removeprefix(top)

    def _documents(self, prefix: str, after: str) -> Iterator[str]:
        start = self._prefix + after if after else ""
        for name in self._bucket.list_names(self._prefix + prefix, start):
            key = name.removeprefix(self._prefix)
            if is_key(key):
                yield key
