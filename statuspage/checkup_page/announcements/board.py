"""What the first page tells of incidents and maintenance, and in what order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from msgspec import Struct

from checkup_page.announcements.announcement import IncidentView, MaintenanceView
from checkup_page.announcements.worked_on import active_maintenance
from checkup_page.view import PageView

DAYS: Final = 14
"""Days of incidents on the first page, today among them."""

MAX_UPCOMING: Final = 2
"""Coming maintenance that is shown in full."""


class Day(Struct, frozen=True, kw_only=True):
    """One day with incidents, or neighbouring days without any.

    Attributes:
        first, last: the days; the same unless there is nothing to tell of them.
        incidents: those that began then, newest first.
    """

    first: date
    last: date
    incidents: tuple[IncidentView, ...]


class IncidentOverview(Struct, frozen=True, kw_only=True):
    """What is announced.

    Attributes:
        active: incidents that last, newest first.
        current: maintenance that is going on.
        coming: what comes next.
        later: how much more is planned.
        days: the last two weeks, newest first; before there were results, those with incidents.
    """

    active: tuple[IncidentView, ...]
    current: tuple[MaintenanceView, ...]
    coming: tuple[MaintenanceView, ...]
    later: int
    days: tuple[Day, ...]


def incident_overview(view: PageView) -> IncidentOverview:
    """Return what the first page tells of incidents and maintenance."""
    planned = [item for item in view.maintenances if item.status == "scheduled"]
    return IncidentOverview(
        active=tuple(item for item in view.incidents if item.resolved_at is None),
        current=active_maintenance(view.maintenances),
        coming=tuple(planned[:MAX_UPCOMING]),
        later=len(planned[MAX_UPCOMING:]),
        days=tuple(_days(view)),
    )


def _days(view: PageView) -> Iterator[Day]:
    begun: dict[date, list[IncidentView]] = {}
    for incident in view.incidents:
        begun.setdefault(view.voice.date_of(incident.started_at), []).append(incident)
    for quiet, days in groupby(_dates(view, begun), key=lambda day: day not in begun):
        if quiet:
            yield _quiet([*days])
        else:
            for day in days:
                yield Day(first=day, last=day, incidents=tuple(begun[day]))


def _dates(view: PageView, begun: Collection[date]) -> Iterator[date]:
    """Yield the days of the last two weeks, newest first, that have results or incidents."""
    components = (item for group in view.groups for item in group.components)
    seen = [item.first_seen for item in components if item.first_seen is not None]
    first = view.voice.date_of(min(seen)) if seen else date.max
    today = view.voice.date_of(view.facts.generated_at)
    for back in range(DAYS):
        day = today - timedelta(days=back)
        if day >= first or day in begun:
            yield day


def _quiet(days: Sequence[date]) -> Day:
    return Day(first=days[-1], last=days[0], incidents=())
