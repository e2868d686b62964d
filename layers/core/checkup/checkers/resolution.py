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

from checkup.checkers.failures import Failed, network_failure
from checkup.checkers.guard import permitted
from checkup.deadline import Deadline
from checkup.errors import CannotTell

Address: TypeAlias = tuple[socket.AddressFamily, tuple[Any, ...]]
"""A family, and what ``connect`` takes for it."""


FAMILIES = {
    0: socket.AF_UNSPEC,
    4: socket.AF_INET,
    6: socket.AF_INET6,
}
"""By the version of IP; 0 for either."""


def resolve(
    host: str, port: int, deadline: Deadline, family: socket.AddressFamily = socket.AF_UNSPEC
) -> Sequence[Address]:
    """Return the addresses of a host in the system's order of preference; at least one.

    Raises:
        Failed: it has none, or none was found in time.
        CannotTell: the look-up failed for want of local resources, or none of the addresses
            may be checked from here.
    """
    return permitted(_resolved(host, port, deadline, family))


def _resolved(
    host: str, port: int, deadline: Deadline, family: socket.AddressFamily
) -> Sequence[Address]:
    try:
        return _look_up(host, port, family, socket.AI_NUMERICHOST)
    except socket.gaierror as error:
        if error.errno == getattr(socket, "EAI_ADDRFAMILY", None):
            raise Failed("dns_nodata", "not an address of this IP version") from error
        # otherwise a name, not an address
    except ValueError as error:
        raise Failed("dns_nxdomain", "not a possible host name") from error
    try:
        return beside(lambda: _look_up(host, port, family), deadline)
    except socket.gaierror as error:
        raise _resolution_failure(error, family) from error
    except OSError as error:
        raise network_failure(error) from error


def _look_up(
    host: str, port: int, family: socket.AddressFamily, flags: int = 0
) -> Sequence[Address]:
    # An empty name is this machine, as in Go.
    found = socket.getaddrinfo(host or None, port, family, socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]


def beside(look_up: Callable[[], Sequence[Address]], deadline: Deadline) -> Sequence[Address]:
    """Return what ``look_up`` finds, or leave it to itself when the time is up."""
    outcome: SimpleQueue[Sequence[Address] | OSError] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put(look_up())
        except OSError as error:
            outcome.put(error)

    try:
        Thread(target=run, name="checkup-look-up", daemon=True).start()
        found = outcome.get(timeout=max(0.0, deadline.left()))
    except Empty as error:
        raise Failed("dns_timeout", "the name could not be looked up in time") from error
    except RuntimeError as error:
        raise CannotTell("resource", "this machine has no free thread") from error
    if isinstance(found, OSError):
        raise found
    return found


def _resolution_failure(error: socket.gaierror, family: socket.AddressFamily) -> Failed:
    if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
        if family is socket.AF_UNSPEC:
            return Failed("dns_nxdomain", "no such host")
        return Failed("dns_nodata", "no such host, or none with an address of this IP version")
    if error.errno == socket.EAI_MEMORY:
        raise CannotTell("resource", "this machine has no free memory") from error
    return Failed("dns_failed", "the name could not be looked up")
