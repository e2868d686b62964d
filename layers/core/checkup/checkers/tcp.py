"""The ``tcp`` checker: can a connection be made and, if asked, secured and talked over?"""

from __future__ import annotations

import ssl
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from checkup.checkers import dialogue
from checkup.checkers.address import split_host_port
from checkup.checkers.connection import open_connection, start_tls
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.secured import NetworkChecker
from checkup.checkers.sockets import DeadlineSocket, DeadlineTLSSocket
from checkup.checkers.stopwatch import Stopwatch
from checkup.deadline import Deadline
from checkup.model import SECOND, Attempt


class TcpChecker(NetworkChecker, frozen=True, kw_only=True):
    """Opens and closes one connection to ``host:port``.

    Without ``send``, ``expect`` and ``starttls`` nothing is sent or read: a server that accepts
    and hangs up at once is healthy. The round trip time ends with what was asked for last:
    connection, handshake, answer.
    """

    kind: ClassVar[str] = "tcp"
    default_timeout: ClassVar[int] = SECOND

    tls: Annotated[bool, Meta(description="Complete a TLS handshake.")] = False
    starttls: Annotated[
        Literal["", "smtp", "imap", "pop3"],
        Meta(description="Ask for TLS in this protocol first, and complete a handshake."),
    ] = ""
    send: Annotated[str, Meta(description="A text to send.", extra={"private": True})] = ""
    expect: Annotated[
        str, Meta(description="A text that has to arrive, within the first 8,192 bytes.")
    ] = ""

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.ports.Checker.attempt`."""
        error = failure = ""
        talk = _Talk(self, Stopwatch())
        try:
            host, port = split_host_port(self.endpoint_url)
            context = self.tls_context() if self.tls or self.starttls else None
            talk = _Talk(self, Stopwatch())  # only now: preparing a context is no round trip
            talk.hold(host, port, context, deadline)
        except CheckFailedError as failed:
            error, failure = str(failed), failed.failure
        return Attempt(
            rtt=talk.watch.elapsed(),
            error=error,
            failure=failure,
            phases=talk.watch.phases(),
            certificate_expiry=talk.certificate_expiry,
        )


class _Talk:
    """One connection from its beginning to its end.

    Attributes:
        certificate_expiry: when the server's certificate ends; 0 if there was none.
    """

    def __init__(self, checker: TcpChecker, watch: Stopwatch) -> None:
        self.watch = watch
        self.certificate_expiry = 0
        self._checker = checker

    def hold(
        self, host: str, port: int, context: ssl.SSLContext | None, deadline: Deadline
    ) -> None:
        """Connect, say and hear what is configured, and hang up."""
        checker = self._checker
        sock: DeadlineSocket | DeadlineTLSSocket
        sock = open_connection(host, port, deadline, self.watch, checker.family)
        try:
            if checker.starttls and isinstance(sock, DeadlineSocket):
                with self.watch.phase("wait"):
                    dialogue.request_starttls(sock, checker.starttls)
            if context and isinstance(sock, DeadlineSocket):
                name = checker.server_name or host or "localhost"
                sock, self.certificate_expiry = start_tls(sock, context, name, deadline, self.watch)
            if checker.send or checker.expect:
                with self.watch.phase("wait"):
                    dialogue.send_and_expect(sock, checker.send.encode(), checker.expect.encode())
        finally:
            sock.close()
