"""Response times as counts in buckets, from which quantiles can be read. Pure.

A bucket is as wide as a sixteenth of the power of two that it lies in, so a quantile is right to
about three per cent. Buckets are a matter of integers alone: the same times are in the same
buckets everywhere, and buckets of two periods add up to those of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from checkup.model import Phases

_BITS: Final = 4
_STEPS: Final = 1 << _BITS


class Times(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Response times of one checker in one period.

    Attributes:
        count: how many there are: one per result that was not down.
        total: their sum, in nanoseconds.
        buckets: the buckets that are not empty, in order, each with how many lie in it.
        phased: attempts that say where their time went.
        phases: the sums of what they say.
    """

    count: int = 0
    total: int = 0
    buckets: tuple[tuple[int, int], ...] = ()
    phased: int = 0
    phases: Phases = Phases()

    def quantile(self, share: float) -> int | None:
        """Return the time that this share of all times does not exceed, to about 3 %.

        Args:
            share: from 0 to 1.
        """
        rank = max(1, -int(-share * self.count // 1))
        for bucket, number in self.buckets:
            rank -= number
            if rank <= 0:
                return middle(bucket)
        return None


def bucket_of(time: int) -> int:
    """Return the bucket of a time, which is larger the longer the time is."""
    if time < 2 * _STEPS:
        return max(0, time)
    shift = time.bit_length() - _BITS - 1
    return (shift << _BITS) + (time >> shift)


def middle(bucket: int) -> int:
    """Return a time in the middle of a bucket."""
    if bucket < 2 * _STEPS:
        return bucket
    shift = (bucket >> _BITS) - 1
    return (_STEPS + bucket % _STEPS << shift) + (1 << shift >> 1)


def merged(times: Iterable[Times]) -> Times:
    """Return the times of several periods as if they were one."""
    count = total = phased = 0
    buckets: dict[int, int] = {}
    phases = Phases()
    for some in times:
        count += some.count
        total += some.total
        phased += some.phased
        phases = added(phases, some.phases)
        for bucket, number in some.buckets:
            buckets[bucket] = buckets.get(bucket, 0) + number
    return Times(
        count=count,
        total=total,
        buckets=tuple(sorted(buckets.items())),
        phased=phased,
        phases=phases,
    )


def added(some: Phases, others: Phases) -> Phases:
    """Return the sum of two, phase by phase."""
    return Phases(
        resolve=some.resolve + others.resolve,
        connect=some.connect + others.connect,
        tls=some.tls + others.tls,
        wait=some.wait + others.wait,
        transfer=some.transfer + others.transfer,
    )
