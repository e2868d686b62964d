"""Everything that a page shows, read from a storage.

:meth:`HeadDocuments.of` reads the two documents that say whether anything has changed, and
:func:`load_page_data` reads all the rest. A :class:`LoadCache` keeps what need not be read again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from checkup.incidents.store import load_archive
from checkup.interfaces import Storage
from checkup.model import Result, Run, Status, decode_results, key_time
from checkup.pipeline import read_state
from checkup.run_store import RunListing, settled_key
from checkup_page.build_view import PageData
from checkup_page.components.bars import COLUMNS, ClosedDayBars, closed_day_bars
from checkup_page.components.build import ConfirmedStatus, DailyHistory
from checkup_page.components.history import ComponentHistory, component_history
from checkup_page.incidents.build import IncidentData
from checkup_page.incidents.load import DisruptionCache, IncidentLoader, load_incidents_or_empty
from checkup_page.status import MAX_CLOCK_SKEW

_log = logging.getLogger(__name__)


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


class LoadCache(Struct, kw_only=True):
    """What a process keeps so as not to read it again for the next page.

    Attributes:
        recent_runs: the newest runs.
        history: files of closed days, and what was made of them.
        disruptions: the disruptions of closed days.
        archived: months that are over by their start, each with what can still change of it.
    """

    recent_runs: RecentRuns = field(default_factory=RecentRuns)
    history: HistoryCache = field(default_factory=HistoryCache)
    disruptions: DisruptionCache = field(default_factory=DisruptionCache)
    archived: dict[int, tuple[object, IncidentData]] = field(default_factory=dict)


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


def load_page_data(
    config: Config, storage: Storage, heads: HeadDocuments, now: int, cache: LoadCache
) -> PageData:
    """Return what the page shows; runs that are new are added to the history.

    A history, incidents or a month that cannot be read are left out and logged.

    Args:
        config: the checkers and the page's settings.
        storage: where runs, state and history are.
        heads: the documents that were read to see whether anything changed.
        now: in nanoseconds since the epoch.
        cache: what earlier calls have read.

    Raises:
        StorageError: the runs could not be read.
    """
    recent, seen = cache.recent_runs, cache.disruptions
    recent.refresh(config, storage, now)
    history = load_history(config, storage, heads, now, cache)
    seen.archive = load_archive(storage, heads.incidents, now, seen.archive)
    loader = IncidentLoader(
        storage=storage,
        archive=seen.archive,
        head=history.head,
        months=cache.history.months,
        seen=seen,
        now=now,
    )
    incidents = loader.load_recent()
    archived = [begin for begin in loader.all_months() if begin < incidents.months[0]]
    runs = recent.runs
    return PageData(
        runs=runs,
        confirmed=_confirmed(heads.alert_state, recent.keys),
        daily=history.daily,
        histories=history.components,
        incidents=incidents,
        archived=_load_archived(loader, archived[::-1], cache.archived),
        unreadable=len(recent.keys) - len(runs),
    )


def load_history(
    config: Config, storage: Storage, heads: HeadDocuments, now: int, cache: LoadCache
) -> LoadedHistory:
    """Add settled runs to the history, and return what it holds of each checker.

    It is empty as long as the history is behind, and if it cannot be read.
    """
    recent, known = cache.recent_runs, cache.history
    store = HistoryStore(
        storage=storage,
        setting=setting_of(config, heads.incidents),
        end=settled_key(heads.alert_state.cursor, now),
        known=recent.read,
        listing=recent.listing,
    )
    try:
        kept = store.catch_up(Deadline.after(FOLD_SECONDS))
        if kept.behind:
            return LoadedHistory()
        known.invalidate_if_rebuilt(kept.head)
        days, today = read_days(storage, kept.head, now, COLUMNS, known.months)
        if days is not known.drawn.days:
            known.drawn = ClosedDayCache(days)
            known.clear_year()
        known.checker_histories.refresh(storage, kept.head, now)
    except StorageError as error:
        _log.warning("page published without history: %s", error)
        return LoadedHistory()
    ids = [checker.id for checker in config.checkers]
    counters = {checker: kept.head.checkers.get(checker) for checker in ids}
    daily = {
        checker: DailyHistory(
            since=counter.first if counter else now,
            closed=known.drawn.get(checker),
            today=today.get(checker),
        )
        for checker, counter in counters.items()
    }
    histories = known.checker_histories
    if known.component_histories[0] != histories.until:
        components = {checker: component_history(histories.get(checker)) for checker in ids}
        known.component_histories = (histories.until, components)
        histories.release()
    return LoadedHistory(daily, known.component_histories[1], kept.head)


def _load_archived(
    loader: IncidentLoader, months: Iterable[int], known: dict[int, tuple[object, IncidentData]]
) -> dict[int, IncidentData]:
    """Return months that are over; one is read again only when people have changed it.

    A month that cannot be read stays as it was; it is left out if it was never read.
    """
    loaded: dict[int, IncidentData] = {}
    for begin in months:
        written = loader.stored_of_month(begin)
        if begin not in known or known[begin][0] != written:
            data = loader.load_archived(begin)
            if data is not None:
                known[begin] = (written, data)
        if begin in known:
            loaded[begin] = known[begin][1]
    return loaded


def _confirmed(head: AlertState, keys: Sequence[str]) -> Mapping[str, ConfirmedStatus]:
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
