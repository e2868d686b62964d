"""Statistics of one component from the last 24 hours to the last year. Pure.

Periods and months, the series of its charts, and the rows of its CSV file.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import attrgetter
from typing import Final

from msgspec import Struct

from checkup.history.latency import LatencyHistogram
from checkup.history.series import SPANS, CheckerHistory
from checkup.history.tally import HIGH, MEDIAN, ChartPoint, Tally
from checkup.model import Phases
from checkup.times import (
    DAY,
    HOUR,
    MILLISECOND,
    SECOND,
    day_start,
    format_date,
    format_month,
    month_start,
    next_month_start,
)
from checkup_page.components.bars import NONE, day_status, is_fully_operational
from checkup_page.status import ComponentStatus

_BUCKETS: Final = "H"
"""Two bytes a number: a thousand components have a million of them."""


class ChartSeries(Struct, frozen=True):
    """Columns of a chart, oldest first, of equal length except the last, which may be shorter.

    Attributes:
        begin: the start of the first one.
        step: the length of each.
        statuses: as of bars.
        medians, p95s: the buckets of their response times, see :class:`ChartPoint`; 0 for none.
        tallies: of those that were not fully operational, by index.
    """

    begin: int
    step: int
    statuses: list[str]
    medians: array[int]
    p95s: array[int]
    tallies: dict[int, Tally]

    def between(self, begin: int, end: int) -> slice:
        """Return the indexes of a period that begins with a column."""
        return slice((begin - self.begin) // self.step, -(-(end - self.begin) // self.step))


def chart_series(points: Iterable[ChartPoint], begin: int, end: int, step: int) -> ChartSeries:
    """Return the columns between two times; other points are left out."""
    count = -(-(end - begin) // step)
    statuses = [NONE] * count
    medians, p95s = (array(_BUCKETS, bytes(2 * count)) for _ in range(2))
    tallies: dict[int, Tally] = {}
    first = begin // HOUR
    hours = step // HOUR
    for point in points:
        at = (point.hour - first) // hours
        if not 0 <= at < count:
            continue
        tally, length = point.tally, step if at < count - 1 else end - begin - at * step
        medians[at], p95s[at] = point.median_bucket, point.p95_bucket
        if is_fully_operational(tally, length):
            statuses[at] = ComponentStatus.OPERATIONAL
        else:
            tallies[at] = tally
            statuses[at] = day_status(tally, length)
    return ChartSeries(begin, step, statuses, medians, p95s, tallies)


DAYS: Final = 90

COLUMNS: Final = (
    "day",
    "uptime_percent",
    "operational_seconds",
    "degraded_seconds",
    "down_seconds",
    "unknown_seconds",
    "maintenance_seconds",
    "missing_seconds",
    "response_median_ms",
    "response_p95_ms",
)
"""Days are in UTC. Uptime and seconds are rounded down; an empty cell is no data."""


def csv_rows(history: CheckerHistory) -> tuple[str, ...]:
    """Return a row, its columns joined by commas, for each day from the first result on."""
    today = day_start(history.until)
    first = today if history.first is None else day_start(history.first)
    points = {point.start: point for point in history.days}
    return tuple(
        f"{format_date(day)},{_numbers(points.get(day) or ChartPoint(0))}"
        for day in range(max(first, today - DAYS * DAY), today, DAY)
    )


def _numbers(point: ChartPoint) -> str:
    tally = point.tally
    return (
        f"{tally.uptime_percent or ''},{tally.healthy // SECOND},"
        f"{tally.degraded // SECOND},{tally.down // SECOND},{tally.unknown // SECOND},"
        f"{tally.maintenance // SECOND},{tally.no_data(DAY) // SECOND},"
        f"{_milliseconds(point.median)},{_milliseconds(point.p95)}"
    )


def _milliseconds(time: int | None) -> str:
    return "" if time is None else f"{time / MILLISECOND:.1f}"


LAST_DAY: Final = "24h"
HIGHEST: Final = 0.99
MONTHS: Final = 12
_FIELDS: Final = ("healthy", "degraded", "down", "unknown", "maintenance", "runs", "failures")

Month = tuple[str, int, int]
"""A month: its name, such as ``2026-08``, its start and its end."""


class ResponseStats(Struct, frozen=True):
    """Response times of the results that were not down, in nanoseconds.

    Attributes:
        p50, p95, p99: percentiles, accurate to about 3 %.
        phases: averages; None if none were measured.
    """

    p50: int
    p95: int
    p99: int
    phases: Phases | None


class PeriodStats(Struct, frozen=True, kw_only=True):
    """A month, or a period that ends with the last full hour.

    Attributes:
        name: ``24h``, ``7d``, ``30d``, ``90d`` or ``365d``; of a month ``2026-08``. Days are in
            UTC and include today so far.
        begin, end: in nanoseconds since the epoch; never before the first result.
        tally: the time by state.
        response: None without response times, and for months.
    """

    name: str
    begin: int
    end: int
    tally: Tally
    response: ResponseStats | None = None

    @property
    def uptime(self) -> str | None:
        """See :attr:`Tally.uptime_percent`."""
        return self.tally.uptime_percent

    @property
    def coverage(self) -> str | None:
        """See :meth:`Tally.coverage_percent`."""
        return self.tally.coverage_percent(self.end - self.begin)


class ComponentHistory(Struct, frozen=True):
    """The statistics of one component, oldest or shortest first.

    Attributes:
        hours, days: the columns of its charts; None without history.
        csv_rows: its closed days, see :func:`csv_rows`.
        first_result_at: None without a result or history.
    """

    periods: tuple[PeriodStats, ...] = ()
    months: tuple[PeriodStats, ...] = ()
    hours: ChartSeries | None = None
    days: ChartSeries | None = None
    csv_rows: tuple[str, ...] = ()
    first_result_at: int | None = None


def component_history(checker: CheckerHistory) -> ComponentHistory:
    """Return the statistics of a component since its first result."""
    if checker.first is None:
        return ComponentHistory()
    until, today = checker.until, day_start(checker.until)
    oldest = min(last_months(today)[0][1], today - (SPANS[-1] - 1) * DAY)
    sums = _Sums(checker.days)
    return ComponentHistory(
        periods=_periods(checker, sums),
        months=_months(checker, sums),
        hours=chart_series(checker.hours, today - (SPANS[0] - 1) * DAY, until, HOUR),
        days=chart_series(checker.days, oldest, until, DAY),
        csv_rows=csv_rows(checker),
        first_result_at=checker.first,
    )


def _periods(history: CheckerHistory, sums: _Sums) -> tuple[PeriodStats, ...]:
    """Return the last 24 hours, and the last 7, 30, 90 and 365 days."""
    end, day = history.until, history.last_24h
    first = end if history.first is None else history.first
    found = [(LAST_DAY, end - DAY, day.tally, day.latency)]
    for days, times in zip(SPANS, history.times, strict=True):
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


def _months(history: CheckerHistory, sums: _Sums) -> tuple[PeriodStats, ...]:
    """Return the last twelve months since the first result, oldest first."""
    until = history.until
    first = until if history.first is None else history.first
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
    """Running sums of the time by state, to get that of any period by subtraction."""

    def __init__(self, days: Sequence[ChartPoint]) -> None:
        tallies = [day.tally for day in days]
        self._starts = [day.start for day in days]
        self._sums = [[0, *accumulate(map(attrgetter(name), tallies))] for name in _FIELDS]

    def between(self, begin: int, end: int) -> Tally:
        first, last = (bisect_left(self._starts, time_ns) for time_ns in (begin, end))
        sums = (several[last] - several[first] for several in self._sums)
        return Tally(**dict(zip(_FIELDS, sums, strict=True)))


def _response(times: LatencyHistogram) -> ResponseStats | None:
    median, high, highest = (times.quantile(share) for share in (MEDIAN, HIGH, HIGHEST))
    if median is None or high is None or highest is None:
        return None
    return ResponseStats(median, high, highest, _mean(times.phases, times.phase_count))


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
