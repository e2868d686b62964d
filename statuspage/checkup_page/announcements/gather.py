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
from checkup.incidents.documents import month_key, together
from checkup.incidents.model import Announcements
from checkup.incidents.troubles import Troubles, joined, troubles_of
from checkup.ports import Storage
from checkup.protocol.announcing import announcements
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
    """

    troubles: dict[str, tuple[str, Troubles]] = field(default_factory=dict)
    closed: tuple[Sequence[Troubles], Troubles] = ((), {})
    stories: Stories = field(default_factory=Stories)


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
        written: what people announced.
        head: the history's; None if there is none to tell of.
        months: files of days, as they were read.
        seen: from the page before.
    """

    storage: Storage
    written: Announcements
    head: Head | None
    months: Months
    seen: Seen
    now: int

    @property
    def since(self) -> int:
        """When anything was known first."""
        accounts = self.head.accounts.values() if self.head else ()
        incidents = self.written.incidents.values()
        return min([self.now, *(it.first for it in accounts), *(it.started for it in incidents)])

    def all_months(self) -> list[int]:
        """Return the beginnings of all months since anything is known, oldest first."""
        found = [month_start(self.since)]
        while found[-1] < month_start(self.now):
            found.append(next_month(found[-1]))
        return found

    def bulletin(self) -> Bulletin:
        """Return what there is to tell of the last months; without a history what people wrote."""
        since = month_start(self.now - LOOKED_BACK)
        told = Bulletin(
            announced=self.written,
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

    def said_of(self, month: int) -> Announcements:
        """Return what the head still tells of things that began in a month."""
        ends, written = next_month(month), self.written
        return Announcements(
            incidents={k: it for k, it in written.incidents.items() if month <= it.started < ends},
            maintenance={
                k: it for k, it in written.maintenance.items() if month <= it.start < ends
            },
        )

    def old(self, month: int) -> Bulletin | None:
        """Return what there is to tell of a month that is long over; None if it cannot be read."""
        try:
            mine = announcements(self.storage, month_key(month_of(month)))
            troubles = joined([self._troubles(month), self._troubles(next_month(month))])
        except StorageError as error:
            _log.warning("the page is without %s: %s", month_of(month), error)
            return None
        for old in (month, next_month(month)):
            if old < month_start(self.now - LOOKED_BACK):
                # Its days are asked for once, and those of many checkers are large.
                self.months.files.pop(days_key(old), None)
        return Bulletin(announced=together(mine, self.written), troubles=troubles, months=(month,))

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
