"""Incidents and maintenance in their storage: load them, change them by compare-and-set.

The head, ``incidents/head.json``, has all that is open or still to come and what ended within
three months, so that a run reads one file. What ended before is in the file of the month in which
it began.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Container, Mapping
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from checkup.documents import compare_and_set, decode, encode, quarantine, save
from checkup.errors import NewerDocumentError, StorageError, UnreadableDocumentError
from checkup.incidents.model import (
    IMPACTS,
    INCIDENT_STATUSES,
    MAINTENANCE_STATUSES,
    SCHEMA,
    Incident,
    IncidentDocument,
    Maintenance,
)
from checkup.interfaces import Storage, StoredDocument
from checkup.times import DAY, SECOND, day_start, format_month, month_start, parse_date

_log = logging.getLogger(__name__)

FOLDER: Final = "incidents/"
INCIDENTS_KEY: Final = FOLDER + "head.json"

RECENT_PERIOD: Final = 92 * DAY
"""How long what has ended stays in the head after its last change, and how far back every page is
made anew: three months."""

LATEST_TIME: Final = 4_102_444_800 * SECOND
"""The year 2100, long before nanoseconds overflow: nothing is scheduled for later."""

_MAX_BYTES: Final = 64 * 1024 * 1024
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_MONTH: Final = re.compile(rf"{FOLDER}((?:19[7-9]|2[0-9]{{2}})[0-9]-(?:0[1-9]|1[0-2]))[.]json")

Change = Callable[[IncidentDocument], IncidentDocument]


def month_key(month: str) -> str:
    """Return where what began in a month is, once it is old: ``incidents/2026-08.json``."""
    return f"{FOLDER}{month}.json"


def load_incidents(storage: Storage, key: str = INCIDENTS_KEY) -> IncidentDocument:
    """Read a document, by default the head; an empty one if it cannot be read.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote it.
    """
    stored = storage.get(key)
    return IncidentDocument() if stored is None else _valid_part(key, stored)[0]


def load_all_incidents(storage: Storage) -> IncidentDocument:
    """Read the head and the files of all months.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote some of it.
    """
    found = IncidentDocument()
    for key in [*_months(storage).values(), INCIDENTS_KEY]:
        found = merge(found, load_incidents(storage, key))
    return found


def change_incidents(storage: Storage, change: Change) -> IncidentDocument:
    """Change the head and return what has become of it.

    What is too old for it is added to the files of months before.

    Args:
        storage: where it is.
        change: may be called several times, and on what it has changed already: the answer to a
            write can be lost.

    Raises:
        StorageError: it could not be written, or a newer version of the program wrote it.
    """

    def attempt() -> IncidentDocument:
        stored = storage.get(INCIDENTS_KEY)
        changed = change(_load_to_change(storage, INCIDENTS_KEY, stored))
        head, months = split_old_months(changed, storage.now_ns())
        for month, old in months.items():
            key = month_key(month)
            before = storage.get(key)
            document = merge(_load_to_change(storage, key, before), old)
            save(storage, key, before, encode(document, order="sorted"))
        save(storage, INCIDENTS_KEY, stored, encode(head, order="sorted"))
        return changed

    return compare_and_set(attempt, INCIDENTS_KEY)


def _load_to_change(storage: Storage, key: str, stored: StoredDocument | None) -> IncidentDocument:
    """Decode a document that is about to be written; keep its bytes if a part is invalid."""
    if stored is None:
        return IncidentDocument()
    document, is_whole = _valid_part(key, stored)
    if not is_whole:
        quarantine(storage, stored.body)
        _log.warning("%s: the previous bytes are kept below quarantine/", key)
    return document


def _valid_part(key: str, stored: StoredDocument) -> tuple[IncidentDocument, bool]:
    """Return the valid part of a document, and whether that is all of it.

    Raises:
        NewerDocumentError: a newer version of the program wrote it.
    """
    try:
        found = decode(stored.body, IncidentDocument, schema=SCHEMA, max_bytes=_MAX_BYTES)
    except NewerDocumentError as error:
        raise NewerDocumentError(f"{key}: {error}") from error
    except UnreadableDocumentError as error:
        _log.warning(
            "%s: %s; its entries are not shown until an earlier version is restored",
            key,
            error,
        )
        return IncidentDocument(), False
    valid = drop_invalid(found)
    if valid != found:
        _log.warning("%s: invalid entries are left out", key)
    return valid, valid == found


def _months(storage: Storage) -> Mapping[int, str]:
    """Return the keys of the files of months, by the beginning of the month."""
    found = (_MONTH.fullmatch(key) for key in storage.list(FOLDER))
    return {parse_date(f"{it[1]}-01"): it[0] for it in found if it}


class IncidentArchive(Struct, frozen=True, kw_only=True):
    """All incidents and maintenance, from the head and the files of months.

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


def load_archive(
    storage: Storage,
    head: IncidentDocument,
    now: int,
    known: IncidentArchive | None = None,
    wanted: Container[int] | None = None,
) -> IncidentArchive:
    """Return all incidents and maintenance, reading no more than may have changed.

    A file of a month changes only when the head loses something that began in that month. So
    nothing is listed or read as long as the head is the same; once a day everything is read
    anyway, because people restore files by hand. What cannot be read is logged and tried again.

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
        _log.warning("old incidents may be outdated: %s", error)
        return replace(known, everything=_merge_all(known.months, head), head=head, day=-1)
    lost = (
        *(it.started for key, it in known.head.incidents.items() if key not in head.incidents),
        *(it.start for key, it in known.head.maintenance.items() if key not in head.maintenance),
    )
    changed = {*map(month_start, lost), *known.unread}
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
                _log.warning("%s could not be read: %s", key, error)
                unread.add(month)
    return IncidentArchive(
        everything=_merge_all(months, head),
        head=head,
        months=months,
        unread=frozenset(unread),
        listed=True,
        day=today,
    )


def _merge_all(months: Mapping[int, IncidentDocument], head: IncidentDocument) -> IncidentDocument:
    found = IncidentDocument()
    for month in sorted(months):
        found = merge(found, months[month])
    return merge(found, head)


def merge(old: IncidentDocument, new: IncidentDocument) -> IncidentDocument:
    """Return what is in one of the two; where both have something, the newer counts."""
    return replace(
        old,
        incidents={**old.incidents, **new.incidents},
        maintenance={**old.maintenance, **new.maintenance},
    )


class SplitIncidents(NamedTuple):
    """A head without what is old, and that by month: ``2026-08``."""

    head: IncidentDocument
    months: Mapping[str, IncidentDocument]


def split_old_months(document: IncidentDocument, now: int) -> SplitIncidents:
    """Return the head as it should be by now, and what is too old for it."""
    before = now - RECENT_PERIOD
    past = {
        key: it
        for key, it in document.incidents.items()
        if it.resolved is not None and max(it.updates[-1].at, it.edited) < before
    }
    over = {
        key: it
        for key, it in document.maintenance.items()
        if max([it.end, it.edited, *(update.at for update in it.updates)]) < before
    }
    months: dict[str, IncidentDocument] = {}
    old = [
        *((it.started, IncidentDocument(incidents={key: it})) for key, it in past.items()),
        *((it.start, IncidentDocument(maintenance={key: it})) for key, it in over.items()),
    ]
    for began, one in old:
        month = format_month(day_start(began))
        months[month] = merge(months.get(month, IncidentDocument()), one)
    head = replace(
        document,
        incidents={key: it for key, it in document.incidents.items() if key not in past},
        maintenance={key: it for key, it in document.maintenance.items() if key not in over},
    )
    return SplitIncidents(head, months)


def drop_invalid(document: IncidentDocument) -> IncidentDocument:
    """Return the valid incidents and maintenance of a document: others did not come from here."""
    incidents, maintenance = document.incidents.items(), document.maintenance.items()
    return replace(
        document,
        incidents={key: it for key, it in incidents if _is_incident(key, it)},
        maintenance={key: it for key, it in maintenance if _is_maintenance(key, it)},
    )


def _is_incident(key: str, it: Incident) -> bool:
    times = (it.started, it.edited, it.ended, *(update.at for update in it.updates))
    return (
        _is_id(key, it.id)
        and it.impact in IMPACTS
        and bool(it.updates)
        and all(update.status in INCIDENT_STATUSES for update in it.updates)
        and all(0 <= at < LATEST_TIME for at in times)
    )


def _is_maintenance(key: str, it: Maintenance) -> bool:
    times = (it.created, it.start, it.end, it.edited, *(update.at for update in it.updates))
    return (
        _is_id(key, it.id)
        and all(update.status in MAINTENANCE_STATUSES for update in it.updates)
        and all(0 <= at < LATEST_TIME for at in times)
    )


def _is_id(key: str, name: str) -> bool:
    """Say whether an id is valid, which goes into addresses and names of files."""
    return key == name and _ID.fullmatch(name) is not None
