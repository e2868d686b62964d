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

from checkup.history.documents import FOLDER
from checkup.history.head import SCHEMA
from checkup.history.points import ChartPoint
from checkup.history.times import LatencyHistogram

YEAR: Final = FOLDER + "year.json"

DAYS: Final = 365
"""Closed days: with today they are twelve months, the present one and the eleven before it."""

SPANS: Final = (7, 30, 90, 365)
"""Days that response times are added up for, today included."""


class CheckerYear(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last year of one checker.

    Attributes:
        days: those on which there was anything, in order.
        times: response times of the closed days of each of the spans.
    """

    days: tuple[ChartPoint, ...] = ()
    times: tuple[LatencyHistogram, ...] = (LatencyHistogram(),) * len(SPANS)


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
        if len(found.times) != len(SPANS):
            raise ValueError("other spans were added up")
        return found
