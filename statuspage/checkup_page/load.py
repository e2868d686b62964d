"""Whether the history was counted again, by what each page reads of it anyway. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from operator import sub
from typing import Final, NamedTuple

from msgspec import Struct, field

from checkup.alerting.state import NOT_MONITORED_AFTER, AlertState, CheckerState
from checkup.config.settings import Config, setting_of
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.history.documents import HistoryState, OpenCounters
from checkup.history.reader import CheckerHistories, Days, MonthCache, read_days
from checkup.history.store import HistoryStore
from checkup.history.tally import Tally
from checkup.incidents.model import IncidentDocument
from checkup.interfaces import Storage
from checkup.model import Result, Run, Status, decode_results, key_time
from checkup.pipeline import read_state
from checkup.run_store import RunListing
from checkup_page.components.bars import COLUMNS, ClosedDayBars, closed_day_bars
from checkup_page.components.build import ConfirmedStatus, DailyHistory
from checkup_page.components.history import ComponentHistory, component_history
from checkup_page.incidents.load import load_incidents_or_empty
from checkup_page.status import MAX_CLOCK_SKEW

_log = logging.getLogger(__name__)


# The newest runs, which the page shows one by one; none is read twice.


class RecentRuns(Struct):
    """The newest runs of one storage, for as long as a process lives.

    Attributes:
        listing: what there was when they were last looked for.
        read: their results by key; None for one that is unreadable. Runs never change.
    """

    listing: RunListing = RunListing("", ())
    read: dict[str, tuple[Result, ...] | None] = field(default_factory=dict)

    def refresh(self, config: Config, storage: Storage, now: int) -> None:
        """List the newest runs, and read those that are new.

        Raises:
            StorageError: they could not be read.
        """
        self.listing = _list(config, storage, now)
        keys = self.keys
        self.read = {
            key: self.read[key] if key in self.read else _results(storage, key) for key in keys
        }

    @property
    def keys(self) -> tuple[str, ...]:
        """Their keys, in order, readable or not."""
        return self.listing.keys[-COLUMNS:]

    @property
    def newest_slot(self) -> int:
        """The slot of the last one; 0 if there is none."""
        return key_time(self.keys[-1]) or 0 if self.keys else 0

    @property
    def runs(self) -> tuple[Run, ...]:
        """Those that are readable."""
        return tuple(self._runs())

    def _runs(self) -> Iterator[Run]:
        for key in self.keys:
            slot, results = key_time(key), self.read[key]
            if slot is not None and results is not None:
                yield Run(slot=slot, results=results)


def _list(config: Config, storage: Storage, now: int) -> RunListing:
    """List the runs of the time frame; if there are none, the newest ones.

    The time in which as many as are shown should lie is listed first, for listing costs. A run
    of the future was stored by a clock that is wrong: it would look new for ever.
    """
    since = max(0, now - config.page.timeframe)
    likely = max(since, now - 2 * COLUMNS * config.interval)
    for start, enough in ((likely, COLUMNS), (since, 1)):
        listing = RunListing.since(storage, start, now + MAX_CLOCK_SKEW)
        if len(listing.keys) >= enough:
            return listing
    return RunListing.since(storage, 0, now + MAX_CLOCK_SKEW)


def _results(storage: Storage, key: str) -> tuple[Result, ...] | None:
    """Return a run's results; None if it is gone by now or is no check file."""
    stored = storage.get(key)
    if stored is None:
        return None
    try:
        return decode_results(stored.body)
    except ValueError:
        return None


_Sums = tuple[int, ...]


class HistoryFingerprint(Struct, frozen=True):
    """What the closed hours of the open day come to: within one hour, only ``rebuild`` changes it.

    Attributes:
        hour: when the open hour began.
        sums: by checker, with when its first result came.
    """

    hour: int = 0
    sums: Mapping[str, _Sums] = {}

    @classmethod
    def of(cls, head: HistoryState) -> HistoryFingerprint:
        """Return what a head tells."""
        return cls(head.hour, {name: _closed(account) for name, account in head.checkers.items()})

    def differs_from(self, before: HistoryFingerprint) -> bool:
        """Say whether the same hours were counted otherwise before; a new checker has none."""
        same_hour = before.hour == self.hour
        return same_hour and any(self.sums.get(name) != sums for name, sums in before.sums.items())


def _closed(account: OpenCounters) -> _Sums:
    return (account.first, *map(sub, _numbers(account.day), _numbers(account.hour)))


def _numbers(tally: Tally) -> _Sums:
    it = tally
    return it.healthy, it.degraded, it.down, it.unknown, it.maintenance, it.runs, it.failures


# What the page knows of days gone by: the history, brought up to date and read.


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
        checker_histories: the last year up to the last full hour.
        component_histories: what was made of them, up to that hour.
        fingerprint: by which is seen that hours were counted again.
    """

    months: MonthCache = field(default_factory=MonthCache)
    drawn: ClosedDayCache = field(default_factory=ClosedDayCache)
    checker_histories: CheckerHistories = field(default_factory=CheckerHistories)
    component_histories: tuple[int, Mapping[str, ComponentHistory]] = (0, {})
    fingerprint: HistoryFingerprint = HistoryFingerprint()

    def invalidate_if_rebuilt(self, head: HistoryState) -> None:
        """Forget what was made of hours that have been counted again since."""
        counted, before = HistoryFingerprint.of(head), self.fingerprint
        if counted.differs_from(before):
            self.months = MonthCache()
            self.clear_year()
        self.fingerprint = counted

    def clear_year(self) -> None:
        """Let the last year be read again in the middle of an hour."""
        self.checker_histories, self.component_histories = CheckerHistories(), (0, {})


class LoadedHistory(Struct, frozen=True):
    """What was read, by checker id.

    Attributes:
        head: the history's; None if it tells nothing.
    """

    daily: Mapping[str, DailyHistory] = {}
    components: Mapping[str, ComponentHistory] = {}
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
            kept = keeper.catch_up(Deadline.after(FOLD_SECONDS))
            if kept.behind:
                return LoadedHistory()
            known.invalidate_if_rebuilt(kept.head)
            days, today = read_days(self.storage, kept.head, now, COLUMNS, known.months)
            if days is not known.drawn.days:
                known.drawn = ClosedDayCache(days)
                known.clear_year()
            known.checker_histories.refresh(self.storage, kept.head, now)
        except StorageError as error:
            _log.warning("page published without history: %s", error)
            return LoadedHistory()
        return LoadedHistory(self._pasts(kept.head, today, now), self._records(), kept.head)

    def _pasts(
        self, head: HistoryState, today: Mapping[str, Tally], now: int
    ) -> Mapping[str, DailyHistory]:
        accounts = {checker.id: head.checkers.get(checker.id) for checker in self.config.checkers}
        return {
            checker: DailyHistory(
                since=account.first if account else now,
                closed=self.known.drawn.get(checker),
                today=today.get(checker),
            )
            for checker, account in accounts.items()
        }

    def _records(self) -> Mapping[str, ComponentHistory]:
        chronicles, (until, records) = self.known.checker_histories, self.known.component_histories
        if until != chronicles.until:
            records = {
                checker.id: component_history(chronicles.get(checker.id))
                for checker in self.config.checkers
            }
            self.known.component_histories = (chronicles.until, records)
            chronicles.release()
        return records


class HeadDocuments(NamedTuple):
    """The two small documents that say what is news: the state between runs, and people's words."""

    alert_state: AlertState
    incidents: IncidentDocument

    @classmethod
    def of(cls, storage: Storage) -> HeadDocuments:
        """Read them; a state that cannot be read is repaired by the next run."""
        try:
            head = read_state(storage)
        except StorageError:
            head = AlertState()
        return cls(head, load_incidents_or_empty(storage))


def _standings(head: AlertState, keys: Sequence[str]) -> Mapping[str, ConfirmedStatus]:
    """Return what the state between runs says, if it follows the runs.

    A head that ends before the oldest of these runs is no longer kept up by anybody. Without a
    head the runs speak for themselves.
    """
    if not keys or head.cursor < keys[0]:
        return {}
    return {
        checker: ConfirmedStatus(state.display_status, state.since)
        for checker, state in head.checkers.items()
        if _is_settled(state)
    }


def _is_settled(state: CheckerState) -> bool:
    return state.status is not Status.UNKNOWN or state.unknown_runs >= NOT_MONITORED_AFTER
