"""What the page knows of days gone by: the history, brought up to date and read."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from checkup.archive import Chronicles, Days, Keeper, Months, days_until, setting_of
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.history.head import Head
from checkup.history.tally import Tally
from checkup.incidents.model import Announcements
from checkup.ports import Storage
from checkup_page.components.component import Past
from checkup_page.components.days import ClosedDays, closed_days
from checkup_page.components.recent import COLUMNS
from checkup_page.components.stretches import Record, record
from checkup_page.newest import Newest
from checkup_page.recounted import Counted

_log = logging.getLogger(__name__)

FOLD_SECONDS: Final = 5.0
"""How long a page waits for the history to catch up with the runs; the next one goes on."""


class Drawn(Struct):
    """What was made of the days before today, for as long as they are these.

    Attributes:
        days: the very object that it was made of.
        closed: by checker id.
    """

    days: Days = {}
    closed: dict[str, ClosedDays] = field(default_factory=dict)

    def get(self, checker: str) -> ClosedDays:
        """Return the days of one checker."""
        if checker not in self.closed:
            rows = [(day, found.get(checker)) for day, found in self.days.items()]
            self.closed[checker] = closed_days(rows)
        return self.closed[checker]


class Known(Struct, kw_only=True):
    """What need not be read or made again.

    Attributes:
        months: files of days.
        drawn: what was made of them.
        chronicles: the last year up to the last full hour.
        records: what was made of them, up to that hour.
        counted: by which is seen that hours were counted again.
    """

    months: Months = field(default_factory=Months)
    drawn: Drawn = field(default_factory=Drawn)
    chronicles: Chronicles = field(default_factory=Chronicles)
    records: tuple[int, Mapping[str, Record]] = (0, {})
    counted: Counted = Counted()

    def look(self, head: Head) -> None:
        """Forget what was made of hours that have been counted again since."""
        counted, before = Counted.of(head), self.counted
        if counted.was_other(before):
            self.months = Months()
            self.forget_year()
        self.counted = counted

    def forget_year(self) -> None:
        """Let the last year be read again in the middle of an hour."""
        self.chronicles, self.records = Chronicles(), (0, {})


class Read(Struct, frozen=True):
    """What was read, by checker id.

    Attributes:
        head: the history's; None if it tells nothing.
    """

    pasts: Mapping[str, Past] = {}
    records: Mapping[str, Record] = {}
    head: Head | None = None


class Reader(Struct, frozen=True, kw_only=True):
    """Reads the history of one storage.

    Attributes:
        announced: where the maintenance is that is not in the configuration.
        newest: runs that need be neither listed nor read again.
        known: from the page before.
    """

    config: Config
    storage: Storage
    announced: Announcements
    newest: Newest
    known: Known

    def read(self, end: str, now: int) -> Read:
        """Fold the runs up to a key into the history, and return what it tells of each checker.

        There is nothing as long as the history is behind. A history that cannot be read does not
        take the page away.
        """
        setting = setting_of(self.config, self.announced)
        keeper = Keeper(
            storage=self.storage,
            setting=setting,
            end=end,
            known=self.newest.read,
            listing=self.newest.listing,
        )
        known = self.known
        try:
            kept = keeper.keep_up(Deadline.after(FOLD_SECONDS))
            if kept.behind:
                return Read()
            known.look(kept.head)
            days, today = days_until(self.storage, kept.head, now, COLUMNS, known.months)
            if days is not known.drawn.days:
                known.drawn = Drawn(days)
                known.forget_year()
            known.chronicles.keep_up(self.storage, kept.head, now)
        except StorageError as error:
            _log.warning("the page is without its history: %s", error)
            return Read()
        return Read(self._pasts(kept.head, today, now), self._records(), kept.head)

    def _pasts(self, head: Head, today: Mapping[str, Tally], now: int) -> Mapping[str, Past]:
        accounts = {checker.id: head.accounts.get(checker.id) for checker in self.config.checkers}
        return {
            checker: Past(
                since=account.first if account else now,
                closed=self.known.drawn.get(checker),
                today=today.get(checker),
            )
            for checker, account in accounts.items()
        }

    def _records(self) -> Mapping[str, Record]:
        chronicles, (until, records) = self.known.chronicles, self.known.records
        if until != chronicles.until:
            records = {
                checker.id: record(chronicles.of(checker.id)) for checker in self.config.checkers
            }
            self.known.records = (chronicles.until, records)
            chronicles.release()
        return records
