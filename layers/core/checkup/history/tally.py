"""How long a checker was in which state, counted in whole nanoseconds. Pure.

What adds up to the length of a period is counted; whatever is left of it is time of which there
is no result, and is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from checkup.history.latency import HistogramMerger, LatencyHistogram, bucket_midpoint
from checkup.model import Status
from checkup.times import HOUR

UPTIME_FORMULA: Final = (
    "Uptime is the share of the observed time in which a service was operational or degraded, "
    "rounded down. Time is observed if there is a result for it that is not unknown. Maintenance "
    "counts neither way."
)
"""What :attr:`Tally.up` and :attr:`Tally.known` say, for people."""

MAX_DISRUPTIONS: Final = 20
"""Troubles of one day that are remembered one by one, the longest; the tally counts all."""


# Of these and of what is made of them there are hundreds of thousands, and no cycles among them:
# looked through by the garbage collector again and again, they took half of the time of a page.


class DayDisruption(Struct, frozen=True, array_like=True, gc=False):
    """A stretch of one day without a better result.

    Attributes:
        start: counted from the beginning of the day.
        status: down or degraded; unknown where that follows one of these, for nobody saw it end.
    """

    start: int
    length: int
    status: Status


class Tally(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Time by state, in nanoseconds.

    Attributes:
        healthy, degraded, down, unknown: outside of maintenance.
        maintenance: whatever the state was.
        runs: results that were counted.
        failures: those of them that were down.
        disruptions: of a day, in order; none of an hour.
    """

    healthy: int = 0
    degraded: int = 0
    down: int = 0
    unknown: int = 0
    maintenance: int = 0
    runs: int = 0
    failures: int = 0
    disruptions: tuple[DayDisruption, ...] = field(name="troubles", default=())

    @property
    def up(self) -> int:
        """The time in which the service could be used."""
        return self.healthy + self.degraded

    @property
    def observed(self) -> int:
        """The time that uptime is a share of."""
        return self.healthy + self.degraded + self.down

    @property
    def counted(self) -> int:
        """All time of which there is a result."""
        return self.observed + self.unknown + self.maintenance

    def no_data(self, length: int) -> int:
        """Return the time of a period of this length of which there is no result."""
        return length - self.counted


def add_tallies(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of periods that do not overlap; their troubles are left out."""
    healthy = degraded = down = unknown = maintenance = runs = failures = 0
    for tally in tallies:
        healthy += tally.healthy
        degraded += tally.degraded
        down += tally.down
        unknown += tally.unknown
        maintenance += tally.maintenance
        runs += tally.runs
        failures += tally.failures
    return Tally(
        healthy=healthy,
        degraded=degraded,
        down=down,
        unknown=unknown,
        maintenance=maintenance,
        runs=runs,
        failures=failures,
    )


def uptime_percent(part: int, whole: int) -> str | None:
    """Return a share with two decimals, rounded down; None if there is nothing to share.

    Rounded down, 100.00 is said of nothing that was not always up.
    """
    if whole <= 0:
        return None
    units, hundredths = divmod(part * 10_000 // whole, 100)
    return f"{units}.{hundredths:02d}"


class PeriodAggregate(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One closed hour or day of one checker."""

    tally: Tally = Tally()
    latency: LatencyHistogram = field(name="times", default=LatencyHistogram())


# One hour or one day of one checker, as much of it as is drawn. Pure.


MEDIAN: Final = 0.5
HIGH: Final = 0.95


class ChartPoint(Struct, frozen=True, array_like=True, gc=False):
    """What stands for a period in a chart.

    Attributes:
        hour: when the period began, in hours since the epoch.
        tally: its time by state, without the troubles.
        median_bucket, p95_bucket: of the response time that half of the results do not exceed,
            and that 95 % do not; 0 for none.
    """

    hour: int
    tally: Tally = Tally()
    median_bucket: int = 0
    p95_bucket: int = 0

    @property
    def start(self) -> int:
        """When the period began, in nanoseconds since the epoch."""
        return self.hour * HOUR

    @property
    def median(self) -> int | None:
        """The median response time, in nanoseconds."""
        return bucket_midpoint(self.median_bucket) if self.median_bucket else None

    @property
    def p95(self) -> int | None:
        """The response time that 95 % of the results do not exceed, in nanoseconds."""
        return bucket_midpoint(self.p95_bucket) if self.p95_bucket else None


def chart_point(start: int, period: PeriodAggregate) -> ChartPoint:
    """Return what stands for a period."""
    tally, times = period.tally, period.latency
    untroubled = add_tallies([tally]) if tally.disruptions else tally
    return ChartPoint(start // HOUR, untroubled, times.bucket(MEDIAN), times.bucket(HIGH))


class PeriodMerger:
    """Periods of one checker that do not overlap, put together one after the other."""

    def __init__(self) -> None:
        self._tallies: list[Tally] = []
        self._times = HistogramMerger()

    def add(self, period: PeriodAggregate) -> None:
        """Add one more."""
        self._tallies.append(period.tally)
        self._times.add(period.latency)

    def period(self) -> PeriodAggregate:
        """Return all of them as one, without their troubles."""
        return PeriodAggregate(tally=add_tallies(self._tallies), latency=self._times.times())
