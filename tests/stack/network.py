"""A network of the tests' own: a loopback of its own, and nothing beyond it.

In it the emulator has the ports that AWS has, whatever else the machine does, and a function that
turns to anybody but the emulator finds nobody. A thread is in a network, and hands it on to the
threads and programs that it starts.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

_HERE = "/proc/thread-self/ns/net"
_NETWORK = 0x40000000  # CLONE_NEWNET of <linux/sched.h>
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS of <linux/sockios.h>, IFF_UP of <linux/if.h>


class _Networks(NamedTuple):
    """Open files that stand for networks."""

    own: int
    of_the_machine: int


@cache
def why_shared() -> str:
    """Return why the tests share the machine's network; empty if they have one of their own."""
    try:
        _networks()
    except OSError as error:
        return str(error.strerror)
    return ""


@contextmanager
def own() -> Iterator[None]:
    """Be in the tests' network while the block runs, if they have one."""
    with _in("own"):
        yield


@contextmanager
def of_the_machine() -> Iterator[None]:
    """Be where the registries of packages can be reached, while the block runs."""
    with _in("of_the_machine"):
        yield


@contextmanager
def _in(name: str) -> Iterator[None]:
    if why_shared():
        yield
        return
    before = os.open(_HERE, os.O_RDONLY)
    _enter(getattr(_networks(), name))
    try:
        yield
    finally:
        _enter(before)
        os.close(before)


@cache
def _networks() -> _Networks:
    """Make the tests' network, once."""
    of_the_machine = os.open(_HERE, os.O_RDONLY)
    _call("unshare", _NETWORK)
    try:
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH22x", b"lo", _UP))
        return _Networks(os.open(_HERE, os.O_RDONLY), of_the_machine)
    finally:
        _enter(of_the_machine)


def _enter(network: int) -> None:
    _call("setns", network, _NETWORK)


def _call(name: str, *arguments: int) -> None:
    """Call what Python has of its own only from 3.12 on."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
