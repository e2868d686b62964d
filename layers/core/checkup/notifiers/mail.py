"""Messages by mail, over SMTP."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from checkup.errors import NotDeliveredError
from checkup.notifiers import smtp
from checkup.notifiers.addresses import parse_addresses
from checkup.notifiers.answers import notifier_secret
from checkup.notifiers.letter import MailContent, compose_mail
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

    def open(self, clients: Clients) -> MailNotifier:
        """Return the channel; the password is looked up for each message anew."""
        return MailNotifier(self, clients)


class MailNotifier(Struct, frozen=True):
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
        sender, *_ = parse_addresses([self.settings.from_], "from")
        receivers = parse_addresses(self.settings.to, "to")
        letter = compose_mail(notification, self.settings.subject)
        content = _message(letter, sender, receivers)
        bare = [receiver.addr_spec for receiver in receivers]
        smtp.send_mail(self._server(), smtp.Envelope(sender.addr_spec, bare, content), self.seconds)

    def _server(self) -> smtp.SmtpServer:
        said = self.settings.smtp
        if not said.server:
            raise NotDeliveredError("no server is configured for mail")
        password = (
            notifier_secret(self.clients, said.password, "no password is configured for mail")
            if said.username
            else ""
        )
        return smtp.SmtpServer(
            host=said.server,
            port=said.port,
            username=said.username,
            password=password,
            tls=said.tls,
        )


def _message(letter: MailContent, sender: Address, receivers: list[Address]) -> bytes:
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
