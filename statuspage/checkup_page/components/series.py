"""Neighbouring hours or days of one component as columns. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from checkup.history.periods import HOUR
from checkup.history.points import ChartPoint
from checkup.history.tally import Tally
from checkup_page.components.days import NONE, day_status, is_fully_operational
from checkup_page.state import ComponentStatus

_BUCKETS: Final = "H"
"""Numbers below 65,536, of two bytes each: a thousand components have a million of them."""


class ChartSeries(Struct, frozen=True):
    """Columns from left to right, all of one length but the last, which may be cut short.

    Attributes:
        begin: when the first one begins.
        step: how long each is.
        looks: how they look.
        medians, highs: the buckets of their response times, see :class:`ChartPoint`; 0 for none.
        tallies: of those that were not simply good, by their places.
    """

    begin: int
    step: int
    looks: list[str]
    medians: array[int]
    highs: array[int]
    tallies: dict[int, Tally]

    def between(self, begin: int, end: int) -> slice:
        """Return the places of a span of time, which begins with a column."""
        return slice((begin - self.begin) // self.step, -(-(end - self.begin) // self.step))


def chart_series(points: Iterable[ChartPoint], begin: int, end: int, step: int) -> ChartSeries:
    """Return the columns between two moments; points that lie elsewhere are left out."""
    count = -(-(end - begin) // step)
    looks = [NONE] * count
    medians, highs = (array(_BUCKETS, bytes(2 * count)) for _ in range(2))
    tallies: dict[int, Tally] = {}
    first = begin // HOUR
    hours = step // HOUR
    for point in points:
        at = (point.hour - first) // hours
        if not 0 <= at < count:
            continue
        tally, length = point.tally, step if at < count - 1 else end - begin - at * step
        medians[at], highs[at] = point.median_bucket, point.high_bucket
        if is_fully_operational(tally, length):
            looks[at] = ComponentStatus.OPERATIONAL
        else:
            tallies[at] = tally
            looks[at] = day_status(tally, length)
    return ChartSeries(begin, step, looks, medians, highs, tallies)
