"""What spans of time came to for one component: the last 24 hours to the last year. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from checkup.history.chronicle import Chronicle
from checkup.history.periods import DAY, day_of, month_of, month_start, next_month
from checkup.history.points import HIGH, MEDIAN, Point
from checkup.history.tally import Tally, percent, together
from checkup.history.times import Times
from checkup.history.year import SPANS
from checkup.model import Phases
from checkup_page.table import table

LAST_DAY: Final = "24h"
HIGHEST: Final = 0.99
MONTHS: Final = 12

Month = tuple[str, int, int]
"""A month: its name, ``2026-08``, when it begins and when the next one does."""


class Response(Struct, frozen=True):
    """Response times of the results that were not down, in nanoseconds.

    Attributes:
        median, high, highest: what 50, 95 and 99 % of them do not exceed, to about 3 %.
        phases: where the time went, on average; None if nobody said so.
    """

    median: int
    high: int
    highest: int
    phases: Phases | None


class Stretch(Struct, frozen=True, kw_only=True):
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
    response: Response | None = None

    @property
    def uptime(self) -> str | None:
        """Per cent of the observed time, rounded down; None if nothing was observed."""
        return percent(self.tally.up, self.tally.known)

    @property
    def observed(self) -> str | None:
        """Per cent of the time that was observed, maintenance left out, rounded down."""
        return percent(self.tally.known, self.end - self.begin - self.tally.maintenance)


class Record(Struct, frozen=True):
    """All of one component, each from the oldest to the newest or from the shortest on.

    Attributes:
        table: its closed days, see :mod:`checkup_page.table`.
        first: when its first result came; None if none has, or no history is kept.
    """

    stretches: tuple[Stretch, ...] = ()
    months: tuple[Stretch, ...] = ()
    table: tuple[str, ...] = ()
    first: int | None = None


def record(chronicle: Chronicle) -> Record:
    """Return what spans of time came to for a component."""
    return Record(stretches(chronicle), months(chronicle), table(chronicle), first=chronicle.first)


def stretches(chronicle: Chronicle) -> tuple[Stretch, ...]:
    """Return the last 24 hours, and the last 7, 30, 90 and 365 days."""
    end, day = chronicle.until, chronicle.last_day
    first = end if chronicle.first is None else chronicle.first
    found = [(LAST_DAY, end - DAY, day.tally, day.times)]
    for days, times in zip(SPANS, chronicle.times, strict=True):
        begin = day_of(end) - (days - 1) * DAY
        found.append((f"{days}d", begin, _sum(chronicle.days, begin, end), times))
    return tuple(
        Stretch(
            name=name,
            begin=min(max(begin, first), end),
            end=end,
            tally=tally,
            response=_response(times),
        )
        for name, begin, tally, times in found
    )


def months(chronicle: Chronicle) -> tuple[Stretch, ...]:
    """Return the last twelve months since the first result, oldest first."""
    until = chronicle.until
    first = until if chronicle.first is None else chronicle.first
    return tuple(
        Stretch(
            name=name,
            begin=max(begin, first),
            end=min(end, until),
            tally=_sum(chronicle.days, begin, end),
        )
        for name, begin, end in last_months(day_of(until))
        if end > first
    )


@lru_cache(maxsize=2)
def last_months(day: int) -> tuple[Month, ...]:
    """Return the month of a day and the eleven before it, oldest first."""
    found: list[Month] = []
    for _ in range(MONTHS):
        begin = month_start(day)
        found.append((month_of(begin), begin, next_month(begin)))
        day = begin - DAY
    return tuple(reversed(found))


def _sum(days: Sequence[Point], begin: int, end: int) -> Tally:
    return together(day.tally for day in days if begin <= day.start < end)


def _response(times: Times) -> Response | None:
    median, high, highest = (times.quantile(share) for share in (MEDIAN, HIGH, HIGHEST))
    if median is None or high is None or highest is None:
        return None
    return Response(median, high, highest, _mean(times.phases, times.phased))


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
