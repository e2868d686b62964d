"""Apply runs to an AlertState: the next state and the alerts that are due. Pure.

The same state and the same runs give the same bytes, on any machine and at any time. That makes it
harmless to apply them again after a crash, a race or a lost response.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from checkup.alerting import transitions
from checkup.alerting.outbox import MATCH_ALL, Route, enqueue
from checkup.alerting.state import AlertState, CheckerState
from checkup.alerting.suppression import Suppression
from checkup.alerting.transitions import Thresholds, decide_alerts, next_state
from checkup.evaluation import (
    ClosedSlot,
    EvaluationRules,
    QuorumResult,
    ResultMatcher,
    SlotSchedule,
    closed_slots,
    evaluate_slot,
)
from checkup.interfaces import Checker
from checkup.model import Alert, Run, Status
from checkup.times import HOUR

REMOVE_AFTER: Final = HOUR
"""How long a checker may be missing from the configuration before it is forgotten. Not at once,
because two configurations may share one storage and each knows only its own checkers."""

APPLIED_RUNS_KEPT: Final = 8
"""Runs of which the head remembers that they were folded."""


class AlertRules(EvaluationRules, frozen=True, kw_only=True):
    """The part of the configuration that decides which alerts there are, and who gets them.

    Attributes:
        channels: the names of those to be told.
        routes: what a channel is for, by its name; without one it is for everything.
        interval: the time between the slots of a schedule; 0 for runs without one.
        grace: how long after its slot a region may still report.
    """

    channels: Sequence[str] = ()
    routes: Mapping[str, Route] = {}
    interval: int = 0
    grace: int = 0

    @property
    def schedule(self) -> SlotSchedule:
        """When slots are, and when they close."""
        return SlotSchedule(regions=self.regions, interval=self.interval, grace=self.grace)

    def suppression(self, head: AlertState, slot: int) -> Suppression:
        """Return what keeps announcements back after the run of a slot."""
        return Suppression(
            slot=slot,
            checkers={checker.id: checker for checker in self.checkers},
            states=head.checkers,
            windows=(*self.windows, *(planned.window for planned in head.maintenance.values())),
            silences=head.silences,
        )


class AppliedRuns(NamedTuple):
    """The head after a fold, and the alerts that the fold put into its outboxes."""

    head: AlertState
    alerts: tuple[Alert, ...]


def apply_runs(head: AlertState, runs: Iterable[Run], setting: AlertRules, now: int) -> AppliedRuns:
    """Fold the runs, given in the order of their keys, whose slots are closed.

    Args:
        now: the storage's time; it decides nothing but whether a region is waited for.
    """
    due: list[Alert] = []
    matcher = ResultMatcher(setting.checkers)
    for slot in closed_slots(runs, setting.schedule, now, head.cursor):
        head = _fold_slot(head, slot, setting, matcher, due)
    checkers = {checker.id: checker for checker in setting.checkers}
    for channel in setting.channels if due else ():
        route = setting.routes.get(channel, MATCH_ALL)
        concerned = [alert for alert in due if route.matches(alert, checkers.get(alert.checker))]
        head = enqueue(head, channel, concerned)
    return AppliedRuns(head, tuple(due))


def _fold_slot(
    head: AlertState,
    slot: ClosedSlot,
    setting: AlertRules,
    matcher: ResultMatcher,
    due: list[Alert],
) -> AlertState:
    """Return the head after a slot, and add to the alerts that are due."""
    if slot.missed_ns > HOUR:
        due.append(transitions.missed_runs_alert(slot.slot, slot.slot - slot.missed_ns))
    verdicts, streaks, discounted = evaluate_slot(
        slot.runs, setting, matcher, head.inconclusive_streaks
    )
    due += [
        transitions.inconclusive_alert(it.run, setting.references, it.discounted)
        for it in discounted
        if it.streak == 1
    ]
    states = _stepped(head.checkers, verdicts, slot.slot, setting)
    head = replace(
        head,
        checkers=states,
        inconclusive_streaks=streaks,
        cursor=slot.cursor,
        applied_runs=(*head.applied_runs, *(run.file_name for run in slot.runs))[
            -APPLIED_RUNS_KEPT:
        ],
        silences={c: s for c, s in head.silences.items() if slot.slot < s.until},
        maintenance={k: it for k, it in head.maintenance.items() if slot.slot < it.end},
    )
    told = _announced(head, verdicts, slot.slot, setting, due)
    return replace(head, checkers=_retired({**states, **told}, slot.slot, setting, due))


def _stepped(
    before: Mapping[str, CheckerState],
    verdicts: Mapping[str, QuorumResult],
    slot: int,
    setting: AlertRules,
) -> dict[str, CheckerState]:
    states = dict(before)
    for checker in setting.checkers:
        seen = verdicts.get(checker.id)
        if seen is None:
            continue
        present = replace(
            states.get(checker.id, CheckerState()),
            title=seen.result.title,
            endpoint=seen.result.endpoint,
            failing_regions=seen.failing_regions,
            excluded_regions=seen.excluded_regions,
            last_checked=slot if checker.interval > 0 else 0,
            removed_since=0,
        )
        states[checker.id] = next_state(present, seen.status, slot, _thresholds(checker))
    return states


def _thresholds(checker: Checker) -> Thresholds:
    return Thresholds(
        failure=checker.failure_threshold,
        success=checker.success_threshold,
        degraded=checker.degraded_threshold,
        flapping=checker.flapping,
    )


def _announced(
    head: AlertState,
    verdicts: Mapping[str, QuorumResult],
    slot: int,
    setting: AlertRules,
    due: list[Alert],
) -> dict[str, CheckerState]:
    """Return the states once all has been told that nothing keeps back."""
    holding = setting.suppression(head, slot)
    told, spoken = {}, []
    for checker in setting.checkers:
        if checker.id not in verdicts:
            continue
        before = head.checkers[checker.id]
        told[checker.id], kinds = decide_alerts(
            before,
            slot,
            suppressed=bool(holding.reasons(checker)),
            remind_every=checker.remind_every,
        )
        result = verdicts[checker.id].result
        spoken += [
            transitions.checker_alert(kind, slot, result, before, told[checker.id])
            for kind in kinds
        ]
    after = replace(holding, states={**head.checkers, **told})
    due += [_with_consequences(alert, after) for alert in spoken]
    return told


def _with_consequences(alert: Alert, holding: Suppression) -> Alert:
    """Name in an alert of an outage the failures that it explains and that are not announced."""
    if alert.status is not Status.DOWN:
        return alert
    return replace(alert, suppressed_dependents=holding.suppressed_by(alert.checker))


def _retired(
    states: dict[str, CheckerState], slot: int, setting: AlertRules, due: list[Alert]
) -> dict[str, CheckerState]:
    """Forget checkers that are gone for good; whoever heard of their outage hears of that."""
    configured = {checker.id for checker in setting.checkers}
    for checker in sorted(states.keys() - configured):
        state = states[checker]
        if not state.removed_since:
            states[checker] = replace(state, removed_since=slot)
        elif slot - state.removed_since >= REMOVE_AFTER:
            del states[checker]
            if state.alerted_status in {Status.DOWN, Status.DEGRADED}:
                due.append(transitions.removed_checker_alert(checker, state, slot))
    return states
