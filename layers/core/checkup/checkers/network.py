"""Addresses of servers: URLs, ``host:port``, and the resolution of names.

They are valid or not as in Go's net/url and net.SplitHostPort, so that the results agree.
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from checkup.checkers.address_guard import allowed_addresses
from checkup.checkers.failures import CheckFailedError, from_os_error
from checkup.checkers.host_names import ascii_host, ascii_netloc
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_COLON_FIRST: Final = re.compile(r"[^/?#]*:")
_INVALID: Final = re.compile(r"[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})")
_HOST_PORT: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):([^:\[\]]*)")
_MAX_PORT: Final = 65_535


@lru_cache(maxsize=4096)
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


async def resolve(
    net: Network,
    host: str,
    port: int,
    deadline: Deadline,
    family: socket.AddressFamily = socket.AF_UNSPEC,
) -> Sequence[SocketAddress]:
    """Return the addresses of a host in the system's order of preference; at least one.

    The system's ``getaddrinfo`` takes no timeout and cannot be interrupted: it has a thread, which
    is abandoned at the deadline, and ends when the system's resolver gives up.

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


NO_ROUTE: Final = {
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EAFNOSUPPORT,
    errno.EADDRNOTAVAIL,
}
"""Errors of an address family that this machine does not have; other errors say more."""


def require_ipv6(addresses: Sequence[SocketAddress]) -> None:
    """Check that an IPv6-only target can be reached from here, after it could not be.

    Raises:
        CheckUnknownError: all of the addresses are IPv6, and this machine has no route to them.
    """
    for family, address in addresses:
        if family is not socket.AF_INET6 or address[3]:  # a zone: of an interface that has IPv6
            return
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect(address)  # sends nothing
        except OSError as error:
            if error.errno in NO_ROUTE:
                continue
        return
    raise CheckUnknownError("no_ipv6", "this machine has no IPv6")


class DeadlineSocket(socket.socket):
    """A socket for threads, whose calls end at ``deadline``; set it before the first call.

    A client library's timeout bounds each system call, not the exchange: a server that sends one
    byte per second is never late.
    """

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

    def recv(self, size: int, flags: int = 0) -> bytes:
        """See :meth:`socket.socket.recv`."""
        self.apply_deadline()
        return super().recv(size, flags)

    def receive_exactly(self, size: int) -> bytes:
        """Receive so many bytes.

        Raises:
            OSError: they did not come by the deadline, or the connection ended before.
        """
        received = b""
        while len(received) < size:
            more = self.recv(size - len(received))
            if not more:
                raise ConnectionError
            received += more
        return received
