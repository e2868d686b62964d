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
"""Where a scale may end, times a power of ten: half of it is a round number too."""

OUTLIER: Final = 3
"""What is so many times as long as most times leaves the chart, which would else show no more."""

_RISES: Final = range(-2 * HEIGHT, 2 * HEIGHT + 1)
_FORTH: Final = {rise: f"2{rise:+}" for rise in _RISES}

_BACK: Final = {rise: f"-2{rise:+}" for rise in _RISES}
"""Steps to the next column and to the one before, as an SVG writes them."""


class ResponseChart(Struct, frozen=True, kw_only=True):
    """One chart; each column of it is an hour or a day.

    Attributes:
        name: that of the stretch of time that it shows.
        columns: how many; each is two wide.
        step: how long one is, in nanoseconds.
        begin, end: when the first of them begins and the last one ends.
        segments: how the columns look.
        median: the path of the median response times, interrupted where there are none.
        band: the outline of the field between the median and what 95 % do not exceed.
        top: the response time at the upper edge; 0 if there are no times.
        lowest, highest: of the medians.
        peak: the longest of those that 95 % do not exceed, and when its column began.
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
        """How many columns look how, the most frequent look first."""
        found: Counter[str] = Counter()
        for part in self.segments:
            found[part.status] += part.length
        return found.most_common()


def response_chart(name: str, columns: ChartSeries, begin: int, end: int) -> ResponseChart:
    """Return a chart of the columns between two moments.

    Args:
        name: that of the stretch of time.
        columns: these, and perhaps others around them.
        begin: when the first one begins.
        end: when the last one ends.
    """
    shown = columns.between(begin, end)
    medians, highs = columns.medians[shown], columns.p95s[shown]
    timed = sorted(filter(None, highs))
    top = lowest = highest = 0
    median = band = ""
    if timed:
        top = _nice(
            min(bucket_midpoint(timed[-1]), OUTLIER * bucket_midpoint(timed[len(timed) // 2]))
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
    """Return the line of the medians and the outline of the band above it."""
    heights = {bucket: _height(bucket_midpoint(bucket), top) for bucket in {*medians, *highs}}
    lines, bands = [], []
    for first, last in _parts(medians):
        low = [heights[bucket] for bucket in medians[first:last]]
        high = [heights[bucket] for bucket in highs[first:last]]
        lines.append(f"M{2 * first} {low[0]}l{_forth(low)}")
        down = f" 0{low[-1] - high[-1]:+}"
        bands.append(f"M{2 * first} {high[0]}l{_forth(high)}{down} {_back(low)}z")
    return "".join(lines), "".join(bands)


def _parts(medians: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where neighbouring columns with times begin and end."""
    start = 0
    for is_timed, group in groupby(medians, key=bool):
        end = start + len(list(group))
        if is_timed:
            yield start, end
        start = end


def _forth(heights: Sequence[int]) -> str:
    """Return steps from the left edge of the first column to the right edge of the last one."""
    steps = map(_FORTH.__getitem__, map(sub, heights[1:], heights))
    return " ".join(["1+0", *steps, "1+0"])


def _back(heights: Sequence[int]) -> str:
    back = heights[::-1]
    steps = map(_BACK.__getitem__, map(sub, back[1:], back))
    return " ".join(["-1+0", *steps, "-1+0"])


def _height(time: int, top: int) -> int:
    return max(-HEIGHT, HEIGHT - round(time * HEIGHT / top))


WEEK: Final = 7

EPOCH: Final = 3
"""The first of January 1970 was a Thursday; Monday is 0."""


class CalendarMonth(Struct, frozen=True, kw_only=True):
    """One month up to the present day.

    Attributes:
        begin: when it began.
        weekday: that of its first day; 0 for Monday.
        statuses: that of each day, as of a bar.
        descriptions: what happened on those that were not good ones, by the number of the day.
        stats: what it came to; None if it was over before the first result.
    """

    begin: int
    weekday: int
    statuses: Sequence[str]
    descriptions: dict[int, str]
    stats: PeriodStats | None


class AffectedDay(NamedTuple):
    """A day that was not a good one, and what happened."""

    day: date
    look: str
    words: str


def calendar_months(
    days: ChartSeries, months: Sequence[Month], told: Sequence[PeriodStats], locale: Locale
) -> tuple[CalendarMonth, ...]:
    """Return the calendar.

    Args:
        days: a column for each.
        months: those that it shows.
        told: what they came to.
        locale: says what happened.
    """
    stretches = {stretch.name: stretch for stretch in told}
    return tuple(
        _leaf(days, days.between(begin, end), stretches.get(name), locale)
        for name, begin, end in months
    )


def affected_days(calendar: Sequence[CalendarMonth]) -> Iterator[AffectedDay]:
    """Yield the days that were not good ones, newest first."""
    for leaf in reversed(calendar):
        for number, words in reversed(leaf.descriptions.items()):
            day = leaf.begin + (number - 1) * DAY
            yield AffectedDay(to_datetime(day).date(), leaf.statuses[number - 1], words)


def _leaf(
    days: ChartSeries, shown: slice, stretch: PeriodStats | None, locale: Locale
) -> CalendarMonth:
    begin = days.begin + shown.start * DAY
    looks = days.statuses[shown]
    told = ((at, days.tallies[at]) for at in range(shown.start, shown.stop) if at in days.tallies)
    return CalendarMonth(
        begin=begin,
        weekday=(begin // DAY + EPOCH) % WEEK,
        statuses=looks,
        descriptions={
            at - shown.start + 1: describe_day(tally, locale)
            for at, tally in told
            if is_affected(days.statuses[at])
        },
        stats=stretch,
    )
