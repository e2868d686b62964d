"""What can be done to incidents and maintenance. Pure.

Each of these takes a document and returns the next one. To do a thing twice is to do it once:
whoever does not know whether it was written can write it again.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from checkup.incidents.model import OVER, Announcements, Incident, Maintenance, Said


def opened(document: Announcements, incident: Incident) -> Announcements:
    """Add an incident; one that is there already stays as it is."""
    return replace(document, incidents={incident.id: incident, **document.incidents})


def updated(document: Announcements, incident: Incident, said: Said) -> Announcements:
    """Add to the story of an incident.

    Args:
        document: what there is.
        incident: as it is to begin with if it is not in the document yet.
        said: what is new; if its status is empty, the incident stays what it is.
    """
    known = document.incidents.get(incident.id, incident)
    if said.id in {entry.id for entry in known.said}:
        return opened(document, known)
    entry = said if said.status else replace(said, status=known.status)
    story = replace(known, said=_in_order((*known.said, entry)))
    return replace(document, incidents={**document.incidents, story.id: story})


def resolved(document: Announcements, incident: Incident, said: Said) -> Announcements:
    """End an incident; one that is over stays as it is unless there is something to say."""
    known = document.incidents.get(incident.id, incident)
    if known.status in OVER and not said.text:
        return opened(document, known)
    return updated(document, incident, replace(said, status="resolved"))


def edited(  # noqa: PLR0913 - the optional ones by name
    document: Announcements,
    incident: Incident,
    at: int,
    *,
    title: str = "",
    impact: str = "",
    checkers: Iterable[str] = (),
) -> Announcements:
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


def planned(document: Announcements, maintenance: Maintenance) -> Announcements:
    """Announce maintenance; what is there already stays as it is."""
    return replace(document, maintenance={maintenance.id: maintenance, **document.maintenance})


def noted(document: Announcements, maintenance: Maintenance, said: Said) -> Announcements:
    """Add to the story of maintenance.

    Args:
        document: what there is.
        maintenance: as it is to begin with if it is not in the document any more.
        said: what is new; if its status is empty, the maintenance stays what it was by then.
    """
    known = document.maintenance.get(maintenance.id, maintenance)
    if said.id in {entry.id for entry in known.said}:
        return planned(document, known)
    entry = said if said.status else replace(said, status=known.status(said.at))
    story = replace(known, said=_in_order((*known.said, entry)))
    return replace(document, maintenance={**document.maintenance, story.id: story})


def ended(document: Announcements, maintenance: str, said: Said) -> Announcements:
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


def _in_order(story: Iterable[Said]) -> tuple[Said, ...]:
    """Return a story by its times; of the same moment, what was said last comes last."""
    return tuple(sorted(story, key=lambda said: said.at))
