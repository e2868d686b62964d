"""What spans of time came to for one component: the last 24 hours to the last year. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter
from typing import Final

from msgspec import Struct

from checkup.history.chronicle import CheckerHistory
from checkup.history.periods import (
    DAY,
    HOUR,
    day_start,
    format_month,
    month_start,
    next_month_start,
)
from checkup.history.points import HIGH, MEDIAN, ChartPoint
from checkup.history.tally import Tally, uptime_percent
from checkup.history.times import LatencyHistogram
from checkup.history.year import SPANS
from checkup.model import Phases
from checkup_page.components.series import ChartSeries, chart_series
from checkup_page.components.table import csv_rows

LAST_DAY: Final = "24h"
HIGHEST: Final = 0.99
MONTHS: Final = 12

_FIELDS: Final = ("healthy", "degraded", "down", "unknown", "maintenance", "runs", "failures")

Month = tuple[str, int, int]
"""A month: its name, ``2026-08``, when it begins and when the next one does."""


class ResponseStats(Struct, frozen=True):
    """Response times of the results that were not down, in nanoseconds.

    Attributes:
        median, high, highest: what 50, 95 and 99 % of them do not exceed, to about 3 %.
        phases: where the time went, on average; None if nobody said so.
    """

    median: int
    high: int
    highest: int
    phases: Phases | None


class PeriodStats(Struct, frozen=True, kw_only=True):
    """A span of time that ends with the last full hour, or a month.

    Attributes:
        name: ``24h``, ``7d``, ``30d``, ``90d`` or ``365d``; of a month ``2026-08``. Days are
            those of UTC, the present one as far as it has come.
        begin, end: in nanoseconds since the epoch; it begins with the first result, if that
            came later than the span.
        tally: the time by state.
        response: None if there are no times, as of a month.
    """

    name: str
    begin: int
    end: int
    tally: Tally
    response: ResponseStats | None = None

    @property
    def uptime(self) -> str | None:
        """Per cent of the observed time, rounded down; None if nothing was observed."""
        return uptime_percent(self.tally.up, self.tally.known)

    @property
    def observed(self) -> str | None:
        """Per cent of the time that was observed, maintenance left out, rounded down."""
        return uptime_percent(self.tally.known, self.end - self.begin - self.tally.maintenance)


class ComponentHistory(Struct, frozen=True):
    """All of one component, each from the oldest to the newest or from the shortest on.

    Attributes:
        hours, days: the columns of its charts; None if no history is kept.
        table: its closed days, see :mod:`checkup_page.components.table`.
        first: when its first result came; None if none has, or no history is kept.
    """

    stretches: tuple[PeriodStats, ...] = ()
    months: tuple[PeriodStats, ...] = ()
    hours: ChartSeries | None = None
    days: ChartSeries | None = None
    table: tuple[str, ...] = ()
    first: int | None = None


def component_history(chronicle: CheckerHistory) -> ComponentHistory:
    """Return what spans of time came to for a component; nothing before its first result."""
    if chronicle.first is None:
        return ComponentHistory()
    until, today = chronicle.until, day_start(chronicle.until)
    oldest = min(last_months(today)[0][1], today - (SPANS[-1] - 1) * DAY)
    sums = _Sums(chronicle.days)
    return ComponentHistory(
        stretches=_stretches(chronicle, sums),
        months=_months(chronicle, sums),
        hours=chart_series(chronicle.hours, today - (SPANS[0] - 1) * DAY, until, HOUR),
        days=chart_series(chronicle.days, oldest, until, DAY),
        table=csv_rows(chronicle),
        first=chronicle.first,
    )


def _stretches(chronicle: CheckerHistory, sums: _Sums) -> tuple[PeriodStats, ...]:
    """Return the last 24 hours, and the last 7, 30, 90 and 365 days."""
    end, day = chronicle.until, chronicle.last_day
    first = end if chronicle.first is None else chronicle.first
    found = [(LAST_DAY, end - DAY, day.tally, day.times)]
    for days, times in zip(SPANS, chronicle.times, strict=True):
        begin = day_start(end) - (days - 1) * DAY
        found.append((f"{days}d", begin, sums.between(begin, end), times))
    return tuple(
        PeriodStats(
            name=name,
            begin=min(max(begin, first), end),
            end=end,
            tally=tally,
            response=_response(times),
        )
        for name, begin, tally, times in found
    )


def _months(chronicle: CheckerHistory, sums: _Sums) -> tuple[PeriodStats, ...]:
    """Return the last twelve months since the first result, oldest first."""
    until = chronicle.until
    first = until if chronicle.first is None else chronicle.first
    return tuple(
        PeriodStats(
            name=name,
            begin=max(begin, first),
            end=min(end, until),
            tally=sums.between(begin, end),
        )
        for name, begin, end in last_months(day_start(until))
        if end > first
    )


@lru_cache(maxsize=2)
def last_months(day: int) -> tuple[Month, ...]:
    """Return the month of a day and the eleven before it, oldest first."""
    found: list[Month] = []
    for _ in range(MONTHS):
        begin = month_start(day)
        found.append((format_month(begin), begin, next_month_start(begin)))
        day = begin - DAY
    return tuple(reversed(found))


class _Sums:
    """The time by state from the first of some days on, to tell that of any span of them."""

    def __init__(self, days: Sequence[ChartPoint]) -> None:
        tallies = [day.tally for day in days]
        self._starts = [day.start for day in days]
        self._sums = [[0, *accumulate(map(attrgetter(name), tallies))] for name in _FIELDS]

    def between(self, begin: int, end: int) -> Tally:
        first, last = (bisect_left(self._starts, moment) for moment in (begin, end))
        sums = (several[last] - several[first] for several in self._sums)
        return Tally(**dict(zip(_FIELDS, sums, strict=True)))


def _response(times: LatencyHistogram) -> ResponseStats | None:
    median, high, highest = (times.quantile(share) for share in (MEDIAN, HIGH, HIGHEST))
    if median is None or high is None or highest is None:
        return None
    return ResponseStats(median, high, highest, _mean(times.phases, times.phased))


def _mean(sums: Phases, count: int) -> Phases | None:
    if not count:
        return None
    return Phases(
        resolve=sums.resolve // count,
        connect=sums.connect // count,
        tls=sums.tls // count,
        wait=sums.wait // count,
        transfer=sums.transfer // count,
    )
