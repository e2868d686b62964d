"""Reads what there is to tell of incidents and maintenance."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from operator import is_
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.archive import Months
from checkup.archive.reading import Month
from checkup.errors import StorageError
from checkup.history.documents import days_key
from checkup.history.fold import until
from checkup.history.head import Head
from checkup.history.periods import date_of, day_named, month_of, month_start, next_month
from checkup.history.tally import Tally
from checkup.incidents.documents import together
from checkup.incidents.model import Announcements
from checkup.incidents.troubles import Troubles, joined, troubles_of
from checkup.ports import Storage
from checkup.protocol.announcing import IncidentArchive, announcements
from checkup_page.announcements.bulletin import Bulletin
from checkup_page.announcements.incidents import Stories
from checkup_page.speech.words import DAY

_log = logging.getLogger(__name__)

LOOKED_BACK: Final = 92 * DAY
"""How far back every page looks; what began in months before that is told once."""


class Seen(Struct):
    """What need not be worked out again.

    Attributes:
        troubles: those of each file of days, and its version.
        closed: those of the files that the last page was made of, and what these were.
        stories: how outages were told.
        archive: what people announced.
        written: what of it is of a month that is over, by its beginning, and of which archive.
    """

    troubles: dict[str, tuple[str, Troubles]] = field(default_factory=dict)
    closed: tuple[Sequence[Troubles], Troubles] = ((), {})
    stories: Stories = field(default_factory=Stories)
    archive: IncidentArchive = field(default_factory=IncidentArchive)
    written: tuple[IncidentArchive, dict[int, Announcements]] = (IncidentArchive(), {})


def announced(storage: Storage) -> Announcements:
    """Return what people announced; what cannot be read does not take the page away."""
    try:
        return announcements(storage)
    except StorageError as error:
        _log.warning("the page is without its announcements: %s", error)
        return Announcements()


class Gatherer(Struct, frozen=True, kw_only=True):
    """Reads from one storage.

    Attributes:
        archive: what people announced.
        head: the history's; None if there is none to tell of.
        months: files of days, as they were read.
        seen: from the page before.
    """

    storage: Storage
    archive: IncidentArchive
    head: Head | None
    months: Months
    seen: Seen
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
            found.append(next_month(found[-1]))
        maintenance = self.archive.everything.maintenance.values()
        earlier = {month_start(it.start) for it in maintenance if it.start < found[0]}
        return [*sorted(earlier), *found]

    def bulletin(self) -> Bulletin:
        """Return what there is to tell of the last months; without a history what people wrote."""
        since = month_start(self.now - LOOKED_BACK)
        told = Bulletin(
            announced=together(self._written(since, next_month(self.now)), self.archive.head),
            months=tuple(month for month in self.all_months() if month >= since),
            since=self.since,
            stories=self.seen.stories,
        )
        if self.head is None:
            return told
        try:
            closed = self._closed([self._troubles(month) for month in told.months])
            troubles = joined([closed, troubles_of(self._open_days(self.head))])
        except StorageError as error:
            _log.warning("the page is without its outages: %s", error)
            return told
        return replace(told, troubles=troubles, accounts=self.head.accounts)

    def written_of(self, month: int) -> Announcements:
        """Return what people wrote of an old month: all that lasted in it or in the one after it.

        An outage that began in it may have gone on in the next one.
        """
        archive, known = self.seen.written
        if archive is not self.archive:
            known = {}
            self.seen.written = (self.archive, known)
        if month not in known:
            known[month] = self._written(month, next_month(next_month(month)))
        return known[month]

    def said_of(self, month: int) -> tuple[object, ...]:
        """Return what people said of an old month, and how far maintenance is that still lasts."""
        written = self.written_of(month)
        stages = [(key, it.status(self.now)) for key, it in written.maintenance.items()]
        return (written, [stage for stage in stages if stage[1] != "completed"])

    def old(self, month: int) -> Bulletin | None:
        """Return what there is to tell of a month that is long over; None if it cannot be read."""
        if not self.archive.is_known(month):
            return None
        try:
            troubles = joined([self._troubles(month), self._troubles(next_month(month))])
        except StorageError as error:
            _log.warning("the page is without %s: %s", month_of(month), error)
            return None
        for old in (month, next_month(month)):
            if old < month_start(self.now - LOOKED_BACK):
                # Its days are asked for once, and those of many checkers are large.
                self.months.files.pop(days_key(old), None)
        return Bulletin(announced=self.written_of(month), troubles=troubles, months=(month,))

    def _written(self, since: int, until: int) -> Announcements:
        """Return what people wrote of a time: what began before its end and lasted into it."""
        everything = self.archive.everything
        return Announcements(
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

    def _closed(self, files: Sequence[Troubles]) -> Troubles:
        """Return the troubles of some files, as they were put together last time if they can be."""
        before, closed = self.seen.closed
        same = len(before) == len(files) and all(map(is_, before, files))
        if not same:
            closed = joined(files)
            self.seen.closed = (files, closed)
        return closed

    def _troubles(self, month: int) -> Troubles:
        """Return the troubles of the closed days of a month."""
        key = days_key(month)
        file = self._file(key)
        version, found = self.seen.troubles.get(key, (None, {}))
        if version != file.version:
            found = troubles_of({day_named(date): rows for date, rows in file.days.items()})
            self.seen.troubles[key] = (file.version, found)
        return found

    def _open_days(self, head: Head) -> Mapping[int, Mapping[str, Tally]]:
        """Return the days that no file has yet."""
        return {
            day: {name: period.tally for name, period in rows.items()}
            for day, rows in until(head, self.now).items()
            if date_of(day) not in self._file(days_key(day)).days
        }

    def _file(self, key: str) -> Month:
        """Return a file of days, as this page has read it already if it has."""
        known = self.months.files.get(key)
        if known is not None and known.at == self.now:
            return known
        return self.months.get(self.storage, key, self.now)
