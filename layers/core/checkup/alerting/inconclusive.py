"""Runs in which our own network failed: their failures say nothing about anybody else. Pure.

Reference targets are checkers that fail only if our own network does. A run in which all of them
are down together with others is inconclusive, and its bad results count as unknown. That holds
for a few runs in a row; whatever has lasted longer is announced, for silence is no answer.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from msgspec.structs import replace

from checkup.model import Result, Run, Status

MAX_INCONCLUSIVE_RUNS: Final = 3
"""Inconclusive runs in a row; the next one counts, whatever the reference targets say."""


class DiscountedRun(NamedTuple):
    """A run as it counts.

    Attributes:
        row: inconclusive runs in a row, this one included; 0 if it is none.
        discounted: how many bad results do not count, the references' own included.
    """

    run: Run
    row: int
    discounted: int = 0


def discount_network_failures(run: Run, references: Collection[str], row: int) -> DiscountedRun:
    """Return the run as it counts.

    Args:
        references: ids of the reference targets.
        row: inconclusive runs in a row before this one.
    """
    seen = {result.status for result in run.results if result.id in references}
    known = seen - {Status.UNKNOWN}
    if not known:
        return DiscountedRun(run, row)
    bad = [result for result in run.results if _is_bad(result)]
    if known != {Status.DOWN} or all(result.id in references for result in bad):
        return DiscountedRun(run, 0)
    if row >= MAX_INCONCLUSIVE_RUNS:
        return DiscountedRun(run, row)
    results = tuple(_unknown(result) if _is_bad(result) else result for result in run.results)
    return DiscountedRun(replace(run, results=results), row + 1, len(bad))


def _is_bad(result: Result) -> bool:
    return result.status in {Status.DOWN, Status.DEGRADED}


def _unknown(result: Result) -> Result:
    return replace(result, healthy=False, degraded=False, down=False)
