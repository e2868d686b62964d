"""What there is to tell of a checker: the difference between what is and what was told. Pure.

Nothing is tied to the moment of a change. So whatever keeps an announcement back (maintenance,
a silence, an outage elsewhere that explains it, flapping, a gap) cannot swallow it: it is made
in the first run without a reason to keep it back, if there is still something to tell.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec.structs import replace

from checkup.alerting.state import NOT_MONITORED_AFTER, CheckerState
from checkup.model import SECOND, AlertKind, Status

MIN_REMINDER_INTERVAL: Final = 300 * SECOND
"""Reminders come no more often than every five minutes, whatever is configured."""


class AlertDecision(NamedTuple):
    """The state once everybody has been told, and what to tell them, in order."""

    state: CheckerState
    kinds: tuple[AlertKind, ...]


def decide_alerts(
    state: CheckerState, slot: int, *, held: bool = False, remind_every: int = 0
) -> AlertDecision:
    """Return what the last run gives reason to announce.

    A checker that is healthy from the start is nothing to talk about; one that is down from the
    start is. After an unknown result there is nothing new to say of the status.

    Args:
        slot: the run after which this is asked.
        held: only the end of an incident may be announced.
        remind_every: how often an outage is brought back to mind; 0 for never.
    """
    kinds: list[AlertKind] = []
    if not held:
        state = _blind(state, kinds)
        state = _flapping(state, kinds)
    if not state.blind and not state.flapping:
        state = _status(state, slot, kinds, held=held)
        if not held and not kinds and is_reminder_due(state, slot, remind_every):
            kinds.append(AlertKind.REMIND)
            state = replace(state, reminded=slot)
    return AlertDecision(state, tuple(kinds))


def next_reminder(state: CheckerState, remind_every: int) -> int:
    """Return the moment from which on the next run reminds of the outage; 0 for never."""
    if state.told is not Status.DOWN or state.status is not Status.DOWN or remind_every <= 0:
        return 0
    every = max(remind_every, MIN_REMINDER_INTERVAL)
    return state.opened + ((state.reminded - state.opened) // every + 1) * every


def is_reminder_due(state: CheckerState, slot: int, remind_every: int) -> bool:
    """Say whether an outage has lasted a whole number of reminders more than when last told.

    The number follows from the slots, so a reminder that was missed is not caught up, and one
    that is worked out twice is the same.
    """
    return 0 < next_reminder(state, remind_every) <= slot


def _blind(state: CheckerState, kinds: list[AlertKind]) -> CheckerState:
    if state.blind >= NOT_MONITORED_AFTER and not state.told_blind:
        kinds.append(AlertKind.BLIND)
        return replace(state, told_blind=True)
    if not state.blind and state.told_blind:
        kinds.append(AlertKind.SIGHTED)
        return replace(state, told_blind=False)
    return state


def _flapping(state: CheckerState, kinds: list[AlertKind]) -> CheckerState:
    if state.blind or state.flapping == state.told_flapping:
        return state
    kinds.append(AlertKind.FLAPPING if state.flapping else AlertKind.SETTLED)
    return replace(state, told_flapping=state.flapping)


def _status(state: CheckerState, slot: int, kinds: list[AlertKind], *, held: bool) -> CheckerState:
    now, told = state.status, state.told
    if now in {told, Status.UNKNOWN} or (held and now is not Status.HEALTHY):
        return state
    known = replace(state, told=now, reminded=slot)
    if now is Status.HEALTHY:
        known = replace(known, reminded=0)
        kinds += [AlertKind.RESOLVE] if told is not Status.UNKNOWN else []
        return known
    if told in {Status.DOWN, Status.DEGRADED}:
        kinds.append(AlertKind.CHANGE)
        return known
    kinds.append(AlertKind.OPEN)
    began = state.bad.since if state.bad.runs else state.since
    return replace(known, incident=state.incident + 1, opened=began)
