"""Connections for checks, over TCP and TLS, that wait in an event loop and keep a deadline.

Every call of a stream checks the deadline before it does anything, so that a server that floods or
trickles is late as well. TLS runs over buffers in memory: what OpenSSL does at a time is bounded by
what it was given, whatever a server sends.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from checkup.checkers.address_guard import is_port_blocked
from checkup.checkers.certificates import (
    Validity,
    chain_validity,
    check_host,
    peer_certificates,
)
from checkup.checkers.failures import CheckFailedError, from_os_error, from_ssl_error
from checkup.checkers.host_names import ascii_host
from checkup.checkers.network import NO_ROUTE, SocketAddress, require_ipv6, resolve
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network

T = TypeVar("T")

_PIECE: Final = 65_536
_MAX_READS: Final = 64
"""What may be read before the others have their turn: bytes and, for small pieces, reads."""

_HEAD_START: Final = 0.25
"""Seconds until the next address is tried while one does not answer (RFC 8305, section 8)."""


async def open_stream(
    net: Network,
    address: tuple[str, int],
    deadline: Deadline,
    watch: Stopwatch,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> NetworkStream:
    """Resolve a host and connect to the first of its addresses that answers.

    Args:
        address: host and port.
        deadline: of this connection; the stream keeps it until it is given another.
        watch: measures the phases of the stream.

    Raises:
        CheckFailedError: no address answered by the deadline.
        CheckUnknownError: local resources ran out, or the address may not be checked from here.
    """
    host, port = address
    with watch.phase("resolve"):
        addresses = await resolve(net, host, port, deadline, family)
    with watch.phase("connect"):
        try:
            sock = await connect_first(net, addresses, deadline)
        except CheckFailedError as failed:
            if failed.failure == "connect_timeout" and is_port_blocked(port):
                sentence = f"AWS Lambda blocks port {port}"
                raise CheckUnknownError("port_blocked", sentence) from failed
            raise
    return NetworkStream(net, sock, deadline, watch)


async def connect_first(
    net: Network, addresses: Sequence[SocketAddress], deadline: Deadline
) -> socket.socket:
    """Connect to the first address that answers (RFC 8305, without sorting the addresses).

    Raises:
        CheckFailedError: none of them answered by the deadline.
        CheckUnknownError: local resources ran out, or the target is IPv6-only and this machine has
            no IPv6.
    """
    waiting = deque(addresses)
    racing: dict[socket.socket, int] = {}
    errors: list[OSError] = []
    next_start = 0.0
    try:
        while waiting or racing:
            if deadline.remaining() <= 0:
                raise CheckFailedError("connect_timeout", "connection timed out")
            if waiting and monotonic() >= next_start:
                next_start = monotonic() + _HEAD_START
                try:
                    racing[_begin_connection(*waiting.popleft())] = EVENT_WRITE
                except OSError as error:
                    errors.append(error)
                    next_start = 0.0
                    continue
            try:
                turn = Deadline(min(next_start if waiting else inf, deadline.at))
                connected = await net.ready(racing, turn)
            except TimeoutError:
                continue
            for sock in connected:
                del racing[sock]
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not number:
                    return sock
                sock.close()
                errors.append(OSError(number, ""))
                next_start = 0.0
        require_ipv6(addresses)
        raise _connection_failure(errors)
    finally:
        for sock in racing:
            sock.close()


def _begin_connection(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Without it TLS adds 40 ms to the wait for the response (Nagle against delayed ACK).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(0)
        with suppress(BlockingIOError):
            sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _connection_failure(errors: Sequence[OSError]) -> CheckFailedError:
    """Say why no connection was made: the first error that says more than "no route".

    Raises:
        CheckUnknownError: local resources ran out.
    """
    informative = (error for error in errors if error.errno not in NO_ROUTE)
    return from_os_error(next(informative, errors[0]))


class NetworkStream:
    """A connection over TCP, and TLS once it was started.

    Attributes:
        deadline: of all calls from now on.
        watch: measures the phase of the TLS handshake.
    """

    def __init__(
        self, net: Network, sock: socket.socket, deadline: Deadline, watch: Stopwatch
    ) -> None:
        """Take over a connected socket that does not block."""
        self.deadline = deadline
        self.watch = watch
        self._net = net
        self._sock = sock
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._bytes_in_turn = 0
        self._reads_in_turn = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def shutdown_write(self) -> None:
        """Close this side of the connection; what the server still sends can be read.

        Raises:
            OSError: the server has closed it already.
        """
        self._sock.shutdown(socket.SHUT_WR)

    async def read(self, size: int = _PIECE) -> bytes:
        """Return at least one byte and at most ``size``; none at the end of the connection.

        Raises:
            TimeoutError: none came by the deadline.
            OSError: the connection failed; ssl.SSLError if TLS did.
        """
        self._check_deadline()
        self._reads_in_turn += 1
        if self._bytes_in_turn >= _PIECE or self._reads_in_turn > _MAX_READS:
            self._bytes_in_turn = self._reads_in_turn = 0
            await self._net.turn()
        if not self._tls:
            return await self._receive(size)
        try:
            return await self._run_tls(lambda tls: tls.read(size))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def write(self, data: bytes) -> None:
        """Send all of the bytes.

        Raises:
            TimeoutError: they were not sent by the deadline.
            OSError: the connection failed; ssl.SSLError if TLS did.
        """
        self._check_deadline()
        if self._tls and data:
            await self._run_tls(lambda tls: tls.write(data))
        else:
            await self._send(data)

    async def start_tls(
        self, context: ssl.SSLContext, host: str, *, is_write_next: bool = False
    ) -> Validity:
        """Complete a TLS handshake, within the deadline.

        Args:
            host: for SNI and verification.
            is_write_next: send the end of the handshake with the first bytes that are written.

        Returns:
            How long the certificates of the chain are valid.

        Raises:
            CheckFailedError: the handshake failed, or was not finished by the deadline.
            CheckUnknownError: local resources ran out.
        """
        with self.watch.phase("tls"):
            try:
                self._check_deadline()
                self._tls = context.wrap_bio(
                    self._incoming,
                    self._outgoing,
                    server_hostname=ascii_host(host).rstrip(".").encode(),
                )
                await self._run_tls(ssl.SSLObject.do_handshake, flush=not is_write_next)
            except (OSError, ValueError) as error:
                self.close()
                raise self._handshake_failure(error) from error
            chain = self.peer_certificates()
            if context.verify_mode is ssl.CERT_NONE:
                chain = chain[:1]  # the others lead nowhere, and may be long past their end
            else:
                check_host(chain, host)
        return chain_validity(chain)

    def peer_certificates(self) -> Sequence[bytes]:
        """The certificates in DER, the server's own first; see :func:`peer_certificates`."""
        return peer_certificates(self._tls) if self._tls else ()

    def tls_version(self) -> str:
        """The version of TLS, such as ``1.3``; empty without TLS."""
        version = self._tls.version() if self._tls else None
        return (version or "").removeprefix("TLSv")

    def tls_weakness(self) -> str:
        """What is weak about the cipher suite, as a fragment of a sentence; empty if nothing is."""
        suite = ((self._tls and self._tls.cipher()) or ("", "", 0))[0]
        if not suite or suite.startswith("TLS_"):  # of TLS 1.3, which has no weak ones
            return ""
        if not suite.startswith(("ECDHE-", "DHE-")):
            return f"no forward secrecy ({suite})"
        is_aead = any(mode in suite for mode in ("GCM", "CCM", "CHACHA20"))
        return "" if is_aead else f"cipher in CBC mode ({suite})"

    def _check_deadline(self) -> None:
        if self.deadline.remaining() <= 0:
            raise TimeoutError

    async def _run_tls(self, call: Callable[[ssl.SSLObject], T], *, flush: bool = True) -> T:
        """Call OpenSSL until it has all it wants, and send what it has to say."""
        assert self._tls  # noqa: S101 - see the callers
        while True:
            try:
                result = call(self._tls)
            except ssl.SSLWantReadError:
                await self._flush()
            except ssl.SSLError:
                with suppress(OSError):  # the alert that says why; the server may be gone
                    self._sock.send(self._outgoing.read())
                raise
            else:
                if flush:
                    await self._flush()
                return result
            received = await self._receive(_PIECE)
            if received:
                self._incoming.write(received)
            else:
                self._incoming.write_eof()

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._send(self._outgoing.read())

    async def _receive(self, size: int) -> bytes:
        while True:
            try:
                received = self._sock.recv(size)
            except BlockingIOError:
                self._bytes_in_turn = self._reads_in_turn = 0
                await self._net.ready({self._sock: EVENT_READ}, self.deadline)
            else:
                self._bytes_in_turn += len(received)
                return received

    async def _send(self, data: bytes) -> None:
        with memoryview(data) as view:
            sent = 0
            while sent < len(data):
                try:
                    sent += self._sock.send(view[sent : sent + _PIECE])
                except BlockingIOError:
                    await self._net.ready({self._sock: EVENT_WRITE}, self.deadline)
                else:
                    if sent < len(data):
                        self._check_deadline()

    def _handshake_failure(self, error: OSError | ValueError) -> CheckFailedError:
        if isinstance(error, TimeoutError):
            return CheckFailedError("tls_timeout", f"TLS handshake timed out after {self.watch}")
        if isinstance(error, (ssl.SSLEOFError, ConnectionError)):
            return CheckFailedError(
                "tls_handshake", "the server closed the connection during the TLS handshake"
            )
        if isinstance(error, ssl.SSLError):
            return from_ssl_error(error)
        if isinstance(error, OSError):
            return from_os_error(error)
        return CheckFailedError("address", "invalid host name")
