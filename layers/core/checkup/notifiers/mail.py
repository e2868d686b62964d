"""Messages by mail, over SMTP."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from checkup.errors import Refused
from checkup.notifiers import smtp
from checkup.notifiers.addresses import addresses
from checkup.notifiers.answers import secret
from checkup.notifiers.letter import Letter, compose
from checkup.notifiers.subject import SubjectSettings
from checkup.options import Secret, Strings
from checkup.ports import Clients, Notification

_UNFOLDED: Final = SMTP.clone(max_line_length=300)
"""Keeps a subject on the line of its name; encoded words must be short (RFC 2047)."""


class SmtpSettings(Struct, frozen=True, kw_only=True):
    """The mail server; TLS from the start on port 465, else STARTTLS if it is offered."""

    server: Annotated[str, Meta(description="Its name.")] = ""
    port: Annotated[int, Meta(description="Its port.")] = 25
    username: Annotated[str, Meta(description="Who logs in; nobody if empty.")] = ""
    password: Annotated[Secret, Meta(description="With which password.")] = ""
    tls: Annotated[
        Literal["auto", "always", "starttls", "never"],
        Meta(
            description="When to encrypt: from the start on port 465 and else if it is offered, "
            "from the start on any port, after STARTTLS or not at all, never."
        ),
    ] = "auto"


class MailSettings(SubjectSettings, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One mail per message, over SMTP."""

    kind: ClassVar[str] = "mail"

    from_: Annotated[str, Meta(description="The sender's address.")] = ""
    to: Annotated[Strings, Meta(description="The receivers' addresses.")] = ()
    smtp: Annotated[SmtpSettings, Meta(description="The mail server.")] = SmtpSettings()

    def open(self, clients: Clients) -> Mail:
        """Return the channel; the password is looked up for each message anew."""
        return Mail(self, clients)


class Mail(Struct, frozen=True):
    """A mail server and the people to write to.

    Attributes:
        seconds: for handing over one mail. Mail servers are slower than web services, some of
            them on purpose, but the receipt has to be written in the same run.
    """

    settings: MailSettings
    clients: Clients
    seconds: float = 6.0

    def send(self, notification: Notification) -> None:
        """Hand one mail for all receivers over, as :meth:`checkup.ports.Notifier.send` says."""
        sender, *_ = addresses([self.settings.from_], "from")
        receivers = addresses(self.settings.to, "to")
        letter = compose(notification, self.settings.subject)
        content = _message(letter, sender, receivers)
        bare = [receiver.addr_spec for receiver in receivers]
        smtp.send(self._server(), smtp.Envelope(sender.addr_spec, bare, content), self.seconds)

    def _server(self) -> smtp.Server:
        said = self.settings.smtp
        if not said.server:
            raise Refused("no server is configured for mail")
        password = (
            secret(self.clients, said.password, "no password is configured for mail")
            if said.username
            else ""
        )
        return smtp.Server(
            host=said.server,
            port=said.port,
            username=said.username,
            password=password,
            tls=said.tls,
        )


def _message(letter: Letter, sender: Address, receivers: list[Address]) -> bytes:
    """Return the mail as it is sent: text and HTML, both in ASCII on the wire."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = receivers
    message["Subject"] = letter.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{letter.id}@{sender.domain}>"
    message["References"] = " ".join(f"<{thread}@{sender.domain}>" for thread in letter.threads)
    # RFC 3834: nobody's holiday greeting shall answer.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    in_ascii = all(str(value).isascii() for value in message.values())
    return message.as_bytes(policy=_UNFOLDED if in_ascii else SMTP)
