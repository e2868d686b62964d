"""Maintenance as it is shown: that of the configuration, and what was announced later. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from checkup.config.settings import MaintenanceSettings
from checkup.incidents import model
from checkup.incidents.ids import occurrence_id
from checkup.incidents.model import IncidentUpdate
from checkup_page.announcements.announcement import MaintenanceView, UpdateView
from checkup_page.announcements.public import PublicComponents
from checkup_page.announcements.story import TITLE_LIMIT, update_view
from checkup_page.speech.voice import Locale
from checkup_page.speech.words import DAY, clean_line

AHEAD: Final = 31 * DAY
"""How long before it begins maintenance of the configuration is announced."""

RECENTLY_COMPLETED: Final = 2 * DAY
"""How long it is told of afterwards if it comes again: until everybody has seen the end."""

MAX_OCCURRENCES: Final = 2
"""How many times it is announced that maintenance comes again."""


def stored_maintenance(
    maintenances: Iterable[model.Maintenance], public: PublicComponents, voice: Locale, now: int
) -> Iterator[MaintenanceView]:
    """Yield what was announced while the program was running."""
    for it in maintenances:
        updates = [update_view(said) for said in reversed(it.said)]
        if it.text:
            plan = IncidentUpdate(id=it.id, at=it.created, status="scheduled", text=it.text)
            updates.append(update_view(plan))
        yield MaintenanceView(
            key=it.id,
            title=clean_line(it.title, TITLE_LIMIT) or voice.say("maintenance.page.untitled"),
            status=it.status(now),
            scheduled_for=it.start,
            scheduled_until=it.end,
            created_at=it.created,
            updated_at=updates[0].at if updates else it.created,
            affected=tuple(public.named(it.checkers, it.groups).values()),
            updates=tuple(updates),
        )


def configured_maintenance(
    settings: Iterable[MaintenanceSettings], public: PublicComponents, voice: Locale, now: int
) -> Iterator[MaintenanceView]:
    """Yield what is in the configuration: what is due, and what was not long ago."""
    for planned in settings:
        for start in _beginnings(planned, now):
            yield _occurrence(planned, start, public, voice, now)


def _beginnings(planned: MaintenanceSettings, now: int) -> Iterator[int]:
    """Yield when it begins: those times that are told of."""
    window = planned.window
    since = now - RECENTLY_COMPLETED - window.length if planned.repeat else 0
    yield from window.begins(since, now + 1)
    yield from islice(window.begins(now + 1, now + AHEAD), MAX_OCCURRENCES)


def _occurrence(
    planned: MaintenanceSettings, start: int, public: PublicComponents, voice: Locale, now: int
) -> MaintenanceView:
    end = start + planned.window.length
    key = occurrence_id(start, planned.checkers, planned.groups)
    # Nobody knows when it was written into the file.
    known_since = start - AHEAD
    plan = IncidentUpdate(id=key, at=known_since, status="scheduled", text=planned.description)
    updates: tuple[UpdateView, ...] = (update_view(plan),) if planned.description else ()
    status = "scheduled" if now < start else "in_progress" if now < end else "completed"
    return MaintenanceView(
        key=key,
        title=clean_line(planned.title, TITLE_LIMIT) or voice.say("maintenance.page.untitled"),
        status=status,
        scheduled_for=start,
        scheduled_until=end,
        created_at=known_since,
        updated_at=known_since,
        affected=tuple(public.named(planned.checkers, planned.groups).values()),
        updates=updates,
        recurring=bool(planned.repeat),
    )
