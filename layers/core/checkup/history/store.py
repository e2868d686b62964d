"""Keep the history in its storage: apply new runs, save what they close, or rebuild it.

The state comes last: a reader that finds it also finds the hours and days that it has passed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.documents import Loaded, compare_and_set, encode, load, quarantine, save, update
from checkup.errors import StorageError
from checkup.evaluation import EvaluationRules
from checkup.history.aggregate import apply_runs
from checkup.history.documents import (
    HISTORY_KEY,
    HOURS,
    ClosedPeriods,
    DaysOfMonth,
    HistoryState,
    HoursOfDay,
    LatencyOfMonth,
    days_key,
    hours_key,
    latency_key,
)
from checkup.history.reader import reset_year
from checkup.history.tally import PeriodAggregate
from checkup.interfaces import Storage, StoredDocument
from checkup.model import RUNS_PREFIX, key_time
from checkup.run_store import Known, RunListing, RunStore
from checkup.times import HOUR, day_start, format_date, format_month, parse_date

_log = logging.getLogger(__name__)

MAX_LAG: Final = 30
"""Runs that the stored state may be behind, within an hour: writing costs more than applying a
few runs again, which a page has read anyway."""


class HistoryUpdate(Struct, frozen=True, kw_only=True):
    """The history after an update.

    Attributes:
        runs: how many were applied by this call.
        behind: there are more, for the next call.
    """

    head: HistoryState
    runs: int = 0
    behind: bool = False


class HistoryStore(Struct, frozen=True, kw_only=True):
    """The history of one storage.

    Attributes:
        end: the last key to apply; see :func:`checkup.run_store.settled_key`.
        known: runs that need not be read.
        listing: runs that need not be listed.
        lag: with fewer new runs than this, and nothing closed by them, nothing is written.
    """

    storage: Storage
    rules: EvaluationRules
    end: str
    known: Known = field(default_factory=dict)
    listing: RunListing | None = None
    lag: int = MAX_LAG

    def catch_up(self, deadline: Deadline) -> HistoryUpdate:
        """Apply the runs that have come since the last time.

        A storage that fails, or cannot be written, leaves the history where it was.

        Args:
            deadline: when to stop, even if there is more to apply; the next call goes on.

        Raises:
            StorageError: not even the state could be read.
        """
        current = _load_state(self.storage)
        try:
            return self._apply_pending(current, deadline)
        except StorageError as error:
            _log.warning("the history is not up to date: %s", error)
            return HistoryUpdate(head=current.document)

    def rebuild(self, deadline: Deadline) -> HistoryUpdate | None:
        """Count again every day whose runs are all kept; None if there is no such day.

        Days before the first of them stay as they are. It may be interrupted at any time: the
        next call of :meth:`catch_up` goes on.

        Raises:
            StorageError: the storage failed.
        """
        state = rebuild_start(self.storage)
        if state is None:
            return None
        reset_year(self.storage)
        stored = _save_state(self.storage, self.storage.get(HISTORY_KEY), state)
        result = self._apply_pending(Loaded(state, stored), deadline)
        reset_year(self.storage)  # a page may have made it meanwhile, of the old days
        return result

    def _apply_pending(self, current: Loaded[HistoryState], deadline: Deadline) -> HistoryUpdate:
        """Apply and save; begin again with what another writer has saved meanwhile."""
        starts = chain([current], iter(partial(_load_state, self.storage), None))
        return compare_and_set(
            lambda: self._apply_from(next(starts), deadline), HISTORY_KEY, deadline=deadline
        )

    def _apply_from(self, current: Loaded[HistoryState], deadline: Deadline) -> HistoryUpdate:
        store = RunStore(
            self.storage, self.rules.voting_regions, known=self.known, listing=self.listing
        )
        runs = 0
        while True:
            state, stored = current
            found = store.after(state.cursor, self.end)
            state, closed = apply_runs(state, found.runs, self.rules)
            state = replace(state, cursor=max(state.cursor, found.last))
            runs += len(found.runs)
            if found.keys < self.lag and closed == ClosedPeriods():
                return HistoryUpdate(head=state, runs=runs)
            save_closed(self.storage, closed)
            current = Loaded(state, _save_state(self.storage, stored, state))
            if not found.more or deadline.remaining() <= 0:
                return HistoryUpdate(head=state, runs=runs, behind=found.more)


def _load_state(storage: Storage) -> Loaded[HistoryState]:
    """Return the state to go on from; a new one if there is none that can be read."""
    state, stored = load(storage, HISTORY_KEY, HistoryState)
    if state is None and stored is not None:
        quarantine(storage, stored.body)
    return Loaded(state or rebuild_start(storage) or HistoryState(), stored)


def _save_state(
    storage: Storage, before: StoredDocument | None, state: HistoryState
) -> StoredDocument:
    return save(storage, HISTORY_KEY, before, encode(state, order="deterministic"))


def rebuild_start(storage: Storage) -> HistoryState | None:
    """Return the state to rebuild from; None if no day is left whose runs are all kept.

    That is the beginning of the first such day. Days before it stay as they are: their runs are
    gone. Without any history it is the first run.

    Raises:
        StorageError: the storage failed.
    """
    times = (key_time(key) for key in storage.list(RUNS_PREFIX))
    first_run = next((at for at in times if at is not None), None)
    keys = list(storage.list(HOURS))
    if first_run is None or not keys:
        return None if keys else HistoryState()
    for key in keys:
        if key < hours_key(day_start(first_run)):
            continue
        hours = load(storage, key, HoursOfDay).document
        if hours is None or hours.opening is None or first_run > hours.opening.first_run:
            continue
        day = parse_date(key.removeprefix(HOURS).removesuffix(".json"))
        return HistoryState(
            cursor=f"{RUNS_PREFIX}{day:019d}",
            hour=day if hours.opening.checkers else 0,
            checkers=hours.opening.checkers,
            inconclusive=hours.opening.inconclusive,
        )
    return None


def save_closed(storage: Storage, closed: ClosedPeriods) -> None:
    """Save the hours and days that runs have closed; to save them again changes nothing.

    Raises:
        StorageError: the storage failed; some of it may have been written.
    """
    for day in sorted({*map(day_start, closed.hours), *closed.openings}):
        _save_hours(storage, day, closed)
    months: dict[str, list[int]] = {}
    for day in sorted(closed.days):
        months.setdefault(format_month(day), []).append(day)
    for days in months.values():
        _save_days(storage, {day: closed.days[day] for day in days})


def _save_hours(storage: Storage, day: int, closed: ClosedPeriods) -> None:
    hours = {
        f"{(hour - day) // HOUR:02d}": rows
        for hour, rows in closed.hours.items()
        if day_start(hour) == day
    }

    def change(old: HoursOfDay) -> HoursOfDay:
        opening = closed.openings.get(day, old.opening)
        return replace(old, opening=opening, hours={**old.hours, **hours})

    update(storage, hours_key(day), HoursOfDay, change)


def _save_days(storage: Storage, days: Mapping[int, Mapping[str, PeriodAggregate]]) -> None:
    """Save days of one month."""
    tallies = {
        format_date(day): {name: row.tally for name, row in rows.items()}
        for day, rows in days.items()
    }
    latencies = {
        format_date(day): {name: row.latency for name, row in rows.items()}
        for day, rows in days.items()
    }

    def change_days(old: DaysOfMonth) -> DaysOfMonth:
        return replace(old, days={**old.days, **tallies})

    def change_latencies(old: LatencyOfMonth) -> LatencyOfMonth:
        return replace(old, days={**old.days, **latencies})

    month = min(days)
    update(storage, days_key(month), DaysOfMonth, change_days)
    update(storage, latency_key(month), LatencyOfMonth, change_latencies)
