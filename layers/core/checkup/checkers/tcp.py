"""The ``tcp`` checker: can a connection be made and, if asked, a TLS handshake completed?"""

from __future__ import annotations

import ssl
from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.checkers.address import host_and_port
from checkup.checkers.connection import open_connection, start_tls
from checkup.checkers.failures import Failed
from checkup.checkers.stopwatch import Stopwatch
from checkup.checkers.trust import file_context, system_context, unverified_context
from checkup.deadline import Deadline
from checkup.model import SECOND, Attempt
from checkup.ports import Checker


class TcpChecker(Checker, frozen=True, kw_only=True):
    """Opens and closes one connection to ``host:port``; nothing is sent or read.

    The round trip time is that of the connection and, with ``tls``, of the handshake.
    """

    kind: ClassVar[str] = "tcp"
    default_timeout: ClassVar[int] = SECOND

    tls: Annotated[bool, Meta(description="Complete a TLS handshake.")] = False
    tls_skip_verify: Annotated[bool, Meta(description="With tls: accept every certificate.")] = (
        False
    )
    tls_ca_file: Annotated[
        str, Meta(description="With tls: a PEM file of roots to trust instead of the system's.")
    ] = ""

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.ports.Checker.attempt`."""
        error = failure = ""
        expiry = 0
        watch = Stopwatch()
        try:
            host, port = host_and_port(self.endpoint_url)
            context = self._context()
            watch = Stopwatch()  # only now: preparing a context is no round trip
            expiry = _connect(host, port, context, deadline, watch)
        except Failed as failed:
            error, failure = str(failed), failed.failure
        return Attempt(
            rtt=watch.elapsed(),
            error=error,
            failure=failure,
            phases=watch.phases(),
            certificate_expiry=expiry,
        )

    def _context(self) -> ssl.SSLContext | None:
        if not self.tls:
            return None
        # Go reads the file whether or not it will verify with it.
        context = file_context(self.tls_ca_file) if self.tls_ca_file else None
        if self.tls_skip_verify:
            return unverified_context()
        return context or system_context()


def _connect(
    host: str, port: int, context: ssl.SSLContext | None, deadline: Deadline, watch: Stopwatch
) -> int:
    """Connect, close, and return when the certificate ends, if there was one."""
    sock = open_connection(host, port, deadline, watch)
    if not context:
        sock.close()
        return 0
    secured, expiry = start_tls(sock, context, host or "localhost", deadline, watch)
    secured.close()
    return expiry
