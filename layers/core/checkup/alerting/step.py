"""One checker, one run: how a result moves its state. Pure.

Nothing here asks who knows about it: what there is to announce follows from the state, whatever
way led there.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.flapping import append_status, is_flapping
from checkup.alerting.state import NOT_MONITORED_AFTER, CheckerState, Streak
from checkup.model import Status

_HEALTHY, _DEGRADED, _DOWN, _UNKNOWN = (
    Status.HEALTHY,
    Status.DEGRADED,
    Status.DOWN,
    Status.UNKNOWN,
)


class Thresholds(Struct, frozen=True, kw_only=True):
    """Runs in a row that confirm a status: down, healthy again, degraded.

    Attributes:
        flapping: whether to notice that a checker changes too often.
    """

    failure: int = 1
    success: int = 1
    degraded: int = 3
    flapping: bool = False

    @property
    def longest(self) -> int:
        """The number of runs beyond which counting changes nothing."""
        return max(self.failure, self.success, self.degraded)


def next_state(
    state: CheckerState, seen: Status, slot: int, thresholds: Thresholds
) -> CheckerState:
    """Return the state after a run in which the checker was ``seen`` like this.

    An unknown result is no evidence, neither of a failure nor of a recovery.
    """
    if seen is _UNKNOWN:
        return replace(state, blind=min(state.blind + 1, NOT_MONITORED_AFTER))
    limit = thresholds.longest
    recent = append_status(state.recent, seen) if thresholds.flapping else ""
    counted = replace(
        state,
        blind=0,
        recent=recent,
        flapping=is_flapping(recent, state.flapping),
        down=_count(state.down, seen is _DOWN, slot, limit),
        bad=_count(state.bad, seen is not _HEALTHY, slot, limit),
        good=_count(state.good, seen is _HEALTHY, slot, limit),
        not_down=_count(state.not_down, seen is not _DOWN, slot, limit),
    )
    status, since = _confirmed(counted, thresholds)
    return replace(counted, status=status, since=since)


def _count(streak: Streak, fits: bool, slot: int, limit: int) -> Streak:  # noqa: FBT001
    if not fits:
        return Streak()
    if not streak.runs:
        return Streak(runs=1, since=slot)
    return Streak(runs=min(streak.runs + 1, limit), since=streak.since)


def _confirmed(state: CheckerState, thresholds: Thresholds) -> tuple[Status, int]:
    """Return the confirmed status and when it began: by the first rule that holds.

    Counting results that are not healthy apart from those that are down keeps a checker that
    alternates between down and degraded from passing as healthy for ever.
    """
    now = state.status
    down = state.down.runs >= thresholds.failure
    bad = state.bad.runs >= thresholds.degraded
    good = state.good.runs >= thresholds.success
    not_down = state.not_down.runs >= thresholds.success
    rules = (
        (now is not _DOWN and down, _DOWN, state.down),
        (now in {_HEALTHY, _UNKNOWN} and bad, _DEGRADED, state.bad),
        (now is _DOWN and good, _HEALTHY, state.good),
        (now is _DOWN and not_down, _DEGRADED, state.not_down),
        (now is _DEGRADED and good, _HEALTHY, state.good),
        (now is _UNKNOWN and state.good.runs > 0, _HEALTHY, state.good),
    )
    for holds, status, streak in rules:
        if holds:
            return status, streak.since
    return now, state.since
