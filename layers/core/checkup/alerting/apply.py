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
from checkup.alerting.state import NOT_MONITORED_AFTER, AlertState, CheckerState
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
from checkup.model import Alert, Result, Run, Status
from checkup.text import mask_address
from checkup.times import HOUR

REMOVE_AFTER: Final = HOUR
"""How long a checker may be missing from the configuration before it is forgotten. Not at once,
because two configurations may share one storage and each knows only its own checkers."""

_NO_RESULT: Final = "no run has a result; check that it is configured where the checks run"

APPLIED_RUNS_KEPT: Final = 8
"""Names of applied runs that the state keeps, to recognise one that comes again."""


class AlertRules(EvaluationRules, frozen=True, kw_only=True):
    """The part of the configuration that decides which alerts are sent, and to which channels.

    Attributes:
        channels: names of the configured channels.
        routes: by channel; a channel without one gets every alert.
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

    def suppression(self, state: AlertState, slot: int) -> Suppression:
        """Return what suppresses alerts after the run of a slot."""
        return Suppression(
            slot=slot,
            checkers={checker.id: checker for checker in self.checkers},
            states=state.checkers,
            windows=(*self.windows, *(planned.window for planned in state.maintenance.values())),
            silences=state.silences,
        )


class AppliedRuns(NamedTuple):
    """The state after applying runs, and the alerts that were queued in its outboxes."""

    state: AlertState
    alerts: tuple[Alert, ...]


def apply_runs(state: AlertState, runs: Iterable[Run], rules: AlertRules, now: int) -> AppliedRuns:
    """Apply the runs of closed slots, given in the order of their keys.

    Args:
        now: the storage's time; it only decides whether to wait for a region.
    """
    due: list[Alert] = []
    matcher = ResultMatcher(rules.checkers)
    for slot in closed_slots(runs, rules.schedule, now, state.cursor):
        state = _apply_slot(state, slot, rules, matcher, due)
    checkers = {checker.id: checker for checker in rules.checkers}
    for channel in rules.channels if due else ():
        route = rules.routes.get(channel, MATCH_ALL)
        routed = [alert for alert in due if route.matches(alert, checkers.get(alert.checker))]
        state = enqueue(state, channel, routed)
    return AppliedRuns(state, tuple(due))


def _apply_slot(
    state: AlertState,
    slot: ClosedSlot,
    rules: AlertRules,
    matcher: ResultMatcher,
    due: list[Alert],
) -> AlertState:
    """Return the state after a slot, and add to the alerts that are due."""
    if slot.missed_ns > HOUR:
        due.append(transitions.missed_runs_alert(slot.slot, slot.slot - slot.missed_ns))
    agreed, streaks, discounted = evaluate_slot(
        slot.runs, rules, matcher, state.inconclusive_streaks
    )
    due += [
        transitions.inconclusive_alert(it.run, rules.references, it.discounted)
        for it in discounted
        if it.streak == 1
    ]
    states = _next_states(state, agreed, slot.slot, rules)
    state = replace(
        state,
        checkers=states,
        inconclusive_streaks=streaks,
        cursor=slot.cursor,
        applied_runs=(*state.applied_runs, *(run.file_name for run in slot.runs))[
            -APPLIED_RUNS_KEPT:
        ],
        silences={c: s for c, s in state.silences.items() if slot.slot < s.until},
        maintenance={k: it for k, it in state.maintenance.items() if slot.slot < it.end},
    )
    alerted = _decide_alerts(state, agreed, slot.slot, rules, due)
    return replace(state, checkers=_without_removed({**states, **alerted}, slot.slot, rules, due))


def _next_states(
    before: AlertState,
    agreed: Mapping[str, QuorumResult],
    slot: int,
    rules: AlertRules,
) -> dict[str, CheckerState]:
    suppression = rules.suppression(before, slot)
    states = dict(before.checkers)
    for checker in rules.checkers:
        found, current = agreed.get(checker.id), states.get(checker.id, CheckerState())
        if found is None:
            if current.status is Status.UNKNOWN:  # else it was checked, and keeps its status
                states[checker.id] = transitions.without_data(current, slot)
            continue
        current = replace(
            current,
            title=found.result.title,
            endpoint=found.result.endpoint,
            failing_regions=found.failing_regions,
            excluded_regions=found.excluded_regions,
            last_checked=slot if checker.interval > 0 else 0,
            removed_since=0,
        )
        states[checker.id] = next_state(
            current,
            found.status,
            slot,
            _thresholds(checker),
            muted=suppression.is_muted(checker),
        )
    return states


def _result_of(
    checker: Checker, state: CheckerState, agreed: Mapping[str, QuorumResult]
) -> Result | None:
    """Return the result that alerts of a checker are about; None if it is not evaluated.

    One that is configured and has never had a result counts as not monitored after an hour.
    """
    if checker.id in agreed:
        return agreed[checker.id].result
    if state.unknown_runs < NOT_MONITORED_AFTER:
        return None
    return Result(id=checker.id, notice=_NO_RESULT)


def _thresholds(checker: Checker) -> Thresholds:
    return Thresholds(
        failure=checker.failure_threshold,
        success=checker.success_threshold,
        degraded=checker.degraded_threshold,
        flapping=checker.flapping,
    )


def _decide_alerts(
    state: AlertState,
    agreed: Mapping[str, QuorumResult],
    slot: int,
    rules: AlertRules,
    due: list[Alert],
) -> dict[str, CheckerState]:
    """Return the states after all alerts that are not suppressed, and add these to ``due``.

    The alert of an outage names the dependent checkers whose own alerts are suppressed.
    """
    suppression = rules.suppression(state, slot)
    alerted, alerts = {}, []
    for checker in rules.checkers:
        before = state.checkers.get(checker.id, CheckerState())
        result = _result_of(checker, before, agreed)
        if result is None:
            continue
        if not before.title:
            before = replace(before, title=checker.title, endpoint=mask_address(checker.endpoint))
        alerted[checker.id], kinds = decide_alerts(
            before,
            slot,
            suppressed=bool(suppression.reasons_for(checker)),
            remind_every=checker.remind_every,
            lasting_runs=_thresholds(checker).lasting,
        )
        alerts += [
            transitions.checker_alert(kind, slot, result, before, alerted[checker.id])
            for kind in kinds
        ]
    after = replace(suppression, states={**state.checkers, **alerted})
    has_outage = any(alert.status is Status.DOWN for alert in alerts)
    dependents = after.suppressed_dependents() if has_outage else {}
    due += [
        replace(alert, suppressed_dependents=tuple(dependents.get(alert.checker, ())))
        if alert.status is Status.DOWN
        else alert
        for alert in alerts
    ]
    return alerted


def _without_removed(
    states: Mapping[str, CheckerState], slot: int, rules: AlertRules, due: list[Alert]
) -> dict[str, CheckerState]:
    """Remove checkers that left the configuration an hour ago; end incidents that were alerted."""
    configured = {checker.id for checker in rules.checkers}
    kept = dict(states)
    for checker in sorted(states.keys() - configured):
        state = states[checker]
        if not state.removed_since:
            kept[checker] = replace(state, removed_since=slot)
        elif slot - state.removed_since >= REMOVE_AFTER:
            del kept[checker]
            if state.alerted_status in {Status.DOWN, Status.DEGRADED}:
                due.append(transitions.removed_checker_alert(checker, state, slot))
    return kept
