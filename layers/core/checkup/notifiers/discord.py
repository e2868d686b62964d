"""Messages into Discord. This version reads the settings and cannot send yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.errors import UnavailableError
from checkup.options import Secret
from checkup.ports import Clients, Notifier, NotifierSettings


class DiscordSettings(NotifierSettings, frozen=True, kw_only=True):
    """Messages into a Discord channel."""

    kind: ClassVar[str] = "discord"

    webhook: Annotated[Secret, Meta(description="The address that Discord gave you.")] = ""

    def open(self, clients: Clients) -> Notifier:  # noqa: ARG002 - of the port
        """Say that this cannot be done yet.

        Raises:
            UnavailableError: always.
        """
        raise UnavailableError("discord: this version cannot send to Discord yet")
