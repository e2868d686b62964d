"""Reads what there is to tell of incidents and maintenance."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from operator import is_
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.archive import MonthCache
from checkup.archive.reading import MonthFile
from checkup.errors import StorageError
from checkup.history.documents import days_key
from checkup.history.fold import open_days
from checkup.history.head import HistoryState
from checkup.history.periods import (
    format_date,
    format_month,
    month_start,
    next_month_start,
    parse_date,
)
from checkup.history.tally import Tally
from checkup.incidents.documents import merge
from checkup.incidents.model import IncidentDocument
from checkup.incidents.troubles import Disruptions, disruptions_of, join_disruptions
from checkup.ports import Storage
from checkup.protocol.announcing import IncidentArchive, load_incidents
from checkup_page.announcements.bulletin import IncidentData
from checkup_page.announcements.incidents import AutomaticIncidentCache
from checkup_page.speech.words import DAY

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
        _log.warning("the page is without its announcements: %s", error)
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
        accounts = self.head.accounts.values() if self.head else ()
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

    def bulletin(self) -> IncidentData:
        """Return what there is to tell of the last months; without a history what people wrote."""
        since = month_start(self.now - RECENT_PERIOD)
        told = IncidentData(
            announced=merge(self._written(since, next_month_start(self.now)), self.archive.head),
            months=tuple(month for month in self.all_months() if month >= since),
            since=self.since,
            stories=self.seen.stories,
        )
        if self.head is None:
            return told
        try:
            closed = self._closed([self._troubles(month) for month in told.months])
            troubles = join_disruptions([closed, disruptions_of(self._open_days(self.head))])
        except StorageError as error:
            _log.warning("the page is without its outages: %s", error)
            return told
        return replace(told, troubles=troubles, accounts=self.head.accounts)

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

    def said_of(self, month: int) -> tuple[object, ...]:
        """Return what people said of an old month, and how far maintenance is that still lasts."""
        written = self.written_of(month)
        stages = [(key, it.status(self.now)) for key, it in written.maintenance.items()]
        return (written, [stage for stage in stages if stage[1] != "completed"])

    def old(self, month: int) -> IncidentData | None:
        """Return what there is to tell of a month that is long over; None if it cannot be read."""
        if not self.archive.is_known(month):
            return None
        try:
            troubles = join_disruptions(
                [self._troubles(month), self._troubles(next_month_start(month))]
            )
        except StorageError as error:
            _log.warning("the page is without %s: %s", format_month(month), error)
            return None
        for old in (month, next_month_start(month)):
            if old < month_start(self.now - RECENT_PERIOD):
                # Its days are asked for once, and those of many checkers are large.
                self.months.files.pop(days_key(old), None)
        return IncidentData(announced=self.written_of(month), troubles=troubles, months=(month,))

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
