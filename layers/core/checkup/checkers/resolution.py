"""Looks names up under a deadline.

The system's ``getaddrinfo`` can neither be given a limit nor be interrupted. It runs in a
thread beside the attempt, which is abandoned when the time is up; it ends when the system's
resolver gives up.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

from checkup.checkers.failures import CheckFailedError, from_os_error
from checkup.checkers.guard import allowed_addresses
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError

SocketAddress: TypeAlias = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family, and what ``connect`` takes for it."""


ADDRESS_FAMILIES = {
    0: socket.AF_UNSPEC,
    4: socket.AF_INET,
    6: socket.AF_INET6,
}
"""By the version of IP; 0 for either."""


def resolve(
    host: str, port: int, deadline: Deadline, family: socket.AddressFamily = socket.AF_UNSPEC
) -> Sequence[SocketAddress]:
    """Return the addresses of a host in the system's order of preference; at least one.

    Raises:
        CheckFailedError: it has none, or none was found in time.
        CheckUnknownError: the look-up failed for want of local resources, or none of the addresses
            may be checked from here.
    """
    return allowed_addresses(_resolved(host, port, deadline, family))


def _resolved(
    host: str, port: int, deadline: Deadline, family: socket.AddressFamily
) -> Sequence[SocketAddress]:
    try:
        return _look_up(host, port, family, socket.AI_NUMERICHOST)
    except socket.gaierror as error:
        if error.errno == getattr(socket, "EAI_ADDRFAMILY", None):
            raise CheckFailedError("dns_nodata", "not an address of this IP version") from error
        # otherwise a name, not an address
    except ValueError as error:
        raise CheckFailedError("dns_nxdomain", "not a possible host name") from error
    try:
        return resolve_in_thread(lambda: _look_up(host, port, family), deadline)
    except socket.gaierror as error:
        raise _resolution_failure(error, family) from error
    except OSError as error:
        raise from_os_error(error) from error


def _look_up(
    host: str, port: int, family: socket.AddressFamily, flags: int = 0
) -> Sequence[SocketAddress]:
    # An empty name is this machine, as in Go.
    found = socket.getaddrinfo(host or None, port, family, socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]


def resolve_in_thread(
    look_up: Callable[[], Sequence[SocketAddress]], deadline: Deadline
) -> Sequence[SocketAddress]:
    """Return what ``look_up`` finds, or leave it to itself when the time is up."""
    outcome: SimpleQueue[Sequence[SocketAddress] | OSError] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put(look_up())
        except OSError as error:
            outcome.put(error)

    try:
        Thread(target=run, name="checkup-look-up", daemon=True).start()
        found = outcome.get(timeout=max(0.0, deadline.left()))
    except Empty as error:
        raise CheckFailedError("dns_timeout", "the name could not be looked up in time") from error
    except RuntimeError as error:
        raise CheckUnknownError("resource", "this machine has no free thread") from error
    if isinstance(found, OSError):
        raise found
    return found


def _resolution_failure(error: socket.gaierror, family: socket.AddressFamily) -> CheckFailedError:
    if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
        if family is socket.AF_UNSPEC:
            return CheckFailedError("dns_nxdomain", "no such host")
        return CheckFailedError(
            "dns_nodata", "no such host, or none with an address of this IP version"
        )
    if error.errno == socket.EAI_MEMORY:
        raise CheckUnknownError("resource", "this machine has no free memory") from error
    return CheckFailedError("dns_failed", "the name could not be looked up")
