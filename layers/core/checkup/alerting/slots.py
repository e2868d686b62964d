"""From stored runs to slots that are complete enough to count. Pure.

Every region stores its own run of a slot. A slot closes when all regions have reported, or when
the others have had their time; with one region, as soon as its run is there. Slots are closed in
order, so whatever is open holds back what comes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from checkup.model import Result, Run, Status
from checkup.runfile import run_key


class Slot(Struct, frozen=True, kw_only=True):
    """What all voting regions saw in one slot.

    Attributes:
        cursor: the last key that a run of this slot can have.
        results: by checker id, one per voting region that looked.
    """

    slot: int
    cursor: str
    results: Mapping[str, tuple[Result, ...]]


def closed_slots(
    runs: Iterable[Run], regions: Sequence[str], now: int, grace: int
) -> tuple[Slot, ...]:
    """Return the slots that can be folded, in order.

    Args:
        runs: in the order of their keys.
        regions: those that vote; none configured means the one machine, which has no name.
        now: the storage's time.
        grace: how long after its slot a region may still report.
    """
    voters = tuple(regions) or ("",)
    closed = []
    for slot, together in groupby(runs, key=lambda run: run.slot):
        votes = {run.region: run for run in together if run.region in voters}
        if 0 < len(votes) < len(voters) and now < slot + grace:
            break
        last = run_key(Run(slot=slot, results=(), position=len(voters) - 1))
        closed.append(Slot(slot=slot, cursor=last, results=_by_checker(votes.values())))
    return tuple(closed)


def verdict(results: Sequence[Result], regions: int) -> tuple[Status, Result]:
    """Return the status that the regions agree on, and the result that speaks for it.

    Regions that could not tell do not vote, and too few votes are no verdict. A failure that
    only a minority sees is for the page; it is not announced. With one region its own status
    is the verdict.

    Args:
        results: at least one.
        regions: how many regions are configured.
    """
    votes = [result for result in results if result.status is not Status.UNKNOWN]
    if len(votes) < regions // 2 + 1:
        return Status.UNKNOWN, results[0]
    majority = len(votes) // 2 + 1
    down = [vote for vote in votes if vote.status is Status.DOWN]
    bad = [vote for vote in votes if vote.status is not Status.HEALTHY]
    if len(down) >= majority:
        return Status.DOWN, down[0]
    if len(bad) >= majority:
        return Status.DEGRADED, bad[0]
    return Status.HEALTHY, votes[0]


def _by_checker(runs: Iterable[Run]) -> Mapping[str, tuple[Result, ...]]:
    results: dict[str, tuple[Result, ...]] = {}
    for run in runs:
        for checker, result in {result.id: result for result in run.results}.items():
            results[checker] = (*results.get(checker, ()), result)
    return results
