"""What is written down of incidents and of announced maintenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.alerting.state import ScheduledMaintenance

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
        said: oldest first, never empty; the last one says what the incident is now.
        replaces: ids of automatic incidents that are told with this one.
        edited: when its title, impact or checkers were last corrected; 0 if never.
    """

    id: str
    title: str
    impact: str
    started: int
    checkers: tuple[str, ...] = ()
    said: tuple[IncidentUpdate, ...]
    replaces: tuple[str, ...] = ()
    edited: int = 0

    @property
    def status(self) -> str:
        """What it is now."""
        return self.said[-1].status

    @property
    def resolved(self) -> int | None:
        """When it ended; None while it lasts."""
        ended = None
        for said in self.said:
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
        said: oldest first; empty as long as there is nothing to add to the plan.
    """

    id: str
    title: str
    text: str = ""
    created: int
    start: int
    end: int
    checkers: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    said: tuple[IncidentUpdate, ...] = ()

    @property
    def planned(self) -> ScheduledMaintenance:
        """What alerting has to know of it."""
        return ScheduledMaintenance(
            start=self.start,
            end=self.end,
            title=self.title,
            checkers=self.checkers,
            groups=self.groups,
        )

    @property
    def known(self) -> ScheduledMaintenance:
        """The same since it was announced: what ended before has ended by itself."""
        return replace(self.planned, start=max(self.start, self.created))

    def status(self, now: int) -> str:
        """Return what it is at a moment: by the clock, or verifying if somebody said so.

        What was called off before it began is over.
        """
        if now >= self.end or self.end <= self.start:
            return "completed"
        if now < self.start:
            return "scheduled"
        verifying = self.said and self.said[-1].status == "verifying"
        return "verifying" if verifying else "in_progress"


class IncidentDocument(Struct, frozen=True, kw_only=True):
    """A document: ``incidents/head.json``, or the older ones of a month. Both by id."""

    schema: int = SCHEMA
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    maintenance: Mapping[str, Maintenance] = field(default_factory=dict)

    def planned(self, now: int) -> Mapping[str, ScheduledMaintenance]:
        """Return the maintenance that is not over at a moment, by its id."""
        return {
            key: it.planned for key, it in self.maintenance.items() if it.status(now) != "completed"
        }
