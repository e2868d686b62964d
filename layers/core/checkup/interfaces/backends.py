"""Interfaces of storages, notifiers and publishers, and of the clients that they use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

from msgspec import Meta, Struct

from checkup.deadline import Deadline
from checkup.interfaces.kinds import Duration, Settings, Strings
from checkup.model import Alert, Status
from checkup.times import SECOND


class HttpResponse(Struct, frozen=True):
    """An HTTP response; names in ``headers`` are lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Clients(Protocol):
    """Secrets, AWS and HTTP for adapters; created in one place, :mod:`checkup.app`."""

    def secret(self, value: str) -> str:
        """Resolve a secret or a reference to one.

        Raises:
            UnavailableError: the reference cannot be resolved.
        """
        ...

    def aws(self, service: str, **options: Any) -> Any:
        """Return a client of an AWS service; ``options`` are those of ``boto3.client``.

        Raises:
            UnavailableError: the extra is not installed.
        """
        ...

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        timeout: float = 4.0,
    ) -> HttpResponse:
        """Send one HTTP request without following redirects.

        Args:
            timeout: seconds for the whole exchange.

        Raises:
            NotDeliveredError: it was certainly not received (name, connection, certificate).
            DeliveryUnknownError: it was sent, without a response.
        """
        ...

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> HttpResponse:
        """Do a request as :meth:`post` does, and return the whole response body."""
        ...


class Notification(Struct, frozen=True, kw_only=True):
    """The alerts of one message to one channel, in order.

    Attributes:
        alerts: never empty.
        possible_duplicate: an earlier try may have been accepted; the message must say so.
        delay_ns: how long the first of the alerts has waited.
        page_url: the status page; empty if unknown.
        checker_count: how many checkers are configured.
        status_counts: how many of them have which status now; empty if that is not known.
        timezone: for times in the message.
        links: pages of components by checker id, and of what people wrote by the alert's id.
        not_recorded: the storage failed, so this is sent once, and perhaps again by a later run.
    """

    alerts: tuple[Alert, ...]
    possible_duplicate: bool = False
    delay_ns: int = 0
    page_url: str = ""
    checker_count: int = 0
    status_counts: Mapping[Status, int] = {}
    timezone: str = "UTC"
    links: Mapping[str, str] = {}
    not_recorded: bool = False


class Notifier(Protocol):
    """One channel for alerts."""

    def send(self, notification: Notification) -> None:
        """Deliver one grouped message; returning means that it was accepted.

        Raises:
            NotDeliveredError: certainly not accepted.
            DeliveryUnknownError: perhaps accepted.
            MessageRejectedError: never accepted as it is.
        """
        ...


class NotifierSettings(Settings, frozen=True, kw_only=True):
    """One of the ``notifiers`` of the configuration.

    Class attributes:
        max_alerts: how many alerts one message can hold; 0 for any number.
    """

    kind: ClassVar[str]
    max_alerts: ClassVar[int] = 0

    id: Annotated[
        str, Meta(description="Stable name of the channel; by default its type and number.")
    ] = ""
    groups: Annotated[
        Strings, Meta(description="Only alerts of checkers in these groups, or with one of `tags`.")
    ] = ()
    tags: Annotated[
        Strings,
        Meta(description="Only alerts of checkers with one of these tags, or in one of `groups`."),
    ] = ()
    severities: Annotated[
        tuple[Literal["down", "degraded"], ...],
        Meta(description="Only alerts to or from one of these statuses."),
    ] = ()
    on: Annotated[
        tuple[Literal["alerts", "incidents", "maintenance"], ...],
        Meta(description="What to send: alerts, and incidents and maintenance that people write."),
    ] = ("alerts",)
    fallback: Annotated[str, Meta(description="Id of the channel to use while this one fails.")] = (
        ""
    )

    @abstractmethod
    def open(self, clients: Clients) -> Notifier:
        """Return the channel, ready to use.

        Raises:
            UnavailableError: it cannot be used here.
        """


class PageFile(Struct, frozen=True, kw_only=True):
    """One file of the page, as it is to be served.

    Attributes:
        max_age: seconds for which it may be cached.
        min_interval: seconds that two versions of it in a place where writing costs should lie
            apart; 0 if a change is to be seen at once.
        urgent_content: stands for what of its content cannot wait for that, such as the state of a
            component; where it differs from what was published, the file is written at once.
    """

    body: bytes
    content_type: str
    max_age: int
    min_interval: int = 0
    urgent_content: str = ""


class PageVersion(Struct, frozen=True, order=True):
    """Orders the pages of one storage: a greater version is newer.

    Attributes:
        position: the slot of the newest run that it shows; 0 if it shows none.
        made: when its making began, before anything was read, in nanoseconds since the epoch.
    """

    position: int
    made: int


class Publisher(Protocol):
    """A place where the page is put.

    Attributes:
        throttles_writes: writing costs here, so that files wait for their time; see
            :class:`PageFile`.
    """

    throttles_writes: ClassVar[bool]

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        """Write the files that changed and are due, ``index.html`` last; return their paths.

        Files of an earlier version that this one does not have are removed.

        Args:
            files: the page.
            version: of the page.
            deadline: when to stop, even if files are left; None for no limit.

        Raises:
            NewerPageError: a newer version is there; it stays.
            UnfinishedPageError: not all files could be written in time; the next call continues.
            PublishError: writing failed.
        """
        ...


class PublisherSettings(Settings, frozen=True, kw_only=True):
    """The ``publish`` of the configuration.

    Class attributes:
        max_delay: how old a page may be there while all is well, in nanoseconds: from one version
            to the next, and until readers see it.
    """

    kind: ClassVar[str]
    max_delay: ClassVar[int] = 300 * SECOND

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it is, for people."""

    @abstractmethod
    def open(self, clients: Clients) -> Publisher:
        """Return the place, ready to use.

        Raises:
            UnavailableError: it cannot be used here; the text says what is missing.
        """


class StoredDocument(Struct, frozen=True):
    """A document as it was read.

    Attributes:
        version: opaque; :meth:`Storage.replace` compares it. It may stand for the content
            alone, so a document that must not be mistaken for an older one counts its versions.
    """

    body: bytes
    version: str


class LockState(Enum):
    """The result of :meth:`Storage.lock`."""

    ACQUIRED = "mine"
    HELD_ELSEWHERE = "elsewhere"
    UNSUPPORTED = "unsupported"


class Storage(Protocol):
    """Documents under keys, with compare-and-set. Five verbs, a clock and, where possible, locks.

    A key is a folder and a name, or deeper, in printable ASCII: ``state/head.json``. Runs are
    kept under ``runs/<slot>-check.json``; a storage may lay them out in its own way (the Go
    program's, for a folder) as long as the keys come back as they went in. Every method raises
    StorageError when the storage fails; after a write that may nevertheless have been done.
    """

    def get(self, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        ...

    def create(self, key: str, body: bytes) -> str:
        """Write a new document and return its version.

        Raises:
            DocumentExistsError: there is one already; it is left as it is.
        """
        ...

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace the document that was read as ``version`` and return the new version.

        Raises:
            DocumentChangedError: it is gone or is another version by now; it is left as it is.
        """
        ...

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys that begin with ``prefix`` and sort after ``after``, ascending.

        Args:
            prefix: names at least the first folder, as ``runs/`` does.
            after: a key, or the beginning of one, that need not exist.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the document; it is no error if there is none."""
        ...

    def now_ns(self) -> int:
        """The storage's own time, in nanoseconds since the epoch, as of its last answer."""
        ...

    def lock(self, name: str) -> AbstractContextManager[LockState]:
        """Take an exclusive right that ends with its owner, if the storage has such a thing."""
        ...


@runtime_checkable
class ConcurrentReads(Protocol):
    """A storage so far away that reading from it is mostly waiting.

    Attributes:
        max_concurrent_reads: how many threads may call :meth:`Storage.get` at the same time.
    """

    max_concurrent_reads: int


@runtime_checkable
class BulkDelete(Protocol):
    """A storage in which removing many documents at once costs as little as removing one."""

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove the documents, as :meth:`Storage.delete` does each."""
        ...


class ProvisionStep(Struct, frozen=True):
    """One thing to make or to change before a storage can be used.

    Attributes:
        description: what it does, such as ``make the folder /var/checks``.
        apply: does it, and does no harm where it is done already; raises StorageError.
    """

    description: str
    apply: Callable[[], None]


@runtime_checkable
class Provisionable(Protocol):
    """A storage that can make what it needs."""

    def provision_steps(self, retention: int) -> Sequence[ProvisionStep]:
        """Return what has to be done, in order, and do nothing of it yet.

        Args:
            retention: for how long runs are kept; 0 for ever, in nanoseconds.

        Raises:
            StorageError: that cannot be found out.
        """
        ...


class StorageSettings(Settings, frozen=True, kw_only=True):
    """The ``storage`` of the configuration."""

    kind: ClassVar[str]

    check_expiry: Annotated[
        Duration, Meta(description="Delete runs older than this; 0 to keep all.")
    ] = 0

    @abstractmethod
    def open(self, clients: Clients) -> Storage:
        """Return the storage, ready to use.

        Raises:
            UnavailableError: it cannot be used here; the text names the extra that is missing.
            StorageError: it cannot be reached.
        """
