"""Incidents and maintenance that people write, and what can be done to them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.maintenance import ScheduledMaintenance

SCHEMA: Final = 1
"""The version of the documents' layout; a newer one is never overwritten."""

INCIDENT_STATUSES: Final = ("investigating", "identified", "monitoring", "resolved", "postmortem")
"""The statuses of an incident, in their usual order."""

RESOLVED_STATUSES: Final = frozenset({"resolved", "postmortem"})
IMPACTS: Final = ("none", "minor", "major", "critical")

MAINTENANCE_STATUSES: Final = ("scheduled", "in_progress", "verifying", "completed")
"""The statuses of maintenance, in that order."""


class IncidentUpdate(Struct, frozen=True, kw_only=True):
    """An update to an incident or to maintenance.

    Attributes:
        id: twelve characters; an update that is there already is not added again.
        at: when it was written.
        status: one of INCIDENT_STATUSES, or of MAINTENANCE_STATUSES.
        text: Markdown as its author wrote it; may be empty.
    """

    id: str
    at: int
    status: str
    text: str = ""


class Incident(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An incident that a person wrote.

    Attributes:
        id: twelve characters; that of the automatic incident that it was made from, if it was.
        started: when it began, which may be before the first update.
        checkers: ids of those that it affects.
        updates: oldest first, never empty.
        replaces: ids of automatic incidents that are shown as this one.
        edited: when its title, impact, checkers or updates were last corrected; 0 if never.
        ended: when it ended, if that was before its last update; otherwise 0.
    """

    id: str
    title: str
    impact: str
    started: int
    checkers: tuple[str, ...] = ()
    updates: tuple[IncidentUpdate, ...] = field(name="said")
    replaces: tuple[str, ...] = ()
    edited: int = 0
    ended: int = 0

    @property
    def status(self) -> str:
        """That of the last update."""
        return self.updates[-1].status

    @property
    def resolved(self) -> int | None:
        """When it ended; None while it lasts."""
        if self.ended and self.status in RESOLVED_STATUSES:
            return self.ended
        ended = None
        for update in self.updates:
            over = update.status in RESOLVED_STATUSES
            ended = (update.at if ended is None else ended) if over else None
        return ended


class Maintenance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Scheduled work during which failures are expected.

    Attributes:
        id: twelve characters.
        text: its description in Markdown; may be empty.
        created: when it was scheduled.
        start, end: an end that was brought forward replaces the planned one.
        checkers, groups: ids and names of those that it affects; everything if both are empty.
        updates: oldest first; may be empty.
        edited: when its text or its updates were last corrected; 0 if never.
    """

    id: str
    title: str
    text: str = ""
    created: int
    start: int
    end: int
    checkers: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    updates: tuple[IncidentUpdate, ...] = field(name="said", default=())
    edited: int = 0

    @property
    def scheduled(self) -> ScheduledMaintenance:
        """The part that suppresses alerts."""
        return ScheduledMaintenance(
            start=self.start,
            end=self.end,
            title=self.title,
            checkers=self.checkers,
            groups=self.groups,
        )

    @property
    def since_created(self) -> ScheduledMaintenance:
        """The same from its creation on: an incident that ended before was not part of it."""
        return replace(self.scheduled, start=max(self.start, self.created))

    def status(self, now: int) -> str:
        """Return its status at a time: by the clock, or verifying if the last update says so.

        Maintenance that was canceled before it began is completed.
        """
        if now >= self.end or self.end <= self.start:
            return "completed"
        if now < self.start:
            return "scheduled"
        verifying = self.updates and self.updates[-1].status == "verifying"
        return "verifying" if verifying else "in_progress"


class IncidentDocument(Struct, frozen=True, kw_only=True):
    """The document ``incidents/head.json``, or that of a month with older ones; both by id."""

    schema: int = SCHEMA
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    maintenance: Mapping[str, Maintenance] = field(default_factory=dict)

    def planned(self, now: int) -> Mapping[str, ScheduledMaintenance]:
        """Return the maintenance that is not over at a time, by its id."""
        return {
            key: it.scheduled
            for key, it in self.maintenance.items()
            if it.status(now) != "completed"
        }


def without_future(document: IncidentDocument, now: int) -> IncidentDocument:
    """Return the document without times after the present, which a clock that is ahead wrote."""

    def times(it: Incident | Maintenance) -> list[int]:
        own = (it.started, it.ended) if isinstance(it, Incident) else (it.created,)
        return [*own, it.edited, *(update.at for update in it.updates)]

    def past(updates: Iterable[IncidentUpdate]) -> tuple[IncidentUpdate, ...]:
        return tuple(replace(update, at=min(update.at, now)) for update in updates)

    incidents = {
        key: replace(
            it,
            started=min(it.started, now),
            ended=min(it.ended, now),
            edited=min(it.edited, now),
            updates=past(it.updates),
        )
        for key, it in document.incidents.items()
        if max(times(it)) > now
    }
    maintenance = {
        key: replace(
            it,
            created=min(it.created, now),
            edited=min(it.edited, now),
            updates=past(it.updates),
        )
        for key, it in document.maintenance.items()
        if max(times(it)) > now
    }
    if not incidents and not maintenance:
        return document
    return replace(
        document,
        incidents={**document.incidents, **incidents},
        maintenance={**document.maintenance, **maintenance},
    )


# Each of these takes a document and returns the next one. They are idempotent: after a write whose
# answer was lost, the same change can be written again.


def add_incident(document: IncidentDocument, incident: Incident) -> IncidentDocument:
    """Add an incident; one that is there already stays as it is."""
    return replace(document, incidents={incident.id: incident, **document.incidents})


def add_update(
    document: IncidentDocument, incident: Incident, update: IncidentUpdate
) -> IncidentDocument:
    """Add an update to an incident.

    Args:
        incident: what to add first if the document does not have it yet.
        update: if its status is empty, the incident keeps its status.
    """
    known = document.incidents.get(incident.id, incident)
    if update.id in {it.id for it in known.updates}:
        return add_incident(document, known)
    if not update.status:
        update = replace(update, status=known.status)
    changed = replace(known, updates=_in_order((*known.updates, update)))
    if changed.status not in RESOLVED_STATUSES:
        changed = replace(changed, ended=0)
    return replace(document, incidents={**document.incidents, changed.id: changed})


def resolve_incident(
    document: IncidentDocument, incident: Incident, update: IncidentUpdate, ended: int = 0
) -> IncidentDocument:
    """Resolve an incident; a resolved one stays as it is unless the update has a text.

    Args:
        incident: what to add first if the document does not have it yet.
        update: the last one.
        ended: when it ended, if that is not the time of the update; also of a resolved one.
    """
    known = document.incidents.get(incident.id, incident)
    if update.id in {it.id for it in known.updates}:
        return add_incident(document, known)
    is_over = known.status in RESOLVED_STATUSES
    if ended:
        known = replace(known, ended=ended, edited=update.at if is_over else known.edited)
        update = replace(update, at=max(ended, known.updates[-1].at))
    if update.text or not is_over:
        last = replace(update, status="resolved")
        known = replace(known, updates=_in_order((*known.updates, last)))
    return replace(document, incidents={**document.incidents, known.id: known})


class UpdateCorrection(NamedTuple):
    """What is to be another in an update; None for what stays."""

    at: int | None = None
    status: str | None = None
    text: str | None = None


def correct_incident_update(
    document: IncidentDocument,
    incident: Incident,
    update: str,
    correction: UpdateCorrection | None,
    now: int,
) -> IncidentDocument:
    """Correct an update of an incident, or remove it if there is no correction.

    Raises:
        ValueError: it would be the last one to be removed.
    """
    known = document.incidents.get(incident.id, incident)
    updates = _corrected(known.updates, update, correction)
    if not updates:
        raise ValueError("an incident has at least one update")
    changed = replace(known, updates=updates, edited=now)
    if changed.status not in RESOLVED_STATUSES:
        changed = replace(changed, ended=0)
    return replace(document, incidents={**document.incidents, known.id: changed})


def edit_incident(  # noqa: PLR0913 - the optional ones by name
    document: IncidentDocument,
    incident: Incident,
    at: int,
    *,
    title: str = "",
    impact: str = "",
    checkers: Iterable[str] = (),
) -> IncidentDocument:
    """Correct the title, the impact or the checkers of an incident."""
    known = document.incidents.get(incident.id, incident)
    changed = replace(
        known,
        title=title or known.title,
        impact=impact or known.impact,
        checkers=tuple(checkers) or known.checkers,
        edited=at,
    )
    return replace(document, incidents={**document.incidents, changed.id: changed})


def add_maintenance(document: IncidentDocument, maintenance: Maintenance) -> IncidentDocument:
    """Add maintenance; one that is there already stays as it is."""
    return replace(document, maintenance={maintenance.id: maintenance, **document.maintenance})


def add_maintenance_update(
    document: IncidentDocument, maintenance: Maintenance, update: IncidentUpdate
) -> IncidentDocument:
    """Add an update to maintenance.

    Args:
        maintenance: what to add first if the document does not have it any more.
        update: if its status is empty, the maintenance keeps the status that it has at the time.
    """
    known = document.maintenance.get(maintenance.id, maintenance)
    if update.id in {it.id for it in known.updates}:
        return add_maintenance(document, known)
    if not update.status:
        update = replace(update, status=known.status(update.at))
    changed = replace(known, updates=_in_order((*known.updates, update)))
    return replace(document, maintenance={**document.maintenance, changed.id: changed})


def correct_maintenance_update(
    document: IncidentDocument,
    maintenance: Maintenance,
    update: str,
    correction: UpdateCorrection | None,
    now: int,
) -> IncidentDocument:
    """Correct an update of maintenance, or remove it if there is no correction.

    Its description is the update that has the id of the maintenance.
    """
    known = document.maintenance.get(maintenance.id, maintenance)
    if update != known.id:
        changed = replace(known, updates=_corrected(known.updates, update, correction), edited=now)
    elif correction is None:
        changed = replace(known, text="", edited=now)
    else:
        text = known.text if correction.text is None else correction.text
        created = known.created if correction.at is None else correction.at
        changed = replace(known, text=text, created=created, edited=now)
    return replace(document, maintenance={**document.maintenance, known.id: changed})


def move_maintenance(
    document: IncidentDocument,
    maintenance: Maintenance,
    update: IncidentUpdate,
    *,
    start: int,
    end: int,
) -> IncidentDocument:
    """Give maintenance another start or end, and an update that says so."""
    changed = add_maintenance_update(document, maintenance, update)
    known = replace(changed.maintenance[maintenance.id], start=start, end=end)
    return replace(changed, maintenance={**changed.maintenance, known.id: known})


def end_maintenance(
    document: IncidentDocument, maintenance: str, update: IncidentUpdate
) -> IncidentDocument:
    """Bring the end of maintenance forward to the time of the update; one that is over stays.

    Maintenance that has not begun is canceled: it ends when it would have begun.

    Raises:
        KeyError: there is no such maintenance.
    """
    known = document.maintenance[maintenance]
    if known.end <= update.at or known.end <= known.start:
        return document
    ended = replace(
        known,
        end=max(known.start, update.at),
        updates=_in_order((*known.updates, replace(update, status="completed"))),
    )
    return replace(document, maintenance={**document.maintenance, maintenance: ended})


def _corrected(
    updates: Iterable[IncidentUpdate], name: str, correction: UpdateCorrection | None
) -> tuple[IncidentUpdate, ...]:
    if correction is None:
        return tuple(it for it in updates if it.id != name)
    new = {key: value for key, value in correction._asdict().items() if value is not None}
    return _in_order(replace(it, **new) if it.id == name else it for it in updates)


def _in_order(updates: Iterable[IncidentUpdate]) -> tuple[IncidentUpdate, ...]:
    """Sort updates by time; at the same time, the one that was added last comes last."""
    return tuple(sorted(updates, key=lambda update: update.at))


# Ids are in the addresses of pages and in feeds: the same facts give the same twelve characters for
# ever, so how they are computed never changes.


def automatic_incident_id(start: int, checker: str = "") -> str:
    """Return the id of the automatic incident that began at a time.

    Args:
        start: the time.
        checker: if it is not the only one, one of its checkers; empty for the first one.
    """
    return _id(f"outage {start} {checker}" if checker else f"outage {start}")


def automatic_update_id(incident: str, at: int) -> str:
    """Return the id of the update of an automatic incident at a time."""
    return _id(f"{incident} {at}")


def occurrence_id(start: int, checkers: Iterable[str], groups: Iterable[str]) -> str:
    """Return the id of one occurrence of configured maintenance, whatever its title."""
    affected = "\0".join((*sorted(checkers), "", *sorted(groups)))
    return _id(f"maintenance {start} {affected}")


def _id(facts: str) -> str:
    return hashlib.sha256(facts.encode(errors="replace")).hexdigest()[:12]
