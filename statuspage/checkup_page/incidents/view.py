"""Incidents and maintenance as the page shows them; part of the page's view."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Self

from msgspec import Struct

from checkup.incidents.automatic import Disruption
from checkup.incidents.model import IncidentUpdate
from checkup.interfaces import Checker
from checkup.times import format_month
from checkup_page.status import ComponentStatus


class AffectedPeriod(Struct, frozen=True, kw_only=True):
    """A time in which a component was not healthy; without an end while it lasts."""

    start: int
    end: int | None
    state: ComponentStatus


class AffectedComponent(Struct, frozen=True, kw_only=True):
    """A component that an incident or maintenance affects, by its public key and name.

    Attributes:
        periods: when it was not healthy meanwhile, in order, as far as that is known.
    """

    key: str
    name: str
    periods: tuple[AffectedPeriod, ...] = ()


class UpdateView(Struct, frozen=True, kw_only=True):
    """One update.

    Attributes:
        key: twelve characters that stay the same.
        status: ``investigating``, ``identified``, ``monitoring``, ``resolved`` or ``postmortem``;
            of maintenance ``scheduled``, ``in_progress``, ``verifying`` or ``completed``.
        at: in nanoseconds since the epoch.
        body: the text as its author wrote it, Markdown, cleaned and not escaped.
        html: the same, rendered and safe to show as it is.
    """

    key: str
    status: str
    at: int
    body: str
    html: str


class IncidentView(Struct, frozen=True, kw_only=True):
    """An incident.

    Attributes:
        key: twelve characters that stay the same; its page is ``incidents/<key>.html``.
        impact: ``none``, ``minor``, ``major`` or ``critical``.
        status_color: the colour and the shape of its impact.
        status: that of its newest update.
        resolved_at: None while it lasts.
        updates: newest first; never empty.
        automatic: no person wrote it.
    """

    key: str
    title: str
    impact: str
    status_color: ComponentStatus
    status: str
    started_at: int
    updated_at: int
    resolved_at: int | None
    affected: tuple[AffectedComponent, ...]
    updates: tuple[UpdateView, ...]
    automatic: bool = False

    @property
    def path(self) -> str:
        """Where its page is, from the root of the site."""
        return f"incidents/{self.key}.html"


class MaintenanceView(Struct, frozen=True, kw_only=True):
    """Maintenance; of a recurring one, one occurrence.

    Attributes:
        key: twelve characters that stay the same; its page is ``maintenance/<key>.html``.
        status: ``scheduled``, ``in_progress``, ``verifying`` or ``completed``.
        affected: if it is empty, everything may be.
        updates: newest first; may be empty.
        recurring: it has other occurrences.
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
    def cancelled(self) -> bool:
        """Whether it was cancelled before its start."""
        return self.scheduled_until <= self.scheduled_for

    @property
    def path(self) -> str:
        """Where its page is, from the root of the site."""
        return f"maintenance/{self.key}.html"


class IncidentMonth(Struct, frozen=True, kw_only=True):
    """The incidents and maintenance of one month of UTC.

    Attributes:
        begin: its start.
        first: its first day with a result or an incident.
        end: that of the next one; of this month, the end of this day.
        incidents: those that began in it, newest first.
        maintenances: those that began in it, newest first, without recurring ones.
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


class PublicComponents(Struct, frozen=True):
    """The components of the page that are of a checker, in the order of the configuration.

    Attributes:
        components: by checker id.
        groups: the checker ids of each group, by its name.
    """

    components: Mapping[str, AffectedComponent] = {}
    groups: Mapping[str, tuple[str, ...]] = {}

    @classmethod
    def of(cls, checkers: Iterable[Checker], components: Mapping[str, AffectedComponent]) -> Self:
        """Return the checkers that are on the page; ``components`` are by their ids."""
        shown: dict[str, AffectedComponent] = {}
        groups: dict[str, tuple[str, ...]] = {}
        for checker in checkers:
            if checker.id in components:
                shown[checker.id] = components[checker.id]
                groups[checker.group] = (*groups.get(checker.group, ()), checker.id)
        return cls(shown, groups)

    def affected(
        self, checkers: Collection[str], groups: Iterable[str] = ()
    ) -> dict[str, AffectedComponent]:
        """Return the components that an incident or maintenance affects, by checker id.

        What is hidden, or is not configured any more, is left out.
        """
        members = (checker for group in groups for checker in self.groups.get(group, ()))
        wanted = {*checkers, *members}
        return {checker: it for checker, it in self.components.items() if checker in wanted}


TITLE_LIMIT: Final = 120

IMPACT_STATUS: Final = {
    "none": ComponentStatus.OPERATIONAL,
    "minor": ComponentStatus.DEGRADED,
    "major": ComponentStatus.PARTIAL,
    "critical": ComponentStatus.MAJOR,
}
"""The state whose colour and shape an impact has."""


def update_view(update: IncidentUpdate) -> UpdateView:
    """Return an update as it is shown."""
    from checkup_page.incidents.markdown import (
        clean_markdown,
        render_markdown,
    )  # slow; mostly there are no incidents

    body = clean_markdown(update.text)
    return UpdateView(
        key=update.id, status=update.status, at=update.at, body=body, html=render_markdown(body)
    )


def affected_periods(
    disruptions: Iterable[Disruption], since: int, until: int | None
) -> Iterator[AffectedPeriod]:
    """Yield the part of disruptions between two times, the second of which may be open."""
    for period in disruptions:
        begins_later = until is not None and period.start >= until
        if begins_later or (period.end is not None and period.end <= since):
            continue
        ends = [end for end in (period.end, until) if end is not None]
        yield AffectedPeriod(
            start=max(period.start, since),
            end=min(ends, default=None),
            state=ComponentStatus.of(period.status),
        )
