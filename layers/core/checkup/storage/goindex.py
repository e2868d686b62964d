"""The ``index.json`` beside the check files, for the Go program and its page.

It is one JSON object, file name to the nanoseconds at which the file was indexed, with sorted
keys. Nothing here ever reads the past from it: files are listed. It is therefore free to be
mended with every run: a broken one is made anew from the names, files that are missing from it
are added, and entries without a file are dropped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from checkup.model import Nanoseconds
from checkup.runfile import key_time
from checkup.storage.files import temporary_file

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
