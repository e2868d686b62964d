"""The ``index.json`` beside the check files, for the Go program and its page.

It is one JSON object, file name to the nanoseconds at which the file was indexed, with sorted
keys. Nothing here ever reads the past from it: files are listed. It is therefore free to be
mended with every run: a broken one is made anew from the names, files that are missing from it
are added, and entries without a file are dropped.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import msgspec

from checkup.model import Nanoseconds
from checkup.runfile import slot_of
from checkup.storage.files import written

INDEX: Final = "index.json"

_LARGEST = 2**63 - 1


def add(root: Path, name: str, scratch: Path) -> None:
    """Bring the index up to date, a new check file included.

    The caller holds the folder's lock.

    Args:
        scratch: a folder on the same file system for the file while it is written.

    Raises:
        OSError: it could not be written.
    """
    entries = _present(root, _entries(root / INDEX))
    entries[name] = time.time_ns()
    body = msgspec.json.encode(entries, order="sorted") + b"\n"
    with written(scratch, body, durable=False) as temporary:
        temporary.replace(root / INDEX)


def _present(root: Path, known: dict[str, Nanoseconds]) -> dict[str, int]:
    """Return an entry for every check file, and for what else is listed and exists."""
    entries = {}
    for name in os.listdir(root):  # noqa: PTH208 - half a million paths would be slow
        indexed = known.get(name) or slot_of(name)
        if indexed:
            entries[name] = min(indexed, _LARGEST)
    return entries


def _entries(path: Path) -> dict[str, Nanoseconds]:
    """Read the index, if it can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Nanoseconds])
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
