"""Messages by mail, over SMTP."""

from __future__ import annotations

import logging
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta, Struct

from checkup import http
from checkup.errors import DeliveryUnknownError, MessageRejectedError, NotDeliveredError
from checkup.http import SendAttempt
from checkup.interfaces import Clients, Notification
from checkup.interfaces.kinds import Secret, SettingProblem, Settings, Strings
from checkup.notifiers.base import notifier_secret
from checkup.notifiers.mail_message import (
    MailContent,
    address_problems,
    compose_mail,
    parse_addresses,
)
from checkup.notifiers.message import SubjectSettings

_log = logging.getLogger(__name__)


_IMPLICIT_TLS_PORT: Final = 465
_READY, _ACCEPTED, _START_MAIL_INPUT, _TOO_LARGE = 220, 250, 354, 552

_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
_HELLO: Final = re.compile(r"[A-Za-z0-9._-]*|\[[0-9A-Fa-f.:IPv]+\]")
"""A host name, or an address in brackets (RFC 5321, 4.1.3)."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_CONTENT: Final = re.compile(rb"5\.(?:6\.\d+|3\.4)\b")
"""Enhanced status codes (RFC 3463) by which a server blames the content or the size."""


class SmtpServer(Struct, frozen=True, kw_only=True):
    """A mail server and how to connect to it.

    Attributes:
        tls: ``auto`` (from the start on port 465, else STARTTLS if it is offered), ``always``
            (from the start), ``starttls`` (without it nothing is sent), or ``never``.
        hello: the name to greet the server with; empty for the sender's domain.
        ca_file: certificates to trust beside those of the machine; empty for none.
    """

    host: str
    port: int
    username: str = ""
    password: str = ""
    tls: str = "auto"
    hello: str = ""
    ca_file: str = ""

    @property
    def is_implicit(self) -> bool:
        """Whether TLS begins with the connection."""
        return self.tls == "always" or (self.tls == "auto" and self.port == _IMPLICIT_TLS_PORT)


class Envelope(Struct, frozen=True):
    """Sender, recipients and the mail itself; the addresses are bare and in ASCII."""

    sender: str
    recipients: Sequence[str]
    content: bytes


def send_mail(server: SmtpServer, envelope: Envelope, seconds: float) -> None:
    """Send one mail under one absolute deadline (RFC 5321, RFC 3207, RFC 8314).

    Args:
        seconds: for everything, from the name look-up to the response.

    Raises:
        NotDeliveredError: the server certainly did not accept the mail.
        DeliveryUnknownError: it was sent and no response came.
        MessageRejectedError: the server will never accept this mail.
    """
    context = _tls_context(server.ca_file)
    # Relays refuse a name without a dot; looking up that of this machine may take minutes.
    hello = server.hello or envelope.sender.rpartition("@")[2]
    if server.is_implicit:
        client: _Client = _TlsClient(server, hello, context, seconds, context=context)
    else:
        client = _Client(server, hello, context, seconds)

    def cut() -> None:
        if client.sock is not None:
            client.sock.shutdown(socket.SHUT_RDWR)

    SendAttempt(lambda attempt: client.deliver(envelope, attempt), _reason).within(seconds, cut)


def _tls_context(ca_file: str) -> ssl.SSLContext:
    """Return a context that trusts the machine's certificates, and those of a file."""
    if not ca_file:
        return http.client_tls_context()
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise NotDeliveredError("smtp.ca_file cannot be read, or has no certificates") from None
    return context


class _Utf8(str):
    """A text that smtplib cannot encode as ASCII; names and passwords are UTF-8 (RFC 4616)."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode("utf-8" if encoding == "ascii" else encoding, errors)


class _Client(smtplib.SMTP):
    """smtplib's client, which connects late and says when it begins to send the mail itself."""

    def __init__(
        self,
        server: SmtpServer,
        hello: str,
        tls_context: ssl.SSLContext,
        seconds: float,
        **options: Any,
    ) -> None:
        super().__init__(local_hostname=hello, timeout=seconds, **options)
        self._host = server.host  # smtplib checks the certificate against this name
        self._server = server
        self._tls_context = tls_context

    def auth(
        self, mechanism: str, authobject: Any, *, initial_response_ok: bool = True
    ) -> tuple[int, bytes]:
        """Log in with a name and a password in any letters."""

        def answer(challenge: bytes | None = None) -> str | None:
            text = authobject() if challenge is None else authobject(challenge)
            return None if text is None else _Utf8(text)

        return super().auth(mechanism, answer, initial_response_ok=initial_response_ok)  # type: ignore[arg-type]

    def deliver(self, envelope: Envelope, attempt: SendAttempt) -> None:
        """Connect, send the mail and close. A refused recipient does not stop the others' mail."""
        self._attempt = attempt
        try:
            code, reply = self.connect(self._server.host, self._server.port)
            if code != _READY:
                raise smtplib.SMTPConnectError(code, reply)
            self.ehlo_or_helo_if_needed()
            self._encrypt()
            self._log_in()
            refused = self.sendmail(envelope.sender, envelope.recipients, envelope.content)
            with suppress(OSError, smtplib.SMTPException):
                self.putcmd("quit")  # its answer would change nothing
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code == _TOO_LARGE:  # the size is announced with the sender (RFC 1870)
                raise MessageRejectedError(_reason(error)) from None
            raise
        finally:
            self.close()
        if refused:
            code, count = next(iter(refused.values()))[0], len(envelope.recipients)
            _log.warning(
                "the mail server answered %d to %d of %d recipients", code, len(refused), count
            )

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the mail itself, which is the server's from the final dot on.

        A refusal now is mostly about the sender's reputation or a quota, which can be put right,
        so the mail waits; only when its content or its size is to blame will it never be accepted.
        """
        code, reply = self.docmd("DATA")
        if code == _START_MAIL_INPUT:
            self._attempt.mark_sent()
            self.send(_LEADING_DOT.sub(b"..", msg) + b".\r\n")
            code, reply = self.getreply()
        if code == _ACCEPTED:
            return code, reply
        answer = f"the mail server answered {code} to the mail"
        if code == _TOO_LARGE or _CONTENT.match(reply):
            raise MessageRejectedError(answer)
        if code >= 400:  # noqa: PLR2004 - 4yz and 5yz
            raise NotDeliveredError(answer)
        raise DeliveryUnknownError(answer)

    def _encrypt(self) -> None:
        """Encrypt if the server can, or must."""
        tls, offered = self._server.tls, self.has_extn("starttls")
        if isinstance(self.sock, ssl.SSLSocket) or tls == "never":
            return
        if offered:
            self.starttls(context=self._tls_context)
            self.ehlo_or_helo_if_needed()
        elif tls == "starttls":
            raise NotDeliveredError("the mail server does not offer STARTTLS; nothing was sent")

    def _log_in(self) -> None:
        """Log in if there is a name and the server asks for one; never in clear over a network."""
        server = self._server
        if not server.username or not self.has_extn("auth"):
            return
        private = isinstance(self.sock, ssl.SSLSocket) or server.host in _LOOPBACK
        if not private and server.tls != "never":
            raise NotDeliveredError("the mail server does not offer TLS; the password was not sent")
        self.login(_Utf8(server.username), _Utf8(server.password))


class _TlsClient(_Client, smtplib.SMTP_SSL):
    """The same, with TLS from the start."""


_STEPS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (smtplib.SMTPConnectError, " to the greeting"),
    (smtplib.SMTPAuthenticationError, " to the login"),
    (smtplib.SMTPSenderRefused, " to the sender"),
)


def _reason(error: Exception) -> str:
    """Name the kind of failure; the server's words may contain anything."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, _ = next(iter(error.recipients.values()))
        return f"the mail server answered {code} to all recipients"
    if isinstance(error, smtplib.SMTPResponseException):
        step = next((step for kind, step in _STEPS if isinstance(error, kind)), "")
        return f"the mail server answered {error.smtp_code}{step}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "connection closed"
    if isinstance(error, smtplib.SMTPException):
        return "the mail server offers no supported login method"
    return http.describe_error(error)


_UNFOLDED: Final = SMTP.clone(max_line_length=300)
"""Keeps a subject on the line of its name; encoded words must be short (RFC 2047)."""


class SmtpSettings(Settings, frozen=True, kw_only=True):
    """The mail server; TLS from the start on port 465, else STARTTLS if it is offered."""

    server: Annotated[str, Meta(description="Host name.")] = ""
    port: Annotated[int, Meta(description="Port.")] = 25
    username: Annotated[str, Meta(description="User name; no login if empty.")] = ""
    password: Annotated[Secret, Meta(description="Password.")] = ""
    tls: Annotated[
        Literal["auto", "always", "starttls", "never"],
        Meta(
            description="auto: from the start on port 465, else STARTTLS if offered; always: from "
            "the start; starttls: STARTTLS required; never: no encryption."
        ),
    ] = "auto"
    hello: Annotated[
        str, Meta(description="Name to greet the server with; by default the sender's domain.")
    ] = ""
    ca_file: Annotated[
        str, Meta(description="PEM file of certificates to trust beside those of the machine.")
    ] = ""

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        if not _HELLO.fullmatch(self.hello):
            yield SettingProblem("hello", "is not a host name", 'write it like "mail.example.com"')


class MailSettings(SubjectSettings, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One mail per message, over SMTP."""

    kind: ClassVar[str] = "mail"
    needs_fields: ClassVar[tuple[str, ...]] = ("from_", "to")

    from_: Annotated[str, Meta(description="The sender's address.")] = ""
    to: Annotated[Strings, Meta(description="The recipients' addresses.")] = ()
    smtp: Annotated[SmtpSettings, Meta(description="The mail server.")] = SmtpSettings()

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        yield from address_problems(self.from_, self.to)
        if not self.smtp.server:
            yield SettingProblem("smtp", 'cannot be used without "server"', 'add "server"')
        elif "/" in self.smtp.server or self.smtp.server.count(":") == 1:
            fix = 'write the host name only, and the port as "port"'
            yield SettingProblem("smtp", "server is not a host name", fix)

    def open(self, clients: Clients) -> MailNotifier:
        """Return the channel; the password is read again for each message."""
        return MailNotifier(self, clients)


class MailNotifier(Struct, frozen=True):
    """A mail server and the recipients.

    Attributes:
        seconds: for sending one mail. Mail servers are slower than web services, some of
            them on purpose, but the receipt has to be written in the same run.
    """

    settings: MailSettings
    clients: Clients
    seconds: float = 6.0

    def send(self, notification: Notification) -> None:
        """Send one mail to all recipients; see :meth:`checkup.interfaces.Notifier.send`."""
        sender, *_ = parse_addresses([self.settings.from_], "from")
        recipients = parse_addresses(self.settings.to, "to")
        mail = compose_mail(notification, self.settings.subject)
        content = _message(mail, sender, recipients)
        bare = [recipient.addr_spec for recipient in recipients]
        send_mail(self._server(), Envelope(sender.addr_spec, bare, content), self.seconds)

    def _server(self) -> SmtpServer:
        smtp = self.settings.smtp
        if not smtp.server:
            raise NotDeliveredError("no server is configured for mail")
        password = (
            notifier_secret(self.clients, smtp.password, "no password is configured for mail")
            if smtp.username
            else ""
        )
        return SmtpServer(
            host=smtp.server,
            port=smtp.port,
            username=smtp.username,
            password=password,
            tls=smtp.tls,
            hello=smtp.hello,
            ca_file=smtp.ca_file,
        )


def _message(mail: MailContent, sender: Address, recipients: list[Address]) -> bytes:
    """Return the mail as it is sent: text and HTML, both in ASCII on the wire."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipients
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{mail.id}@{sender.domain}>"
    message["References"] = " ".join(f"<{thread}@{sender.domain}>" for thread in mail.references)
    # RFC 3834: asks for no automatic reply.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    in_ascii = all(str(value).isascii() for value in message.values())
    return message.as_bytes(policy=_UNFOLDED if in_ascii else SMTP)
