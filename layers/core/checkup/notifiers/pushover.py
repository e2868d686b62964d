"""Messages by Pushover. This version reads the settings and cannot send yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.errors import UnavailableError
from checkup.notifiers.subject import SubjectSettings
from checkup.options import Secret
from checkup.ports import Clients, Notifier


class PushoverSettings(SubjectSettings, frozen=True, kw_only=True):
    """One push message per message, over Pushover's API."""

    kind: ClassVar[str] = "pushover"

    token: Annotated[Secret, Meta(description="The application's token.")] = ""
    recipient: Annotated[Secret, Meta(description="The key of the user or group.")] = ""

    def open(self, clients: Clients) -> Notifier:  # noqa: ARG002 - of the port
        """Say that this cannot be done yet.

        Raises:
            UnavailableError: always.
        """
        raise UnavailableError("pushover: this version cannot send over Pushover yet")
