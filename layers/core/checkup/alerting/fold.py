"""Runs folded into the head: the states that they lead to and the alerts that are due. Pure.

The same head and the same runs give the same bytes, on any machine and at any time. That is what
makes it harmless to fold again after a crash, a race or a lost answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.outbox import queue
from checkup.alerting.slots import Slot, closed_slots, verdict
from checkup.alerting.state import CheckerState, Head
from checkup.alerting.step import Thresholds, announce, step
from checkup.model import SECOND, Alert, AlertKind, Result, Run, Status
from checkup.ports import Checker

RETIRE_AFTER: Final = 3600 * SECOND
"""How long a checker may be missing from the configuration before it is forgotten. Not at once,
because two configurations may share one storage and each knows only its own checkers."""


class Setting(Struct, frozen=True, kw_only=True):
    """What a fold has to know of the configuration.

    Attributes:
        channels: the names of those to be told.
        regions: those that vote; empty on a single machine.
        grace: how long after its slot a region may still report, in nanoseconds.
    """

    checkers: Sequence[Checker]
    channels: Sequence[str] = ()
    regions: Sequence[str] = ()
    grace: int = 0


class Folded(NamedTuple):
    """The head after a fold, and the alerts that the fold put into its outboxes."""

    head: Head
    alerts: tuple[Alert, ...]


def fold(head: Head, runs: Iterable[Run], setting: Setting, now: int) -> Folded:
    """Fold the runs, given in the order of their keys, whose slots are closed.

    Args:
        now: the storage's time; it decides nothing but whether a region is waited for.
    """
    alerts: list[Alert] = []
    ids = {checker.title: checker.id for checker in reversed(setting.checkers)}
    named = [_named(run, ids) for run in runs]
    for slot in closed_slots(named, setting.regions, now, setting.grace):
        head, due = _fold_slot(head, slot, setting)
        alerts += due
    for channel in setting.channels if alerts else ():
        head = queue(head, channel, alerts)
    return Folded(head, tuple(alerts))


def _fold_slot(head: Head, slot: Slot, setting: Setting) -> tuple[Head, list[Alert]]:
    states, alerts = dict(head.checkers), []
    for checker in setting.checkers:
        results = slot.results.get(checker.id)
        if results is None:
            continue
        status, result = verdict(results, len(setting.regions) or 1)
        present = _present(states.get(checker.id), result)
        looked = replace(present, looked=slot.slot if checker.interval > 0 else 0)
        moved = step(looked, status, slot.slot, _limits(checker))
        states[checker.id], kind = announce(moved)
        if kind is not None:
            alerts.append(_alert(kind, slot.slot, result, moved, states[checker.id]))
    alerts += _retire(states, {checker.id for checker in setting.checkers}, slot.slot)
    return replace(head, checkers=states, cursor=slot.cursor), alerts


def _present(state: CheckerState | None, result: Result) -> CheckerState:
    return replace(
        state or CheckerState(), title=result.title, endpoint=result.endpoint, missing_since=0
    )


def _limits(checker: Checker) -> Thresholds:
    return Thresholds(
        failure=checker.failure_threshold,
        success=checker.success_threshold,
        degraded=checker.degraded_threshold,
    )


def _retire(states: dict[str, CheckerState], configured: set[str], slot: int) -> list[Alert]:
    """Forget checkers that are gone for good; whoever heard of their outage hears of that."""
    alerts = []
    for checker in sorted(states.keys() - configured):
        state = states[checker]
        if not state.missing_since:
            states[checker] = replace(state, missing_since=slot)
        elif slot - state.missing_since >= RETIRE_AFTER:
            del states[checker]
            if state.told in {Status.DOWN, Status.DEGRADED}:
                gone = replace(state, status=Status.UNKNOWN, since=state.missing_since)
                alerts.append(_alert(AlertKind.RESOLVE, slot, Result(id=checker), state, gone))
    return alerts


def _alert(
    kind: AlertKind, slot: int, of: Result, before: CheckerState, after: CheckerState
) -> Alert:
    """Return the announcement that leads from one state to the other."""
    well = after.status in {Status.HEALTHY, Status.UNKNOWN}
    return Alert(
        id=f"{of.id}/{kind}:{after.status}/{after.incident}/{slot}",
        checker=of.id,
        title=after.title,
        endpoint=after.endpoint,
        kind=kind,
        status=after.status,
        before=before.told,
        slot=slot,
        since=after.since,
        opened=after.opened,
        reason="" if well else of.error or of.notice,
        failure="" if well else of.failure,
        region=of.region,
    )


def _named(run: Run, ids: Mapping[str, str]) -> Run:
    """Give the results of the Go program, which knows no ids, that of the checker they name."""
    if all(result.id for result in run.results):
        return run
    results = [r if r.id else replace(r, id=ids.get(r.title, "")) for r in run.results]
    return replace(run, results=tuple(results))
