"""Opens one connection, with the time of each phase and a deadline over all of it."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from selectors import EVENT_WRITE, PollSelector
from typing import Any

from checkup.checkers.chain import earliest_expiry_ns, peer_certificates
from checkup.checkers.failures import CheckFailedError, from_os_error, from_ssl_error
from checkup.checkers.guard import is_port_blocked
from checkup.checkers.resolution import SocketAddress, resolve
from checkup.checkers.sockets import DeadlineSocket, DeadlineTLSSocket
from checkup.checkers.stopwatch import Stopwatch
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError

_HEAD_START = 0.25
"""Seconds before the next address is tried beside one that is silent (RFC 8305, section 8)."""

_NO_WAY = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EAFNOSUPPORT,
    errno.EADDRNOTAVAIL,
}
"""Errors of an address family that this machine has not; another address tells more."""


def open_connection(
    host: str,
    port: int,
    deadline: Deadline,
    watch: Stopwatch,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> DeadlineSocket:
    """Look the host up and connect to the first of its addresses that answers.

    The socket has no deadline yet but this one.

    Raises:
        CheckFailedError: no address answered by the deadline.
        CheckUnknownError: for want of local resources, or the address may not be checked from here.
    """
    with watch.phase("resolve"):
        addresses = resolve(host, port, deadline, family)
    with watch.phase("connect"):
        try:
            sock = connect_happy_eyeballs(addresses, deadline)
        except CheckFailedError as failed:
            if failed.failure == "connect_timeout" and is_port_blocked(port):
                sentence = f"AWS lets no function reach port {port}"
                raise CheckUnknownError("port_blocked", sentence) from failed
            raise
    sock.deadline = deadline
    return sock


def start_tls(
    sock: DeadlineSocket, context: ssl.SSLContext, host: str, deadline: Deadline, watch: Stopwatch
) -> tuple[DeadlineTLSSocket, int]:
    """Complete a TLS handshake; ``sock`` is used up, whatever happens.

    Returns:
        The socket to go on with, and when the first certificate of the chain ends.

    Raises:
        CheckFailedError: the handshake failed, or was not finished by the deadline.
        CheckUnknownError: for want of local resources.
    """
    with watch.phase("tls"), ExitStack() as unfinished:
        unfinished.callback(sock.close)
        try:
            secured = context.wrap_socket(
                sock, server_hostname=host.rstrip("."), do_handshake_on_connect=False
            )
            unfinished.callback(secured.close)
            assert isinstance(secured, DeadlineTLSSocket)  # noqa: S101 - contexts make no others
            secured.deadline = deadline
            secured.arm()
            secured.do_handshake()
        except (OSError, ValueError) as error:
            raise _handshake_failure(error, watch) from error
        unfinished.pop_all()
    return secured, earliest_expiry_ns(peer_certificates(secured))


def _handshake_failure(error: OSError | ValueError, watch: Stopwatch) -> CheckFailedError:
    if isinstance(error, TimeoutError):
        return CheckFailedError("tls_timeout", f"TLS handshake not finished after {watch}")
    if isinstance(error, (ssl.SSLEOFError, ConnectionError)):
        return CheckFailedError(
            "tls_handshake", "connection closed by the server in the TLS handshake"
        )
    if isinstance(error, ssl.SSLError):
        return from_ssl_error(error)
    if isinstance(error, OSError):
        return from_os_error(error)
    return CheckFailedError("address", "not a possible host name")


def connect_happy_eyeballs(
    addresses: Sequence[SocketAddress], deadline: Deadline
) -> DeadlineSocket:
    """Connect to all addresses, one after the other but without waiting for the silent ones.

    Raises:
        CheckFailedError: none of them answered by the deadline.
        CheckUnknownError: for want of local resources.
    """
    race = _Race(addresses)
    try:
        while race.is_open():
            if deadline.left() <= 0:
                raise CheckFailedError("connect_timeout", "no connection in time")
            winner = race.advance(deadline)
            if winner:
                return winner
        raise race.verdict()
    finally:
        race.close()


class _Race:
    """Connections to the addresses of one host; the first that is made wins."""

    def __init__(self, addresses: Sequence[SocketAddress]) -> None:
        self._waiting = deque(addresses)
        self._next_start = 0.0
        self._selector = PollSelector()
        self._errors: list[OSError] = []

    def is_open(self) -> bool:
        """Whether an address is left that has not failed."""
        return bool(self._waiting or self._selector.get_map())

    def advance(self, deadline: Deadline) -> DeadlineSocket | None:
        """Start the next connection if it is its turn, wait, and return the winner if any."""
        if self._waiting and time.monotonic() >= self._next_start:
            self._start(*self._waiting.popleft())
        if not self._selector.get_map():
            return None  # it failed at once
        turn = Deadline(self._next_start) if self._waiting else deadline
        for key, _ in self._selector.select(max(0.0, min(turn.left(), deadline.left()))):
            sock = key.fileobj
            assert isinstance(sock, DeadlineSocket)  # noqa: S101 - nothing else is registered
            self._selector.unregister(sock)
            failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not failed:
                return sock
            self._fail(OSError(failed, ""), sock)
        return None

    def verdict(self) -> CheckFailedError:
        """Why no connection was made: the most telling of the addresses' errors.

        Raises:
            CheckUnknownError: for want of local resources.
        """
        telling = (error for error in self._errors if error.errno not in _NO_WAY)
        return from_os_error(next(telling, self._errors[0]))

    def close(self) -> None:
        """Give up the connections that are still being made."""
        for key in list(self._selector.get_map().values()):
            sock = key.fileobj
            assert isinstance(sock, DeadlineSocket)  # noqa: S101 - nothing else is registered
            sock.close()
        self._selector.close()

    def _start(self, family: socket.AddressFamily, address: tuple[Any, ...]) -> None:
        self._next_start = time.monotonic() + _HEAD_START
        try:
            sock = DeadlineSocket(family, socket.SOCK_STREAM)
        except OSError as error:
            self._fail(error)
            return
        # Without it TLS adds 40 ms to the wait for the answer (Nagle against delayed ACK).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)  # noqa: FBT003 - the library's signature
        failed = sock.connect_ex(address)
        if failed in {0, errno.EINPROGRESS}:
            self._selector.register(sock, EVENT_WRITE)
        else:
            self._fail(OSError(failed, ""), sock)

    def _fail(self, error: OSError, sock: DeadlineSocket | None = None) -> None:
        self._errors.append(error)
        self._next_start = 0.0
        if sock:
            sock.close()
