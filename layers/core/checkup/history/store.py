"""Where to begin when the history has to be counted again from the runs that are kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
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
    DayStart,
    HistoryState,
    HoursOfDay,
    LatencyOfMonth,
    days_key,
    hours_key,
    latency_key,
)
from checkup.history.reader import reset_year
from checkup.history.tally import PeriodAggregate
from checkup.interfaces import Storage
from checkup.model import RUNS_PREFIX, key_time
from checkup.run_store import Known, RunListing, pending
from checkup.times import HOUR, day_start, format_date, format_month, parse_date

_log = logging.getLogger(__name__)


def rebuild_start(storage: Storage) -> HistoryState | None:
    """Return the head to begin with; None if no day is left whose runs are all kept.

    That is the beginning of the first such day. Days before it stay as they are: their runs are
    gone. Without any history it is the first run.

    Raises:
        StorageError: the storage failed.
    """
    first = _first_run(storage)
    keys = list(storage.list(HOURS))
    if not keys or first is None:
        return None if keys else HistoryState()
    for key in keys:
        opening = _opening(storage, key) if key >= hours_key(day_start(first)) else None
        if opening is not None and first <= opening.first_run:
            return _head(opening, parse_date(key.removeprefix(HOURS).removesuffix(".json")))
    return None


def _first_run(storage: Storage) -> int | None:
    slots = (key_time(key) for key in storage.list(RUNS_PREFIX))
    return next((slot for slot in slots if slot is not None), None)


def _opening(storage: Storage, key: str) -> DayStart | None:
    document = load(storage, key, HoursOfDay).document
    return document.opening if document else None


def _head(opening: DayStart, day: int) -> HistoryState:
    return HistoryState(
        cursor=f"{RUNS_PREFIX}{day:019d}",
        hour=day if opening.checkers else 0,
        checkers=opening.checkers,
        inconclusive=opening.inconclusive,
    )


# Writing the hours and days that are over into their files.


def save_closed(storage: Storage, closed: ClosedPeriods) -> None:
    """Write what a fold has closed; to write it again changes nothing.

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
    tallies, times = {}, {}
    for day, rows in days.items():
        tallies[format_date(day)] = {name: row.tally for name, row in rows.items()}
        times[format_date(day)] = {name: row.latency for name, row in rows.items()}

    def change_days(old: DaysOfMonth) -> DaysOfMonth:
        return replace(old, days={**old.days, **tallies})

    def change_times(old: LatencyOfMonth) -> LatencyOfMonth:
        return replace(old, days={**old.days, **times})

    month = min(days)
    update(storage, days_key(month), DaysOfMonth, change_days)
    update(storage, latency_key(month), LatencyOfMonth, change_times)


# The sequence that keeps the history: read what has come, fold it, write it down.


MAX_LAG: Final = 30
"""Runs that the stored head may be behind, within an hour: writing costs more than folding a few
runs again, which a page has read anyway."""


class HistoryUpdate(Struct, frozen=True, kw_only=True):
    """The history after a fold.

    Attributes:
        runs: how many were folded by this call.
        behind: there are more, for the next call.
    """

    head: HistoryState
    runs: int = 0
    behind: bool = False


class HistoryStore(Struct, frozen=True, kw_only=True):
    """Keeps the history of one storage.

    Attributes:
        end: the last key to fold; see :func:`checkup.run_store.settled_key`.
        known: runs that need not be read.
        listing: runs that need not be listed.
        lag: with fewer new runs than this, and nothing closed by them, nothing is written.
    """

    storage: Storage
    setting: EvaluationRules
    end: str
    known: Known = field(default_factory=dict)
    listing: RunListing | None = None
    lag: int = MAX_LAG

    def catch_up(self, life: Deadline) -> HistoryUpdate:
        """Fold the runs that have come since the last time.

        A storage that fails, or that cannot be written, leaves the history where it was.

        Args:
            life: when to stop, even if there is more to fold; the next call goes on.

        Raises:
            StorageError: not even the head could be read.
        """
        current = _open(self.storage)
        try:
            return self._fold(current, life)
        except StorageError as error:
            _log.warning("the history is not up to date: %s", error)
            return HistoryUpdate(head=current.document)

    def rebuild(self, life: Deadline) -> HistoryUpdate | None:
        """Count again every day whose runs are all kept; None if there is no such day.

        Days before the first of them stay as they are. It may be interrupted at any moment:
        whoever keeps up next goes on.

        Raises:
            StorageError: the storage failed.
        """
        head = rebuild_start(self.storage)
        if head is None:
            return None
        reset_year(self.storage)
        body = encode(head, order="deterministic")
        stored = save(self.storage, HISTORY_KEY, self.storage.get(HISTORY_KEY), body)
        kept = self._fold(Loaded(head, stored), life)
        reset_year(self.storage)  # a page may have made it meanwhile, of the old days
        return kept

    def _fold(self, current: Loaded[HistoryState], life: Deadline) -> HistoryUpdate:
        """Fold and write; begin again with what another writer has written meanwhile."""
        starts = chain([current], iter(partial(_open, self.storage), None))
        return compare_and_set(
            lambda: self._fold_from(next(starts), life), HISTORY_KEY, deadline=life
        )

    def _fold_from(self, current: Loaded[HistoryState], life: Deadline) -> HistoryUpdate:
        runs = 0
        while True:
            head, stored = current
            regions = self.setting.voting_regions
            listed = self._after(head.cursor)
            found = pending(self.storage, listed, self.end, regions, self.known)
            head, closed = apply_runs(head, found.runs, self.setting)
            head = replace(head, cursor=max(head.cursor, found.last))
            runs += len(found.runs)
            if found.keys < self.lag and closed == ClosedPeriods():
                return HistoryUpdate(head=head, runs=runs)
            # The head comes last: whoever finds it has what it has passed.
            save_closed(self.storage, closed)
            body = encode(head, order="deterministic")
            current = Loaded(head, save(self.storage, HISTORY_KEY, stored, body))
            if not found.more or life.remaining() <= 0:
                return HistoryUpdate(head=head, runs=runs, behind=found.more)

    def _after(self, cursor: str) -> Iterable[str]:
        known = self.listing.after(cursor) if self.listing else None
        return self.storage.list(RUNS_PREFIX, cursor) if known is None else known


def _open(storage: Storage) -> Loaded[HistoryState]:
    """Return the head to go on from; a new one if there is none to read."""
    head, stored = load(storage, HISTORY_KEY, HistoryState)
    if head is None and stored is not None:
        quarantine(storage, stored.body)
    return Loaded(head or rebuild_start(storage) or HistoryState(), stored)
