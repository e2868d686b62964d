"""What a key may look like, the same for every storage.

A key is ``folder/name`` or deeper, in printable ASCII, and no part of it begins with a dot:
so it can be a path below a folder without ever leading out of it, or to a file that a storage
keeps for itself. Below ``runs/`` there are check files and nothing else, so that a storage can
put them where the Go program puts them, among other things, and still find them all.
"""

from __future__ import annotations

import re

from checkup.errors import StorageError
from checkup.runfile import RUNS

CHECK_FILE = re.compile(r"\d{19}-check\.json", re.ASCII)
"""The names of the Go program; any other file beside them belongs to somebody else."""

_PART = r"(?!\.)[!-.0-\[\]-~]{1,255}"
_KEY = re.compile(rf"{_PART}(?:/{_PART})+")
_LONGEST = 1000


def checked(key: str) -> str:
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
    return not key.startswith(RUNS) or run_name(key) is not None


def run_name(key: str) -> str | None:
    """Return the name of the check file that ``key`` stands for, or None for another key."""
    name = key.removeprefix(RUNS)
    return name if name != key and CHECK_FILE.fullmatch(name) else None


def checked_prefix(prefix: str) -> str:
    """Return ``prefix`` as it is.

    Raises:
        StorageError: it does not name at least the first folder, as ``runs/`` does.
    """
    first, slash, _ = prefix.partition("/")
    if not (slash and re.fullmatch(_PART, first)):
        raise StorageError(f"{prefix!r} cannot be listed: begin it with a folder, as in runs/")
    return prefix
