"""What a key may look like, the same for every storage.

A key is ``folder/name`` or deeper, in printable ASCII, and no part of it begins with a dot:
so it can be a path below a folder without ever leading out of it, or to a file that a storage
keeps for itself. Below ``runs/`` there are check files and nothing else, so that a storage can
put them where the Go program puts them, among other things, and still find them all.
"""

from __future__ import annotations

import re

from checkup.errors import StorageError
from checkup.runfile import RUNS_PREFIX, key_time

_PART = r"(?!\.)[!-.0-\[\]-~]{1,255}"
_KEY = re.compile(rf"(?:{_PART}/)+{_PART}")
_PREFIX = re.compile(rf"(?:{_PART}/)+[^/]*")
_LONGEST = 1000


def valid_key(key: str) -> str:
    """Return ``key`` as it is.

    Raises:
        StorageError: no storage could keep a document under it.
    """
    if not is_key(key):
        raise StorageError(f"{key!r} cannot be a key: see checkup.storage.keys")
    return key


def is_key(key: str) -> bool:
    """Say whether a document can be kept under ``key``."""
    if len(key) > _LONGEST or not _KEY.fullmatch(key):
        return False
    return not key.startswith(RUNS_PREFIX) or run_file_name(key) is not None


def run_file_name(key: str) -> str | None:
    """Return the name of the check file that ``key`` stands for, or None for another key."""
    name = key.removeprefix(RUNS_PREFIX)
    return name if name != key and is_run_file(name) else None


def is_run_file(name: str) -> bool:
    """Say whether a file at the top of a storage is a run's; all others are somebody else's."""
    return "/" not in name and key_time(name) is not None


def valid_prefix(prefix: str) -> str:
    """Return ``prefix`` as it is.

    Raises:
        StorageError: it does not name at least the first folder, as ``runs/`` does.
    """
    if not _PREFIX.fullmatch(prefix):
        raise StorageError(f"{prefix!r} cannot be listed: begin it with a folder, as in runs/")
    return prefix


def valid_lock_name(name: str) -> str:
    """Return the name of a right to hold as it is.

    Raises:
        StorageError: it could not be the name of a file.
    """
    if not re.fullmatch(_PART, name):
        raise StorageError(f"{name!r} cannot be held: use a short name in ASCII without a slash")
    return name
