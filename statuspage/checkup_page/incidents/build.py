"""Incidents and maintenance, from what was loaded to what the page shows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby, islice
from typing import Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.config.settings import Config, MaintenanceSettings
from checkup.history.documents import OpenCounters
from checkup.incidents import model
from checkup.incidents.automatic import (
    AutomaticIncident,
    DetectionInput,
    Disruption,
    Disruptions,
    uncovered_incidents,
    with_open_end,
)
from checkup.incidents.model import (
    IncidentDocument,
    IncidentUpdate,
    occurrence_id,
    without_future,
)
from checkup.text import clean_line
from checkup.times import DAY, HOUR, day_start, next_month_start
from checkup_page.incidents.automatic import AutomaticIncidentCache
from checkup_page.incidents.view import (
    IMPACT_STATUS,
    TITLE_LIMIT,
    IncidentMonth,
    IncidentView,
    MaintenanceView,
    PublicComponents,
    UpdateView,
    affected_periods,
    update_view,
)
from checkup_page.locale import Locale
from checkup_page.status import ComponentStatus
from checkup_page.view import ComponentView, PageView

UNDER_WAY = frozenset({"in_progress", "verifying"})


def active_maintenance(maintenances: Iterable[MaintenanceView]) -> tuple[MaintenanceView, ...]:
    """Return the maintenance that is in progress."""
    return tuple(item for item in maintenances if item.status in UNDER_WAY)


def apply_maintenance(
    components: Iterable[ComponentView], maintenances: Iterable[MaintenanceView]
) -> Iterator[ComponentView]:
    """Yield the components, those in maintenance as such; an unknown one stays unknown."""
    current = active_maintenance(maintenances)
    everything = any(not item.affected for item in current)
    keys = {affected.key for item in current for affected in item.affected}
    for item in components:
        if item.status is not ComponentStatus.UNKNOWN and (everything or item.key in keys):
            yield replace(item, status=ComponentStatus.MAINTENANCE)
        else:
            yield item


DAYS: Final = 14
"""Days of incidents on the first page, today among them."""

MAX_UPCOMING: Final = 2
"""Coming maintenance that is shown in full."""


class Day(Struct, frozen=True, kw_only=True):
    """One day with incidents, or neighbouring days without any.

    Attributes:
        first, last: the days; the same for a day with incidents.
        incidents: those that began then, newest first.
    """

    first: date
    last: date
    incidents: tuple[IncidentView, ...]


class IncidentOverview(Struct, frozen=True, kw_only=True):
    """The incidents and maintenance of the first page.

    Attributes:
        active: incidents that last, newest first.
        active_maintenance: maintenance that is in progress.
        upcoming: what comes next.
        upcoming_more: how many more are scheduled.
        days: the last two weeks, newest first; before there were results, those with incidents.
    """

    active: tuple[IncidentView, ...]
    active_maintenance: tuple[MaintenanceView, ...]
    upcoming: tuple[MaintenanceView, ...]
    upcoming_more: int
    days: tuple[Day, ...]


def incident_overview(view: PageView) -> IncidentOverview:
    """Return the incidents and maintenance of the first page."""
    planned = [item for item in view.maintenances if item.status == "scheduled"]
    return IncidentOverview(
        active=tuple(item for item in view.incidents if item.resolved_at is None),
        active_maintenance=active_maintenance(view.maintenances),
        upcoming=tuple(planned[:MAX_UPCOMING]),
        upcoming_more=len(planned[MAX_UPCOMING:]),
        days=tuple(_days(view)),
    )


def _days(view: PageView) -> Iterator[Day]:
    begun: dict[date, list[IncidentView]] = {}
    for incident in view.incidents:
        begun.setdefault(view.locale.local_date(incident.started_at), []).append(incident)
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
    first = view.locale.local_date(min(seen)) if seen else date.max
    today = view.locale.local_date(view.info.generated_at)
    for back in range(DAYS):
        day = today - timedelta(days=back)
        if day >= first or day in begun:
            yield day


def _quiet(days: Sequence[date]) -> Day:
    return Day(first=days[-1], last=days[0], incidents=())


def incident_view(
    incident: model.Incident,
    public: PublicComponents,
    disruptions: Mapping[str, Sequence[Disruption]],
) -> IncidentView:
    """Return an incident that somebody wrote.

    Args:
        incident: as it is stored.
        public: the components that it may name.
        disruptions: when the checkers were not healthy, by id.
    """
    updates = tuple(update_view(it) for it in reversed(incident.updates))
    return IncidentView(
        key=incident.id,
        title=clean_line(incident.title, TITLE_LIMIT),
        impact=incident.impact,
        status_color=IMPACT_STATUS[incident.impact],
        status=incident.status,
        started_at=incident.started,
        updated_at=max(updates[0].at, incident.edited),
        resolved_at=incident.resolved,
        affected=tuple(
            replace(
                component,
                periods=tuple(
                    affected_periods(
                        disruptions.get(checker, ()), incident.started, incident.resolved
                    )
                ),
            )
            for checker, component in public.affected(incident.checkers).items()
        ),
        updates=updates,
    )


def all_incidents(
    written: Iterable[model.Incident],
    automatic: Iterable[IncidentView],
    disruptions: Disruptions,
    public: PublicComponents,
) -> tuple[IncidentView, ...]:
    """Return the incidents, the one that began last first.

    Args:
        written: what people wrote.
        automatic: the automatic incidents that are shown.
        disruptions: when the checkers were not healthy, by id.
        public: the components that an incident may name.
    """
    shown = [*(incident_view(it, public, disruptions) for it in written), *automatic]
    return tuple(sorted(shown, key=lambda it: (it.started_at, it.key), reverse=True))


AHEAD: Final = 31 * DAY
"""How long before its start configured maintenance is shown."""

RECENTLY_COMPLETED: Final = 2 * DAY
"""How long recurring maintenance is shown after its end."""

MAX_OCCURRENCES: Final = 2
"""Coming occurrences of recurring maintenance that are shown."""


def stored_maintenance(
    maintenances: Iterable[model.Maintenance], public: PublicComponents, locale: Locale, now: int
) -> Iterator[MaintenanceView]:
    """Yield scheduled maintenance from the storage."""
    for it in maintenances:
        updates = [update_view(update) for update in reversed(it.updates)]
        if it.text:
            plan = IncidentUpdate(id=it.id, at=it.created, status="scheduled", text=it.text)
            updates.append(update_view(plan))
        yield MaintenanceView(
            key=it.id,
            title=clean_line(it.title, TITLE_LIMIT)
            or locale.translate("maintenance.page.untitled"),
            status=it.status(now),
            scheduled_for=it.start,
            scheduled_until=it.end,
            created_at=it.created,
            updated_at=max(updates[0].at if updates else it.created, it.edited),
            affected=tuple(public.affected(it.checkers, it.groups).values()),
            updates=tuple(updates),
        )


def configured_maintenance(
    settings: Iterable[MaintenanceSettings], public: PublicComponents, locale: Locale, now: int
) -> Iterator[MaintenanceView]:
    """Yield maintenance of the configuration: coming, in progress and recently completed."""
    for planned in settings:
        for start in _beginnings(planned, now):
            yield _occurrence(planned, start, public, locale, now)


def _beginnings(planned: MaintenanceSettings, now: int) -> Iterator[int]:
    """Yield the starts that are shown."""
    window = planned.window
    since = now - RECENTLY_COMPLETED - window.duration if planned.repeat else 0
    yield from window.starts_between(since, now + 1)
    yield from islice(window.starts_between(now + 1, now + AHEAD), MAX_OCCURRENCES)


def _occurrence(
    planned: MaintenanceSettings, start: int, public: PublicComponents, locale: Locale, now: int
) -> MaintenanceView:
    end = start + planned.window.duration
    key = occurrence_id(start, planned.checkers, planned.groups)
    # Nobody knows when it was written into the file.
    known_since = start - AHEAD
    plan = IncidentUpdate(id=key, at=known_since, status="scheduled", text=planned.description)
    updates: tuple[UpdateView, ...] = (update_view(plan),) if planned.description else ()
    status = "scheduled" if now < start else "in_progress" if now < end else "completed"
    return MaintenanceView(
        key=key,
        title=clean_line(planned.title, TITLE_LIMIT)
        or locale.translate("maintenance.page.untitled"),
        status=status,
        scheduled_for=start,
        scheduled_until=end,
        created_at=known_since,
        updated_at=known_since,
        affected=tuple(public.affected(planned.checkers, planned.groups).values()),
        updates=updates,
        recurring=bool(planned.repeat),
    )


RECENT: Final = 14 * DAY + HOUR
"""How long an incident stays on the first page: fourteen days, of which one may have 25 hours."""


class IncidentData(Struct, frozen=True, kw_only=True):
    """Loaded incidents and maintenance of successive months.

    Attributes:
        document: what people wrote.
        disruptions: when the checkers were not healthy, by id.
        disruptions_since: from when on; an incident that lasts for long began before the months.
        counters: the open counters of the history, by checker id.
        months: the beginnings of these months.
        since: when the first result or incident was.
        automatic: the automatic incidents as last detected and rendered.
    """

    document: IncidentDocument = IncidentDocument()
    disruptions: Disruptions = {}
    disruptions_since: int = 0
    counters: Mapping[str, OpenCounters] = {}
    months: tuple[int, ...] = ()
    since: int = 0
    automatic: AutomaticIncidentCache = field(default_factory=AutomaticIncidentCache)


class IncidentViews(NamedTuple):
    """Views of all of it; see :class:`checkup_page.view.PageView`."""

    incidents: tuple[IncidentView, ...] = ()
    maintenances: tuple[MaintenanceView, ...] = ()
    finished: tuple[MaintenanceView, ...] = ()
    months: tuple[IncidentMonth, ...] = ()


def build_incidents(
    data: IncidentData, config: Config, public: PublicComponents, locale: Locale, now: int
) -> IncidentViews:
    """Return what is shown of incidents and maintenance."""
    data = replace(data, document=without_future(data.document, now))
    automatic = _automatic_incidents(data, config, public, now)
    incidents = all_incidents(
        data.document.incidents.values(),
        data.automatic.views(automatic, public, locale),
        _disruptions_of_written(data, now),
        public,
    )
    maintenances = sorted(
        (
            *stored_maintenance(data.document.maintenance.values(), public, locale, now),
            *configured_maintenance(config.maintenance, public, locale, now),
        ),
        key=lambda it: (it.scheduled_for, it.key),
    )
    return IncidentViews(
        incidents=tuple(it for it in incidents if _is_news(it, now)),
        maintenances=tuple(it for it in maintenances if it.status != "completed"),
        finished=tuple(it for it in maintenances if it.status == "completed"),
        months=tuple(
            _month(begin, data.since, incidents, maintenances, now)
            for begin in sorted(data.months, reverse=True)
        ),
    )


def _automatic_incidents(
    data: IncidentData, config: Config, public: PublicComponents, now: int
) -> tuple[AutomaticIncident, ...]:
    """Return the automatic incidents of public components that are to be shown."""
    given = DetectionInput(
        checkers=tuple(it for it in config.checkers if it.id in public.components),
        counters=data.counters,
        interval=config.interval,
        since=data.disruptions_since,
        now=now,
        windows=(
            *(it.window for it in config.maintenance),
            *(it.since_created.window for it in data.document.maintenance.values()),
        ),
    )
    settings = config.page.incidents
    return uncovered_incidents(
        data.automatic.detect(data.disruptions, given),
        data.document.incidents.values(),
        automatic=settings.automatic,
        after=settings.after,
        minimum=settings.minimum,
        now=now,
    )


def _disruptions_of_written(data: IncidentData, now: int) -> Disruptions:
    """Return the disruptions of the checkers that people's incidents name."""
    written = data.document.incidents.values()
    named = {checker for incident in written for checker in incident.checkers}
    return {
        checker: with_open_end(data.disruptions[checker], data.counters.get(checker), now)
        for checker in named & data.disruptions.keys()
    }


def _is_news(incident: IncidentView, now: int) -> bool:
    return incident.resolved_at is None or incident.updated_at > now - RECENT


def _month(
    begin: int,
    since: int,
    incidents: Sequence[IncidentView],
    maintenances: Sequence[MaintenanceView],
    now: int,
) -> IncidentMonth:
    end = min(next_month_start(begin), day_start(now) + DAY)
    return IncidentMonth(
        begin=begin,
        first=max(begin, day_start(since)),
        end=end,
        incidents=tuple(it for it in incidents if begin <= it.started_at < end),
        maintenances=tuple(
            it
            for it in reversed(maintenances)
            if begin <= it.scheduled_for < end and not it.recurring
        ),
    )


class IncidentDays(Struct, frozen=True, kw_only=True):
    """A day of a month, or neighbouring ones without incidents.

    Attributes:
        first, last: when these days began, the same for one day.
    """

    first: int
    last: int
    incidents: tuple[IncidentView, ...]


def days_of_month(month: IncidentMonth) -> list[IncidentDays]:
    """Return the days of a month, newest first, those without incidents taken together."""
    begun: dict[int, list[IncidentView]] = {}
    for incident in month.incidents:
        begun.setdefault(day_start(incident.started_at), []).append(incident)
    days = range(month.end - DAY, month.first - DAY, -DAY)
    found = []
    for quiet, group in groupby(days, key=lambda day: day not in begun):
        together = [*group]
        if quiet:
            found.append(IncidentDays(first=together[-1], last=together[0], incidents=()))
        else:
            found += [
                IncidentDays(first=it, last=it, incidents=tuple(begun[it])) for it in together
            ]
    return found
