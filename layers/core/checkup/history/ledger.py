"""All accounts together, and the hours and days that time closes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from checkup.history.counting import CheckerCounter, nothing
from checkup.history.head import (
    ClosedPeriods,
    DayStart,
    HistoryState,
    OpenCounters,
    PeriodAggregate,
)
from checkup.history.periods import DAY, HOUR, day_start, hour_start
from checkup.history.tally import Tally

FORGOTTEN_AFTER: Final = 400 * DAY
"""How long an account without results is kept: longer than the page looks back."""

_EMPTY: Final = Tally()


class HistoryAggregator:
    """Counts in the order of time; what is closed is collected and does not change any more.

    Attributes:
        counts: by checker.
        inconclusive: as in the head.
    """

    def __init__(self, head: HistoryState) -> None:
        self.counts = {name: CheckerCounter(0, account) for name, account in head.accounts.items()}
        self.inconclusive = dict(head.inconclusive)
        self._hour = head.hour
        self._hours: dict[int, Mapping[str, PeriodAggregate]] = {}
        self._days: dict[int, Mapping[str, PeriodAggregate]] = {}
        self._openings: dict[int, DayStart] = {}
        self._dawns: dict[int, DayStart] = {}

    @property
    def closed(self) -> ClosedPeriods:
        """Everything that has been closed so far."""
        return ClosedPeriods(hours=self._hours, days=self._days, openings=self._openings)

    def head(self, cursor: str) -> HistoryState:
        """Return what to go on from after the run under this key."""
        return HistoryState(
            cursor=cursor,
            hour=self._hour,
            accounts=self._accounts(),
            inconclusive=self.inconclusive,
        )

    def open_day(self) -> tuple[int, Mapping[str, PeriodAggregate]]:
        """Return when the open day began, and what has been counted of it."""
        return day_start(self._hour), self._day()

    def begin_run(self, slot: int, position: int) -> None:
        """Close what is over at a slot of which runs are about to be counted.

        Args:
            slot: of the runs.
            position: of the first of them that there is.
        """
        if not self._hour:
            self._dawns[day_start(slot)] = self._dawn()
        self.close_before(slot)
        # Whoever counts these days again begins with what was known at their first moment.
        for day, dawn in self._dawns.items():
            self._openings[day] = DayStart(
                first_run=slot + position, accounts=dawn.accounts, inconclusive=dawn.inconclusive
            )
        self._dawns.clear()

    def close_before(self, moment: int) -> None:
        """Close every hour and every day that is over at a moment."""
        now = hour_start(moment)
        while 0 < self._hour < now:
            self._close_hour()
            if all(count.until <= self._hour for count in self.counts.values()):
                self._skip_to(now)
        self._hour = max(self._hour, now)

    def count_until(self, moment: int) -> None:
        """Count what stands up to a moment, as if all had been looked at then."""
        self.close_before(moment)
        for count in self.counts.values():
            count.count_until(moment)

    def _close_hour(self) -> None:
        end = self._hour + HOUR
        hour: dict[str, PeriodAggregate] = {}
        for name, count in self.counts.items():
            count.count_until(end)
            tally = count.hour.tally()
            if tally != _EMPTY:
                hour[name] = PeriodAggregate(tally=tally, times=count.hour.times())
                count.hour = nothing()
        if hour:
            self._hours[self._hour] = hour
        if day_start(end) == end:
            self._close_day(end)
        self._hour = end

    def _skip_to(self, hour: int) -> None:
        """Pass over time in which no result stands."""
        day = day_start(hour)
        if self._hour < day:
            self._close_day(day)
        self._hour = hour

    def _close_day(self, next_day: int) -> None:
        day = self._day()
        if day:
            self._days[day_start(self._hour)] = day
        for name, count in list(self.counts.items()):
            count.day = nothing()
            if next_day - count.last > FORGOTTEN_AFTER:
                del self.counts[name]
        self._dawns[next_day] = self._dawn()

    def _day(self) -> Mapping[str, PeriodAggregate]:
        rows = {
            name: PeriodAggregate(tally=count.day.tally(), times=count.day.times())
            for name, count in self.counts.items()
        }
        return {name: row for name, row in rows.items() if row.tally != _EMPTY}

    def _dawn(self) -> DayStart:
        return DayStart(
            first_run=0, accounts=self._accounts(), inconclusive=dict(self.inconclusive)
        )

    def _accounts(self) -> Mapping[str, OpenCounters]:
        return {name: count.account() for name, count in self.counts.items()}
