"""Writing the hours and days that are over into their files."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from checkup.archive.stored import update
from checkup.history.documents import (
    DaysOfMonth,
    HoursOfDay,
    LatencyOfMonth,
    days_key,
    hours_key,
    latency_key,
)
from checkup.history.head import ClosedPeriods, PeriodAggregate
from checkup.history.periods import HOUR, day_start, format_date, format_month
from checkup.ports import Storage


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
        times[format_date(day)] = {name: row.times for name, row in rows.items()}

    def change_days(old: DaysOfMonth) -> DaysOfMonth:
        return replace(old, days={**old.days, **tallies})

    def change_times(old: LatencyOfMonth) -> LatencyOfMonth:
        return replace(old, days={**old.days, **times})

    month = min(days)
    update(storage, days_key(month), DaysOfMonth, change_days)
    update(storage, latency_key(month), LatencyOfMonth, change_times)
