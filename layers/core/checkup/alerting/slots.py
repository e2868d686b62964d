"""From stored runs to slots that are complete enough to count. Pure.

Every region stores its own run of a slot. A slot closes when all regions have reported, or when
the others have had their time; with one region, as soon as its run is there. Slots are closed in
order, so whatever is open holds back what comes after it. A slot of the schedule of which there
is no run at all is time of which nothing is known: it is closed at once with one region, and with
several when its time is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import Struct

from checkup.model import SECOND, Run
from checkup.runfile import key_time, run_key


class SlotSchedule(Struct, frozen=True, kw_only=True):
    """When slots are, and when they close.

    Attributes:
        regions: those that vote; none configured means the one machine, which has no name.
        interval: the time between the slots of a schedule; 0 for runs without one.
        grace: how long after its slot a region may still report.
    """

    regions: Sequence[str] = ()
    interval: int = 0
    grace: int = 0

    @property
    def voters(self) -> Sequence[str]:
        """The regions whose runs count."""
        return self.regions or ("",)


class ClosedSlot(Struct, frozen=True, kw_only=True):
    """What all voting regions saw in one slot.

    Attributes:
        cursor: the last key that a run of this slot can have.
        runs: one per region that reported, in the order of their keys.
        missed: how long no run took place before, beyond the interval; 0 without a schedule.
    """

    slot: int
    cursor: str
    runs: tuple[Run, ...]
    missed: int = 0


def closed_slots(
    runs: Iterable[Run], calendar: SlotSchedule, now: int, cursor: str = ""
) -> tuple[ClosedSlot, ...]:
    """Return the slots that can be folded, in order.

    Args:
        runs: in the order of their keys.
        now: the storage's time.
        cursor: where the last slot ended.
    """
    voters = calendar.voters
    closed = []
    for slot, together in groupby(runs, key=lambda run: run.slot):
        votes = {run.region: run for run in together if run.region in voters}
        missed = _missed(calendar, cursor, slot)
        if _is_open(calendar, slot, len(votes), missed, now):
            break
        cursor = run_key(Run(slot=slot, results=(), position=len(voters) - 1))
        closed.append(
            ClosedSlot(slot=slot, cursor=cursor, runs=tuple(votes.values()), missed=missed)
        )
    return tuple(closed)


def _is_open(calendar: SlotSchedule, slot: int, votes: int, missed: int, now: int) -> bool:
    """Say whether a run may still come that belongs into this slot, or before it."""
    if len(calendar.voters) == 1:
        return False
    if missed and now < slot - calendar.interval + calendar.grace:
        return True
    return 0 < votes < len(calendar.voters) and now < slot + calendar.grace


def _missed(calendar: SlotSchedule, cursor: str, slot: int) -> int:
    """Return the time in which slots of the schedule lie of which there is no run."""
    last = key_time(cursor)
    if not calendar.interval or last is None:
        return 0
    gap = slot - last - calendar.interval
    if calendar.regions:
        # Slots are whole seconds there, and the cursor is some nanoseconds after one: one for each
        # further region that there was then.
        gap = -(-gap // SECOND) * SECOND
    return max(0, gap)
