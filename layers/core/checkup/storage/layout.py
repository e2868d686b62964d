"""What a key may look like, the same for every storage.

A key is ``folder/name`` or deeper, in printable ASCII, and no part of it begins with a dot:
so it can be a path below a folder without ever leading out of it, or to a file that a storage
keeps for itself. Below ``runs/`` there are check files and nothing else, so that a storage can
put them where the Go program puts them, among other things, and still find them all.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from checkup.errors import StorageError
from checkup.model import RUNS_PREFIX, Nanoseconds, key_time
from checkup.storage.files import temporary_file

# The ``index.json`` beside the check files, for the Go program and its page.
#
# It is one JSON object, file name to the nanoseconds at which the file was indexed, with sorted
# keys. Nothing here ever reads the past from it: files are listed. It is therefore free to be
# mended with every run: a broken one is made anew from the names, files that are missing from it
# are added, and entries without a file are dropped.


INDEX_FILE: Final = "index.json"
_LARGEST = 2**63 - 1


def update_index_file(root: Path, name: str, scratch: Path) -> None:
    """Bring the index of a folder up to date, a new check file included.

    The caller holds the folder's lock.

    Args:
        scratch: a folder on the same file system for the file while it is written.

    Raises:
        OSError: it could not be written.
    """
    names = os.listdir(root)  # noqa: PTH208 - half a million paths would be slow
    body = index_with_run(_read(root / INDEX_FILE), names, name, time.time_ns()) + b"\n"
    with temporary_file(scratch, body, durable=False) as temporary:
        temporary.replace(root / INDEX_FILE)


def index_with_run(index: bytes, names: Iterable[str], new: str, now: int) -> bytes:
    """Return an index that has one check file more.

    Args:
        index: as it is; empty if there is none.
        names: of the files beside it.
        now: nanoseconds, the entry of the new one.
    """
    entries = _present(names, _entries(index))
    entries[new] = now
    return msgspec.json.encode(entries, order="sorted")


def index_of_files(index: bytes, names: Iterable[str]) -> bytes:
    """Return an index of the files that are left."""
    return msgspec.json.encode(_present(names, _entries(index)), order="sorted")


def _present(names: Iterable[str], known: dict[str, Nanoseconds]) -> dict[str, int]:
    """Return an entry for every check file, and for what else is listed and exists."""
    entries = {}
    for name in names:
        indexed = known.get(name) or key_time(name)
        if indexed:
            entries[name] = min(indexed, _LARGEST)
    return entries


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _entries(index: bytes) -> dict[str, Nanoseconds]:
    """Read the index, if it can be read."""
    try:
        return msgspec.json.decode(index, type=dict[str, Nanoseconds])
    except (ValueError, RecursionError):
        return {}


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
        raise StorageError(f"{key!r} cannot be a key: see checkup.storage.layout")
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
