"""Incidents and maintenance in their storage: read with care, changed by compare-and-set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

from checkup.errors import StorageError
from checkup.incidents.documents import (
    FOLDER,
    HEAD,
    NewerAnnouncements,
    UnreadableAnnouncements,
    decode,
    encode,
    month_key,
    sort_out,
    sound,
    together,
)
from checkup.incidents.model import Announcements
from checkup.ports import Storage, Stored
from checkup.protocol.persisting import persist
from checkup.storage.quarantine import quarantine

_log = logging.getLogger(__name__)

Change = Callable[[Announcements], Announcements]


def announcements(storage: Storage, key: str = HEAD) -> Announcements:
    """Return what is announced, by default in the head; nothing if that cannot be read.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote it.
    """
    stored = storage.get(key)
    return Announcements() if stored is None else _read(key, stored).sound


def all_announcements(storage: Storage) -> Announcements:
    """Return everything that was ever announced: as much to read as there are months.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote some of it.
    """
    found = Announcements()
    for key in [*_months(storage), HEAD]:
        found = together(found, announcements(storage, key))
    return found


def announce(storage: Storage, change: Change) -> Announcements:
    """Change what is announced and return what has become of that.

    Args:
        storage: where it is.
        change: may be called several times, and on what it has changed already: the answer to a
            write can be lost.

    Raises:
        StorageError: it could not be written, or a newer version of the program wrote it.
    """
    return persist(lambda: _announce(storage, change), HEAD)


def _announce(storage: Storage, change: Change) -> Announcements:
    """Change the head; what is too old for it is put into the file of its month before."""
    stored = storage.get(HEAD)
    changed = change(_opened(storage, HEAD, stored))
    head, months = sort_out(changed, storage.clock())
    for month, old in months.items():
        _add(storage, month_key(month), old)
    _put(storage, HEAD, stored, encode(head))
    return changed


def _add(storage: Storage, key: str, old: Announcements) -> None:
    stored = storage.get(key)
    _put(storage, key, stored, encode(together(_opened(storage, key, stored), old)))


def _put(storage: Storage, key: str, before: Stored | None, body: bytes) -> None:
    if before is None:
        storage.create(key, body)
    elif before.body != body:
        storage.replace(key, body, before.version)


def _opened(storage: Storage, key: str, stored: Stored | None) -> Announcements:
    """Return a document that is about to be written; its bytes are kept if some of it cannot be."""
    if stored is None:
        return Announcements()
    found = _read(key, stored)
    if not found.is_whole:
        quarantine(storage, stored.body)
        _log.warning("%s: the bytes that were there are kept below quarantine/", key)
    return found.sound


class _Read(NamedTuple):
    """What makes sense of a document, and whether that is all of it."""

    sound: Announcements
    is_whole: bool


def _read(key: str, stored: Stored) -> _Read:
    """Read a document as far as that is possible.

    Raises:
        StorageError: a newer version of the program wrote it.
    """
    try:
        found = decode(stored.body)
    except NewerAnnouncements as error:
        raise StorageError(f"{key}: {error}") from error
    except UnreadableAnnouncements as error:
        _log.warning(
            "%s: %s; until an earlier version is put in its place, nothing of it is shown",
            key,
            error,
        )
        return _Read(Announcements(), is_whole=False)
    kept = sound(found)
    if kept != found:
        _log.warning("%s: what makes no sense in it is left out", key)
    return _Read(kept, kept == found)


def _months(storage: Storage) -> Iterator[str]:
    return (key for key in storage.list(FOLDER) if key != HEAD)
