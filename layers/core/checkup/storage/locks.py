"""Locks of the kernel on files: released with their owner, so nobody waits after a kill."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checkup.errors import StorageError
from checkup.ports import LockState

_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.005
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock at ``path``, alone among all threads and processes of this machine.

    Raises:
        StorageError: somebody else has held it for too long, so is stopped or stuck.
    """
    with _opened(path) as descriptor:
        end = time.monotonic() + _WAIT_SECONDS
        while not _take(descriptor):
            if time.monotonic() > end:
                raise StorageError(f"another process has held {path} for {_WAIT_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        yield


@contextmanager
def try_file_lock(path: Path) -> Iterator[LockState]:
    """Try once to take the lock at ``path`` and hold it while the block runs."""
    with _opened(path) as descriptor:
        try:
            mine = _take(descriptor)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            hold = LockState.UNSUPPORTED
        else:
            hold = LockState.MINE if mine else LockState.ELSEWHERE
        yield hold


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open the lock's file; each opening is an owner of its own, in whatever thread."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
