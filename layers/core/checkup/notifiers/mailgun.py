"""Messages by Mailgun. This version reads the settings and cannot send yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.errors import UnavailableError
from checkup.notifiers.subject import SubjectSettings
from checkup.options import Secret, Strings
from checkup.ports import Clients, Notifier


class MailgunSettings(SubjectSettings, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One mail per message, over Mailgun's API."""

    kind: ClassVar[str] = "mailgun"

    from_: Annotated[str, Meta(description="The sender's address.")] = ""
    to: Annotated[Strings, Meta(description="The receivers' addresses.")] = ()
    apikey: Annotated[Secret, Meta(description="The key of the API.")] = ""
    domain: Annotated[str, Meta(description="The sending domain.")] = ""

    def open(self, clients: Clients) -> Notifier:  # noqa: ARG002 - of the port
        """Say that this cannot be done yet.

        Raises:
            UnavailableError: always.
        """
        raise UnavailableError("mailgun: this version cannot send over Mailgun yet")
