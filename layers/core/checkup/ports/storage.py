"""The seam to where runs, state and history are kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import Annotated, ClassVar, Protocol, runtime_checkable

from msgspec import Meta, Struct

from checkup.options import Duration
from checkup.ports.clients import Clients


class StoredDocument(Struct, frozen=True):
    """A document as it was read.

    Attributes:
        version: opaque; :meth:`Storage.replace` compares it. It may stand for the content
            alone, so a document that must not be mistaken for an older one counts its versions.
    """

    body: bytes
    version: str


class LockState(Enum):
    """The answer to :meth:`Storage.hold`."""

    MINE = "mine"
    ELSEWHERE = "elsewhere"
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

    def clock(self) -> int:
        """The storage's own time, in nanoseconds since the epoch, as of its last answer."""
        ...

    def hold(self, name: str) -> AbstractContextManager[LockState]:
        """Take an exclusive right that ends with its owner, if the storage has such a thing."""
        ...


@runtime_checkable
class ConcurrentReads(Protocol):
    """A storage so far away that reading from it is mostly waiting.

    Attributes:
        at_once: how many threads may call :meth:`Storage.get` at the same time.
    """

    at_once: int


@runtime_checkable
class BulkDelete(Protocol):
    """A storage in which removing many documents at once costs as little as removing one."""

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove the documents, as :meth:`Storage.delete` does each."""
        ...


class ProvisionStep(Struct, frozen=True):
    """One thing to make or to change before a storage can be used.

    Attributes:
        says: what it does, such as ``make the folder /var/checks``.
        take: does it, and does no harm where it is done already; raises StorageError.
    """

    says: str
    take: Callable[[], None]


@runtime_checkable
class Provisionable(Protocol):
    """A storage that can make what it needs."""

    def missing(self, check_expiry: int) -> Sequence[ProvisionStep]:
        """Return what has to be done, in order, and do nothing of it yet.

        Args:
            check_expiry: for how long runs are kept; 0 for ever, in nanoseconds.

        Raises:
            StorageError: that cannot be found out.
        """
        ...


class StorageSettings(Struct, frozen=True, kw_only=True):
    """The ``storage`` of the configuration."""

    kind: ClassVar[str]

    check_expiry: Annotated[
        Duration, Meta(description="Delete runs older than this; 0 to keep them for ever.")
    ] = 0

    @abstractmethod
    def open(self, clients: Clients) -> Storage:
        """Return the storage, ready to use.

        Raises:
            UnavailableError: it cannot be used here; the text names the extra that is missing.
            StorageError: it cannot be reached.
        """
