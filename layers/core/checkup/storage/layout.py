"""Valid keys, for every storage, and the ``index.json`` beside the check files.

A key is ``folder/name`` or deeper, in printable ASCII, and no part of it starts with a dot. As a
file path it therefore never leaves its folder and never collides with a storage's internal files.
Below ``runs/`` there are only check files, so a storage can place them where the Go program does,
next to other files, and still find them all.

``index.json`` is for the Go program and its page: one JSON object from file name to the time in
nanoseconds at which the file was indexed, with sorted keys. Checkup lists files instead of reading
it, so every run may repair it: an unreadable index is rebuilt from the file names, missing files
are added, and entries without a file are dropped.
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

INDEX_FILE: Final = "index.json"
_LARGEST = 2**63 - 1

_PART = r"(?!\.)[!-.0-\[\]-~]{1,255}"
_KEY = re.compile(rf"(?:{_PART}/)+{_PART}")
_PREFIX = re.compile(rf"(?:{_PART}/)+[^/]*")
_LONGEST = 1000


def update_index_file(root: Path, name: str, scratch: Path) -> None:
    """Update the index of a folder, including a new check file.

    The caller holds the folder's lock.

    Args:
        scratch: folder for the temporary file, on the same file system.

    Raises:
        OSError: the index could not be written.
    """
    names = os.listdir(root)  # noqa: PTH208 - half a million paths would be slow
    body = index_with_run(_read(root / INDEX_FILE), names, name, time.time_ns()) + b"\n"
    with temporary_file(scratch, body, durable=False) as temporary:
        temporary.replace(root / INDEX_FILE)


def index_with_run(index: bytes, names: Iterable[str], new: str, now: int) -> bytes:
    """Return the index with one more check file.

    Args:
        index: the current content; empty if there is none.
        names: of the files beside the index.
        new: name of the new check file.
        now: time in nanoseconds, the value of the new entry.
    """
    entries = _present(names, _entries(index))
    entries[new] = now
    return msgspec.json.encode(entries, order="sorted")


def index_of_files(index: bytes, names: Iterable[str]) -> bytes:
    """Return the index with only the entries of these files."""
    return msgspec.json.encode(_present(names, _entries(index)), order="sorted")


def _present(names: Iterable[str], known: dict[str, Nanoseconds]) -> dict[str, int]:
    """Return an entry for every check file, and for other existing files in the index."""
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
    """Decode the index; an unreadable one is empty."""
    try:
        return msgspec.json.decode(index, type=dict[str, Nanoseconds])
    except (ValueError, RecursionError):
        return {}


def valid_key(key: str) -> str:
    """Return ``key`` unchanged.

    Raises:
        StorageError: the key is not valid.
    """
    if not is_key(key):
        raise StorageError(f"invalid key {key!r}")
    return key


def is_key(key: str) -> bool:
    """Whether ``key`` is a valid key."""
    if len(key) > _LONGEST or not _KEY.fullmatch(key):
        return False
    return not key.startswith(RUNS_PREFIX) or run_file_name(key) is not None


def run_file_name(key: str) -> str | None:
    """Return the name of the check file for ``key``, or None if it is not the key of a run."""
    name = key.removeprefix(RUNS_PREFIX)
    return name if name != key and is_run_file(name) else None


def is_run_file(name: str) -> bool:
    """Whether a file at the top level of a storage is a check file."""
    return "/" not in name and key_time(name) is not None


def valid_prefix(prefix: str) -> str:
    """Return ``prefix`` unchanged.

    Raises:
        StorageError: it does not contain at least the first folder, such as ``runs/``.
    """
    if not _PREFIX.fullmatch(prefix):
        raise StorageError(f"invalid prefix {prefix!r}: must start with a folder, such as runs/")
    return prefix


def valid_lock_name(name: str) -> str:
    """Return the name of a lock unchanged.

    Raises:
        StorageError: it is not a valid file name.
    """
    if not re.fullmatch(_PART, name):
        raise StorageError(f"invalid lock name {name!r}: use a short ASCII name without a slash")
    return name
