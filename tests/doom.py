"""The end of a process, at a moment that can be chosen again: before its n-th call of a kind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Collection
from itertools import count
from types import FrameType
from typing import Any, Final

FILES: Final = frozenset(
    {
        *("open", "write", "flush", "fsync", "close", "flock"),
        *("link", "rename", "replace", "unlink", "mkdir", "scandir", "listdir"),
    }
)
DATABASES: Final = frozenset({"connect", "execute", "executemany", "commit", "rollback"})
SOCKETS: Final = frozenset({"sendall", "send", "recv_into", "shutdown"})
"""Functions and methods that reach out of the process, by name."""

_OWNERS: Final = frozenset({"posix", "fcntl", "_io", "sqlite3", "socket", "_socket"})


def die_before(fatal: int, calls: Collection[str]) -> None:
    """Kill this process, as no handler can prevent, just before the fatal one of these calls.

    Args:
        fatal: its number, from 1.
    """
    numbers = count(1)

    def profile(_: FrameType, event: str, function: Any) -> None:
        if event != "c_call" or function.__name__ not in calls:
            return
        if _owner(function) in _OWNERS and next(numbers) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(profile)
    sys.setprofile(profile)


def _owner(function: Any) -> str:
    """Return the module of a function, or of the object that a method belongs to."""
    return function.__module__ or type(function.__self__).__module__
