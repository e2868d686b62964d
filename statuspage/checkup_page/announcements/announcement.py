"""Incidents and maintenance as the public reads them. Part of the view: nothing else is shown."""

from __future__ import annotations

from msgspec import Struct

from checkup.history.periods import format_month
from checkup_page.state import ComponentStatus


class AffectedPeriod(Struct, frozen=True, kw_only=True):
    """A time in which a component was not well; without an end while it lasts."""

    start: int
    end: int | None
    state: ComponentStatus


class AffectedComponent(Struct, frozen=True, kw_only=True):
    """A component that an announcement concerns, by its public key and name.

    Attributes:
        stretches: when it was not well meanwhile, in order, as far as that is known.
    """

    key: str
    name: str
    stretches: tuple[AffectedPeriod, ...] = ()


class UpdateView(Struct, frozen=True, kw_only=True):
    """One entry of the story.

    Attributes:
        key: twelve characters that stay the same.
        status: ``investigating``, ``identified``, ``monitoring``, ``resolved`` or ``postmortem``;
            of maintenance ``scheduled``, ``in_progress``, ``verifying`` or ``completed``.
        at: when it was said, in nanoseconds since the epoch.
        body: the text as its author wrote it, Markdown, cleaned and not escaped.
        html: the same, rendered and safe to show as it is.
    """

    key: str
    status: str
    at: int
    body: str
    html: str


class IncidentView(Struct, frozen=True, kw_only=True):
    """Something that went wrong.

    Attributes:
        key: twelve characters that stay the same; its page is ``incidents/<key>.html``.
        impact: ``none``, ``minor``, ``major`` or ``critical``.
        state: the colour and the shape of its impact.
        status: that of its newest update.
        resolved_at: None while it lasts.
        updates: newest first; never empty.
    """

    key: str
    title: str
    impact: str
    state: ComponentStatus
    status: str
    started_at: int
    updated_at: int
    resolved_at: int | None
    affected: tuple[AffectedComponent, ...]
    updates: tuple[UpdateView, ...]

    @property
    def path(self) -> str:
        """Where its page is, from the root of the site."""
        return f"incidents/{self.key}.html"


class MaintenanceView(Struct, frozen=True, kw_only=True):
    """A time in which failures are expected; of a recurring one, one occurrence.

    Attributes:
        key: twelve characters that stay the same; its page is ``maintenance/<key>.html``.
        status: ``scheduled``, ``in_progress``, ``verifying`` or ``completed``.
        affected: if it is empty, everything may be.
        updates: newest first; may be empty.
        recurring: it comes again and again.
    """

    key: str
    title: str
    status: str
    scheduled_for: int
    scheduled_until: int
    created_at: int
    updated_at: int
    affected: tuple[AffectedComponent, ...]
    updates: tuple[UpdateView, ...]
    recurring: bool = False

    @property
    def called_off(self) -> bool:
        """Whether it has never begun, and never will."""
        return self.scheduled_until <= self.scheduled_for

    @property
    def path(self) -> str:
        """Where its page is, from the root of the site."""
        return f"maintenance/{self.key}.html"


class IncidentMonth(Struct, frozen=True, kw_only=True):
    """What happened in one month of UTC.

    Attributes:
        begin: its first moment.
        first: its first day of which anything is known.
        end: that of the next one; of this month, the end of this day.
        incidents: those that began in it, newest first.
        maintenances: those that began in it, newest first; none that come again and again.
    """

    begin: int
    first: int
    end: int
    incidents: tuple[IncidentView, ...]
    maintenances: tuple[MaintenanceView, ...]

    @property
    def path(self) -> str:
        """Where its page is, from the root of the site."""
        return f"history/{format_month(self.begin)}.html"
