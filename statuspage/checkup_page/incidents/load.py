"""Incidents and maintenance read from a storage, for the page and for those who edit them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import is_
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.config.page import IncidentSettings
from checkup.config.settings import Config, setting_of
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.history.aggregate import open_days
from checkup.history.documents import HistoryState, days_key
from checkup.history.reader import MonthCache, MonthFile
from checkup.history.store import HistoryStore
from checkup.history.tally import Tally
from checkup.incidents import model
from checkup.incidents.automatic import Disruptions, disruptions_of, join_disruptions
from checkup.incidents.model import IncidentDocument, IncidentUpdate
from checkup.incidents.store import IncidentArchive, load_archive, load_incidents, merge
from checkup.interfaces import Storage
from checkup.pipeline import read_state
from checkup.run_store import settled_key
from checkup.times import DAY, format_date, format_month, month_start, next_month_start, parse_date
from checkup_page.components.build import display_name, results_by_checker
from checkup_page.incidents.automatic import AutomaticIncidentCache
from checkup_page.incidents.build import IncidentData, IncidentViews, build_incidents
from checkup_page.incidents.build import incident_view as written_down
from checkup_page.incidents.view import (
    AffectedComponent,
    IncidentView,
    MaintenanceView,
    PublicComponents,
)
from checkup_page.locale import Locale, load_translations

_log = logging.getLogger(__name__)


RECENT_PERIOD: Final = 92 * DAY
"""How far back every page looks; what began in months before that is told once."""


class DisruptionCache(Struct):
    """What need not be worked out again.

    Attributes:
        troubles: those of each file of days, and its version.
        closed: those of the files that the last page was made of, and what these were.
        stories: how outages were told.
        archive: what people announced.
        written: what of it is of a month that is over, by its beginning, and of which archive.
    """

    troubles: dict[str, tuple[str, Disruptions]] = field(default_factory=dict)
    closed: tuple[Sequence[Disruptions], Disruptions] = ((), {})
    stories: AutomaticIncidentCache = field(default_factory=AutomaticIncidentCache)
    archive: IncidentArchive = field(default_factory=IncidentArchive)
    written: tuple[IncidentArchive, dict[int, IncidentDocument]] = (IncidentArchive(), {})


def load_incidents_or_empty(storage: Storage) -> IncidentDocument:
    """Return what people announced; what cannot be read does not take the page away."""
    try:
        return load_incidents(storage)
    except StorageError as error:
        _log.warning("page published without incidents and maintenance: %s", error)
        return IncidentDocument()


class IncidentLoader(Struct, frozen=True, kw_only=True):
    """Reads from one storage.

    Attributes:
        archive: what people announced.
        head: the history's; None if there is none to tell of.
        months: files of days, as they were read.
        seen: from the page before.
    """

    storage: Storage
    archive: IncidentArchive
    head: HistoryState | None
    months: MonthCache
    seen: DisruptionCache
    now: int

    @property
    def since(self) -> int:
        """When anything was known first."""
        accounts = self.head.checkers.values() if self.head else ()
        incidents = self.archive.everything.incidents.values()
        return min([self.now, *(it.first for it in accounts), *(it.started for it in incidents)])

    def all_months(self) -> list[int]:
        """Return the beginnings of all months that are shown, oldest first.

        They are those since anything is known, and earlier ones in which maintenance began. That
        may have begun at any time, so what lies between is left out.
        """
        found = [month_start(self.since)]
        while found[-1] < month_start(self.now):
            found.append(next_month_start(found[-1]))
        maintenance = self.archive.everything.maintenance.values()
        earlier = {month_start(it.start) for it in maintenance if it.start < found[0]}
        return [*sorted(earlier), *found]

    def load_recent(self) -> IncidentData:
        """Return what there is to tell of the last months; without a history what people wrote."""
        since = month_start(self.now - RECENT_PERIOD)
        told = IncidentData(
            document=merge(self._written(since, next_month_start(self.now)), self.archive.head),
            months=tuple(month for month in self.all_months() if month >= since),
            since=self.since,
            automatic=self.seen.stories,
        )
        if self.head is None:
            return told
        try:
            closed = self._closed([self._troubles(month) for month in told.months])
            troubles = join_disruptions([closed, disruptions_of(self._open_days(self.head))])
        except StorageError as error:
            _log.warning("page published without automatic incidents: %s", error)
            return told
        return replace(told, disruptions=troubles, counters=self.head.checkers)

    def written_of(self, month: int) -> IncidentDocument:
        """Return what people wrote of an old month: all that lasted in it or in the one after it.

        An outage that began in it may have gone on in the next one.
        """
        archive, known = self.seen.written
        if archive is not self.archive:
            known = {}
            self.seen.written = (self.archive, known)
        if month not in known:
            known[month] = self._written(month, next_month_start(next_month_start(month)))
        return known[month]

    def stored_of_month(self, month: int) -> tuple[object, ...]:
        """Return what people said of an old month, and how far maintenance is that still lasts."""
        written = self.written_of(month)
        stages = [(key, it.status(self.now)) for key, it in written.maintenance.items()]
        return (written, [stage for stage in stages if stage[1] != "completed"])

    def load_archived(self, month: int) -> IncidentData | None:
        """Return what there is to tell of a month that is long over; None if it cannot be read."""
        if not self.archive.is_known(month):
            return None
        try:
            troubles = join_disruptions(
                [self._troubles(month), self._troubles(next_month_start(month))]
            )
        except StorageError as error:
            _log.warning("page published without incidents of %s: %s", format_month(month), error)
            return None
        for old in (month, next_month_start(month)):
            if old < month_start(self.now - RECENT_PERIOD):
                # Its days are asked for once, and those of many checkers are large.
                self.months.files.pop(days_key(old), None)
        return IncidentData(document=self.written_of(month), disruptions=troubles, months=(month,))

    def _written(self, since: int, until: int) -> IncidentDocument:
        """Return what people wrote of a time: what began before its end and lasted into it."""
        everything = self.archive.everything
        return IncidentDocument(
            incidents={
                key: it
                for key, it in everything.incidents.items()
                if it.started < until
                and (it.resolved is None or max(it.started, it.resolved) >= since)
            },
            maintenance={
                key: it
                for key, it in everything.maintenance.items()
                if it.start < until and max(it.start, it.end) >= since
            },
        )

    def _closed(self, files: Sequence[Disruptions]) -> Disruptions:
        """Return the troubles of some files, as they were put together last time if they can be."""
        before, closed = self.seen.closed
        same = len(before) == len(files) and all(map(is_, before, files))
        if not same:
            closed = join_disruptions(files)
            self.seen.closed = (files, closed)
        return closed

    def _troubles(self, month: int) -> Disruptions:
        """Return the troubles of the closed days of a month."""
        key = days_key(month)
        file = self._file(key)
        version, found = self.seen.troubles.get(key, (None, {}))
        if version != file.version:
            found = disruptions_of({parse_date(date): rows for date, rows in file.days.items()})
            self.seen.troubles[key] = (file.version, found)
        return found

    def _open_days(self, head: HistoryState) -> Mapping[int, Mapping[str, Tally]]:
        """Return the days that no file has yet."""
        return {
            day: {name: period.tally for name, period in rows.items()}
            for day, rows in open_days(head, self.now).items()
            if format_date(day) not in self._file(days_key(day)).days
        }

    def _file(self, key: str) -> MonthFile:
        """Return a file of days, as this page has read it already if it has."""
        known = self.months.files.get(key)
        if known is not None and known.at == self.now:
            return known
        return self.months.get(self.storage, key, self.now)


FOLD_SECONDS = 30.0
"""How long to wait for the history to catch up with the runs."""

_EVERYTHING = IncidentSettings(automatic=True, after=0, minimum=0)


class EditableIncidents(Struct, frozen=True, kw_only=True):
    """Everything that is announced or could be, in which components go by their checkers' ids.

    Attributes:
        incidents: by id, the one that began last first; outages too that the page does not tell of.
        maintenances: by id, in the order of their beginnings.
        published: the ids of the incidents that the page tells of.
        document: what people said of these, and of others, as it is stored.
    """

    incidents: dict[str, IncidentView]
    maintenances: dict[str, MaintenanceView]
    published: frozenset[str]
    document: IncidentDocument

    @property
    def automatic(self) -> frozenset[str]:
        """The ids of outages that nobody wrote about."""
        return frozenset(self.incidents.keys() - self.document.incidents.keys())

    def as_stored(self, incident: str) -> model.Incident:
        """Return an incident, given by its id, as it is kept once somebody has written about it."""
        return self.document.incidents.get(incident) or to_stored(self.incidents[incident])


def load_editable(
    config: Config, storage: Storage, now: int, month: int | None = None
) -> EditableIncidents:
    """Read what there is to tell of the last months, and what people still write about.

    Args:
        config: the checkers and the page's settings.
        storage: where it is.
        now: the present.
        month: the beginning of a month, for what began in it and nothing else. However long ago
            that is, it takes no more to read.

    Raises:
        StorageError: the storage could not be read.
    """
    bulletin = _bulletin(config, storage, now, month)
    public = _public(config)
    locale = Locale(
        translations=load_translations(config.page.languages[0]), zone=config.page.timezone
    )
    open_handed = replace(config, page=replace(config.page, incidents=_EVERYTHING))
    every = build_incidents(bulletin, open_handed, public, locale, now)
    shown = build_incidents(bulletin, config, public, locale, now)
    written = bulletin.document
    incidents = {it.key: it for it in _with_written(_incidents(every), written, public)}
    plans = (*every.finished, *every.maintenances)
    return EditableIncidents(
        incidents={k: it for k, it in incidents.items() if _is_of(month, it.started_at)},
        maintenances={it.key: it for it in plans if _is_of(month, it.scheduled_for)},
        published=frozenset(it.key for it in _incidents(shown)),
        document=written,
    )


def to_stored(incident: IncidentView) -> model.Incident:
    """Return an incident of the desk as it is kept once somebody has written about it."""
    story = reversed(incident.updates)
    return model.Incident(
        id=incident.key,
        title=incident.title,
        impact=incident.impact,
        started=incident.started_at,
        checkers=tuple(affected.key for affected in incident.affected),
        updates=tuple(
            IncidentUpdate(id=it.key, at=it.at, status=it.status, text=it.body) for it in story
        ),
    )


def take_over_automatic(desk: EditableIncidents, incident: model.Incident) -> model.Incident:
    """Return an incident that is about to be opened, as what is told of outages that last.

    That is of all its components. It keeps the address and the beginning of the first of them.
    """
    lasting = [it for it in desk.incidents.values() if it.key in desk.automatic]
    explained = [
        to_stored(it)
        for it in lasting
        if it.resolved_at is None and {part.key for part in it.affected} <= {*incident.checkers}
    ]
    if not explained:
        return incident
    first = min(explained, key=lambda it: it.started)
    return replace(
        incident,
        id=first.id,
        started=min(first.started, incident.started),
        updates=(*first.updates, *incident.updates),
        replaces=tuple(it.id for it in explained if it is not first),
    )


def _bulletin(config: Config, storage: Storage, now: int, month: int | None) -> IncidentData:
    head = load_incidents(storage)
    recent = month_start(now - RECENT_PERIOD)
    old = month if month is not None and month < recent else None
    first, last = (recent, now) if old is None else (old, old)
    # What began in the month before may have gone on in the first of these.
    archive = load_archive(storage, head, now, wanted=range(month_start(first - DAY), last + 1))
    if not archive.listed or archive.unread:
        raise StorageError("what people said of these months cannot be read")
    keeper = HistoryStore(
        storage=storage,
        setting=setting_of(config, head),
        end=settled_key(read_state(storage).cursor, now),
    )
    gatherer = IncidentLoader(
        storage=storage,
        archive=archive,
        head=keeper.catch_up(Deadline.after(FOLD_SECONDS)).head,
        months=MonthCache(),
        seen=DisruptionCache(),
        now=now,
    )
    if old is None:
        return gatherer.load_recent()
    bulletin = gatherer.load_archived(old)
    if bulletin is None:
        raise StorageError(f"cannot read the incidents of {format_month(old)}")
    return bulletin


def _incidents(told: IncidentViews) -> Iterator[IncidentView]:
    yield from told.incidents
    yield from (it for month in told.months for it in month.incidents)


def _with_written(
    listed: Iterable[IncidentView], written: IncidentDocument, public: PublicComponents
) -> list[IncidentView]:
    """Return the incidents, and those that began earlier but were written about of late."""
    found = {it.key: it for it in listed}
    others = (it for key, it in written.incidents.items() if key not in found)
    every = (*found.values(), *(written_down(it, public, {}) for it in others))
    return sorted(every, key=lambda it: it.started_at, reverse=True)


def _is_of(month: int | None, moment: int) -> bool:
    return month is None or month <= moment < next_month_start(month)


def _public(config: Config) -> PublicComponents:
    """Return the components by the ids of their checkers, which are no secret here."""
    locale = Locale()
    components: dict[str, AffectedComponent] = {}
    groups: dict[str, tuple[str, ...]] = {}
    for number, track in enumerate(results_by_checker(config.checkers, ()), start=1):
        if track.checker:
            group = track.checker.group
            components[track.key] = AffectedComponent(
                key=track.key, name=display_name(track, number, locale)
            )
            groups[group] = (*groups.get(group, ()), track.key)
    return PublicComponents(components, groups)
