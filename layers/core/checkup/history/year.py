"""A year of days in one document, sorted by checker: what pages of components are drawn from. Pure.

It is made of the files of days and times and says nothing that is not in them. Whoever wants the
last year of every checker reads one file in the place of two for each month, and response times
of a span that many days went into are added up already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct, field

from checkup.history.documents import FOLDER, encode
from checkup.history.head import SCHEMA, Period
from checkup.history.periods import DAY, date_of
from checkup.history.points import Point, point
from checkup.history.times import Merging, Times

YEAR: Final = FOLDER + "year.json"

DAYS: Final = 365
"""Closed days: with today they are twelve months, the present one and the eleven before it."""

SPANS: Final = (7, 30, 90, 365)
"""Days that response times are added up for, today included."""


class Summary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last year of one checker.

    Attributes:
        days: those on which there was anything, in order.
        times: response times of the closed days of each of the spans.
    """

    days: tuple[Point, ...] = ()
    times: tuple[Times, ...] = (Times(),) * len(SPANS)


class Year(Struct, frozen=True, kw_only=True):
    """The document ``history/year.json``.

    Attributes:
        end: the day after the last one, by its date; empty if nothing has been summed up.
        checkers: by id; each is decoded when it is needed, for most of the time none is.
    """

    schema: int = SCHEMA
    end: str = ""
    checkers: Mapping[str, msgspec.Raw] = field(default_factory=dict)

    def summary(self, checker: str) -> Summary:
        """Return the year of one checker; an empty one if there is none that can be read."""
        try:
            found = msgspec.json.decode(self.checkers.get(checker, b"{}"), type=Summary)
        except ValueError:
            return Summary()
        return found if len(found.times) == len(SPANS) else Summary()


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
        return encode({"days": self._days[checker], "times": times})
