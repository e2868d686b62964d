"""The ``tcp`` checker: can a connection be made and, if asked, secured and talked over?"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from checkup.checkers.failures import CheckFailedError, from_os_error, from_ssl_error
from checkup.checkers.network import (
    DeadlineSocket,
    DeadlineTLSSocket,
    open_connection,
    split_host_port,
    start_tls,
)
from checkup.checkers.tls_context import NetworkChecker
from checkup.deadline import Deadline, Stopwatch
from checkup.model import Attempt
from checkup.times import SECOND

# Words exchanged over a connection: what is sent, what is waited for, and STARTTLS.


_CAP = 8_192
_PIECE = 1_024
_Socket = DeadlineSocket | DeadlineTLSSocket


class _Turn(Struct, frozen=True):
    """What to say, and the line that answers it.

    Attributes:
        good: that it went well.
        last: that the answer is over, one way or the other.
    """

    say: bytes
    good: re.Pattern[bytes]
    last: re.Pattern[bytes]


def _turn(say: bytes, good: bytes, last: bytes) -> _Turn:
    return _Turn(say, re.compile(good, re.MULTILINE), re.compile(last, re.MULTILINE))


_SMTP_END, _IMAP_END, _POP3_END = rb"^[0-9]{3} .*\n", rb"^a [A-Z]+.*\n", rb"^(?:\+OK|-ERR).*\n"

_TLS_TURNS: Mapping[str, Sequence[_Turn]] = {
    "smtp": (  # RFC 3207
        _turn(b"", rb"^220 ", _SMTP_END),
        _turn(b"EHLO checkup.invalid\r\n", rb"^250[ -]STARTTLS\b", _SMTP_END),
        _turn(b"STARTTLS\r\n", rb"^220 ", _SMTP_END),
    ),
    "imap": (  # RFC 3501, section 6.2.1
        _turn(b"", rb"^\* OK\b", rb"^\* .*\n"),
        _turn(b"a STARTTLS\r\n", rb"^a OK\b", _IMAP_END),
    ),
    "pop3": (  # RFC 2595, section 4
        _turn(b"", rb"^\+OK\b", _POP3_END),
        _turn(b"STLS\r\n", rb"^\+OK\b", _POP3_END),
    ),
}


def request_starttls(sock: DeadlineSocket, protocol: str) -> None:
    """Lead the server to where a TLS handshake can begin.

    Nothing that it sent before the handshake is taken for a part of what comes after
    (CVE-2011-0411).

    Raises:
        CheckFailedError: it does not speak the protocol, or offers no TLS.
    """
    for number, turn in enumerate(_TLS_TURNS[protocol]):
        answer = _say_and_hear(sock, turn.say, turn.last)
        if turn.good.search(answer):
            continue
        if number == 0:
            raise CheckFailedError(
                "protocol", f"the server does not greet as {protocol} servers do"
            )
        raise CheckFailedError("starttls_refused", "the server offers no STARTTLS")


def send_and_expect(sock: _Socket, send: bytes, expect: bytes) -> None:
    """Send something and wait for something; either may be empty.

    Raises:
        CheckFailedError: it did not arrive.
    """
    _say_and_hear(sock, send, re.compile(re.escape(expect)) if expect else None)


def _say_and_hear(sock: _Socket, say: bytes, end: re.Pattern[bytes] | None) -> bytes:
    try:
        if say:
            sock.sendall(say)
        return _hear(sock, end) if end else b""
    except TimeoutError as error:
        raise CheckFailedError("deadline", "the expected answer did not arrive in time") from error
    except ssl.SSLError as error:
        raise from_ssl_error(error) from error
    except OSError as error:
        raise from_os_error(error) from error


def _hear(sock: _Socket, end: re.Pattern[bytes]) -> bytes:
    heard = bytearray(_CAP)
    size = 0
    while size < _CAP:
        with memoryview(heard) as view:
            received = sock.recv_into(view[size : size + _PIECE])
        if not received:
            raise CheckFailedError(
                "expect_mismatch", "the server closed without the expected answer"
            )
        size += received
        if end.search(heard, 0, size):
            return bytes(heard[:size])
    raise CheckFailedError("expect_mismatch", f"the first {_CAP} bytes are not the expected answer")


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
        """See :meth:`checkup.interfaces.Checker.attempt`."""
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
            rtt=talk.watch.elapsed_ns(),
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
        sock = open_connection(host, port, deadline, self.watch, checker.address_family)
        try:
            if checker.starttls and isinstance(sock, DeadlineSocket):
                with self.watch.phase("wait"):
                    request_starttls(sock, checker.starttls)
            if context and isinstance(sock, DeadlineSocket):
                name = checker.server_name or host or "localhost"
                sock, self.certificate_expiry = start_tls(sock, context, name, deadline, self.watch)
            if checker.send or checker.expect:
                with self.watch.phase("wait"):
                    send_and_expect(sock, checker.send.encode(), checker.expect.encode())
        finally:
            sock.close()
