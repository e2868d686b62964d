"""Statistics of a result's round trip times, with the Go program's arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from checkup.model import Attempt


class RttStats(Struct, frozen=True, kw_only=True):
    """Nanoseconds over all attempts of one result, failed ones included."""

    total: int = 0
    mean: int = 0
    median: int = 0
    min: int = 0
    max: int = 0


def rtt_stats(attempts: Sequence[Attempt]) -> RttStats:
    """Return the statistics that the Go program prints; all zero without attempts.

    The minimum follows its running scan, in which a 0 (no round trip was measured) means
    "not set yet": ``[5, 0, 7]`` has the minimum 7.
    """
    if not attempts:
        return RttStats()
    rtts = [attempt.rtt for attempt in attempts]
    ordered = sorted(rtts)
    middle, odd = divmod(len(ordered), 2)
    lowest = 0
    for rtt in rtts:
        if lowest == 0 or rtt < lowest:
            lowest = rtt
    return RttStats(
        total=sum(rtts),
        mean=sum(rtts) // len(rtts),
        median=ordered[middle] if odd else (ordered[middle - 1] + ordered[middle]) // 2,
        min=lowest,
        max=ordered[-1],
    )
