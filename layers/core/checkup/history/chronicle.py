"""What the history tells of one checker, as pages about it need it. Pure."""

from __future__ import annotations

from msgspec import Struct

from checkup.history.head import PeriodAggregate
from checkup.history.points import ChartPoint
from checkup.history.times import LatencyHistogram


class CheckerHistory(Struct, frozen=True, kw_only=True):
    """All that is told of one checker up to a full hour.

    Attributes:
        until: that hour's end.
        first: when its first result came; None if none has.
        hours: those of the last seven days, today included, on which there was anything.
        days: those of the last year, today included as far as it has come, in order.
        last_day: the last 24 hours in one.
        times: response times of each of the spans of a year, today included.
    """

    until: int
    first: int | None
    hours: tuple[ChartPoint, ...]
    days: tuple[ChartPoint, ...]
    last_day: PeriodAggregate
    times: tuple[LatencyHistogram, ...]
