"""Summing a year up: of all of its days, or of the year that ended a day before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from checkup.history.documents import encode
from checkup.history.head import PeriodAggregate
from checkup.history.periods import DAY, HOUR, format_date
from checkup.history.points import ChartPoint, chart_point
from checkup.history.times import (
    HistogramMerger,
    LatencyHistogram,
    merge_histograms,
    subtract_histogram,
)
from checkup.history.year import DAYS, SPANS, CheckerYear, YearDocument


class YearBuilder:
    """A year that days are added to, in their order."""

    def __init__(self, end: int) -> None:
        """Begin.

        Args:
            end: when the day begins that comes after the last one.
        """
        self._end = end
        self._days: dict[str, list[msgspec.Raw]] = {}
        self._rings: dict[str, tuple[HistogramMerger, ...]] = {}

    def add(self, day: int, periods: Mapping[str, PeriodAggregate]) -> None:
        """Add one day, by its beginning."""
        age = (self._end - day) // DAY
        ring = next((number for number, span in enumerate(SPANS) if age < span), None)
        for checker, period in periods.items():
            if checker not in self._days:
                self._days[checker] = []
                self._rings[checker] = tuple(HistogramMerger() for _ in SPANS)
            self._days[checker].append(msgspec.Raw(encode(chart_point(day, period))))
            if ring is not None:
                self._rings[checker][ring].add(period.times)

    def year(self) -> YearDocument:
        """Return all days that were added."""
        checkers = {name: msgspec.Raw(self._summary(name)) for name in self._days}
        return YearDocument(end=format_date(self._end), checkers=checkers)

    def _summary(self, checker: str) -> bytes:
        times, span = [], HistogramMerger()
        for ring in self._rings[checker]:
            span.add(ring.times())
            times.append(span.times())
        return _encoded(self._days[checker], times)


def advance_year(
    year: YearDocument,
    day: int,
    periods: Mapping[str, PeriodAggregate],
    gone: Sequence[Mapping[str, LatencyHistogram]],
) -> YearDocument:
    """Return the year that ends a day later: what :class:`YearBuilder` makes of all of its days.

    Args:
        year: ends with the day before.
        day: the beginning of the day that is added.
        periods: that day.
        gone: the response times of the days that are too old from now on, one for each of the
            spans.

    Raises:
        ValueError: the year cannot be read, or these days were others when they went into it.
    """
    checkers = {}
    for checker in year.checkers.keys() | periods.keys():
        left = [times.get(checker, LatencyHistogram()) for times in gone]
        summary = _next(year.strict_summary(checker), day, periods.get(checker), left)
        if summary.days:
            checkers[checker] = msgspec.Raw(_encoded(summary.days, summary.times))
    return YearDocument(end=format_date(day + DAY), checkers=checkers)


def expiring_days(day: int) -> Iterator[int]:
    """Yield the days that a day takes the place of, one for each of the spans."""
    return (day - (span - 1) * DAY for span in SPANS)


def _next(
    old: CheckerYear, day: int, period: PeriodAggregate | None, gone: Sequence[LatencyHistogram]
) -> CheckerYear:
    points = {it.start: it for it in old.days}
    times = []
    for start, whole, part in zip(expiring_days(day), old.times, gone, strict=True):
        before = points.get(start, ChartPoint(start // HOUR))
        if chart_point(start, PeriodAggregate(tally=before.tally, times=part)) != before:
            raise ValueError(f"{format_date(start)} is not what it was")
        times.append(
            merge_histograms(
                (subtract_histogram(whole, part), period.times if period else LatencyHistogram())
            )
        )
    days = [it for it in old.days if it.start > day - DAYS * DAY]
    if period is not None:
        days.append(chart_point(day, period))
    return CheckerYear(days=tuple(days), times=tuple(times))


def _encoded(days: Sequence[ChartPoint | msgspec.Raw], times: Sequence[LatencyHistogram]) -> bytes:
    return encode({"days": days, "times": times})
