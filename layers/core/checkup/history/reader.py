"""Read the history for the page: the last days, and the charts of every checker.

A page reads a bounded number of files, however long the history is, and caches what it read
from one page to the next.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

import msgspec
from msgspec import Struct, field

from checkup.documents import decode_stored, encode, load, save
from checkup.errors import StorageError
from checkup.history.aggregate import closed_before, open_days
from checkup.history.documents import (
    ClosedPeriods,
    DaysOfMonth,
    HistoryState,
    LazyHours,
    LazyLatency,
    days_key,
    decode_part,
    hours_key,
    latency_key,
)
from checkup.history.latency import LatencyHistogram, merge_histograms
from checkup.history.series import (
    DAYS,
    YEAR,
    CheckerHistory,
    YearBuilder,
    YearDocument,
    advance_year,
    expiring_days,
)
from checkup.history.tally import ChartPoint, PeriodAggregate, PeriodMerger, Tally, chart_point
from checkup.interfaces import Storage
from checkup.run_store import MAX_CLOCK_SKEW
from checkup.times import DAY, HOUR, day_start, format_date, hour_start, month_start

_log = logging.getLogger(__name__)

WEEK: Final = 7
"""Days whose hours are shown, today included."""

FEW: Final = 3
"""Days that are added to an old year one by one; after more of them it is built from all days."""

Days = Mapping[int, Mapping[str, Tally]]
"""What was counted on each day, by its beginning, and by checker."""

OpenDays = Mapping[int, Mapping[str, PeriodAggregate]]
"""Days that are over and in no file yet, by their beginnings."""

Rows = Mapping[str, msgspec.Raw]
"""The hours of one day by checker; each is decoded when it is needed."""


class MonthFile(Struct, frozen=True):
    """A file of closed days as it was read at a time; without a version if there was none."""

    at: int
    version: str = ""
    days: Mapping[str, Mapping[str, Tally]] = {}


class MonthCache(Struct):
    """What was read before, so as neither to read nor to sort it again each time.

    Attributes:
        files: by key.
        past: the days before today that the last call has put together, and from what.
    """

    files: dict[str, MonthFile] = field(default_factory=dict)
    past: tuple[tuple[object, ...], Days] = ((), {})

    def get(self, storage: Storage, key: str, now: int) -> MonthFile:
        """Return a file.

        A month that is over changes only when its days are counted again, so it is read again
        only after an hour.
        """
        known = self.files.get(key)
        is_over = key < days_key(day_start(now) - DAY)
        if known is not None and is_over and 0 <= now - known.at < HOUR:
            return known
        stored = storage.get(key)
        if stored is None:
            month = MonthFile(now)
        elif known is not None and known.version == stored.version:
            month = MonthFile(now, known.version, known.days)
        else:
            document = decode_stored(key, stored, DaysOfMonth) or DaysOfMonth()
            month = MonthFile(now, stored.version, document.days)
        self.files[key] = month
        return month


def read_days(
    storage: Storage, head: HistoryState, now: int, count: int, months: MonthCache
) -> tuple[Days, Mapping[str, Tally]]:
    """Return the last days in order, and today.

    The days are the same object as that of the last call if nothing of them has changed.

    Args:
        count: how many days, today included.

    Raises:
        StorageError: the storage failed, or a newer version of the program keeps the history.
    """
    today = day_start(now)
    days = range(today - (count - 1) * DAY, today, DAY)
    files = {key: months.get(storage, key, now) for key in {days_key(day): None for day in days}}
    opened = {
        day: {name: period.tally for name, period in rows.items()}
        for day, rows in open_days(head, now).items()
    }
    counted = opened.pop(today, {})
    made_of = (today, count, opened, *((key, file.version) for key, file in files.items()))
    if months.past[0] != made_of:
        months.past = (
            made_of,
            {
                day: files[days_key(day)].days.get(format_date(day)) or opened.get(day, {})
                for day in days
            },
        )
    return months.past[1], counted


class CheckerHistories(Struct):
    """The histories of all checkers, kept from page to page and read once an hour.

    Attributes:
        until: the end of the last full hour; 0 if nothing has been read yet.
        firsts: when the first result of each checker came.
        year: the closed days.
        week: the hours of days that are over, and of today.
        today: the hours of today as one period.
        last_24h: the last 24 hours as one period.
    """

    until: int = 0
    firsts: dict[str, int] = field(default_factory=dict)
    year: YearDocument = field(default_factory=YearDocument)
    week: dict[int, Rows] = field(default_factory=dict)
    today: Mapping[str, PeriodAggregate] = field(default_factory=dict)
    last_24h: Mapping[str, PeriodAggregate] = field(default_factory=dict)

    def refresh(self, storage: Storage, head: HistoryState, now: int) -> None:
        """Read what is new since the last full hour, if there has been one.

        Raises:
            StorageError: the storage failed, or a newer version of the program keeps the history.
        """
        until = last_complete_hour(head, now)
        if until != self.until:
            self._read(storage, head, until)
            self.until = until

    def release(self) -> None:
        """Free the memory of what is read again anyway when the next hour is over."""
        self.year, self.today, self.last_24h = YearDocument(), {}, {}

    def get(self, checker: str) -> CheckerHistory:
        """Return the history of one checker."""
        summary = self.year.summary(checker)
        today = self.today.get(checker, PeriodAggregate())
        days = summary.days
        if today != PeriodAggregate():
            days = (*days, chart_point(day_start(self.until), today))
        hours: list[ChartPoint] = []
        for rows in self.week.values():
            if checker in rows:
                hours += msgspec.json.decode(rows[checker], type=tuple[ChartPoint, ...])
        return CheckerHistory(
            until=self.until,
            first=self.firsts.get(checker),
            hours=tuple(hours),
            days=days,
            last_24h=self.last_24h.get(checker, PeriodAggregate()),
            times=tuple(merge_histograms((closed, today.latency)) for closed in summary.latency),
        )

    def _read(self, storage: Storage, head: HistoryState, until: int) -> None:
        today = day_start(until)
        closed = closed_before(head, until)
        year = load_year(storage, head, today, closed.days)
        week: dict[int, Rows] = {}
        last_24h: defaultdict[str, PeriodMerger] = defaultdict(PeriodMerger)
        this_day: defaultdict[str, PeriodMerger] = defaultdict(PeriodMerger)
        for day in range(today - (WEEK - 1) * DAY, today + DAY, DAY):
            if day in self.week and day < today - DAY:
                week[day] = self.week[day]
                continue
            rows: defaultdict[str, list[ChartPoint]] = defaultdict(list)
            for hour, periods in _hours(storage, day, closed, until):
                for checker, period in periods.items():
                    rows[checker].append(chart_point(hour, period))
                    if hour >= until - DAY:
                        last_24h[checker].add(period)
                    if hour >= today:
                        this_day[checker].add(period)
            week[day] = {
                checker: msgspec.Raw(encode(row, order="deterministic"))
                for checker, row in rows.items()
            }
        self.firsts = {name: counters.first for name, counters in head.checkers.items()}
        self.year, self.week = year, week
        self.last_24h = {checker: merger.period() for checker, merger in last_24h.items()}
        self.today = {checker: merger.period() for checker, merger in this_day.items()}


def last_complete_hour(head: HistoryState, now: int) -> int:
    """Return when the last hour ended of which all is known.

    That is the one before now, unless runs of it may still come.
    """
    hour = hour_start(now)
    return hour if head.hour >= hour else hour_start(now - MAX_CLOCK_SKEW)


def _hours(
    storage: Storage, day: int, closed: ClosedPeriods, until: int
) -> Iterator[tuple[int, Mapping[str, PeriodAggregate]]]:
    """Yield the closed hours of one day in order, whether they are in its file yet or not."""
    key = hours_key(day)
    stored = load(storage, key, LazyHours).document or LazyHours()
    for number, hour in enumerate(range(day, min(day + DAY, until), HOUR)):
        opened = closed.hours.get(hour)
        yield hour, opened or decode_part(key, stored.hours, f"{number:02d}", PeriodAggregate)


def load_year(storage: Storage, head: HistoryState, today: int, opened: OpenDays) -> YearDocument:
    """Return the year before a day; it is built and saved if nobody has done that yet today.

    On most days that is the year of the day before and one more day, for which the files of a
    few months are read: two of that day, and one for each day that leaves a span. Otherwise all
    files of days are read. A year with days that are in no file yet is not saved.

    Args:
        storage: holds the history.
        head: how far runs have been counted.
        today: the start of the day after the year's last one.
        opened: the days before it that are in no file yet.

    Raises:
        StorageError: the storage failed, or a newer version of the program keeps the history.
    """
    kept, stored = load(storage, YEAR, YearDocument)
    if kept is not None and kept.end == format_date(today):
        return kept
    year = _advanced(storage, kept, today, opened)
    if year is None:
        builder = YearBuilder(today)
        for day, periods in _days(storage, range(today - DAYS * DAY, today, DAY)):
            builder.add(day, opened.get(day) or periods)
        year = builder.year()
    if today == day_start(head.hour):
        try:
            save(storage, YEAR, stored, encode(year, order="deterministic"))
        except StorageError as error:
            _log.info("%s was not saved, the next page builds it again: %s", YEAR, error)
    return year


def reset_year(storage: Storage) -> None:
    """Have the year built again, because days are going to be counted again.

    Raises:
        StorageError: the storage failed.
    """
    stored = storage.get(YEAR)
    if stored is not None:
        save(storage, YEAR, stored, encode(YearDocument(), order="deterministic"))


def _advanced(
    storage: Storage, year: YearDocument | None, end: int, opened: OpenDays
) -> YearDocument | None:
    """Advance a year that ended not long ago to a later end; None if that is not possible."""
    ends = {format_date(end - days * DAY): end - days * DAY for days in range(1, FEW + 1)}
    if year is None or year.end not in ends:
        return None
    try:
        for day in range(ends[year.end], end, DAY):
            expired = [_latencies(storage, it) for it in expiring_days(day)]
            ((_, periods),) = _days(storage, [day])
            year = advance_year(year, day, opened.get(day) or periods, expired)
    except ValueError as error:
        _log.info("%s is rebuilt from all days: %s", YEAR, error)
        return None
    return year


def _days(
    storage: Storage, days: Iterable[int]
) -> Iterator[tuple[int, Mapping[str, PeriodAggregate]]]:
    """Yield the closed days, with the response times of one of them at a time in memory."""
    for month, group in groupby(days, key=month_start):
        tallies = load(storage, days_key(month), DaysOfMonth).document or DaysOfMonth()
        latencies = load(storage, latency_key(month), LazyLatency).document or LazyLatency()
        for day in group:
            of_day = _latencies_of(latencies, day)
            yield (
                day,
                {
                    checker: PeriodAggregate(
                        tally=tally, latency=of_day.get(checker, LatencyHistogram())
                    )
                    for checker, tally in tallies.days.get(format_date(day), {}).items()
                },
            )


def _latencies(storage: Storage, day: int) -> Mapping[str, LatencyHistogram]:
    month = load(storage, latency_key(day), LazyLatency).document or LazyLatency()
    return _latencies_of(month, day)


def _latencies_of(month: LazyLatency, day: int) -> Mapping[str, LatencyHistogram]:
    return decode_part(latency_key(day), month.days, format_date(day), LatencyHistogram)
