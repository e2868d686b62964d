"""Messages by mail. This version reads the settings and cannot send yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from checkup.errors import UnavailableError
from checkup.notifiers.subject import SubjectSettings
from checkup.options import Secret, Strings
from checkup.ports import Clients, Notifier


class SmtpSettings(Struct, frozen=True, kw_only=True):
    """The mail server; TLS from the start on port 465, else STARTTLS if it is offered."""

    server: Annotated[str, Meta(description="Its name.")] = ""
    port: Annotated[int, Meta(description="Its port.")] = 25
    username: Annotated[str, Meta(description="Who logs in; nobody if empty.")] = ""
    password: Annotated[Secret, Meta(description="With which password.")] = ""


class MailSettings(SubjectSettings, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One mail per message, over SMTP."""

    kind: ClassVar[str] = "mail"

    from_: Annotated[str, Meta(description="The sender's address.")] = ""
    to: Annotated[Strings, Meta(description="The receivers' addresses.")] = ()
    smtp: Annotated[SmtpSettings, Meta(description="The mail server.")] = SmtpSettings()

    def open(self, clients: Clients) -> Notifier:  # noqa: ARG002 - of the port
        """Say that this cannot be done yet.

        Raises:
            UnavailableError: always.
        """
        raise UnavailableError("mail: this version cannot send mail yet")
