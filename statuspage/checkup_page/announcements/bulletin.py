"""What there is to tell of incidents and maintenance: as it was read, and as it is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct, field

from checkup.config.settings import Config
from checkup.history.head import OpenCounters
from checkup.history.periods import HOUR, day_start, next_month_start
from checkup.incidents.model import IncidentDocument
from checkup.incidents.outages import AutomaticIncident, DetectionInput
from checkup.incidents.troubles import Disruptions, with_open_end
from checkup_page.announcements.announcement import IncidentMonth, IncidentView, MaintenanceView
from checkup_page.announcements.incidents import (
    AutomaticIncidentCache,
    all_incidents,
    uncovered_incidents,
)
from checkup_page.announcements.maintenances import configured_maintenance, stored_maintenance
from checkup_page.announcements.public import PublicComponents
from checkup_page.speech.voice import Locale
from checkup_page.speech.words import DAY

RECENT: Final = 14 * DAY + HOUR
"""How long an incident stays on the first page: fourteen days, of which one may have 25 hours."""


class IncidentData(Struct, frozen=True, kw_only=True):
    """What was read of some successive months.

    Attributes:
        announced: what people wrote.
        troubles: when the checkers were not well, by id, from ``months[0]`` on.
        accounts: what the history remembers of the checkers, by id.
        months: the beginnings of these months.
        since: when anything was known first.
        stories: how outages were told before.
    """

    announced: IncidentDocument = IncidentDocument()
    troubles: Disruptions = {}
    accounts: Mapping[str, OpenCounters] = {}
    months: tuple[int, ...] = ()
    since: int = 0
    stories: AutomaticIncidentCache = field(default_factory=AutomaticIncidentCache)


class IncidentViews(NamedTuple):
    """How it is shown; see :class:`checkup_page.view.PageView`."""

    incidents: tuple[IncidentView, ...] = ()
    maintenances: tuple[MaintenanceView, ...] = ()
    finished: tuple[MaintenanceView, ...] = ()
    months: tuple[IncidentMonth, ...] = ()


def build_incidents(
    bulletin: IncidentData, config: Config, public: PublicComponents, voice: Locale, now: int
) -> IncidentViews:
    """Return what is shown of incidents and maintenance."""
    found = _outages(bulletin, config, public, now)
    stories = all_incidents(
        bulletin.announced.incidents.values(),
        bulletin.stories.tell(found, public, voice),
        _of_written(bulletin, now),
        public,
    )
    plans = sorted(
        (
            *stored_maintenance(bulletin.announced.maintenance.values(), public, voice, now),
            *configured_maintenance(config.maintenance, public, voice, now),
        ),
        key=lambda it: (it.scheduled_for, it.key),
    )
    return IncidentViews(
        incidents=tuple(it for it in stories if _is_news(it, now)),
        maintenances=tuple(it for it in plans if it.status != "completed"),
        finished=tuple(it for it in plans if it.status == "completed"),
        months=tuple(
            _month(begin, bulletin.since, stories, plans, now)
            for begin in sorted(bulletin.months, reverse=True)
        ),
    )


def _outages(
    bulletin: IncidentData, config: Config, public: PublicComponents, now: int
) -> tuple[AutomaticIncident, ...]:
    """Return the outages of public components that are to be told."""
    watch = DetectionInput(
        checkers=tuple(it for it in config.checkers if it.id in public.components),
        accounts=bulletin.accounts,
        interval=config.interval,
        since=bulletin.months[0] if bulletin.months else 0,
        now=now,
        windows=(
            *(it.window for it in config.maintenance),
            *(it.known.window for it in bulletin.announced.maintenance.values()),
        ),
    )
    found = bulletin.stories.find(bulletin.troubles, watch)
    written_down = bulletin.announced.incidents.values()
    return uncovered_incidents(found, written_down, config.page.incidents, now)


def _of_written(bulletin: IncidentData, now: int) -> Disruptions:
    """Return the troubles of those that people wrote about."""
    written_down = bulletin.announced.incidents.values()
    named = {checker for incident in written_down for checker in incident.checkers}
    return {
        checker: with_open_end(bulletin.troubles[checker], bulletin.accounts.get(checker), now)
        for checker in named & bulletin.troubles.keys()
    }


def _is_news(incident: IncidentView, now: int) -> bool:
    return incident.resolved_at is None or incident.updated_at > now - RECENT


def _month(
    begin: int,
    since: int,
    stories: Sequence[IncidentView],
    plans: Sequence[MaintenanceView],
    now: int,
) -> IncidentMonth:
    end = min(next_month_start(begin), day_start(now) + DAY)
    return IncidentMonth(
        begin=begin,
        first=max(begin, day_start(since)),
        end=end,
        incidents=tuple(it for it in stories if begin <= it.started_at < end),
        maintenances=tuple(
            it for it in reversed(plans) if begin <= it.scheduled_for < end and not it.recurring
        ),
    )
