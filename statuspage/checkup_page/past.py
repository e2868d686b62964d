"""What the page knows of days gone by: the history, brought up to date and read."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from checkup.archive import CheckerHistories, Days, HistoryStore, MonthCache, read_days, setting_of
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.history.head import HistoryState
from checkup.history.tally import Tally
from checkup.incidents.model import IncidentDocument
from checkup.ports import Storage
from checkup_page.components.component import DailyHistory
from checkup_page.components.days import ClosedDayBars, closed_day_bars
from checkup_page.components.recent import COLUMNS
from checkup_page.components.stretches import ComponentHistory, component_history
from checkup_page.newest import RecentRuns
from checkup_page.recounted import HistoryFingerprint

_log = logging.getLogger(__name__)

FOLD_SECONDS: Final = 5.0
"""How long a page waits for the history to catch up with the runs; the next one goes on."""


class ClosedDayCache(Struct):
    """What was made of the days before today, for as long as they are these.

    Attributes:
        days: the very object that it was made of.
        closed: by checker id.
    """

    days: Days = {}
    closed: dict[str, ClosedDayBars] = field(default_factory=dict)

    def get(self, checker: str) -> ClosedDayBars:
        """Return the days of one checker."""
        if checker not in self.closed:
            rows = [(day, found.get(checker)) for day, found in self.days.items()]
            self.closed[checker] = closed_day_bars(rows)
        return self.closed[checker]


class HistoryCache(Struct, kw_only=True):
    """What need not be read or made again.

    Attributes:
        months: files of days.
        drawn: what was made of them.
        chronicles: the last year up to the last full hour.
        records: what was made of them, up to that hour.
        counted: by which is seen that hours were counted again.
    """

    months: MonthCache = field(default_factory=MonthCache)
    drawn: ClosedDayCache = field(default_factory=ClosedDayCache)
    chronicles: CheckerHistories = field(default_factory=CheckerHistories)
    records: tuple[int, Mapping[str, ComponentHistory]] = (0, {})
    counted: HistoryFingerprint = HistoryFingerprint()

    def look(self, head: HistoryState) -> None:
        """Forget what was made of hours that have been counted again since."""
        counted, before = HistoryFingerprint.of(head), self.counted
        if counted.was_other(before):
            self.months = MonthCache()
            self.forget_year()
        self.counted = counted

    def forget_year(self) -> None:
        """Let the last year be read again in the middle of an hour."""
        self.chronicles, self.records = CheckerHistories(), (0, {})


class LoadedHistory(Struct, frozen=True):
    """What was read, by checker id.

    Attributes:
        head: the history's; None if it tells nothing.
    """

    pasts: Mapping[str, DailyHistory] = {}
    records: Mapping[str, ComponentHistory] = {}
    head: HistoryState | None = None


class HistoryLoader(Struct, frozen=True, kw_only=True):
    """Reads the history of one storage.

    Attributes:
        announced: where the maintenance is that is not in the configuration.
        newest: runs that need be neither listed nor read again.
        known: from the page before.
    """

    config: Config
    storage: Storage
    announced: IncidentDocument
    newest: RecentRuns
    known: HistoryCache

    def read(self, end: str, now: int) -> LoadedHistory:
        """Fold the runs up to a key into the history, and return what it tells of each checker.

        There is nothing as long as the history is behind. A history that cannot be read does not
        take the page away.
        """
        setting = setting_of(self.config, self.announced)
        keeper = HistoryStore(
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
                return LoadedHistory()
            known.look(kept.head)
            days, today = read_days(self.storage, kept.head, now, COLUMNS, known.months)
            if days is not known.drawn.days:
                known.drawn = ClosedDayCache(days)
                known.forget_year()
            known.chronicles.keep_up(self.storage, kept.head, now)
        except StorageError as error:
            _log.warning("the page is without its history: %s", error)
            return LoadedHistory()
        return LoadedHistory(self._pasts(kept.head, today, now), self._records(), kept.head)

    def _pasts(
        self, head: HistoryState, today: Mapping[str, Tally], now: int
    ) -> Mapping[str, DailyHistory]:
        accounts = {checker.id: head.accounts.get(checker.id) for checker in self.config.checkers}
        return {
            checker: DailyHistory(
                since=account.first if account else now,
                closed=self.known.drawn.get(checker),
                today=today.get(checker),
            )
            for checker, account in accounts.items()
        }

    def _records(self) -> Mapping[str, ComponentHistory]:
        chronicles, (until, records) = self.known.chronicles, self.known.records
        if until != chronicles.until:
            records = {
                checker.id: component_history(chronicles.of(checker.id))
                for checker in self.config.checkers
            }
            self.known.records = (chronicles.until, records)
            chronicles.release()
        return records
