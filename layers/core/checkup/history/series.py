"""A year of days in one document, sorted by checker: what pages of components are drawn from. Pure.

It is made of the files of days and times and says nothing that is not in them. Whoever wants the
last year of every checker reads one file in the place of two for each month, and response times
of a span that many days went into are added up already.
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

# What the history tells of one checker, as pages about it need it. Pure.


class CheckerHistory(Struct, frozen=True, kw_only=True):
    """All that is told of one checker up to a full hour.

    Attributes:
        until: that hour's end.
        first: when its first result came; None if none has.
        hours: those of the last seven days, today included, on which there was anything.
        days: those of the last year, today included as far as it has come, in order.
        last_24h: the last 24 hours in one.
        times: response times of each of the spans of a year, today included.
    """

    until: int
    first: int | None
    hours: tuple[ChartPoint, ...]
    days: tuple[ChartPoint, ...]
    last_24h: PeriodAggregate
    times: tuple[LatencyHistogram, ...]


YEAR: Final = FOLDER + "year.json"

DAYS: Final = 365
"""Closed days: with today they are twelve months, the present one and the eleven before it."""

SPANS: Final = (7, 30, 90, 365)
"""Days that response times are added up for, today included."""


class CheckerYear(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last year of one checker.

    Attributes:
        days: those on which there was anything, in order.
        latency: response times of the closed days of each of the spans.
    """

    days: tuple[ChartPoint, ...] = ()
    latency: tuple[LatencyHistogram, ...] = field(
        name="times", default=(LatencyHistogram(),) * len(SPANS)
    )


class YearDocument(Struct, frozen=True, kw_only=True):
    """The document ``history/year.json``.

    Attributes:
        end: the day after the last one, by its date; empty if nothing has been summed up.
        checkers: by id; each is decoded when it is needed, for most of the time none is.
    """

    schema: int = SCHEMA
    end: str = ""
    checkers: Mapping[str, msgspec.Raw] = field(default_factory=dict)

    def summary(self, checker: str) -> CheckerYear:
        """Return the year of one checker; an empty one if there is none that can be read."""
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


# Summing a year up: of all of its days, or of the year that ended a day before. Pure.


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
            self._days[checker].append(
                msgspec.Raw(encode(chart_point(day, period), order="deterministic"))
            )
            if ring is not None:
                self._rings[checker][ring].add(period.latency)

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
            checkers[checker] = msgspec.Raw(_encoded(summary.days, summary.latency))
    return YearDocument(end=format_date(day + DAY), checkers=checkers)


def expiring_days(day: int) -> Iterator[int]:
    """Yield the days that a day takes the place of, one for each of the spans."""
    return (day - (span - 1) * DAY for span in SPANS)


def _next(
    old: CheckerYear, day: int, period: PeriodAggregate | None, gone: Sequence[LatencyHistogram]
) -> CheckerYear:
    points = {it.start: it for it in old.days}
    times = []
    for start, whole, part in zip(expiring_days(day), old.latency, gone, strict=True):
        before = points.get(start, ChartPoint(start // HOUR))
        if chart_point(start, PeriodAggregate(tally=before.tally, latency=part)) != before:
            raise ValueError(f"{format_date(start)} is not what it was")
        times.append(
            merge_histograms(
                (subtract_histogram(whole, part), period.latency if period else LatencyHistogram())
            )
        )
    days = [it for it in old.days if it.start > day - DAYS * DAY]
    if period is not None:
        days.append(chart_point(day, period))
    return CheckerYear(days=tuple(days), latency=tuple(times))


def _encoded(days: Sequence[ChartPoint | msgspec.Raw], times: Sequence[LatencyHistogram]) -> bytes:
    return encode({"days": days, "times": times}, order="deterministic")
