"""The seam to whoever is told of alerts."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal, Protocol

from msgspec import Meta, Struct

from checkup.model import Alert
from checkup.options import Strings
from checkup.ports.clients import Clients


class Notification(Struct, frozen=True, kw_only=True):
    """What one run has to tell one channel, in order.

    Attributes:
        alerts: never empty.
        repeat: an earlier try may have been accepted; the text must say so.
        late: for how long the first of the alerts has waited, in nanoseconds.
        page_url: where the status page is; empty if unknown.
        total: how many checkers are configured, for "8 of 10 down".
    """

    alerts: tuple[Alert, ...]
    repeat: bool = False
    late: int = 0
    page_url: str = ""
    total: int = 0


class Notifier(Protocol):
    """One channel that can be told of alerts."""

    def send(self, notification: Notification) -> None:
        """Deliver one grouped message; returning means that it was accepted.

        Raises:
            Refused: certainly not accepted.
            DeliveryUnknownError: perhaps accepted.
            MessageRejectedError: never going to be accepted.
        """
        ...


class NotifierSettings(Struct, frozen=True, kw_only=True):
    """One of the ``notifiers`` of the configuration.

    Class attributes:
        most: alerts that one message can tell; 0 for any number.
    """

    kind: ClassVar[str]
    most: ClassVar[int] = 0

    id: Annotated[
        str, Meta(description="Stable name of the channel; its type and number if absent.")
    ] = ""
    groups: Annotated[
        Strings, Meta(description="Tell it only of checkers in these groups, or with its tags.")
    ] = ()
    tags: Annotated[
        Strings, Meta(description="Tell it only of checkers with one of these, or in its groups.")
    ] = ()
    severities: Annotated[
        tuple[Literal["down", "degraded"], ...],
        Meta(description="Tell it only of what is this, or was until now."),
    ] = ()
    fallback: Annotated[
        str, Meta(description="The id of the channel to tell in its place while it is dead.")
    ] = ""

    @abstractmethod
    def open(self, clients: Clients) -> Notifier:
        """Return the channel, ready to use.

        Raises:
            UnavailableError: it cannot be used here.
        """
