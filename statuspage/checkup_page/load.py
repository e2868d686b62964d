"""Load everything one edition of the page shows from a storage.

:meth:`HeadDocuments.of` loads the two documents that show whether anything changed, and
:func:`load_page_data` the rest. A :class:`LoadCache` keeps what need not be read again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import sub
from typing import Final, NamedTuple

from msgspec import Struct, field

from checkup.alerting.state import NOT_MONITORED_AFTER, AlertState, CheckerState
from checkup.config.settings import Config, evaluation_rules
from checkup.deadline import Deadline
from checkup.documents import encode, load, save
from checkup.errors import ConflictError, StorageError
from checkup.history.documents import PAGE_KEY, HistoryState, OpenCounters, PageIdentity
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
        listing: their keys, as last listed.
        read: their results by key; None for an unreadable one. Runs never change.
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
        """The readable runs."""
        return tuple(self._runs())

    def _runs(self) -> Iterator[Run]:
        for key in self.keys:
            slot, results = key_time(key), self.read[key]
            if slot is not None and results is not None:
                yield Run(slot=slot, results=results)


def _list(config: Config, storage: Storage, now: int) -> RunListing:
    """List the runs of the time frame; if there are none, the newest ones.

    Listing costs, so the time that should hold enough of them is listed first. Runs of the future
    were stored by a wrong clock and are left out.
    """
    since = max(0, now - config.page.timeframe)
    likely = max(since, now - 2 * COLUMNS * config.interval)
    for start, enough in ((likely, COLUMNS), (since, 1)):
        listing = RunListing.since(storage, start, now + MAX_CLOCK_SKEW)
        if len(listing.keys) >= enough:
            return listing
    return RunListing.since(storage, 0, now + MAX_CLOCK_SKEW)


def _results(storage: Storage, key: str) -> tuple[Result, ...] | None:
    """Return a run's results; None if it was deleted or cannot be decoded."""
    stored = storage.get(key)
    if stored is None:
        return None
    try:
        return decode_results(stored.body)
    except ValueError:
        return None


_Totals = tuple[int, ...]


class HistoryFingerprint(Struct, frozen=True):
    """The totals of the open day's closed hours: within one hour, only ``rebuild`` changes them.

    Attributes:
        hour: the start of the open hour.
        sums: by checker, with the time of its first result.
    """

    hour: int = 0
    sums: Mapping[str, _Totals] = {}

    @classmethod
    def of(cls, head: HistoryState) -> HistoryFingerprint:
        """Return the fingerprint of a history's state."""
        return cls(head.hour, {name: _closed(counters) for name, counters in head.checkers.items()})

    def differs_from(self, before: HistoryFingerprint) -> bool:
        """Whether the same hours had other totals before; new checkers do not count."""
        same_hour = before.hour == self.hour
        return same_hour and any(self.sums.get(name) != sums for name, sums in before.sums.items())


def _closed(counters: OpenCounters) -> _Totals:
    return (counters.first, *map(sub, _totals(counters.day), _totals(counters.hour)))


def _totals(tally: Tally) -> _Totals:
    it = tally
    return it.healthy, it.degraded, it.down, it.unknown, it.maintenance, it.runs, it.failures


CATCH_UP_SECONDS: Final = 5.0
"""How long an edition waits for the history to catch up; the next one continues."""


class ClosedDayCache(Struct):
    """The bars of the days before today, until these days change.

    Attributes:
        days: the object that they were built from.
        closed: by checker id.
    """

    days: Days = {}
    closed: dict[str, ClosedDayBars] = field(default_factory=dict)

    def get(self, checker: str) -> ClosedDayBars:
        """Return the bars of one checker."""
        if checker not in self.closed:
            rows = [(day, found.get(checker)) for day, found in self.days.items()]
            self.closed[checker] = closed_day_bars(rows)
        return self.closed[checker]


class HistoryCache(Struct, kw_only=True):
    """The history as far as it need not be read or built again.

    Attributes:
        months: files of days.
        closed_bars: built from them.
        checker_histories: the last year up to the last full hour.
        component_histories: built from them, with that hour.
        fingerprint: shows whether hours were rebuilt.
    """

    months: MonthCache = field(default_factory=MonthCache)
    closed_bars: ClosedDayCache = field(default_factory=ClosedDayCache)
    checker_histories: CheckerHistories = field(default_factory=CheckerHistories)
    component_histories: tuple[int, Mapping[str, ComponentHistory]] = (0, {})
    fingerprint: HistoryFingerprint = HistoryFingerprint()

    def invalidate_if_rebuilt(self, head: HistoryState) -> None:
        """Drop everything that was built from hours that were rebuilt since."""
        fingerprint, before = HistoryFingerprint.of(head), self.fingerprint
        if fingerprint.differs_from(before):
            self.months = MonthCache()
            self.clear_year()
        self.fingerprint = fingerprint

    def clear_year(self) -> None:
        """Read the last year again, even in the middle of an hour."""
        self.checker_histories, self.component_histories = CheckerHistories(), (0, {})


class LoadedHistory(Struct, frozen=True):
    """The history by checker id.

    Attributes:
        head: the history's state; None if it is behind or could not be read.
    """

    daily: Mapping[str, DailyHistory] = {}
    components: Mapping[str, ComponentHistory] = {}
    head: HistoryState | None = None


class LoadCache(Struct, kw_only=True):
    """What a process keeps from one edition to the next instead of reading it again.

    Attributes:
        recent_runs: the newest runs.
        history: files of closed days, and what was built from them.
        disruptions: those of closed days.
        archived: past months by their start, each with the incidents that it was loaded with.
        seed: the source of the public ids; None until it was read.
    """

    recent_runs: RecentRuns = field(default_factory=RecentRuns)
    history: HistoryCache = field(default_factory=HistoryCache)
    disruptions: DisruptionCache = field(default_factory=DisruptionCache)
    archived: dict[int, tuple[object, IncidentData]] = field(default_factory=dict)
    seed: str | None = None


class HeadDocuments(NamedTuple):
    """The two small documents that show whether anything changed."""

    alert_state: AlertState
    incidents: IncidentDocument

    @classmethod
    def of(cls, storage: Storage) -> HeadDocuments:
        """Load them; a damaged state is repaired by the next run."""
        try:
            head = read_state(storage)
        except StorageError:
            head = AlertState()
        return cls(head, load_incidents_or_empty(storage))


def load_seed(config: Config, storage: Storage) -> str | None:
    """Return the source of the public ids; at the first publication, store it.

    So addresses, badges and feeds keep their ids when the page moves to another URL. It is None,
    and logged, if the document cannot be read or written.
    """
    try:
        found, stored = load(storage, PAGE_KEY, PageIdentity)
        if stored is None:
            found = PageIdentity(seed=config.page.id or config.page.url)
            try:
                save(storage, PAGE_KEY, None, encode(found, order="deterministic"))
            except ConflictError:
                found, _ = load(storage, PAGE_KEY, PageIdentity)
    except StorageError as error:
        _log.warning("public ids are those of page.url: %s", error)
        return None
    return found.seed if found else None


def load_page_data(
    config: Config, storage: Storage, heads: HeadDocuments, now: int, cache: LoadCache
) -> PageData:
    """Load everything one edition of the page shows, and add new runs to the history.

    A history, incidents or a month that cannot be read are left out and logged.

    Args:
        config: the checkers and the page's settings.
        storage: where runs, state and history are.
        heads: the documents that show whether anything changed.
        now: in nanoseconds since the epoch.
        cache: of earlier calls.

    Raises:
        StorageError: the runs could not be read.
    """
    recent_runs, disruptions = cache.recent_runs, cache.disruptions
    recent_runs.refresh(config, storage, now)
    if cache.seed is None:
        cache.seed = load_seed(config, storage)
    history = load_history(config, storage, heads, now, cache)
    disruptions.archive = load_archive(storage, heads.incidents, now, disruptions.archive)
    loader = IncidentLoader(
        storage=storage,
        archive=disruptions.archive,
        head=history.head,
        months=cache.history.months,
        seen=disruptions,
        now=now,
    )
    incidents = loader.load_recent()
    archived = [begin for begin in loader.all_months() if begin < incidents.months[0]]
    runs = recent_runs.runs
    return PageData(
        seed=config.page.id or cache.seed,
        runs=runs,
        confirmed=_confirmed(heads.alert_state, recent_runs.keys),
        daily=history.daily,
        histories=history.components,
        incidents=incidents,
        archived=_load_archived(loader, archived[::-1], cache.archived),
        unreadable=len(recent_runs.keys) - len(runs),
    )


def load_history(
    config: Config, storage: Storage, heads: HeadDocuments, now: int, cache: LoadCache
) -> LoadedHistory:
    """Add settled runs to the history and load it; empty while it is behind or cannot be read."""
    recent_runs, cached = cache.recent_runs, cache.history
    store = HistoryStore(
        storage=storage,
        rules=evaluation_rules(config, heads.incidents),
        end=settled_key(heads.alert_state.cursor, now),
        known=recent_runs.read,
        listing=recent_runs.listing,
    )
    try:
        kept = store.catch_up(Deadline.after(CATCH_UP_SECONDS))
        if kept.behind:
            return LoadedHistory()
        cached.invalidate_if_rebuilt(kept.head)
        days, today = read_days(storage, kept.head, now, COLUMNS, cached.months)
        if days is not cached.closed_bars.days:
            cached.closed_bars = ClosedDayCache(days)
            cached.clear_year()
        cached.checker_histories.refresh(storage, kept.head, now)
    except StorageError as error:
        _log.warning("page published without history: %s", error)
        return LoadedHistory()
    ids = [checker.id for checker in config.checkers]
    counters = {checker: kept.head.checkers.get(checker) for checker in ids}
    daily = {
        checker: DailyHistory(
            since=counter.first if counter else now,
            closed=cached.closed_bars.get(checker),
            today=today.get(checker),
        )
        for checker, counter in counters.items()
    }
    histories = cached.checker_histories
    if cached.component_histories[0] != histories.until:
        components = {checker: component_history(histories.get(checker)) for checker in ids}
        cached.component_histories = (histories.until, components)
        histories.release()
    return LoadedHistory(daily, cached.component_histories[1], kept.head)


def _load_archived(
    loader: IncidentLoader, months: Iterable[int], cached: dict[int, tuple[object, IncidentData]]
) -> dict[int, IncidentData]:
    """Return past months; one is read again only when its written incidents changed.

    A month that cannot be read stays as it was, or is left out.
    """
    loaded: dict[int, IncidentData] = {}
    for begin in months:
        written = loader.stored_of_month(begin)
        if begin not in cached or cached[begin][0] != written:
            data = loader.load_archived(begin)
            if data is not None:
                cached[begin] = (written, data)
        if begin in cached:
            loaded[begin] = cached[begin][1]
    return loaded


def _confirmed(head: AlertState, keys: Sequence[str]) -> Mapping[str, ConfirmedStatus]:
    """Return the confirmed statuses, if the state is at least as new as the oldest of these runs.

    Without them, the page shows the newest results.
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
