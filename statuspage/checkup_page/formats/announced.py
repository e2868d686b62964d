"""What people were told, as far back as programs are interested in it."""

from __future__ import annotations

from collections.abc import Iterator

from checkup_page.announcements.announcement import IncidentView, MaintenanceView
from checkup_page.view import PageView


def recent_incidents(view: PageView) -> list[IncidentView]:
    """Return the incidents of the last months, newest first."""
    earlier = (item for month in view.months for item in month.incidents)
    every = {item.key: item for item in (*earlier, *view.incidents)}
    return sorted(every.values(), key=lambda item: item.started_at, reverse=True)


def recent_maintenance(view: PageView) -> list[MaintenanceView]:
    """Return the maintenance of the last months and what is to come, newest first."""
    earlier = (item for month in view.months for item in month.maintenances)
    every = {item.key: item for item in (*earlier, *view.finished, *view.maintenances)}
    return sorted(every.values(), key=lambda item: item.scheduled_for, reverse=True)


def last_event(view: PageView) -> int:
    """Return when something was said last, or maintenance began or ended; 0 for never."""
    return max(_events(view), default=0)


def _events(view: PageView) -> Iterator[int]:
    yield from (item.updated_at for item in recent_incidents(view))
    for item in recent_maintenance(view):
        yield item.updated_at
        if item.status != "scheduled":
            yield item.scheduled_for
        if item.status == "completed":
            yield item.scheduled_until
