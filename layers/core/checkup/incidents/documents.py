"""The documents: where they are, their bytes, and which of them an announcement is in. Pure.

The head has all that is open or still to come and what ended within three months: one file to
read, however long the story is. What ended before is in the file of the month in which it began.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from checkup.history.periods import DAY, day_start, format_month
from checkup.incidents.model import (
    IMPACTS,
    INCIDENT_STATUSES,
    MAINTENANCE_STATUSES,
    SCHEMA,
    Incident,
    IncidentDocument,
    Maintenance,
)
from checkup.model import SECOND

FOLDER: Final = "incidents/"
INCIDENTS_KEY: Final = FOLDER + "head.json"

HEAD_RETENTION: Final = 92 * DAY
"""How long something stays in the head after its end and the last change of it: three months."""

_LARGEST: Final = 64 * 1024 * 1024
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
LATEST_TIME: Final = 4_102_444_800 * SECOND
"""The year 2100, long before nanoseconds run out: nothing is announced for later."""


class UnreadableIncidentsError(ValueError):
    """The bytes are no such document; the sentence says why."""


class NewerIncidentsError(ValueError):
    """A later version of the program has written the document; it is not ours to change."""


class SplitIncidents(NamedTuple):
    """A head without what is old, and that by month: ``2026-08``."""

    head: IncidentDocument
    months: Mapping[str, IncidentDocument]


class _Schema(Struct):
    schema: int


def month_key(month: str) -> str:
    """Return where what began in a month is, once it is old: ``incidents/2026-08.json``."""
    return f"{FOLDER}{month}.json"


def encode(document: IncidentDocument) -> bytes:
    """Return the canonical bytes."""
    return msgspec.json.encode(document, order="sorted")


def decode(body: bytes) -> IncidentDocument:
    """Read a document.

    Raises:
        NewerIncidentsError: its schema is not known here yet.
        UnreadableIncidentsError: anything else that is wrong with it.
    """
    if len(body) > _LARGEST:
        raise UnreadableIncidentsError(f"no announcements: {len(body)} bytes are too many")
    try:
        schema = msgspec.json.decode(body, type=_Schema).schema
        found = msgspec.json.decode(body, type=IncidentDocument) if schema == SCHEMA else None
    except (ValueError, RecursionError) as error:
        raise UnreadableIncidentsError(f"no announcements: {error}") from None
    if schema > SCHEMA:
        raise NewerIncidentsError("a newer version of Checkup wrote it; update this one")
    if found is None:
        raise UnreadableIncidentsError("no announcements: they make no sense")
    return found


def drop_invalid(document: IncidentDocument) -> IncidentDocument:
    """Return what of a document makes sense: who wrote the rest, it was not this program."""
    incidents, maintenance = document.incidents.items(), document.maintenance.items()
    return replace(
        document,
        incidents={key: it for key, it in incidents if _is_incident(key, it)},
        maintenance={key: it for key, it in maintenance if _is_maintenance(key, it)},
    )


def split_old_months(document: IncidentDocument, now: int) -> SplitIncidents:
    """Return the head as it should be by now, and what is too old for it."""
    before = now - HEAD_RETENTION
    past = {
        key: it
        for key, it in document.incidents.items()
        if it.resolved is not None and max(it.said[-1].at, it.edited) < before
    }
    over = {
        key: it
        for key, it in document.maintenance.items()
        if max([it.end, *(said.at for said in it.said)]) < before
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


def merge(old: IncidentDocument, new: IncidentDocument) -> IncidentDocument:
    """Return what is in one of the two; where both have something, the newer counts."""
    return replace(
        old,
        incidents={**old.incidents, **new.incidents},
        maintenance={**old.maintenance, **new.maintenance},
    )


def _is_incident(key: str, it: Incident) -> bool:
    moments = (it.started, it.edited, *(said.at for said in it.said))
    return (
        _is_id(key, it.id)
        and it.impact in IMPACTS
        and bool(it.said)
        and all(said.status in INCIDENT_STATUSES for said in it.said)
        and all(map(_is_moment, moments))
    )


def _is_maintenance(key: str, it: Maintenance) -> bool:
    moments = (it.created, it.start, it.end, *(said.at for said in it.said))
    return (
        _is_id(key, it.id)
        and all(said.status in MAINTENANCE_STATUSES for said in it.said)
        and all(map(_is_moment, moments))
    )


def _is_id(key: str, name: str) -> bool:
    """Say whether an id is one, which goes into addresses and names of files."""
    return key == name and _ID.fullmatch(name) is not None


def _is_moment(at: int) -> bool:
    return 0 <= at < LATEST_TIME
