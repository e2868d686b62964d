"""Atomic file writes and file locks.

A file appears completely or not at all, even if the process that writes it is killed. Locks are
kernel locks (``flock``) on files: they are released when their owner exits, so no process waits
for one that was killed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from checkup.errors import StorageError
from checkup.interfaces import LockState
from checkup.times import HOUR, SECOND

_SUFFIX = ".tmp"
_ABANDONED_SECONDS = HOUR // SECOND
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.005
_LEAST_SPACE = 64 * 1024
_NETWORK_FILE_SYSTEMS = {
    *("9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs"),
    *(
        "fuse.sshfs",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb3",
        "smbfs",
    ),
}
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}

_REASONS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied, or the file system does not support hard links",
    errno.EROFS: "read-only file system",
    errno.ENOSPC: "no space left on device",
    errno.EDQUOT: "disk quota exceeded",
    errno.EEXIST: "a file exists where a folder is expected",
    errno.ENOTDIR: "a file exists where a folder is expected",
    errno.EISDIR: "a folder exists where a file is expected",
}


@contextmanager
def translate_os_errors(action: str, path: Path) -> Iterator[None]:
    """Raise an OSError as a StorageError that names the path."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        reason = _REASONS.get(number) or os.strerror(number).lower()
        raise StorageError(f"cannot {action} {path}: {reason}") from error


def is_disk_full(folder: Path) -> bool:
    """Whether the file system of a folder has no space left, not even for an index of SQLite's."""
    with suppress(OSError):
        disk = os.statvfs(folder)
        return disk.f_bavail * disk.f_frsize < _LEAST_SPACE
    return False


def network_file_system(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Return the type of the network file system that a path is on; empty if it is a local one.

    Args:
        mounts: the mounted file systems, as proc(5) describes them. Without such a list, as on
            macOS, every file system is taken for a local one.
    """
    where, best, found = str(path.absolute().resolve()), "", ""
    with suppress(OSError):
        for line in mounts.read_text(errors="replace").splitlines():
            front, _, back = line.partition(" - ")
            top = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), front.split(" ")[4])
            inside = where == top or where.startswith(top.rstrip("/") + "/")
            if inside and len(top) >= len(best):  # of two in one place, the later one is on top
                best, found = top, back.split(" ")[0]
    return found if found in _NETWORK_FILE_SYSTEMS else ""


@contextmanager
def temporary_file(folder: Path, body: bytes, *, durable: bool = True) -> Iterator[Path]:
    """Write a new file below ``folder`` and yield its path, for the caller to link or rename.

    A killed process leaves its file behind; a later writer removes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
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
    """Flush a folder, so that new names in it survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary files that are too old to be in use."""
    abandoned = time.time() - _ABANDONED_SECONDS
    for path in folder.glob(f"*{_SUFFIX}"):
        with suppress(OSError):
            if path.stat().st_mtime < abandoned:
                path.unlink()


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock at ``path``, exclusively among all threads and processes on this machine.

    Raises:
        StorageError: another owner has held it for too long.
    """
    with _open_lock_file(path) as descriptor:
        end = time.monotonic() + _WAIT_SECONDS
        while not _try_flock(descriptor):
            if time.monotonic() > end:
                raise StorageError(
                    f"another process has held the lock {path} for {_WAIT_SECONDS:.0f} s"
                )
            time.sleep(_POLL_SECONDS)
        yield


@contextmanager
def try_file_lock(path: Path) -> Iterator[LockState]:
    """Try once to take the lock at ``path``, and hold it during the block."""
    with _open_lock_file(path) as descriptor:
        try:
            acquired = _try_flock(descriptor)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            state = LockState.UNSUPPORTED
        else:
            state = LockState.ACQUIRED if acquired else LockState.HELD_ELSEWHERE
        yield state


@contextmanager
def _open_lock_file(path: Path) -> Iterator[int]:
    """Open the lock file; each open descriptor is a separate lock owner, even within a thread."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
