"""Results of one checker over time: as a table, and as a line of blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Final, TypeAlias

from checkup.cli.blocks import colored
from checkup.duration import format_duration
from checkup.model import SECOND, Result, Status
from checkup.stats import rtt_stats

TimedResults: TypeAlias = Sequence[tuple[int, Result]]
"""Results with the moments of their runs, oldest first; never empty."""

_MICROSECOND: Final = 1_000
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_DOWN: Final = "x"
_UNKNOWN: Final = "?"
_WIDEST: Final = 120


def result_rows(seen: TimedResults, *, colour: bool = False) -> Iterator[str]:
    """Yield a line for each result: when, what, how long it took, and why."""
    times = [median_time(result) for _, result in seen]
    width = max(map(len, times))
    for (slot, result), time in zip(seen, times, strict=True):
        when = f"{datetime.fromtimestamp(slot // SECOND, UTC):%Y-%m-%d %H:%M:%S}Z"
        status = colored(f"{result.status:<8}", result.status, colour=colour)
        place = f"{result.region}  " if result.region else ""
        yield f"{when}  {status}  {time:>{width}}  {place}{result_reason(result)}".rstrip()


def sparkline(seen: TimedResults, columns: int, *, colour: bool = False) -> str:
    """Return a line of blocks, as high as the longest time of each stretch.

    A stretch in which the checker was down has a cross, and one without a verdict a question
    mark.
    """
    width = min(columns, _WIDEST, len(seen))
    highest = max(_rtt(result) for _, result in seen)
    stretches = (
        [result for _, result in seen[len(seen) * n // width : len(seen) * (n + 1) // width]]
        for n in range(width)
    )
    return "".join(_block(stretch, highest, colour=colour) for stretch in stretches)


def result_summary(seen: TimedResults) -> str:
    """Return how many results there are of each status, and how long they took."""
    counts = Counter(result.status for _, result in seen)
    statuses = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    number = f"{len(seen)} run{'s' if len(seen) > 1 else ''}"
    times = [_rtt(result) for _, result in seen if result.status is not Status.DOWN]
    if not times:
        return f"{number}: {statuses}"
    middle, longest = _short(int(median(times))), _short(max(times))
    return f"{number}: {statuses}; median {middle}, longest {longest}"


def _block(stretch: Sequence[Result], highest: int, *, colour: bool) -> str:
    status = Status.worst(result.status for result in stretch)
    if status is Status.DOWN:
        sign = _DOWN
    elif status is Status.UNKNOWN:
        sign = _UNKNOWN
    else:
        longest = max(_rtt(result) for result in stretch)
        sign = _BLOCKS[min(longest * len(_BLOCKS) // (highest or 1), len(_BLOCKS) - 1)]
    return colored(sign, status, colour=colour)


def median_time(result: Result) -> str:
    """Return the median time of a result."""
    return _short(_rtt(result))


def _rtt(result: Result) -> int:
    return rtt_stats(result.times).median


def _short(nanoseconds: int) -> str:
    """Return a time to the microsecond."""
    return format_duration(round(nanoseconds, -3) if nanoseconds > _MICROSECOND else nanoseconds)


def result_reason(result: Result) -> str:
    """Return what a result says besides its status, which is often nothing."""
    reason = result.error or result.notice
    failure = f" ({result.failure})" if result.failure else ""
    return f"{reason}{failure}" + (f'  "{result.message}"' if result.message else "")
