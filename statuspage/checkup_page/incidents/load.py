"""Load incidents and maintenance from a storage, for the page and for those who edit them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import is_

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.config.page import IncidentSettings
from checkup.config.settings import Config, evaluation_rules
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.history.aggregate import open_days
from checkup.history.documents import HistoryState, days_key
from checkup.history.reader import MonthCache, MonthFile
from checkup.history.store import HistoryStore
from checkup.history.tally import Tally
from checkup.incidents import model
from checkup.incidents.automatic import (
    Disruptions,
    disruptions_of,
    group_episodes,
    join_disruptions,
)
from checkup.incidents.model import IMPACTS, IncidentDocument, IncidentUpdate
from checkup.incidents.store import (
    RECENT_PERIOD,
    IncidentArchive,
    load_archive,
    load_incidents,
    merge,
)
from checkup.interfaces import Storage
from checkup.pipeline import read_state
from checkup.run_store import settled_key
from checkup.times import (
    DAY,
    day_start,
    format_date,
    format_month,
    month_start,
    next_month_start,
    parse_date,
)
from checkup_page.components.build import display_name, results_by_checker
from checkup_page.incidents.automatic import AutomaticIncidentCache
from checkup_page.incidents.build import (
    IncidentData,
    IncidentViews,
    build_incidents,
    incident_view,
)
from checkup_page.incidents.view import (
    AffectedComponent,
    IncidentView,
    MaintenanceView,
    PublicComponents,
)
from checkup_page.locale import Locale, load_translations

_log = logging.getLogger(__name__)


class DisruptionCache(Struct):
    """What need not be worked out again.

    Attributes:
        by_file: the disruptions of each file of days, and the file's version.
        closed: those of the files of the last page together, and these files.
        automatic: the automatic incidents as last detected and rendered.
        archive: what people wrote.
        written: the part of an archive for a month that is over, by the month's beginning.
        lasting: archived months in which something began that lasted into the recent ones.
    """

    by_file: dict[str, tuple[str, Disruptions]] = field(default_factory=dict)
    closed: tuple[Sequence[Disruptions], Disruptions] = ((), {})
    automatic: AutomaticIncidentCache = field(default_factory=AutomaticIncidentCache)
    archive: IncidentArchive = field(default_factory=IncidentArchive)
    written: tuple[IncidentArchive, dict[int, IncidentDocument]] = (IncidentArchive(), {})
    lasting: set[int] = field(default_factory=set)


def load_incidents_or_empty(storage: Storage) -> IncidentDocument:
    """Return what people wrote; if it cannot be read, the page is published without it."""
    try:
        return load_incidents(storage)
    except StorageError as error:
        _log.warning("page published without incidents and maintenance: %s", error)
        return IncidentDocument()


class IncidentLoader(Struct, frozen=True, kw_only=True):
    """Reads from one storage.

    Attributes:
        archive: what people wrote.
        head: the history's; None without a history.
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
        """When the first result or incident was."""
        counters = self.head.checkers.values() if self.head else ()
        incidents = self.archive.everything.incidents.values()
        return min([self.now, *(it.first for it in counters), *(it.started for it in incidents)])

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
        """Return the last months; without a history only what people wrote."""
        since = month_start(self.now - RECENT_PERIOD)
        months = tuple(month for month in self.all_months() if month >= since)
        data = IncidentData(
            document=self._written_since(since),
            disruptions_since=months[0],
            months=months,
            since=self.since,
            automatic=self.seen.automatic,
        )
        if self.head is None:
            return data
        try:
            begin, files = self._files_since(months)
            closed = self._closed(files)
            disruptions = join_disruptions([closed, disruptions_of(self._open_days(self.head))])
        except StorageError as error:
            _log.warning("page published without automatic incidents: %s", error)
            return data
        return replace(
            data,
            document=data.document if begin == months[0] else self._written_since(begin),
            disruptions=disruptions,
            disruptions_since=begin,
            counters=self.head.checkers,
        )

    def _files_since(self, months: Sequence[int]) -> tuple[int, list[Disruptions]]:
        """Return the closed days of some months, and of earlier ones in which something began.

        A disruption that is there at the first month's beginning began before.
        """
        begin, files = months[0], [self._disruptions(month) for month in months]
        carried = {checker for checker, found in files[0].items() if found[0].start == begin}
        while carried and begin > month_start(self.since):
            begin = month_start(begin - DAY)
            earlier = self._disruptions(begin)
            files.insert(0, earlier)
            carried = {it for it in carried & earlier.keys() if earlier[it][0].start == begin}
        return begin, files

    def written_of(self, month: int) -> IncidentDocument:
        """Return what people wrote of an old month: all that lasted in it or in the next one.

        An incident that began in it may have lasted into the next one.
        """
        archive, known = self.seen.written
        if archive is not self.archive:
            known = {}
            self.seen.written = (self.archive, known)
        if month not in known:
            known[month] = self._written(month, next_month_start(next_month_start(month)))
        return known[month]

    def stored_of_month(self, month: int) -> tuple[object, ...]:
        """Return what can change of an old month: as long as it is the same, so is the month.

        That is what people wrote, the progress of maintenance that still lasts, and the day if
        something that began in the month has lasted until now or lately.
        """
        written = self.written_of(month)
        stages = [(key, it.status(self.now)) for key, it in written.maintenance.items()]
        day = day_start(self.now) if month in self.seen.lasting else 0
        return (written, [stage for stage in stages if stage[1] != "completed"], day)

    def load_archived(self, month: int) -> IncidentData | None:
        """Return a month that is long over; None if it cannot be read."""
        if not self.archive.is_known(month):
            return None
        recent = month_start(self.now - RECENT_PERIOD)
        months = [month, next_month_start(month)]
        try:
            disruptions = join_disruptions([self._disruptions(it) for it in months])
            while months[-1] < month_start(self.now) and _lasts(disruptions, months):
                months.append(next_month_start(months[-1]))
                disruptions = join_disruptions([disruptions, self._disruptions(months[-1])])
        except StorageError as error:
            _log.warning("page published without incidents of %s: %s", format_month(month), error)
            return None
        for old in months:
            if old < recent:
                # Its days are asked for once, and those of many checkers are large.
                self.months.files.pop(days_key(old), None)
        if months[-1] > recent:
            self.seen.lasting.add(month)
        else:
            self.seen.lasting.discard(month)
        return IncidentData(
            document=self.written_of(month),
            disruptions=disruptions,
            disruptions_since=month,
            months=(month,),
        )

    def _written_since(self, since: int) -> IncidentDocument:
        """Return what people wrote of a time until now, and all that is in the head."""
        return merge(self._written(since, next_month_start(self.now)), self.archive.head)

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
        """Return the disruptions of some files, as they were joined last time if they can be."""
        before, closed = self.seen.closed
        same = len(before) == len(files) and all(map(is_, before, files))
        if not same:
            closed = join_disruptions(files)
            self.seen.closed = (files, closed)
        return closed

    def _disruptions(self, month: int) -> Disruptions:
        """Return the disruptions of the closed days of a month."""
        key = days_key(month)
        file = self._file(key)
        version, found = self.seen.by_file.get(key, (None, {}))
        if version != file.version:
            found = disruptions_of({parse_date(date): rows for date, rows in file.days.items()})
            self.seen.by_file[key] = (file.version, found)
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


def _lasts(disruptions: Disruptions, months: Sequence[int]) -> bool:
    """Say whether something that began in the first of some months lasts after the last one."""
    began_before, end = next_month_start(months[0]), next_month_start(months[-1])
    last = (group_episodes(found)[-1] for found in disruptions.values())
    return any(it[0].start < began_before and it[-1].end == end for it in last)


FOLD_SECONDS = 30.0
"""How long to wait for the history to catch up with the runs."""

_EVERYTHING = IncidentSettings(automatic=True, after=0, minimum=0)


class EditableIncidents(Struct, frozen=True, kw_only=True):
    """All incidents and maintenance that can be edited; their components have checker ids.

    Attributes:
        incidents: by id, the one that began last first; also automatic ones that are not shown.
        maintenances: by id, in the order of their starts.
        published: the ids of the incidents on the page.
        document: what people wrote, as it is stored.
    """

    incidents: dict[str, IncidentView]
    maintenances: dict[str, MaintenanceView]
    published: frozenset[str]
    document: IncidentDocument

    @property
    def automatic(self) -> frozenset[str]:
        """The ids of automatic incidents."""
        return frozenset(self.incidents.keys() - self.document.incidents.keys())

    def as_stored(self, incident: str) -> model.Incident:
        """Return an incident, given by its id, as it is stored once somebody writes about it."""
        return self.document.incidents.get(incident) or to_stored(self.incidents[incident])


def load_editable(
    config: Config, storage: Storage, now: int, month: int | None = None
) -> EditableIncidents:
    """Read the incidents and maintenance of the last months, and what is not over.

    Args:
        config: the checkers and the page's settings.
        storage: where it is.
        now: the present.
        month: the beginning of a month, for what began in it and nothing else. However long ago
            that is, it takes no more to read.

    Raises:
        StorageError: the storage could not be read.
    """
    data = _load(config, storage, now, month)
    public = _public(config)
    locale = Locale(
        translations=load_translations(config.page.languages[0]), zone=config.page.timezone
    )
    with_all = replace(config, page=replace(config.page, incidents=_EVERYTHING))
    every = build_incidents(data, with_all, public, locale, now)
    shown = build_incidents(data, config, public, locale, now)
    written = data.document
    incidents = {it.key: it for it in _with_written(_incidents(every), written, public)}
    maintenances = (*every.finished, *every.maintenances)
    return EditableIncidents(
        incidents={k: it for k, it in incidents.items() if _is_of(month, it.started_at)},
        maintenances={it.key: it for it in maintenances if _is_of(month, it.scheduled_for)},
        published=frozenset(it.key for it in _incidents(shown)),
        document=written,
    )


def to_stored(incident: IncidentView) -> model.Incident:
    """Return an editable incident as it is stored once somebody writes about it."""
    return model.Incident(
        id=incident.key,
        title=incident.title,
        impact=incident.impact,
        started=incident.started_at,
        checkers=tuple(affected.key for affected in incident.affected),
        updates=tuple(
            IncidentUpdate(id=it.key, at=it.at, status=it.status, text=it.body)
            for it in reversed(incident.updates)
        ),
    )


def take_over_automatic(
    editable: EditableIncidents, incident: model.Incident, *, keep_impact: bool = False
) -> model.Incident:
    """Return an incident that is about to be opened, together with automatic ones that last.

    These are those whose components it has. It keeps the id and the start of the first of them.

    Args:
        editable: the automatic incidents.
        incident: the one to be opened.
        keep_impact: its impact is at least theirs.
    """
    automatic = [it for it in editable.incidents.values() if it.key in editable.automatic]
    replaced = [
        to_stored(it)
        for it in automatic
        if it.resolved_at is None and {part.key for part in it.affected} <= {*incident.checkers}
    ]
    if not replaced:
        return incident
    first = min(replaced, key=lambda it: it.started)
    impacts = [it.impact for it in replaced] if keep_impact else []
    return replace(
        incident,
        id=first.id,
        impact=max([incident.impact, *impacts], key=IMPACTS.index),
        started=min(first.started, incident.started),
        updates=tuple(sorted((*first.updates, *incident.updates), key=lambda it: it.at)),
        replaces=tuple(it.id for it in replaced if it is not first),
    )


def _load(config: Config, storage: Storage, now: int, month: int | None) -> IncidentData:
    head = load_incidents(storage)
    recent = month_start(now - RECENT_PERIOD)
    old = month if month is not None and month < recent else None
    first, last = (recent, now) if old is None else (old, old)
    # What began in the month before may have gone on in the first of these.
    archive = load_archive(storage, head, now, wanted=range(month_start(first - DAY), last + 1))
    if not archive.listed or archive.unread:
        raise StorageError("the incidents of these months cannot be read")
    history = HistoryStore(
        storage=storage,
        rules=evaluation_rules(config, head),
        end=settled_key(read_state(storage).cursor, now),
    )
    loader = IncidentLoader(
        storage=storage,
        archive=archive,
        head=history.catch_up(Deadline.after(FOLD_SECONDS)).head,
        months=MonthCache(),
        seen=DisruptionCache(),
        now=now,
    )
    if old is None:
        return loader.load_recent()
    data = loader.load_archived(old)
    if data is None:
        raise StorageError(f"cannot read the incidents of {format_month(old)}")
    return data


def _incidents(views: IncidentViews) -> Iterator[IncidentView]:
    yield from views.incidents
    yield from (it for month in views.months for it in month.incidents)


def _with_written(
    listed: Iterable[IncidentView], written: IncidentDocument, public: PublicComponents
) -> list[IncidentView]:
    """Return the incidents, and those that began earlier but were updated lately."""
    found = {it.key: it for it in listed}
    others = (it for key, it in written.incidents.items() if key not in found)
    every = (*found.values(), *(incident_view(it, public, {}) for it in others))
    return sorted(every, key=lambda it: it.started_at, reverse=True)


def _is_of(month: int | None, moment: int) -> bool:
    return month is None or month <= moment < next_month_start(month)


def _public(config: Config) -> PublicComponents:
    """Return the components with the ids of their checkers as keys."""
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
