"""Summing a year up: of all of its days, or of the year that ended a day before. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from checkup.history.documents import encode
from checkup.history.head import Period
from checkup.history.periods import DAY, HOUR, date_of
from checkup.history.points import Point, point
from checkup.history.times import Merging, Times, merged, without
from checkup.history.year import DAYS, SPANS, Summary, Year


class Summing:
    """A year that days are added to, in their order."""

    def __init__(self, end: int) -> None:
        """Begin.

        Args:
            end: when the day begins that comes after the last one.
        """
        self._end = end
        self._days: dict[str, list[msgspec.Raw]] = {}
        self._rings: dict[str, tuple[Merging, ...]] = {}

    def add(self, day: int, periods: Mapping[str, Period]) -> None:
        """Add one day, by its beginning."""
        age = (self._end - day) // DAY
        ring = next((number for number, span in enumerate(SPANS) if age < span), None)
        for checker, period in periods.items():
            if checker not in self._days:
                self._days[checker] = []
                self._rings[checker] = tuple(Merging() for _ in SPANS)
            self._days[checker].append(msgspec.Raw(encode(point(day, period))))
            if ring is not None:
                self._rings[checker][ring].add(period.times)

    def year(self) -> Year:
        """Return all days that were added."""
        checkers = {name: msgspec.Raw(self._summary(name)) for name in self._days}
        return Year(end=date_of(self._end), checkers=checkers)

    def _summary(self, checker: str) -> bytes:
        times, span = [], Merging()
        for ring in self._rings[checker]:
            span.add(ring.times())
            times.append(span.times())
        return _encoded(self._days[checker], times)


def next_year(
    year: Year, day: int, periods: Mapping[str, Period], gone: Sequence[Mapping[str, Times]]
) -> Year:
    """Return the year that ends a day later: what :class:`Summing` makes of all of its days.

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
        left = [times.get(checker, Times()) for times in gone]
        summary = _next(year.strict_summary(checker), day, periods.get(checker), left)
        if summary.days:
            checkers[checker] = msgspec.Raw(_encoded(summary.days, summary.times))
    return Year(end=date_of(day + DAY), checkers=checkers)


def too_old(day: int) -> Iterator[int]:
    """Yield the days that a day takes the place of, one for each of the spans."""
    return (day - (span - 1) * DAY for span in SPANS)


def _next(old: Summary, day: int, period: Period | None, gone: Sequence[Times]) -> Summary:
    points = {it.start: it for it in old.days}
    times = []
    for start, whole, part in zip(too_old(day), old.times, gone, strict=True):
        before = points.get(start, Point(start // HOUR))
        if point(start, Period(tally=before.tally, times=part)) != before:
            raise ValueError(f"{date_of(start)} is not what it was")
        times.append(merged((without(whole, part), period.times if period else Times())))
    days = [it for it in old.days if it.start > day - DAYS * DAY]
    if period is not None:
        days.append(point(day, period))
    return Summary(days=tuple(days), times=tuple(times))


def _encoded(days: Sequence[Point | msgspec.Raw], times: Sequence[Times]) -> bytes:
    return encode({"days": days, "times": times})
