"""The charts and the calendar of one component. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import sub
from typing import Final, NamedTuple

from msgspec import Struct

from checkup.history.latency import bucket_midpoint
from checkup.times import DAY, to_datetime
from checkup_page.components.bars import BarSegment, describe_day, is_affected, merge_bars
from checkup_page.components.history import ChartSeries, Month, PeriodStats
from checkup_page.locale import Locale

HEIGHT: Final = 100

NICE: Final = (1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Ends of a scale, times a power of ten: half of each is a round number too."""

OUTLIER: Final = 3
"""p95 values over this many medians of them are cut off, so that the others stay readable."""

_RISES: Final = range(-2 * HEIGHT, 2 * HEIGHT + 1)
_FORWARD: Final = {rise: f"2{rise:+}" for rise in _RISES}

_BACKWARD: Final = {rise: f"-2{rise:+}" for rise in _RISES}
"""Relative steps to the next and to the previous column in SVG path syntax."""


class ResponseChart(Struct, frozen=True, kw_only=True):
    """A chart with a column for each hour or day of a period.

    Attributes:
        name: of the period.
        columns: the number of columns; each is two wide.
        step: the length of a column, in nanoseconds.
        begin, end: start of the first column, end of the last one.
        segments: the statuses of the columns.
        median: the SVG path of the median response times, interrupted where there are none.
        band: the outline of the area between median and p95.
        top: the response time at the upper edge; 0 without response times.
        lowest, highest: of the medians.
        peak: the highest p95, and the start of its column.
    """

    name: str
    columns: int
    step: int
    begin: int
    end: int
    segments: tuple[BarSegment, ...]
    median: str = ""
    band: str = ""
    top: int = 0
    lowest: int = 0
    highest: int = 0
    peak: tuple[int, int] = (0, 0)

    @property
    def counts(self) -> Sequence[tuple[str, int]]:
        """The number of columns by status, the most frequent first."""
        found: Counter[str] = Counter()
        for part in self.segments:
            found[part.status] += part.length
        return found.most_common()


def response_chart(name: str, columns: ChartSeries, begin: int, end: int) -> ResponseChart:
    """Return a chart of the columns between two times.

    Args:
        name: of the period.
        columns: these, and perhaps others around them.
        begin: the start of the first one.
        end: the end of the last one.
    """
    shown = columns.between(begin, end)
    medians, highs = columns.medians[shown], columns.p95s[shown]
    sorted_p95s = sorted(filter(None, highs))
    top = lowest = highest = 0
    median = band = ""
    if sorted_p95s:
        top = _nice(
            min(
                bucket_midpoint(sorted_p95s[-1]),
                OUTLIER * bucket_midpoint(sorted_p95s[len(sorted_p95s) // 2]),
            )
        )
        lowest, highest = (bucket_midpoint(of(filter(None, medians))) for of in (min, max))
        median, band = _paths(medians, highs, top)
    return ResponseChart(
        name=name,
        columns=len(medians),
        step=columns.step,
        begin=begin,
        end=end,
        segments=merge_bars(columns.statuses[shown]),
        median=median,
        band=band,
        top=top,
        lowest=lowest,
        highest=highest,
        peak=_peak(highs, begin, columns.step),
    )


def _peak(highs: Sequence[int], begin: int, step: int) -> tuple[int, int]:
    highest = max(highs, default=0)
    return (bucket_midpoint(highest), begin + highs.index(highest) * step) if highest else (0, 0)


def _nice(time: int) -> int:
    power: int = 10 ** (len(str(time)) - 1)
    return next(round(step * power) for step in NICE if step * power >= time)


def _paths(medians: Sequence[int], highs: Sequence[int], top: int) -> tuple[str, str]:
    """Return the paths of the medians and of the band between them and p95."""
    heights = {bucket: _height(bucket_midpoint(bucket), top) for bucket in {*medians, *highs}}
    lines, bands = [], []
    for first, last in _parts(medians):
        low = [heights[bucket] for bucket in medians[first:last]]
        high = [heights[bucket] for bucket in highs[first:last]]
        lines.append(f"M{2 * first} {low[0]}l{_forward(low)}")
        down = f" 0{low[-1] - high[-1]:+}"
        bands.append(f"M{2 * first} {high[0]}l{_forward(high)}{down} {_backward(low)}z")
    return "".join(lines), "".join(bands)


def _parts(medians: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sequence of columns with response times."""
    start = 0
    for is_timed, group in groupby(medians, key=bool):
        end = start + len(list(group))
        if is_timed:
            yield start, end
        start = end


def _forward(heights: Sequence[int]) -> str:
    """Return steps from the left edge of the first column to the right edge of the last one."""
    steps = map(_FORWARD.__getitem__, map(sub, heights[1:], heights))
    return " ".join(["1+0", *steps, "1+0"])


def _backward(heights: Sequence[int]) -> str:
    back = heights[::-1]
    steps = map(_BACKWARD.__getitem__, map(sub, back[1:], back))
    return " ".join(["-1+0", *steps, "-1+0"])


def _height(time: int, top: int) -> int:
    return max(-HEIGHT, HEIGHT - round(time * HEIGHT / top))


WEEK: Final = 7

EPOCH: Final = 3
"""The first of January 1970 was a Thursday; Monday is 0."""


class CalendarMonth(Struct, frozen=True, kw_only=True):
    """One month up to today.

    Attributes:
        begin: its start.
        weekday: of its first day; 0 for Monday.
        statuses: of its days, as of bars.
        descriptions: of the affected days, by day of the month.
        stats: of the month; None if it ended before the first result.
    """

    begin: int
    weekday: int
    statuses: Sequence[str]
    descriptions: dict[int, str]
    stats: PeriodStats | None


class AffectedDay(NamedTuple):
    """An affected day, see :func:`is_affected`."""

    day: date
    status: str
    description: str


def calendar_months(
    days: ChartSeries, months: Sequence[Month], stats: Sequence[PeriodStats], locale: Locale
) -> tuple[CalendarMonth, ...]:
    """Return the calendar.

    Args:
        days: the daily columns.
        months: the months to show.
        stats: of these months.
        locale: of the descriptions.
    """
    periods = {period.name: period for period in stats}
    return tuple(
        _calendar_month(days, days.between(begin, end), periods.get(name), locale)
        for name, begin, end in months
    )


def affected_days(calendar: Sequence[CalendarMonth]) -> Iterator[AffectedDay]:
    """Yield the affected days, newest first."""
    for month in reversed(calendar):
        for number, description in reversed(month.descriptions.items()):
            day = month.begin + (number - 1) * DAY
            yield AffectedDay(to_datetime(day).date(), month.statuses[number - 1], description)


def _calendar_month(
    days: ChartSeries, shown: slice, period: PeriodStats | None, locale: Locale
) -> CalendarMonth:
    begin = days.begin + shown.start * DAY
    statuses = days.statuses[shown]
    tallies = (
        (at, days.tallies[at]) for at in range(shown.start, shown.stop) if at in days.tallies
    )
    return CalendarMonth(
        begin=begin,
        weekday=(begin // DAY + EPOCH) % WEEK,
        statuses=statuses,
        descriptions={
            at - shown.start + 1: describe_day(tally, locale)
            for at, tally in tallies
            if is_affected(days.statuses[at])
        },
        stats=period,
    )
