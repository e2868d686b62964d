"""Changes of a checker's status: confirm them, detect flapping, decide which alerts are due. Pure.

Flapping suppresses the alerts of single changes, never that of an outage that lasts. The formula
and both limits of flapping are those of Nagios: 21 results have room for 20 changes,
the newest of which weighs half as much again as the oldest; 30 % of the weight begins flapping and
less than 20 % ends it
(https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/flapping.html).
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.state import NOT_MONITORED_AFTER, CheckerState, Streak
from checkup.interfaces.checker import MIN_REMINDER_INTERVAL
from checkup.model import Alert, AlertKind, Result, Run, Status
from checkup.times import HOUR

# The alerts of a checker and of the monitor.


MONITOR: Final = "Checkup"
"""The title of alerts that are about the monitor itself."""

_OF_A_STATUS: Final = {
    AlertKind.OPEN,
    AlertKind.CHANGE,
    AlertKind.REMIND,
    AlertKind.RESOLVE,
    AlertKind.FLAPPING,
    AlertKind.FLAPPING_ENDED,
}


def checker_alert(
    kind: AlertKind, slot: int, result: Result, before: CheckerState, after: CheckerState
) -> Alert:
    """Return the alert of a checker's change from one state to the other."""
    status = Status.UNKNOWN if kind is AlertKind.NOT_MONITORED else after.status
    is_over = status is Status.HEALTHY or (kind in _OF_A_STATUS and status is Status.UNKNOWN)
    return Alert(
        id=f"{result.id}/{kind}:{status}/{after.incident_count}/{slot}",
        checker=result.id,
        title=after.title,
        endpoint=after.endpoint,
        kind=kind,
        status=status,
        previous_status=before.alerted_status,
        slot=slot,
        since=after.no_data_since if kind is AlertKind.NOT_MONITORED else after.since,
        opened=after.opened,
        reason="" if is_over else result.error or result.notice,
        failure="" if is_over else result.failure,
        region=result.region,
    )


def removed_checker_alert(checker: str, state: CheckerState, slot: int) -> Alert:
    """Return the end of an incident of a checker that is no longer configured."""
    removed = replace(state, status=Status.UNKNOWN, since=state.removed_since)
    return checker_alert(AlertKind.RESOLVE, slot, Result(id=checker), state, removed)


def inconclusive_alert(run: Run, references: Collection[str], discounted: int) -> Alert:
    """Return the notice that failures of this run do not count."""
    names = [r.title or r.id for r in run.results if r.id in references]
    others = discounted - sum(1 for r in run.results if r.id in references)
    reason = (
        f"{', '.join(names)} failed too, so this may be our own network: "
        f"{others} {'failure does' if others == 1 else 'failures do'} not count for now"
    )
    return _of_the_monitor(AlertKind.INCONCLUSIVE, run.slot, run.slot, reason, run.region)


def missed_runs_alert(slot: int, since: int) -> Alert:
    """Return the notice that no run took place for a long time."""
    return _of_the_monitor(
        AlertKind.MISSED_RUNS, slot, since, "no run took place, so nothing is known"
    )


def state_rebuilt_alert(slot: int, runs: int, failing: Collection[str]) -> Alert:
    """Return the notice that the state was lost and rebuilt from the last runs."""
    now = f"failing now: {', '.join(failing)}" if failing else "nothing fails now"
    past = "run" if runs == 1 else f"{runs} runs"
    reason = f"the state was lost and rebuilt from the last {past}; {now}"
    return _of_the_monitor(AlertKind.STATE_REBUILT, slot, slot, reason)


def _of_the_monitor(kind: AlertKind, slot: int, since: int, reason: str, region: str = "") -> Alert:
    return Alert(
        id=f"/{kind}:unknown/{region or 0}/{slot}",
        checker="",
        title=MONITOR,
        kind=kind,
        status=Status.UNKNOWN,
        previous_status=Status.UNKNOWN,
        slot=slot,
        since=since,
        opened=since,
        reason=reason,
        region=region,
    )


# Which alerts are due: the difference between the status and the last alerted status.
#
# Nothing is tied to the time of a change. So whatever suppresses an alert (maintenance, a silence,
# a dependency that is down, flapping, a gap) cannot lose it: it is due in the first run in which
# nothing suppresses it, if the difference is still there.


MIN_LASTING_RUNS: Final = 3
"""Runs in a row after which an outage is never taken for a flap."""

NO_DATA_AFTER_NS: Final = HOUR
"""How long a checker may have no known result before it counts as not monitored."""


class AlertDecision(NamedTuple):
    """The state after the alerts, and their kinds in order."""

    state: CheckerState
    kinds: tuple[AlertKind, ...]


def decide_alerts(
    state: CheckerState,
    slot: int,
    *,
    suppressed: bool = False,
    remind_every: int = 0,
    lasting_runs: int = MIN_LASTING_RUNS,
) -> AlertDecision:
    """Decide which alerts are due after the last run.

    A checker that is healthy from the start is not alerted; one that is down from the start is.
    After an unknown result no alert about the status is due.

    Args:
        slot: the run after which this is asked.
        suppressed: only the end of an incident may be alerted.
        remind_every: the time between reminders of an outage; 0 for none.
        lasting_runs: runs in a row after which an outage is alerted although the checker flaps.
    """
    kinds: list[AlertKind] = []
    if not suppressed:
        state = _alert_monitoring(state, kinds)
        state = _alert_flapping(state, kinds)
    if not state.unknown_runs and (not state.flapping or _is_lasting(state, lasting_runs)):
        state = _alert_status(state, slot, kinds, suppressed=suppressed)
        if not suppressed and not kinds and is_reminder_due(state, slot, remind_every):
            kinds.append(AlertKind.REMIND)
            state = replace(state, last_alert_slot=slot)
    return AlertDecision(state, tuple(kinds))


def next_reminder(state: CheckerState, remind_every: int) -> int:
    """Return the time of the next reminder; 0 for none."""
    if (
        state.alerted_status is not Status.DOWN
        or state.status is not Status.DOWN
        or remind_every <= 0
    ):
        return 0
    every = max(remind_every, MIN_REMINDER_INTERVAL)
    return state.opened + ((state.last_alert_slot - state.opened) // every + 1) * every


def is_reminder_due(state: CheckerState, slot: int, remind_every: int) -> bool:
    """Say whether a reminder is due: one more whole interval has passed since the last alert.

    The number follows from the slots, so a reminder that was missed is not caught up, and
    computing one twice gives the same.
    """
    return 0 < next_reminder(state, remind_every) <= slot


def _alert_monitoring(state: CheckerState, kinds: list[AlertKind]) -> CheckerState:
    if state.unknown_runs >= NOT_MONITORED_AFTER and not state.alerted_not_monitored:
        kinds.append(AlertKind.NOT_MONITORED)
        return replace(state, alerted_not_monitored=True)
    if not state.unknown_runs and state.alerted_not_monitored:
        kinds.append(AlertKind.MONITORED_AGAIN)
        return replace(state, alerted_not_monitored=False)
    return state


def _alert_flapping(state: CheckerState, kinds: list[AlertKind]) -> CheckerState:
    if state.unknown_runs or state.flapping == state.alerted_flapping:
        return state
    kinds.append(AlertKind.FLAPPING if state.flapping else AlertKind.FLAPPING_ENDED)
    return replace(state, alerted_flapping=state.flapping, alerted_lasting=False)


def _is_lasting(state: CheckerState, runs: int) -> bool:
    """Say whether a flapping checker has been down for long enough to be alerted.

    If that was alerted, so is its end, once it has been healthy for as long.
    """
    if state.status is Status.DOWN:
        return state.down_streak.runs >= runs
    return state.alerted_lasting and state.healthy_streak.runs >= runs


def _alert_status(
    state: CheckerState, slot: int, kinds: list[AlertKind], *, suppressed: bool
) -> CheckerState:
    status, alerted = state.status, state.alerted_status
    is_lasting_outage = state.flapping and status is Status.DOWN
    is_alerted = status is alerted and (state.alerted_lasting or not is_lasting_outage)
    if is_alerted or status is Status.UNKNOWN or (suppressed and status is not Status.HEALTHY):
        return state
    after = replace(
        state, alerted_status=status, last_alert_slot=slot, alerted_lasting=is_lasting_outage
    )
    if status is Status.HEALTHY:
        kinds += [AlertKind.RESOLVE] if alerted is not Status.UNKNOWN else []
        return replace(after, last_alert_slot=0)
    if alerted in {Status.DOWN, Status.DEGRADED}:
        kinds.append(AlertKind.CHANGE)
        return after
    kinds.append(AlertKind.OPEN)
    opened = state.unhealthy_streak.since if state.unhealthy_streak.runs else state.since
    return replace(after, incident_count=state.incident_count + 1, opened=opened)


FLAPPING_WINDOW: Final = 21
"""Results that count for flapping. As many equal ones end it."""


# In units of 1/95 the weights 0.8 … 1.2 are the whole numbers 76 … 114, and 1 % of all is 19.
_OLDEST, _STEP, _PERCENT = 76, 2, 19
_BEGINS, _ENDS = 30, 20
_LETTERS = {Status.HEALTHY: "h", Status.DEGRADED: "g", Status.DOWN: "d"}


def append_status(recent: str, status: Status) -> str:
    """Return the last results with one more, as letters.

    Equal results at the beginning are shortened to one, because only changes count. So the state
    of a checker that is always healthy does not change.
    """
    last = (recent + _LETTERS[status])[-FLAPPING_WINDOW:]
    return last[len(last) - len(last.lstrip(last[0])) - 1 :]


def state_change_percent(recent: str) -> float:
    """Return the weight of the changes, in percent of the possible weight."""
    return _weight(recent) / _PERCENT


def is_flapping(recent: str, *, was_flapping: bool) -> bool:
    """Say whether a checker flaps; the limit that ends it is lower than the one that begins it."""
    return _weight(recent) >= (_ENDS if was_flapping else _BEGINS) * _PERCENT


def _weight(recent: str) -> int:
    missing = FLAPPING_WINDOW - len(recent)
    return sum(
        _OLDEST + _STEP * (missing + number)
        for number, (one, next_one) in enumerate(pairwise(recent))
        if one != next_one
    )


# One checker, one run: how a result moves its state. Pure.
#
# Alerts play no part here: which are due follows from the state, however it came about.


_HEALTHY, _DEGRADED, _DOWN, _UNKNOWN = (
    Status.HEALTHY,
    Status.DEGRADED,
    Status.DOWN,
    Status.UNKNOWN,
)


class Thresholds(Struct, frozen=True, kw_only=True):
    """Runs in a row that confirm a status: down, healthy again, degraded.

    Attributes:
        flapping: whether to detect that the status changes too often.
    """

    failure: int = 1
    success: int = 1
    degraded: int = 3
    flapping: bool = False

    @property
    def lasting(self) -> int:
        """Runs in a row that are down after which a flapping checker is alerted as down."""
        return max(self.failure, MIN_LASTING_RUNS)

    @property
    def max_streak(self) -> int:
        """The number of runs beyond which counting changes nothing."""
        longest = max(self.failure, self.success, self.degraded)
        return max(longest, self.lasting) if self.flapping else longest


def next_state(
    state: CheckerState, status: Status, slot: int, thresholds: Thresholds, *, muted: bool = False
) -> CheckerState:
    """Return the state after a run with this agreed status.

    An unknown result is no evidence, neither of a failure nor of a recovery.

    Args:
        muted: changes are expected, in maintenance or a silence, and do not count as flapping.
    """
    if status is _UNKNOWN:
        runs = min(state.unknown_runs + 1, NOT_MONITORED_AFTER)
        return without_data(replace(state, unknown_runs=runs), slot)
    limit = thresholds.max_streak
    recent, flapping = state.recent_statuses, state.flapping
    if not thresholds.flapping or not muted:
        recent = append_status(recent, status) if thresholds.flapping else ""
        flapping = is_flapping(recent, was_flapping=flapping)
    counted = replace(
        state,
        unknown_runs=0,
        no_data_since=0,
        recovered=slot if state.down_streak.runs and status is not _DOWN else state.recovered,
        recent_statuses=recent,
        flapping=flapping,
        down_streak=_count(state.down_streak, status is _DOWN, slot, limit),
        unhealthy_streak=_count(state.unhealthy_streak, status is not _HEALTHY, slot, limit),
        healthy_streak=_count(state.healthy_streak, status is _HEALTHY, slot, limit),
        not_down_streak=_count(state.not_down_streak, status is not _DOWN, slot, limit),
    )
    confirmed, since = _confirmed(counted, thresholds)
    return replace(counted, status=confirmed, since=since)


def without_data(state: CheckerState, slot: int) -> CheckerState:
    """Return the state after a run without a known result of the checker."""
    since = state.no_data_since or slot
    is_long = slot - since >= NO_DATA_AFTER_NS
    runs = NOT_MONITORED_AFTER if is_long else state.unknown_runs
    return replace(state, no_data_since=since, unknown_runs=runs)


def _count(streak: Streak, fits: bool, slot: int, limit: int) -> Streak:
    if not fits:
        return Streak()
    if not streak.runs:
        return Streak(runs=1, since=slot)
    return Streak(runs=min(streak.runs + 1, limit), since=streak.since)


def _confirmed(state: CheckerState, thresholds: Thresholds) -> tuple[Status, int]:
    """Return the confirmed status and when it began: by the first rule that holds.

    Counting results that are not healthy apart from those that are down keeps a checker that
    alternates between down and degraded from counting as healthy for ever.
    """
    now = state.status
    down = state.down_streak.runs >= thresholds.failure
    unhealthy = state.unhealthy_streak.runs >= thresholds.degraded
    healthy = state.healthy_streak.runs >= thresholds.success
    not_down = state.not_down_streak.runs >= thresholds.success
    rules = (
        (now is not _DOWN and down, _DOWN, state.down_streak),
        (now in {_HEALTHY, _UNKNOWN} and unhealthy, _DEGRADED, state.unhealthy_streak),
        (now is _DOWN and healthy, _HEALTHY, state.healthy_streak),
        (now is _DOWN and not_down, _DEGRADED, state.not_down_streak),
        (now is _DEGRADED and healthy, _HEALTHY, state.healthy_streak),
        (now is _UNKNOWN and state.healthy_streak.runs > 0, _HEALTHY, state.healthy_streak),
    )
    for holds, status, streak in rules:
        if holds:
            return status, streak.since
    return now, state.since
