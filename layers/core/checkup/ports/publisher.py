"""The seam to where the page is put."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from msgspec import Struct

from checkup.model import SECOND
from checkup.ports.clients import Clients


class PageFile(Struct, frozen=True, kw_only=True):
    """One file of the page, as it is to be served.

    Attributes:
        max_age: seconds for which a copy may be kept.
        every: seconds that two versions of it in a place where writing costs should lie apart;
            0 if a change is to be seen at once.
        news: stands for what of its content cannot wait for that, such as the state of a
            component; where it differs from what was published, the file is written at once.
    """

    body: bytes
    content_type: str
    max_age: int
    every: int = 0
    news: str = ""


class PageVersion(Struct, frozen=True, order=True):
    """Which page it is, among those of one storage: a greater one is newer.

    Attributes:
        position: the slot of the newest run that it shows; 0 if it shows none.
        made: when its making began, before anything was read, in nanoseconds since the epoch.
    """

    position: int
    made: int


class Publisher(Protocol):
    """A place where the page is put.

    Attributes:
        patient: writing costs here, so that files wait for their time; see :class:`PageFile`.
    """

    patient: ClassVar[bool]

    def publish(self, files: Mapping[str, PageFile], edition: PageVersion) -> Sequence[str]:
        """Write the files that changed and are due, ``index.html`` last; return their paths.

        Files that an earlier edition had put there and that are no more are removed.

        Raises:
            NewerPageError: a newer edition is there; it stays.
            PublishError: the place could not be written.
        """
        ...


class PublisherSettings(Struct, frozen=True, kw_only=True):
    """The ``publish`` of the configuration.

    Class attributes:
        delay: how old a page may look there although nothing is wrong, in nanoseconds: from one
            edition to the next, and until readers see it.
    """

    kind: ClassVar[str]
    delay: ClassVar[int] = 300 * SECOND

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
