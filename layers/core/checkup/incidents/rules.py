"""What can be done to incidents and maintenance. Pure.

Each of these takes a document and returns the next one. To do a thing twice is to do it once:
whoever does not know whether it was written can write it again.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from checkup.incidents.model import (
    RESOLVED_STATUSES,
    Incident,
    IncidentDocument,
    IncidentUpdate,
    Maintenance,
)


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
    if said.id in {entry.id for entry in known.said}:
        return add_incident(document, known)
    entry = said if said.status else replace(said, status=known.status)
    story = replace(known, said=_in_order((*known.said, entry)))
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
    if said.id in {entry.id for entry in known.said}:
        return add_maintenance(document, known)
    entry = said if said.status else replace(said, status=known.status(said.at))
    story = replace(known, said=_in_order((*known.said, entry)))
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
        said=(*known.said, replace(said, status="completed")),
    )
    return replace(document, maintenance={**document.maintenance, maintenance: over})


def _in_order(story: Iterable[IncidentUpdate]) -> tuple[IncidentUpdate, ...]:
    """Return a story by its times; of the same moment, what was said last comes last."""
    return tuple(sorted(story, key=lambda said: said.at))
