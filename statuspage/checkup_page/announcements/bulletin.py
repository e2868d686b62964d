"""What there is to tell of incidents and maintenance: as it was read, and as it is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct, field

from checkup.config.settings import Config
from checkup.history.head import Account
from checkup.history.periods import HOUR, day_of, next_month
from checkup.incidents.model import Announcements
from checkup.incidents.outages import Outage, Watch
from checkup.incidents.troubles import Troubles, open_ended
from checkup_page.announcements.announcement import Incident, Maintenance, Month
from checkup_page.announcements.incidents import Stories, incidents, unwritten
from checkup_page.announcements.maintenances import announced, configured
from checkup_page.announcements.public import Public
from checkup_page.speech.voice import Voice
from checkup_page.speech.words import DAY

RECENT: Final = 14 * DAY + HOUR
"""How long an incident stays on the first page: fourteen days, of which one may have 25 hours."""


class Bulletin(Struct, frozen=True, kw_only=True):
    """What was read of some successive months.

    Attributes:
        announced: what people wrote.
        troubles: when the checkers were not well, by id, from ``months[0]`` on.
        accounts: what the history remembers of the checkers, by id.
        months: the beginnings of these months.
        since: when anything was known first.
        stories: how outages were told before.
    """

    announced: Announcements = Announcements()
    troubles: Troubles = {}
    accounts: Mapping[str, Account] = {}
    months: tuple[int, ...] = ()
    since: int = 0
    stories: Stories = field(default_factory=Stories)


class Told(NamedTuple):
    """How it is shown; see :class:`checkup_page.view.View`."""

    incidents: tuple[Incident, ...] = ()
    maintenances: tuple[Maintenance, ...] = ()
    finished: tuple[Maintenance, ...] = ()
    months: tuple[Month, ...] = ()


def tell(bulletin: Bulletin, config: Config, public: Public, voice: Voice, now: int) -> Told:
    """Return what is shown of incidents and maintenance."""
    found = _outages(bulletin, config, public, now)
    stories = incidents(
        bulletin.announced.incidents.values(),
        bulletin.stories.tell(found, public, voice),
        _of_written(bulletin, now),
        public,
    )
    plans = sorted(
        (
            *announced(bulletin.announced.maintenance.values(), public, voice, now),
            *configured(config.maintenance, public, voice, now),
        ),
        key=lambda it: (it.scheduled_for, it.key),
    )
    return Told(
        incidents=tuple(it for it in stories if _is_news(it, now)),
        maintenances=tuple(it for it in plans if it.status != "completed"),
        finished=tuple(it for it in plans if it.status == "completed"),
        months=tuple(
            _month(begin, bulletin.since, stories, plans, now)
            for begin in sorted(bulletin.months, reverse=True)
        ),
    )


def _outages(bulletin: Bulletin, config: Config, public: Public, now: int) -> tuple[Outage, ...]:
    """Return the outages of public components that are to be told."""
    watch = Watch(
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
    return unwritten(found, written_down, config.page.incidents, now)


def _of_written(bulletin: Bulletin, now: int) -> Troubles:
    """Return the troubles of those that people wrote about."""
    written_down = bulletin.announced.incidents.values()
    named = {checker for incident in written_down for checker in incident.checkers}
    return {
        checker: open_ended(bulletin.troubles[checker], bulletin.accounts.get(checker), now)
        for checker in named & bulletin.troubles.keys()
    }


def _is_news(incident: Incident, now: int) -> bool:
    return incident.resolved_at is None or incident.updated_at > now - RECENT


def _month(
    begin: int, since: int, stories: Sequence[Incident], plans: Sequence[Maintenance], now: int
) -> Month:
    end = min(next_month(begin), day_of(now) + DAY)
    return Month(
        begin=begin,
        first=max(begin, day_of(since)),
        end=end,
        incidents=tuple(it for it in stories if begin <= it.started_at < end),
        maintenances=tuple(
            it for it in reversed(plans) if begin <= it.scheduled_for < end and not it.recurring
        ),
    )
