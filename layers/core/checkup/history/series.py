"""The last year of every checker in one document, from which component pages are drawn. Pure.

It is built from the files of days and times and has nothing that is not in them. Instead of two
files for each month it takes one to read, and the response times of spans of many days are merged
already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct, field

from checkup.documents import encode
from checkup.history.documents import FOLDER, SCHEMA
from checkup.history.latency import (
    HistogramMerger,
    LatencyHistogram,
    merge_histograms,
    subtract_histogram,
)
from checkup.history.tally import ChartPoint, PeriodAggregate, chart_point
from checkup.times import DAY, HOUR, format_date

YEAR: Final = FOLDER + "year.json"

DAYS: Final = 365
"""Closed days: with today they are twelve months, the present one and the eleven before it."""

SPANS: Final = (7, 30, 90, 365)
"""Days over which response times are merged, today included."""


class CheckerHistory(Struct, frozen=True, kw_only=True):
    """What component pages show of one checker up to a full hour.

    Attributes:
        until: that hour's end.
        first: when its first result came; None if none has.
        hours: those of the last seven days, today included, that have results.
        days: those of the last year that have results, today so far included, in order.
        last_24h: the last 24 hours as one period.
        times: response times of each span, today included.
    """

    until: int
    first: int | None
    hours: tuple[ChartPoint, ...]
    days: tuple[ChartPoint, ...]
    last_24h: PeriodAggregate
    times: tuple[LatencyHistogram, ...]


class CheckerYear(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last year of one checker.

    Attributes:
        days: those that have results, in order.
        latency: response times of the closed days of each span.
    """

    days: tuple[ChartPoint, ...] = ()
    latency: tuple[LatencyHistogram, ...] = field(
        name="times", default=(LatencyHistogram(),) * len(SPANS)
    )


class YearDocument(Struct, frozen=True, kw_only=True):
    """The document ``history/year.json``.

    Attributes:
        end: the date of the day after the last one; empty without any.
        checkers: by id; each is decoded when it is needed, which most of the time none is.
    """

    schema: int = SCHEMA
    end: str = ""
    checkers: Mapping[str, msgspec.Raw] = field(default_factory=dict)

    def summary(self, checker: str) -> CheckerYear:
        """Return the year of one checker; an empty one if none can be read."""
        try:
            return self.strict_summary(checker)
        except ValueError:
            return CheckerYear()

    def strict_summary(self, checker: str) -> CheckerYear:
        """Return the year of one checker; an empty one if there is none.

        Raises:
            ValueError: it cannot be read.
        """
        found = msgspec.json.decode(self.checkers.get(checker, b"{}"), type=CheckerYear)
        if len(found.latency) != len(SPANS):
            raise ValueError("other spans were added up")
        return found


class YearBuilder:
    """Builds a year from all of its days, in their order.

    Args:
        end: the start of the day after the last one.
    """

    def __init__(self, end: int) -> None:
        self._end = end
        self._days: dict[str, list[msgspec.Raw]] = {}
        self._between_spans: dict[str, tuple[HistogramMerger, ...]] = {}

    def add(self, day: int, periods: Mapping[str, PeriodAggregate]) -> None:
        """Add one day, by its beginning."""
        age = (self._end - day) // DAY
        shortest = next((number for number, span in enumerate(SPANS) if age < span), None)
        for checker, period in periods.items():
            if checker not in self._days:
                self._days[checker] = []
                self._between_spans[checker] = tuple(HistogramMerger() for _ in SPANS)
            self._days[checker].append(
                msgspec.Raw(encode(chart_point(day, period), order="deterministic"))
            )
            if shortest is not None:
                self._between_spans[checker][shortest].add(period.latency)

    def year(self) -> YearDocument:
        """Return all days that were added."""
        checkers = {}
        for checker, days in self._days.items():
            latency, span = [], HistogramMerger()
            for merger in self._between_spans[checker]:
                span.add(merger.merged())
                latency.append(span.merged())
            checkers[checker] = _encode_year(days, latency)
        return YearDocument(end=format_date(self._end), checkers=checkers)


def advance_year(
    year: YearDocument,
    day: int,
    periods: Mapping[str, PeriodAggregate],
    expired: Sequence[Mapping[str, LatencyHistogram]],
) -> YearDocument:
    """Return the year that ends a day later: what :class:`YearBuilder` makes of all of its days.

    Args:
        year: ends with the day before.
        day: the beginning of the day that is added.
        periods: that day.
        expired: the response times of the days that leave the spans, one for each span.

    Raises:
        ValueError: the year cannot be read, or these days differed when they were added.
    """
    checkers = {}
    for checker in year.checkers.keys() | periods.keys():
        leaving = [histograms.get(checker, LatencyHistogram()) for histograms in expired]
        summary = _advance(year.strict_summary(checker), day, periods.get(checker), leaving)
        if summary.days:
            checkers[checker] = _encode_year(summary.days, summary.latency)
    return YearDocument(end=format_date(day + DAY), checkers=checkers)


def expiring_days(day: int) -> Iterator[int]:
    """Yield the days that leave the spans when a day is added, one for each span."""
    return (day - (span - 1) * DAY for span in SPANS)


def _advance(
    old: CheckerYear, day: int, period: PeriodAggregate | None, leaving: Sequence[LatencyHistogram]
) -> CheckerYear:
    points = {it.start: it for it in old.days}
    added = LatencyHistogram() if period is None else period.latency
    latency = []
    for start, whole, part in zip(expiring_days(day), old.latency, leaving, strict=True):
        before = points.get(start, ChartPoint(start // HOUR))
        if chart_point(start, PeriodAggregate(tally=before.tally, latency=part)) != before:
            raise ValueError(f"{format_date(start)} is not what it was")
        latency.append(merge_histograms((subtract_histogram(whole, part), added)))
    days = [it for it in old.days if it.start > day - DAYS * DAY]
    if period is not None:
        days.append(chart_point(day, period))
    return CheckerYear(days=tuple(days), latency=tuple(latency))


def _encode_year(
    days: Sequence[ChartPoint | msgspec.Raw], latency: Sequence[LatencyHistogram]
) -> msgspec.Raw:
    return msgspec.Raw(encode({"days": days, "times": latency}, order="deterministic"))
