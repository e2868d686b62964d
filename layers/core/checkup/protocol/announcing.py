"""Incidents and maintenance in their storage: read with care, changed by compare-and-set."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Container, Mapping
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from checkup.errors import StorageError
from checkup.history.periods import day_start, month_start, parse_date
from checkup.incidents.documents import (
    FOLDER,
    INCIDENTS_KEY,
    NewerIncidentsError,
    UnreadableIncidentsError,
    decode,
    drop_invalid,
    encode,
    merge,
    month_key,
    split_old_months,
)
from checkup.incidents.model import IncidentDocument
from checkup.ports import Storage, StoredDocument
from checkup.protocol.persisting import compare_and_set
from checkup.storage.quarantine import quarantine

_log = logging.getLogger(__name__)

Change = Callable[[IncidentDocument], IncidentDocument]

_MONTH: Final = re.compile(rf"{FOLDER}((?:19[7-9]|2[0-9]{{2}})[0-9]-(?:0[1-9]|1[0-2]))[.]json")


class IncidentArchive(Struct, frozen=True, kw_only=True):
    """Everything that was ever announced, from the head and the files of months.

    Attributes:
        everything: both together; where both have something, the head counts.
        head: the head that the files were read for.
        months: what each file has, by the beginning of its month.
        unread: the beginnings of months whose file could not be read.
        listed: the months that have a file are known.
        day: the beginning of the day on which the files were read.
    """

    everything: IncidentDocument = IncidentDocument()
    head: IncidentDocument = IncidentDocument()
    months: Mapping[int, IncidentDocument] = {}
    unread: frozenset[int] = frozenset()
    listed: bool = False
    day: int = -1

    def is_known(self, month: int) -> bool:
        """Say whether it is known what a month's file has, if there is one."""
        return self.listed and (month in self.months or month not in self.unread)


def load_incidents(storage: Storage, key: str = INCIDENTS_KEY) -> IncidentDocument:
    """Return what is announced, by default in the head; nothing if that cannot be read.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote it.
    """
    stored = storage.get(key)
    return IncidentDocument() if stored is None else _read(key, stored).sound


def load_all_incidents(storage: Storage) -> IncidentDocument:
    """Return everything that was ever announced: as much to read as there are months.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote some of it.
    """
    found = IncidentDocument()
    for key in [*_months(storage).values(), INCIDENTS_KEY]:
        found = merge(found, load_incidents(storage, key))
    return found


def load_archive(
    storage: Storage,
    head: IncidentDocument,
    now: int,
    known: IncidentArchive | None = None,
    wanted: Container[int] | None = None,
) -> IncidentArchive:
    """Return everything that was ever announced, reading no more than may have changed.

    A file of a month changes only when the head loses something that began in that month. So
    nothing is listed or read as long as the head is the same; once a day everything is read
    anyway, for people restore files by hand. What cannot be read is logged and tried again.

    Args:
        storage: where it is.
        head: as it has just been read. It was read first, so nothing can be in neither.
        now: the present.
        known: what was read before.
        wanted: the beginnings of the months whose files are needed, if these are not all.
    """
    known, today = known or IncidentArchive(), day_start(now)
    if known.head == head and known.day == today and not known.unread:
        return known
    try:
        keys = _months(storage)
    except StorageError as error:
        _log.warning("what is long over is as it was last read: %s", error)
        return replace(known, everything=_merged(known.months, head), head=head, day=-1)
    changed = _months_of_lost(known.head, head) | known.unread
    months: dict[int, IncidentDocument] = {}
    unread = set()
    for month, key in keys.items():
        if wanted is not None and month not in wanted:
            continue
        if month in known.months:
            months[month] = known.months[month]
        if month not in known.months or month in changed or known.day != today:
            try:
                months[month] = load_incidents(storage, key)
            except StorageError as error:
                _log.warning("%s is not read: %s", key, error)
                unread.add(month)
    return IncidentArchive(
        everything=_merged(months, head),
        head=head,
        months=months,
        unread=frozenset(unread),
        listed=True,
        day=today,
    )


def _months_of_lost(before: IncidentDocument, head: IncidentDocument) -> frozenset[int]:
    """Return the months in which began what was in a head and is not in the next one."""
    incidents = before.incidents.keys() - head.incidents.keys()
    maintenance = before.maintenance.keys() - head.maintenance.keys()
    return frozenset(
        (
            *(month_start(before.incidents[key].started) for key in incidents),
            *(month_start(before.maintenance[key].start) for key in maintenance),
        )
    )


def _merged(months: Mapping[int, IncidentDocument], head: IncidentDocument) -> IncidentDocument:
    found = IncidentDocument()
    for month in sorted(months):
        found = merge(found, months[month])
    return merge(found, head)


def change_incidents(storage: Storage, change: Change) -> IncidentDocument:
    """Change what is announced and return what has become of that.

    Args:
        storage: where it is.
        change: may be called several times, and on what it has changed already: the answer to a
            write can be lost.

    Raises:
        StorageError: it could not be written, or a newer version of the program wrote it.
    """
    return compare_and_set(lambda: _announce(storage, change), INCIDENTS_KEY)


def _announce(storage: Storage, change: Change) -> IncidentDocument:
    """Change the head; what is too old for it is put into the file of its month before."""
    stored = storage.get(INCIDENTS_KEY)
    changed = change(_opened(storage, INCIDENTS_KEY, stored))
    head, months = split_old_months(changed, storage.clock())
    for month, old in months.items():
        _add(storage, month_key(month), old)
    _put(storage, INCIDENTS_KEY, stored, encode(head))
    return changed


def _add(storage: Storage, key: str, old: IncidentDocument) -> None:
    stored = storage.get(key)
    _put(storage, key, stored, encode(merge(_opened(storage, key, stored), old)))


def _put(storage: Storage, key: str, before: StoredDocument | None, body: bytes) -> None:
    if before is None:
        storage.create(key, body)
    elif before.body != body:
        storage.replace(key, body, before.version)


def _opened(storage: Storage, key: str, stored: StoredDocument | None) -> IncidentDocument:
    """Return a document that is about to be written; its bytes are kept if some of it cannot be."""
    if stored is None:
        return IncidentDocument()
    found = _read(key, stored)
    if not found.is_whole:
        quarantine(storage, stored.body)
        _log.warning("%s: the bytes that were there are kept below quarantine/", key)
    return found.sound


class _Read(NamedTuple):
    """What makes sense of a document, and whether that is all of it."""

    sound: IncidentDocument
    is_whole: bool


def _read(key: str, stored: StoredDocument) -> _Read:
    """Read a document as far as that is possible.

    Raises:
        StorageError: a newer version of the program wrote it.
    """
    try:
        found = decode(stored.body)
    except NewerIncidentsError as error:
        raise StorageError(f"{key}: {error}") from error
    except UnreadableIncidentsError as error:
        _log.warning(
            "%s: %s; until an earlier version is put in its place, nothing of it is shown",
            key,
            error,
        )
        return _Read(IncidentDocument(), is_whole=False)
    kept = drop_invalid(found)
    if kept != found:
        _log.warning("%s: what makes no sense in it is left out", key)
    return _Read(kept, kept == found)


def _months(storage: Storage) -> Mapping[int, str]:
    """Return the keys of the files of months, by the beginning of the month."""
    found = (_MONTH.fullmatch(key) for key in storage.list(FOLDER))
    return {parse_date(f"{it[1]}-01"): it[0] for it in found if it}
