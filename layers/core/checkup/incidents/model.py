"""What is written down of incidents and of announced maintenance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.maintenance import ScheduledMaintenance

# Ids of what nobody wrote: the same facts give the same twelve characters for ever. Pure.
#
# They are in the addresses of pages and in feeds, so how they are made never changes.


_LENGTH: Final = 12


def automatic_incident_id(start: int) -> str:
    """Return what stands for the outage that began at a moment."""
    return _id(f"outage {start}")


def automatic_update_id(outage: str, at: int) -> str:
    """Return what stands for what happened in an outage at a moment."""
    return _id(f"{outage} {at}")


def occurrence_id(start: int, checkers: Iterable[str], groups: Iterable[str]) -> str:
    """Return what stands for one time of configured maintenance, whatever it is called."""
    whom = "\0".join((*sorted(checkers), "", *sorted(groups)))
    return _id(f"maintenance {start} {whom}")


def _id(facts: str) -> str:
    return hashlib.sha256(facts.encode(errors="replace")).hexdigest()[:_LENGTH]


SCHEMA: Final = 1
"""The version of the documents' layout; a newer one is never overwritten."""

INCIDENT_STATUSES: Final = ("investigating", "identified", "monitoring", "resolved", "postmortem")
"""What an incident can be, in the order in which it usually is."""

RESOLVED_STATUSES: Final = frozenset({"resolved", "postmortem"})
IMPACTS: Final = ("none", "minor", "major", "critical")

MAINTENANCE_STATUSES: Final = ("scheduled", "in_progress", "verifying", "completed")
"""What maintenance can be, in that order."""


class IncidentUpdate(Struct, frozen=True, kw_only=True):
    """One entry of a story.

    Attributes:
        id: twelve characters; an entry that is there already is not added again.
        at: when it was said.
        status: one of STATUSES, or of STAGES.
        text: Markdown as its author wrote it; may be empty.
    """

    id: str
    at: int
    status: str
    text: str = ""


class Incident(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that went wrong, in somebody's words.

    Attributes:
        id: twelve characters; that of the automatic incident that it was made of, if it was.
        started: when it began, which may be before the first word.
        checkers: ids of those that it is about.
        updates: oldest first, never empty; the last one says what the incident is now.
        replaces: ids of automatic incidents that are told with this one.
        edited: when its title, impact or checkers were last corrected; 0 if never.
    """

    id: str
    title: str
    impact: str
    started: int
    checkers: tuple[str, ...] = ()
    updates: tuple[IncidentUpdate, ...] = field(name="said")
    replaces: tuple[str, ...] = ()
    edited: int = 0

    @property
    def status(self) -> str:
        """What it is now."""
        return self.updates[-1].status

    @property
    def resolved(self) -> int | None:
        """When it ended; None while it lasts."""
        ended = None
        for said in self.updates:
            over = said.status in RESOLVED_STATUSES
            ended = (said.at if ended is None else ended) if over else None
        return ended


class Maintenance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Work that was announced, in which failures are expected.

    Attributes:
        id: twelve characters.
        text: what people should know of it, in Markdown; may be empty.
        created: when it was announced.
        start, end: an end that was brought forward replaces the one that was planned.
        checkers, groups: ids and names of those that it is about; everything if both are empty.
        updates: oldest first; empty as long as there is nothing to add to the plan.
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

    @property
    def scheduled(self) -> ScheduledMaintenance:
        """What alerting has to know of it."""
        return ScheduledMaintenance(
            start=self.start,
            end=self.end,
            title=self.title,
            checkers=self.checkers,
            groups=self.groups,
        )

    @property
    def since_created(self) -> ScheduledMaintenance:
        """The same since it was announced: what ended before has ended by itself."""
        return replace(self.scheduled, start=max(self.start, self.created))

    def status(self, now: int) -> str:
        """Return what it is at a moment: by the clock, or verifying if somebody said so.

        What was called off before it began is over.
        """
        if now >= self.end or self.end <= self.start:
            return "completed"
        if now < self.start:
            return "scheduled"
        verifying = self.updates and self.updates[-1].status == "verifying"
        return "verifying" if verifying else "in_progress"


class IncidentDocument(Struct, frozen=True, kw_only=True):
    """A document: ``incidents/head.json``, or the older ones of a month. Both by id."""

    schema: int = SCHEMA
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    maintenance: Mapping[str, Maintenance] = field(default_factory=dict)

    def planned(self, now: int) -> Mapping[str, ScheduledMaintenance]:
        """Return the maintenance that is not over at a moment, by its id."""
        return {
            key: it.scheduled
            for key, it in self.maintenance.items()
            if it.status(now) != "completed"
        }


# What can be done to incidents and maintenance. Pure.
#
# Each of these takes a document and returns the next one. To do a thing twice is to do it once:
# whoever does not know whether it was written can write it again.


def add_incident(document: IncidentDocument, incident: Incident) -> IncidentDocument:
    """Add an incident; one that is there already stays as it is."""
    return replace(document, incidents={incident.id: incident, **document.incidents})


def add_update(
    document: IncidentDocument, incident: Incident, said: IncidentUpdate
) -> IncidentDocument:
    """Add to the story of an incident.

    Args:
        document: what there is.
        incident: as it is to begin with if it is not in the document yet.
        said: what is new; if its status is empty, the incident stays what it is.
    """
    known = document.incidents.get(incident.id, incident)
    if said.id in {entry.id for entry in known.updates}:
        return add_incident(document, known)
    entry = said if said.status else replace(said, status=known.status)
    story = replace(known, updates=_in_order((*known.updates, entry)))
    return replace(document, incidents={**document.incidents, story.id: story})


def resolve_incident(
    document: IncidentDocument, incident: Incident, said: IncidentUpdate
) -> IncidentDocument:
    """End an incident; one that is over stays as it is unless there is something to say."""
    known = document.incidents.get(incident.id, incident)
    if known.status in RESOLVED_STATUSES and not said.text:
        return add_incident(document, known)
    return add_update(document, incident, replace(said, status="resolved"))


def edit_incident(  # noqa: PLR0913 - the optional ones by name
    document: IncidentDocument,
    incident: Incident,
    at: int,
    *,
    title: str = "",
    impact: str = "",
    checkers: Iterable[str] = (),
) -> IncidentDocument:
    """Correct at some moment what an incident is called, how bad it is or whom it is about."""
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
    """Announce maintenance; what is there already stays as it is."""
    return replace(document, maintenance={maintenance.id: maintenance, **document.maintenance})


def add_maintenance_update(
    document: IncidentDocument, maintenance: Maintenance, said: IncidentUpdate
) -> IncidentDocument:
    """Add to the story of maintenance.

    Args:
        document: what there is.
        maintenance: as it is to begin with if it is not in the document any more.
        said: what is new; if its status is empty, the maintenance stays what it was by then.
    """
    known = document.maintenance.get(maintenance.id, maintenance)
    if said.id in {entry.id for entry in known.updates}:
        return add_maintenance(document, known)
    entry = said if said.status else replace(said, status=known.status(said.at))
    story = replace(known, updates=_in_order((*known.updates, entry)))
    return replace(document, maintenance={**document.maintenance, story.id: story})


def end_maintenance(
    document: IncidentDocument, maintenance: str, said: IncidentUpdate
) -> IncidentDocument:
    """Bring the end of maintenance forward to when this is said; what is over stays as it is.

    One that has not begun is called off: it ends where it would have begun.

    Raises:
        KeyError: there is no such maintenance.
    """
    known = document.maintenance[maintenance]
    if known.end <= said.at or known.end <= known.start:
        return document
    over = replace(
        known,
        end=max(known.start, said.at),
        updates=(*known.updates, replace(said, status="completed")),
    )
    return replace(document, maintenance={**document.maintenance, maintenance: over})


def _in_order(story: Iterable[IncidentUpdate]) -> tuple[IncidentUpdate, ...]:
    """Return a story by its times; of the same moment, what was said last comes last."""
    return tuple(sorted(story, key=lambda said: said.at))
