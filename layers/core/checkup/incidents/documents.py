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

from checkup.history.periods import DAY, day_of, month_of
from checkup.incidents.model import (
    IMPACTS,
    SCHEMA,
    STAGES,
    STATUSES,
    Announcements,
    Incident,
    Maintenance,
)
from checkup.model import SECOND

FOLDER: Final = "incidents/"
HEAD: Final = FOLDER + "head.json"

KEPT: Final = 92 * DAY
"""How long something stays in the head after its end and the last change of it: three months."""

_LARGEST: Final = 64 * 1024 * 1024
_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
LAST: Final = 4_102_444_800 * SECOND
"""The year 2100, long before nanoseconds run out: nothing is announced for later."""


class UnreadableAnnouncements(ValueError):  # noqa: N818 - says what the document is
    """The bytes are no such document; the sentence says why."""


class NewerAnnouncements(ValueError):  # noqa: N818 - says what the document is
    """A later version of the program has written the document; it is not ours to change."""


class Sorted(NamedTuple):
    """A head without what is old, and that by month: ``2026-08``."""

    head: Announcements
    months: Mapping[str, Announcements]


class _Schema(Struct):
    schema: int


def month_key(month: str) -> str:
    """Return where what began in a month is, once it is old: ``incidents/2026-08.json``."""
    return f"{FOLDER}{month}.json"


def encode(document: Announcements) -> bytes:
    """Return the canonical bytes."""
    return msgspec.json.encode(document, order="sorted")


def decode(body: bytes) -> Announcements:
    """Read a document.

    Raises:
        NewerAnnouncements: its schema is not known here yet.
        UnreadableAnnouncements: anything else that is wrong with it.
    """
    if len(body) > _LARGEST:
        raise UnreadableAnnouncements(f"no announcements: {len(body)} bytes are too many")
    try:
        schema = msgspec.json.decode(body, type=_Schema).schema
        found = msgspec.json.decode(body, type=Announcements) if schema == SCHEMA else None
    except (ValueError, RecursionError) as error:
        raise UnreadableAnnouncements(f"no announcements: {error}") from None
    if schema > SCHEMA:
        raise NewerAnnouncements("a newer version of Checkup wrote it; update this one")
    if found is None:
        raise UnreadableAnnouncements("no announcements: they make no sense")
    return found


def sound(document: Announcements) -> Announcements:
    """Return what of a document makes sense: who wrote the rest, it was not this program."""
    incidents, maintenance = document.incidents.items(), document.maintenance.items()
    return replace(
        document,
        incidents={key: it for key, it in incidents if _is_incident(key, it)},
        maintenance={key: it for key, it in maintenance if _is_maintenance(key, it)},
    )


def sort_out(document: Announcements, now: int) -> Sorted:
    """Return the head as it should be by now, and what is too old for it."""
    before = now - KEPT
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
    months: dict[str, Announcements] = {}
    old = [
        *((it.started, Announcements(incidents={key: it})) for key, it in past.items()),
        *((it.start, Announcements(maintenance={key: it})) for key, it in over.items()),
    ]
    for began, one in old:
        month = month_of(day_of(began))
        months[month] = together(months.get(month, Announcements()), one)
    head = replace(
        document,
        incidents={key: it for key, it in document.incidents.items() if key not in past},
        maintenance={key: it for key, it in document.maintenance.items() if key not in over},
    )
    return Sorted(head, months)


def together(old: Announcements, new: Announcements) -> Announcements:
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
        and all(said.status in STATUSES for said in it.said)
        and all(map(_is_moment, moments))
    )


def _is_maintenance(key: str, it: Maintenance) -> bool:
    moments = (it.created, it.start, it.end, *(said.at for said in it.said))
    return (
        _is_id(key, it.id)
        and all(said.status in STAGES for said in it.said)
        and all(map(_is_moment, moments))
    )


def _is_id(key: str, name: str) -> bool:
    """Say whether an id is one, which goes into addresses and names of files."""
    return key == name and _ID.fullmatch(name) is not None


def _is_moment(at: int) -> bool:
    return 0 <= at < LAST
