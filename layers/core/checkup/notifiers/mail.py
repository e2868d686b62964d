"""Messages by mail, over SMTP."""

from __future__ import annotations

import logging
import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

from checkup import http
from checkup.errors import DeliveryUnknownError, MessageRejectedError, NotDeliveredError
from checkup.http import SendAttempt
from checkup.interfaces import Clients, Notification
from checkup.interfaces.kinds import Secret, Strings
from checkup.notifiers.base import notifier_secret
from checkup.notifiers.mail_message import MailContent, compose_mail, parse_addresses
from checkup.notifiers.message import SubjectSettings

_log = logging.getLogger(__name__)


# One mail over SMTP under one absolute deadline (RFC 5321, RFC 3207, RFC 8314).


_IMPLICIT_TLS_PORT: Final = 465
_READY: Final = 220
_ACCEPTED: Final = 250
_GO_ON: Final = 354
_RECEIVER_ACCEPTED: Final = frozenset({250, 251})
_TOO_LARGE: Final = 552

_OUR_NAME: Final = "localhost"
"""As the Go program says. Looking the real name up may take minutes."""

_BEGINNING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_CONTENT: Final = re.compile(rb"5\.(?:6\.\d+|3\.4)\b")
"""Enhanced status codes (RFC 3463) by which a server blames the content or the size."""


class SmtpServer(Struct, frozen=True, kw_only=True):
    """A mail server and how to speak with it.

    Attributes:
        tls: ``auto`` (from the start on port 465, else STARTTLS if it is offered), ``always``
            (from the start), ``starttls`` (without it nothing is sent), or ``never``.
    """

    host: str
    port: int
    username: str = ""
    password: str = ""
    tls: str = "auto"

    @property
    def is_implicit(self) -> bool:
        """Whether TLS begins before the first word."""
        return self.tls == "always" or (self.tls == "auto" and self.port == _IMPLICIT_TLS_PORT)


class Envelope(Struct, frozen=True):
    """Who sends what to whom; the addresses are bare and in ASCII."""

    sender: str
    recipients: Sequence[str]
    content: bytes


def send_mail(server: SmtpServer, envelope: Envelope, seconds: float) -> None:
    """Hand one mail over to the server.

    Args:
        seconds: for everything, from the name look-up to the answer.

    Raises:
        Refused: the server certainly did not take it.
        DeliveryUnknownError: it was sent and no answer came.
        MessageRejectedError: the server will never take this mail.
    """
    connection = _connection(server, seconds)

    def work(attempt: SendAttempt) -> None:
        try:
            _converse(connection, server, envelope, attempt)
        finally:
            connection.close()

    def cut() -> None:
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)

    SendAttempt(work, _reason).within(seconds, cut)


def _connection(server: SmtpServer, seconds: float) -> smtplib.SMTP:
    if server.is_implicit:
        return smtplib.SMTP_SSL(
            local_hostname=_OUR_NAME, timeout=seconds, context=http.client_tls_context()
        )
    return smtplib.SMTP(local_hostname=_OUR_NAME, timeout=seconds)


def _converse(
    smtp: smtplib.SMTP, server: SmtpServer, envelope: Envelope, attempt: SendAttempt
) -> None:
    # smtplib checks the certificate against the name that it finds here.
    smtp._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001
    code, _ = smtp.connect(server.host, server.port)
    _expect(code, _READY, "the greeting")
    smtp.ehlo_or_helo_if_needed()
    if not server.is_implicit:
        _start_tls(smtp, server)
    _log_in(smtp, server)
    _address(smtp, envelope)
    _hand_over(smtp, envelope.content, attempt)
    with suppress(OSError, smtplib.SMTPException):
        smtp.putcmd("quit")  # its answer would change nothing


def _start_tls(smtp: smtplib.SMTP, server: SmtpServer) -> None:
    """Encrypt if the server can, or must."""
    if server.tls == "never" or (server.tls == "auto" and not smtp.has_extn("starttls")):
        return
    if not smtp.has_extn("starttls"):
        raise NotDeliveredError("the mail server does not offer STARTTLS; nothing was sent")
    smtp.starttls(context=http.client_tls_context())
    smtp.ehlo_or_helo_if_needed()


def _log_in(smtp: smtplib.SMTP, server: SmtpServer) -> None:
    """Log in if there is a name and the server asks for one, but never in clear over a network."""
    if not server.username or not smtp.has_extn("auth"):
        return
    is_private = isinstance(smtp.sock, ssl.SSLSocket) or server.host in _LOOPBACK
    if not is_private and server.tls != "never":
        raise NotDeliveredError("the mail server does not offer TLS; the password was not sent")
    smtp.login(server.username, server.password)


def _address(smtp: smtplib.SMTP, envelope: Envelope) -> None:
    """Name sender and receivers. One receiver that is refused keeps nobody else's mail back."""
    _expect(smtp.mail(envelope.sender)[0], _ACCEPTED, "the sender")
    codes = [smtp.rcpt(receiver)[0] for receiver in envelope.recipients]
    refusals = [code for code in codes if code not in _RECEIVER_ACCEPTED]
    if len(refusals) == len(codes):
        raise NotDeliveredError(f"the mail server answered {refusals[0]} to all recipients")
    if refusals:
        count = f"{len(refusals)} of {len(codes)}"
        _log.warning("the mail server answered %d to %s recipients", refusals[0], count)


def _hand_over(smtp: smtplib.SMTP, content: bytes, attempt: SendAttempt) -> None:
    """Send the mail itself, which is the server's from the final dot on.

    A refusal now is mostly about the sender's good name or a quota, which can be put right, so
    the mail waits; only when its content or its size is to blame will it never be accepted.
    """
    code, reply = smtp.docmd("DATA")
    if code == _GO_ON:
        attempt.mark_sent()
        smtp.send(_BEGINNING_DOT.sub(b"..", content) + b".\r\n")
        code, reply = smtp.getreply()
    if code == _ACCEPTED:
        return
    said = f"the mail server answered {code} to the mail"
    if code == _TOO_LARGE or _CONTENT.match(reply):
        raise MessageRejectedError(said)
    if code >= 400:  # noqa: PLR2004 - 4yz and 5yz
        raise NotDeliveredError(said)
    raise DeliveryUnknownError(said)


def _expect(code: int, expected: int, to: str) -> None:
    if code != expected:
        raise NotDeliveredError(f"the mail server answered {code} to {to}")


def _reason(error: Exception) -> str:
    """Name the kind of failure; the server's words may contain anything."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the mail server answered {error.smtp_code} to the login"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "connection closed"
    if isinstance(error, smtplib.SMTPException):
        return "the mail server offers no supported login method"
    return http.describe_error(error)


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
        """Hand over one mail for all receivers; see :meth:`checkup.interfaces.Notifier.send`."""
        sender, *_ = parse_addresses([self.settings.from_], "from")
        receivers = parse_addresses(self.settings.to, "to")
        letter = compose_mail(notification, self.settings.subject)
        content = _message(letter, sender, receivers)
        bare = [receiver.addr_spec for receiver in receivers]
        send_mail(self._server(), Envelope(sender.addr_spec, bare, content), self.seconds)

    def _server(self) -> SmtpServer:
        said = self.settings.smtp
        if not said.server:
            raise NotDeliveredError("no server is configured for mail")
        password = (
            notifier_secret(self.clients, said.password, "no password is configured for mail")
            if said.username
            else ""
        )
        return SmtpServer(
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
    message["References"] = " ".join(f"<{thread}@{sender.domain}>" for thread in letter.references)
    # RFC 3834: nobody's holiday greeting shall answer.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    in_ascii = all(str(value).isascii() for value in message.values())
    return message.as_bytes(policy=_UNFOLDED if in_ascii else SMTP)
