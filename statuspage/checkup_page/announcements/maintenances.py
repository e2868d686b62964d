"""Maintenance as it is shown: that of the configuration, and what was announced later. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from checkup.config.settings import MaintenanceSettings
from checkup.incidents import model
from checkup.incidents.ids import occurrence_id
from checkup.incidents.model import Said
from checkup_page.announcements.announcement import Maintenance, Update
from checkup_page.announcements.public import Public
from checkup_page.announcements.story import TITLE_LIMIT, update
from checkup_page.speech.voice import Voice
from checkup_page.speech.words import DAY, clean

AHEAD: Final = 31 * DAY
"""How long before it begins maintenance of the configuration is announced."""

RECENT: Final = 2 * DAY
"""How long it is told of afterwards if it comes again: until everybody has seen the end."""

NEXT: Final = 2
"""How many times it is announced that maintenance comes again."""


def announced(
    maintenances: Iterable[model.Maintenance], public: Public, voice: Voice, now: int
) -> Iterator[Maintenance]:
    """Yield what was announced while the program was running."""
    for it in maintenances:
        updates = [update(said) for said in reversed(it.said)]
        if it.text:
            plan = Said(id=it.id, at=it.created, status="scheduled", text=it.text)
            updates.append(update(plan))
        yield Maintenance(
            key=it.id,
            title=clean(it.title, TITLE_LIMIT) or voice.say("maintenance.page.untitled"),
            status=it.status(now),
            scheduled_for=it.start,
            scheduled_until=it.end,
            created_at=it.created,
            updated_at=updates[0].at if updates else it.created,
            affected=tuple(public.named(it.checkers, it.groups).values()),
            updates=tuple(updates),
        )


def configured(
    settings: Iterable[MaintenanceSettings], public: Public, voice: Voice, now: int
) -> Iterator[Maintenance]:
    """Yield what is in the configuration: what is due, and what was not long ago."""
    for planned in settings:
        for start in _beginnings(planned, now):
            yield _occurrence(planned, start, public, voice, now)


def _beginnings(planned: MaintenanceSettings, now: int) -> Iterator[int]:
    """Yield when it begins: those times that are told of."""
    window = planned.window
    since = now - RECENT - window.length if planned.repeat else 0
    yield from window.begins(since, now + 1)
    yield from islice(window.begins(now + 1, now + AHEAD), NEXT)


def _occurrence(
    planned: MaintenanceSettings, start: int, public: Public, voice: Voice, now: int
) -> Maintenance:
    end = start + planned.window.length
    key = occurrence_id(start, planned.checkers, planned.groups)
    # Nobody knows when it was written into the file.
    known_since = start - AHEAD
    plan = Said(id=key, at=known_since, status="scheduled", text=planned.description)
    updates: tuple[Update, ...] = (update(plan),) if planned.description else ()
    status = "scheduled" if now < start else "in_progress" if now < end else "completed"
    return Maintenance(
        key=key,
        title=clean(planned.title, TITLE_LIMIT) or voice.say("maintenance.page.untitled"),
        status=status,
        scheduled_for=start,
        scheduled_until=end,
        created_at=known_since,
        updated_at=known_since,
        affected=tuple(public.named(planned.checkers, planned.groups).values()),
        updates=updates,
        recurring=bool(planned.repeat),
    )
