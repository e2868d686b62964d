"""A mail server on loopback that keeps what it accepts."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Mailbox:
    """What a mail server was told.

    Attributes:
        refuse: the reply to a command (``SMTP_PORT``, ``RCPT``, ``DATA``, ``AUTH``) in place of
            acceptance; to RCPT only for addresses that begin with ``refused``.
        mails: what was accepted.
        logins: names and passwords, and whether they came encrypted.
        encrypted: for each mail whether it came encrypted.
    """

    def __init__(self, refuse: dict[str, str] | None = None) -> None:
        self.refuse = refuse or {}
        self.mails: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.encrypted: list[bool] = []
        self.names: list[str] = []
        self.port = 0

    def authenticate(self, *about: Any) -> AuthResult:
        data = about[-1]
        self.logins.append((data.login, data.password))
        return AuthResult(success="AUTH" not in self.refuse, handled=False)

    async def handle_MAIL(  # noqa: N802 - its library says so
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.refuse:
            return self.refuse["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - its library says so
        self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.refuse and address.startswith("refused"):
            return self.refuse["RCPT"]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - its library says so
        self, _: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        self.mails.append(envelope)
        self.encrypted.append(session.ssl is not None)
        self.names.append(str(session.host_name))
        return "250 OK"


@contextmanager
def mail_server(
    mailbox: Mailbox,
    *,
    start_tls: ssl.SSLContext | None = None,
    implicit_tls: ssl.SSLContext | None = None,
    login: bool = False,
    host: str = "127.0.0.1",
) -> Iterator[Mailbox]:
    """Serve a mailbox on a free port while the block runs."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    ready = Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    def protocol() -> SMTP:
        return SMTP(
            mailbox,
            tls_context=start_tls,
            authenticator=mailbox.authenticate if login else None,
            auth_require_tls=False,
            hostname="mail.test",
        )

    async def serve() -> None:
        server = await loop.create_server(protocol, host, 0, ssl=implicit_tls)
        mailbox.port = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()
        await asyncio.sleep(0.05)  # for connections to end

    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield mailbox
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
