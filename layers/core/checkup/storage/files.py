"""Files that are there whole or not at all, whatever kills the process that writes them."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from checkup.errors import StorageError
from checkup.interfaces import LockState

_SUFFIX = ".tmp"
_ABANDONED_SECONDS = 3600

_REASONS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied, or a file system without hard links",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "no space is left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EEXIST: "a file is in the place of a folder",
    errno.ENOTDIR: "a file is in the place of a folder",
    errno.EISDIR: "a folder is in the place of a file",
}


@contextmanager
def translate_os_errors(action: str, path: Path) -> Iterator[None]:
    """Turn what the operating system says into a StorageError that names the path."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        reason = _REASONS.get(number) or os.strerror(number).lower()
        raise StorageError(f"cannot {action} {path}: {reason}") from error


@contextmanager
def temporary_file(folder: Path, body: bytes, *, durable: bool = True) -> Iterator[Path]:
    """Write a new file below ``folder`` and yield its path, to be linked or renamed.

    A process that is killed here leaves it behind; a later writer sweeps it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    path = folder / f"{uuid4().hex}{_SUFFIX}"
    try:
        with path.open("xb") as file:
            file.write(body)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what no living process can still be writing."""
    abandoned = time.time() - _ABANDONED_SECONDS
    for path in folder.glob(f"*{_SUFFIX}"):
        with suppress(OSError):
            if path.stat().st_mtime < abandoned:
                path.unlink()


# Locks of the kernel on files: released with their owner, so nobody waits after a kill.


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
            hold = LockState.ACQUIRED if mine else LockState.HELD_ELSEWHERE
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
