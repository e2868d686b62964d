"""Histograms of response times, from which quantiles are read. Pure.

A bucket is as wide as a sixteenth of the power of two that it lies in, so a quantile is right to
about 3 %. Buckets are computed from integers alone: the same times are in the same buckets
everywhere, and the buckets of two periods add up to those of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from checkup.model import Phases

_BITS: Final = 4
_STEPS: Final = 1 << _BITS


class LatencyHistogram(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Response times of one checker in one period.

    Attributes:
        count: how many there are: one per result that was healthy or degraded.
        total: their sum, in nanoseconds.
        buckets: the buckets that are not empty, in order, each with its count.
        phase_count: attempts that measured their phases.
        phases: the sums of these.
    """

    count: int = 0
    total: int = 0
    buckets: tuple[tuple[int, int], ...] = ()
    phase_count: int = field(name="phased", default=0)
    phases: Phases = Phases()

    def quantile(self, share: float) -> int | None:
        """Return the time that this share of all times does not exceed, to about 3 %.

        Args:
            share: from 0 to 1.
        """
        return bucket_midpoint(self.bucket(share)) if self.count else None

    def bucket(self, share: float) -> int:
        """Return the bucket of that time; 0 without times."""
        rank = max(1, -int(-share * self.count // 1))
        for bucket, number in self.buckets:
            rank -= number
            if rank <= 0:
                return bucket
        return 0


def bucket_of(time: int) -> int:
    """Return the number of the bucket of a time; it grows with the time."""
    if time < 2 * _STEPS:
        return max(0, time)
    shift = time.bit_length() - _BITS - 1
    return (shift << _BITS) + (time >> shift)


def bucket_midpoint(bucket: int) -> int:
    """Return the time in the middle of a bucket."""
    if bucket < 2 * _STEPS:
        return bucket
    shift = (bucket >> _BITS) - 1
    return (_STEPS + bucket % _STEPS << shift) + (1 << shift >> 1)


class HistogramMerger:
    """Merges the response times of periods."""

    def __init__(self) -> None:
        self._count = self._total = self._phase_count = 0
        self._buckets: dict[int, int] = {}
        self._phases = Phases()

    def add(self, times: LatencyHistogram) -> None:
        """Add the times of one more period."""
        self._count += times.count
        self._total += times.total
        if times.phase_count:
            self._phase_count += times.phase_count
            self._phases = add_phases(self._phases, times.phases)
        for bucket, number in times.buckets:
            self._buckets[bucket] = self._buckets.get(bucket, 0) + number

    def merged(self) -> LatencyHistogram:
        """Return the times of all of them as those of one period."""
        return LatencyHistogram(
            count=self._count,
            total=self._total,
            buckets=tuple(sorted(self._buckets.items())),
            phase_count=self._phase_count,
            phases=self._phases,
        )


def merge_histograms(histograms: Iterable[LatencyHistogram]) -> LatencyHistogram:
    """Return the times of several periods as those of one."""
    merger = HistogramMerger()
    for histogram in histograms:
        merger.add(histogram)
    return merger.merged()


def subtract_histogram(whole: LatencyHistogram, part: LatencyHistogram) -> LatencyHistogram:
    """Return the times of a period without those of a part of it.

    Raises:
        ValueError: they are not in it.
    """
    buckets = dict(whole.buckets)
    for bucket, number in part.buckets:
        buckets[bucket] = buckets.get(bucket, 0) - number
    if min(buckets.values(), default=0) < 0:
        raise ValueError("these times are not in that period")
    return LatencyHistogram(
        count=whole.count - part.count,
        total=whole.total - part.total,
        buckets=tuple((bucket, number) for bucket, number in buckets.items() if number),
        phase_count=whole.phase_count - part.phase_count,
        phases=_subtract_phases(whole.phases, part.phases) if part.phase_count else whole.phases,
    )


def add_phases(some: Phases, others: Phases) -> Phases:
    """Add two up, phase by phase."""
    return Phases(
        resolve=some.resolve + others.resolve,
        connect=some.connect + others.connect,
        tls=some.tls + others.tls,
        wait=some.wait + others.wait,
        transfer=some.transfer + others.transfer,
    )


def _subtract_phases(some: Phases, others: Phases) -> Phases:
    return Phases(
        resolve=some.resolve - others.resolve,
        connect=some.connect - others.connect,
        tls=some.tls - others.tls,
        wait=some.wait - others.wait,
        transfer=some.transfer - others.transfer,
    )
