"""What pages of components are made of: the hours of a week and the days of a year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct, field

from checkup.archive.pending import MAX_CLOCK_SKEW
from checkup.archive.stored import decode_part, load
from checkup.archive.years import load_year
from checkup.history.chronicle import CheckerHistory
from checkup.history.documents import LazyHours, encode, hours_key
from checkup.history.fold import closed_before
from checkup.history.head import ClosedPeriods, HistoryState, PeriodAggregate
from checkup.history.periods import DAY, HOUR, day_start, hour_start
from checkup.history.points import ChartPoint, PeriodMerger, chart_point
from checkup.history.times import merge_histograms
from checkup.history.year import YearDocument
from checkup.ports import Storage

WEEK: Final = 7
"""Days whose hours are told, today included."""

Rows = Mapping[str, msgspec.Raw]
"""The hours of one day by checker; each is decoded when it is needed."""


class CheckerHistories(Struct):
    """The chronicles of all checkers, kept from page to page and read once in an hour.

    Attributes:
        until: the end of the last full hour; 0 if nothing has been read yet.
        firsts: when the first result of each checker came.
        year: the closed days.
        week: the hours of days that are over, and of today.
        today: what the hours of today come to.
        last_days: the last 24 hours.
    """

    until: int = 0
    firsts: dict[str, int] = field(default_factory=dict)
    year: YearDocument = field(default_factory=YearDocument)
    week: dict[int, Rows] = field(default_factory=dict)
    today: Mapping[str, PeriodAggregate] = field(default_factory=dict)
    last_days: Mapping[str, PeriodAggregate] = field(default_factory=dict)

    def keep_up(self, storage: Storage, head: HistoryState, now: int) -> None:
        """Read what is new since the last full hour, if there has been one.

        Raises:
            StorageError: the storage failed, or a newer version of the program keeps the history.
        """
        until = last_complete_hour(head, now)
        if until != self.until:
            self._read(storage, head, until)
            self.until = until

    def release(self) -> None:
        """Let go of what is read anyway when the next hour is over."""
        self.year, self.today, self.last_days = YearDocument(), {}, {}

    def of(self, checker: str) -> CheckerHistory:
        """Return the chronicle of one checker."""
        summary = self.year.summary(checker)
        today = self.today.get(checker, PeriodAggregate())
        days = summary.days
        if today != PeriodAggregate():
            days = (*days, chart_point(day_start(self.until), today))
        return CheckerHistory(
            until=self.until,
            first=self.firsts.get(checker),
            hours=tuple(self._hours(checker)),
            days=days,
            last_day=self.last_days.get(checker, PeriodAggregate()),
            times=tuple(merge_histograms((closed, today.times)) for closed in summary.times),
        )

    def _hours(self, checker: str) -> Iterator[ChartPoint]:
        for rows in self.week.values():
            if checker in rows:
                yield from msgspec.json.decode(rows[checker], type=tuple[ChartPoint, ...])

    def _read(self, storage: Storage, head: HistoryState, until: int) -> None:
        today = day_start(until)
        closed = closed_before(head, until)
        year = load_year(storage, head, today, closed.days)
        week: dict[int, Rows] = {}
        last_days: defaultdict[str, PeriodMerger] = defaultdict(PeriodMerger)
        this_day: defaultdict[str, PeriodMerger] = defaultdict(PeriodMerger)
        for day in range(today - (WEEK - 1) * DAY, today + DAY, DAY):
            if day in self.week and day < today - DAY:
                week[day] = self.week[day]
                continue
            rows: defaultdict[str, list[ChartPoint]] = defaultdict(list)
            for hour, periods in _hours_of(storage, day, closed, until):
                for checker, period in periods.items():
                    rows[checker].append(chart_point(hour, period))
                    if hour >= until - DAY:
                        last_days[checker].add(period)
                    if hour >= today:
                        this_day[checker].add(period)
            week[day] = {checker: msgspec.Raw(encode(row)) for checker, row in rows.items()}
        self.firsts = {name: account.first for name, account in head.accounts.items()}
        self.year, self.week = year, week
        self.last_days = {checker: adding.period() for checker, adding in last_days.items()}
        self.today = {checker: adding.period() for checker, adding in this_day.items()}


def last_complete_hour(head: HistoryState, now: int) -> int:
    """Return when the last hour ended of which all is told.

    That is the one before now, unless runs of it may still come.
    """
    hour = hour_start(now)
    return hour if head.hour >= hour else hour_start(now - MAX_CLOCK_SKEW)


def _hours_of(
    storage: Storage, day: int, closed: ClosedPeriods, until: int
) -> Iterator[tuple[int, Mapping[str, PeriodAggregate]]]:
    """Yield the closed hours of one day in order, whether they are in its file yet or not."""
    key = hours_key(day)
    filed = load(storage, key, LazyHours) or LazyHours()
    for number, hour in enumerate(range(day, min(day + DAY, until), HOUR)):
        opened = closed.hours.get(hour)
        yield hour, opened or decode_part(key, filed.hours, f"{number:02d}", PeriodAggregate)
