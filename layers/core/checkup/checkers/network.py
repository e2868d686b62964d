"""Addresses, name resolution and connections, all under a deadline.

A client library's timeout bounds each system call, not the exchange: a server that sends one
byte per second is never late. :class:`DeadlineSocket` gives every single call only what is left
until the deadline, so that no sequence of calls can last longer, whatever library makes them.

Addresses are valid or not as in Go's net/url and net.SplitHostPort, so that the results agree.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from selectors import EVENT_WRITE, PollSelector
from threading import Thread
from typing import Any, Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from checkup.checkers.address_guard import allowed_addresses, is_port_blocked
from checkup.checkers.certificates import earliest_expiry_ns, peer_certificates
from checkup.checkers.failures import CheckFailedError, from_os_error, from_ssl_error
from checkup.checkers.host_names import ascii_host, ascii_netloc
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_COLON_FIRST: Final = re.compile(r"[^/?#]*:")
_INVALID: Final = re.compile(r"[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})")
_HOST_PORT: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):([^:\[\]]*)")
_MAX_PORT: Final = 65_535


def parse_http_url(url: str) -> SplitResult:
    """Split an http or https URL; the result has a host, in ASCII, and a port or None.

    Raises:
        CheckUnknownError: it is not a URL; the Go program refuses to run with it.
        CheckFailedError: it is the URL of something else.
    """
    scheme = _SCHEME.match(url)
    if _INVALID.search(url) or (not scheme and _COLON_FIRST.match(url)):
        raise _invalid_url()
    if not scheme or scheme[1].lower() not in {"http", "https"}:
        found = scheme[1].lower() if scheme else ""
        raise CheckFailedError("address", f'unsupported protocol scheme "{found}"')
    try:
        parts = urlsplit(url)
        parts = parts._replace(netloc=ascii_netloc(parts.netloc))
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _invalid_url() from error
    if not host:
        raise CheckFailedError("address", "no host in the URL")
    return parts


def split_host_port(address: str) -> tuple[str, int]:
    """Split ``host:port``; an IPv6 host is in brackets, the port may be the name of a service.

    Returns:
        The host in ASCII, and the port's number.

    Raises:
        CheckFailedError: the port is missing, or one of the two is invalid.
    """
    parts = _HOST_PORT.fullmatch(address)
    if not parts:
        raise CheckFailedError("address", "missing port in address; write it as host:port")
    port = parts[2]
    try:
        host = ascii_host(parts[1].strip("[]"))
    except ValueError as error:
        raise CheckFailedError("address", "invalid host name") from error
    if port.isascii() and port.isdigit() and int(port) <= _MAX_PORT:
        return host, int(port)
    try:
        return host, socket.getservbyname(port, "tcp")
    except OSError as error:
        raise CheckFailedError("address", "invalid port") from error


def _invalid_url() -> CheckUnknownError:
    return CheckUnknownError("config", "invalid URL; write it as http://host/path")


SocketAddress: TypeAlias = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family, and what ``connect`` takes for it."""

ADDRESS_FAMILIES: Final = {
    0: socket.AF_UNSPEC,
    4: socket.AF_INET,
    6: socket.AF_INET6,
}
"""By ``ip_version``."""


def resolve(
    host: str, port: int, deadline: Deadline, family: socket.AddressFamily = socket.AF_UNSPEC
) -> Sequence[SocketAddress]:
    """Return the addresses of a host in the system's order of preference; at least one.

    Raises:
        CheckFailedError: it has none, or none was found in time.
        CheckUnknownError: local resources ran out, or none of the addresses may be checked from
            here.
    """
    addresses = _numeric_addresses(host, port, family)
    if not addresses:
        try:
            addresses = resolve_in_thread(lambda: _look_up(host, port, family), deadline)
        except OSError as error:
            raise _resolution_failure(error, family) from error
    return allowed_addresses(addresses)


async def resolve_async(
    net: Network,
    host: str,
    port: int,
    deadline: Deadline,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> Sequence[SocketAddress]:
    """Return the addresses of a host as :func:`resolve` does; one look-up serves a second.

    Raises:
        CheckFailedError: it has none, or none was found in time.
        CheckUnknownError: local resources ran out, or none of the addresses may be checked from
            here.
    """
    addresses = _numeric_addresses(host, port, family)
    if not addresses:
        try:
            addresses = await net.in_thread(
                lambda: _look_up(host, port, family),
                deadline,
                share=("look-up", host, port, family),
            )
        except TimeoutError as error:
            raise CheckFailedError("dns_timeout", "DNS lookup timed out") from error
        except OSError as error:
            raise _resolution_failure(error, family) from error
    return allowed_addresses(addresses)


def _look_up(
    host: str, port: int, family: socket.AddressFamily, flags: int = 0
) -> Sequence[SocketAddress]:
    # An empty name is this machine, as in Go.
    found = socket.getaddrinfo(host or None, port, family, socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]


def _numeric_addresses(
    host: str, port: int, family: socket.AddressFamily
) -> Sequence[SocketAddress]:
    """Return the address that the host is; none if it is a name.

    Raises:
        CheckFailedError: it is an address of another family, or can be neither.
    """
    try:
        return _look_up(host, port, family, socket.AI_NUMERICHOST)
    except socket.gaierror as error:
        if error.errno == getattr(socket, "EAI_ADDRFAMILY", None):
            raise CheckFailedError("dns_nodata", "not an address of this IP version") from error
        return ()
    except ValueError as error:
        raise CheckFailedError("dns_nxdomain", "invalid host name") from error


def resolve_in_thread(
    look_up: Callable[[], Sequence[SocketAddress]], deadline: Deadline
) -> Sequence[SocketAddress]:
    """Call ``look_up`` in a thread, which is abandoned at the deadline.

    The system's ``getaddrinfo`` takes no timeout and cannot be interrupted. Its thread ends when
    the system's resolver gives up.
    """
    outcome: SimpleQueue[Sequence[SocketAddress] | OSError] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put(look_up())
        except OSError as error:
            outcome.put(error)

    try:
        Thread(target=run, name="checkup-look-up", daemon=True).start()
        found = outcome.get(timeout=max(0.0, deadline.remaining()))
    except Empty as error:
        raise CheckFailedError("dns_timeout", "DNS lookup timed out") from error
    except RuntimeError as error:
        raise CheckUnknownError("resource", "this machine has no free thread") from error
    if isinstance(found, OSError):
        raise found
    return found


def _resolution_failure(error: OSError, family: socket.AddressFamily) -> CheckFailedError:
    if not isinstance(error, socket.gaierror):
        return from_os_error(error)
    if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
        if family is socket.AF_UNSPEC:
            return CheckFailedError("dns_nxdomain", "no such host")
        return CheckFailedError("dns_nodata", "no such host, or no address of this IP version")
    if error.errno == socket.EAI_MEMORY:
        raise CheckUnknownError("resource", "this machine has no free memory") from error
    return CheckFailedError("dns_failed", "DNS lookup failed")


def require_ipv6(addresses: Sequence[SocketAddress]) -> None:
    """Check that an IPv6-only target can be reached from here, after it could not be.

    Raises:
        CheckUnknownError: all of the addresses are IPv6, and this machine has no route to them.
    """
    for family, address in addresses:
        if family is not socket.AF_INET6:
            return
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect(address)  # sends nothing
        except OSError as error:
            if error.errno in NO_ROUTE:
                continue
        return
    raise CheckUnknownError("no_ipv6", "this machine has no IPv6")


class _Bounded(socket.socket):
    deadline: Deadline

    def apply_deadline(self) -> None:
        """Limit the next system call to what is left until the deadline.

        Raises:
            TimeoutError: the deadline has passed.
        """
        left = self.deadline.remaining()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        self.apply_deadline()
        return super().recv(*args, **kwargs)

    def recvfrom(self, *args: Any, **kwargs: Any) -> tuple[bytes, Any]:
        self.apply_deadline()
        return super().recvfrom(*args, **kwargs)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.apply_deadline()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.apply_deadline()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.apply_deadline()
        super().sendall(*args, **kwargs)


class DeadlineSocket(_Bounded):
    """A socket whose calls end at ``deadline``; set it before the first call."""


class DeadlineTLSSocket(_Bounded, ssl.SSLSocket):
    """The same under TLS; call :meth:`apply_deadline` before its handshake."""


_HEAD_START: Final = 0.25
"""Seconds until the next address is tried while one does not answer (RFC 8305, section 8)."""

NO_ROUTE: Final = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EAFNOSUPPORT,
    errno.EADDRNOTAVAIL,
}
"""Errors of an address family that this machine does not have; other errors say more."""


def open_connection(
    host: str,
    port: int,
    deadline: Deadline,
    watch: Stopwatch,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> DeadlineSocket:
    """Resolve the host and connect to the first of its addresses that answers.

    The socket keeps this deadline until it is given another.

    Raises:
        CheckFailedError: no address answered by the deadline.
        CheckUnknownError: local resources ran out, or the address may not be checked from here.
    """
    with watch.phase("resolve"):
        addresses = resolve(host, port, deadline, family)
    with watch.phase("connect"):
        try:
            sock = connect_happy_eyeballs(addresses, deadline)
        except CheckFailedError as failed:
            if failed.failure == "connect_timeout" and is_port_blocked(port):
                sentence = f"AWS Lambda blocks port {port}"
                raise CheckUnknownError("port_blocked", sentence) from failed
            raise
    sock.deadline = deadline
    return sock


def start_tls(
    sock: DeadlineSocket, context: ssl.SSLContext, host: str, deadline: Deadline, watch: Stopwatch
) -> tuple[DeadlineTLSSocket, int]:
    """Complete a TLS handshake; ``sock`` is replaced by the returned socket or closed.

    Returns:
        The socket under TLS, and when the first certificate of the chain expires.

    Raises:
        CheckFailedError: the handshake failed, or was not finished by the deadline.
        CheckUnknownError: local resources ran out.
    """
    with watch.phase("tls"), ExitStack() as unfinished:
        unfinished.callback(sock.close)
        try:
            secured = context.wrap_socket(
                sock, server_hostname=ascii_host(host).rstrip("."), do_handshake_on_connect=False
            )
            unfinished.callback(secured.close)
            assert isinstance(secured, DeadlineTLSSocket)  # noqa: S101 - contexts make no others
            secured.deadline = deadline
            secured.apply_deadline()
            secured.do_handshake()
        except (OSError, ValueError) as error:
            raise _handshake_failure(error, watch) from error
        unfinished.pop_all()
    return secured, earliest_expiry_ns(peer_certificates(secured))


def _handshake_failure(error: OSError | ValueError, watch: Stopwatch) -> CheckFailedError:
    if isinstance(error, TimeoutError):
        return CheckFailedError("tls_timeout", f"TLS handshake timed out after {watch}")
    if isinstance(error, (ssl.SSLEOFError, ConnectionError)):
        return CheckFailedError(
            "tls_handshake", "the server closed the connection during the TLS handshake"
        )
    if isinstance(error, ssl.SSLError):
        return from_ssl_error(error)
    if isinstance(error, OSError):
        return from_os_error(error)
    return CheckFailedError("address", "invalid host name")


def connect_happy_eyeballs(
    addresses: Sequence[SocketAddress], deadline: Deadline
) -> DeadlineSocket:
    """Connect to the first address that answers (RFC 8305, without sorting the addresses).

    Raises:
        CheckFailedError: none of them answered by the deadline.
        CheckUnknownError: local resources ran out.
    """
    race = _Race(addresses)
    try:
        while race.is_open():
            if deadline.remaining() <= 0:
                raise CheckFailedError("connect_timeout", "connection timed out")
            winner = race.advance(deadline)
            if winner:
                return winner
        raise race.failure()
    finally:
        race.close()


class _Race:
    """Connection attempts to the addresses of one host; the first that succeeds wins."""

    def __init__(self, addresses: Sequence[SocketAddress]) -> None:
        self._addresses = addresses
        self._waiting = deque(addresses)
        self._next_start = 0.0
        self._selector = PollSelector()
        self._errors: list[OSError] = []

    def is_open(self) -> bool:
        """Whether there are addresses that have not failed."""
        return bool(self._waiting or self._selector.get_map())

    def advance(self, deadline: Deadline) -> DeadlineSocket | None:
        """Start the next connection if it is due, wait, and return the winner if there is one."""
        if self._waiting and time.monotonic() >= self._next_start:
            self._start(*self._waiting.popleft())
        if not self._selector.get_map():
            return None  # it failed at once
        turn = Deadline(self._next_start) if self._waiting else deadline
        for key, _ in self._selector.select(max(0.0, min(turn.remaining(), deadline.remaining()))):
            sock = key.fileobj
            assert isinstance(sock, DeadlineSocket)  # noqa: S101 - nothing else is registered
            self._selector.unregister(sock)
            failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not failed:
                return sock
            self._fail(OSError(failed, ""), sock)
        return None

    def failure(self) -> CheckFailedError:
        """Why no connection was made: the first error that says more than "no route".

        Raises:
            CheckUnknownError: local resources ran out, or this machine has no IPv6.
        """
        require_ipv6(self._addresses)
        informative = (error for error in self._errors if error.errno not in NO_ROUTE)
        return from_os_error(next(informative, self._errors[0]))

    def close(self) -> None:
        """Abandon the connections that are still being made."""
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
        # Without it TLS adds 40 ms to the wait for the response (Nagle against delayed ACK).
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
