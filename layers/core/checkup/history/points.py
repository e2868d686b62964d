"""One hour or one day of one checker, as much of it as is drawn. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from checkup.history.head import PeriodAggregate
from checkup.history.periods import HOUR
from checkup.history.tally import Tally, add_tallies
from checkup.history.times import HistogramMerger, bucket_midpoint

MEDIAN: Final = 0.5
HIGH: Final = 0.95


class ChartPoint(Struct, frozen=True, array_like=True, gc=False):
    """What stands for a period in a chart.

    Attributes:
        hour: when the period began, in hours since the epoch.
        tally: its time by state, without the troubles.
        median_bucket, high_bucket: of the response time that half of the results do not exceed,
            and that 95 % do not; 0 for none.
    """

    hour: int
    tally: Tally = Tally()
    median_bucket: int = 0
    high_bucket: int = 0

    @property
    def start(self) -> int:
        """When the period began, in nanoseconds since the epoch."""
        return self.hour * HOUR

    @property
    def median(self) -> int | None:
        """The median response time, in nanoseconds."""
        return bucket_midpoint(self.median_bucket) if self.median_bucket else None

    @property
    def high(self) -> int | None:
        """The response time that 95 % of the results do not exceed, in nanoseconds."""
        return bucket_midpoint(self.high_bucket) if self.high_bucket else None


def chart_point(start: int, period: PeriodAggregate) -> ChartPoint:
    """Return what stands for a period."""
    tally, times = period.tally, period.times
    untroubled = add_tallies([tally]) if tally.troubles else tally
    return ChartPoint(start // HOUR, untroubled, times.bucket(MEDIAN), times.bucket(HIGH))


class PeriodMerger:
    """Periods of one checker that do not overlap, put together one after the other."""

    def __init__(self) -> None:
        self._tallies: list[Tally] = []
        self._times = HistogramMerger()

    def add(self, period: PeriodAggregate) -> None:
        """Add one more."""
        self._tallies.append(period.tally)
        self._times.add(period.times)

    def period(self) -> PeriodAggregate:
        """Return all of them as one, without their troubles."""
        return PeriodAggregate(tally=add_tallies(self._tallies), times=self._times.times())
