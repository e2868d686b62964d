"""How long a checker was in which state, in whole nanoseconds, and the uptime of that. Pure.

What a tally does not count of the length of a period is time without data.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from checkup.history.latency import HistogramMerger, LatencyHistogram, bucket_midpoint
from checkup.model import Status
from checkup.times import HOUR

MAX_DISRUPTIONS: Final = 20
"""Disruptions of one day that are kept, the longest; the tally counts the time of all."""


# gc=False: there are hundreds of thousands of these and no cycles among them. Scanning them again
# and again, the garbage collector took half of the time that a page takes.


class DayDisruption(Struct, frozen=True, array_like=True, gc=False):
    """A period of one day in which a checker was not healthy.

    Attributes:
        start: counted from the beginning of the day.
        status: down or degraded; unknown where that follows one of these: its end was not seen.
    """

    start: int
    length: int
    status: Status


class Tally(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Time by state, in nanoseconds.

    Attributes:
        healthy, degraded, down, unknown: outside of maintenance.
        maintenance: whatever the status was.
        runs: how many results were counted.
        failures: how many of them were down.
        disruptions: those of a day, in order; an hour has none.
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
        """The time of which uptime is a share."""
        return self.healthy + self.degraded + self.down

    @property
    def uptime(self) -> float | None:
        """The uptime, from 0 to 1; None if nothing was observed."""
        return self.up / self.observed if self.observed else None

    @property
    def uptime_percent(self) -> str | None:
        """The uptime as a person reads it, see :func:`percent`."""
        return percent(self.up, self.observed)

    def coverage_percent(self, length: int) -> str | None:
        """Return the observed share of a period of this length, maintenance left out."""
        return percent(self.observed, length - self.maintenance)

    @property
    def counted(self) -> int:
        """All time with a result."""
        return self.observed + self.unknown + self.maintenance

    def no_data(self, length: int) -> int:
        """Return the time without a result in a period of this length."""
        return length - self.counted


def add_tallies(tallies: Iterable[Tally]) -> Tally:
    """Add up periods that do not overlap; their disruptions are left out."""
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


def percent(part: int, whole: int) -> str | None:
    """Return a share with two decimals; None of nothing.

    It is rounded down, so that only what was always up has 100.00.
    """
    if whole <= 0:
        return None
    units, hundredths = divmod(part * 10_000 // whole, 100)
    return f"{units}.{hundredths:02d}"


class PeriodAggregate(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One closed hour or day of one checker."""

    tally: Tally = Tally()
    latency: LatencyHistogram = field(name="times", default=LatencyHistogram())


MEDIAN: Final = 0.5
HIGH: Final = 0.95


class ChartPoint(Struct, frozen=True, array_like=True, gc=False):
    """An hour or a day of one checker in a chart.

    Attributes:
        hour: when the period began, in hours since the epoch.
        tally: its time by state, without the disruptions.
        median_bucket, p95_bucket: of the response times that 50 % and 95 % of the results do not
            exceed; 0 without any.
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
    """Return the chart's part of a period."""
    tally, latency = period.tally, period.latency
    plain = add_tallies([tally]) if tally.disruptions else tally
    return ChartPoint(start // HOUR, plain, latency.bucket(MEDIAN), latency.bucket(HIGH))


class PeriodMerger:
    """Merges periods of one checker that do not overlap."""

    def __init__(self) -> None:
        self._tallies: list[Tally] = []
        self._latency = HistogramMerger()

    def add(self, period: PeriodAggregate) -> None:
        """Add one more."""
        self._tallies.append(period.tally)
        self._latency.add(period.latency)

    def period(self) -> PeriodAggregate:
        """Return all of them as one, without their disruptions."""
        return PeriodAggregate(tally=add_tallies(self._tallies), latency=self._latency.merged())
