"""Runs folded into the head: the states that they lead to and the alerts that are due. Pure.

The same head and the same runs give the same bytes, on any machine and at any time. That is what
makes it harmless to fold again after a crash, a race or a lost answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting import transitions
from checkup.alerting.outbox import MATCH_ALL, Route, enqueue
from checkup.alerting.state import AlertState, CheckerState
from checkup.alerting.suppression import Suppression
from checkup.alerting.transitions import Thresholds, decide_alerts, next_state
from checkup.evaluation import (
    MAJORITY,
    ClosedSlot,
    QuorumResult,
    ResultMatcher,
    SlotSchedule,
    apply_quorum,
    closed_slots,
    discount_network_failures,
)
from checkup.interfaces import Checker
from checkup.maintenance import MaintenanceWindow
from checkup.model import Alert, Result, Run, Status
from checkup.times import HOUR

REMOVE_AFTER: Final = HOUR
"""How long a checker may be missing from the configuration before it is forgotten. Not at once,
because two configurations may share one storage and each knows only its own checkers."""

APPLIED_RUNS_KEPT: Final = 8
"""Runs of which the head remembers that they were folded."""


class AlertRules(Struct, frozen=True, kw_only=True):
    """What a fold has to know of the configuration.

    Attributes:
        channels: the names of those to be told.
        routes: what a channel is for, by its name; without one it is for everything.
        calendar: when slots are, and which regions vote.
        quorum: how many regions have to see a failure.
        references: ids of the checkers that fail only if our own network does.
        windows: times in which failures are expected.
    """

    checkers: Sequence[Checker]
    channels: Sequence[str] = ()
    routes: Mapping[str, Route] = {}
    calendar: SlotSchedule = SlotSchedule()
    quorum: str = MAJORITY
    references: frozenset[str] = frozenset()
    windows: Sequence[MaintenanceWindow] = ()

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
    owners = ResultMatcher(setting.checkers)
    named = [owners.named(run) for run in runs]
    for slot in closed_slots(named, setting.calendar, now, head.cursor):
        head = _fold_slot(head, slot, setting, due)
    checkers = {checker.id: checker for checker in setting.checkers}
    for channel in setting.channels if due else ():
        route = setting.routes.get(channel, MATCH_ALL)
        concerned = [alert for alert in due if route.matches(alert, checkers.get(alert.checker))]
        head = enqueue(head, channel, concerned)
    return AppliedRuns(head, tuple(due))


def _fold_slot(
    head: AlertState, slot: ClosedSlot, setting: AlertRules, due: list[Alert]
) -> AlertState:
    """Return the head after a slot, and add to the alerts that are due."""
    if slot.missed_ns > HOUR:
        due.append(transitions.missed_runs_alert(slot.slot, slot.slot - slot.missed_ns))
    head, runs = _weighed(head, slot, setting, due)
    verdicts = _verdicts(runs, setting)
    states = _stepped(head.checkers, verdicts, slot.slot, setting)
    head = replace(
        head,
        checkers=states,
        cursor=slot.cursor,
        applied_runs=(*head.applied_runs, *(run.file_name for run in slot.runs))[
            -APPLIED_RUNS_KEPT:
        ],
        silences={c: s for c, s in head.silences.items() if slot.slot < s.until},
        maintenance={k: it for k, it in head.maintenance.items() if slot.slot < it.end},
    )
    told = _announced(head, verdicts, slot.slot, setting, due)
    return replace(head, checkers=_retired({**states, **told}, slot.slot, setting, due))


def _weighed(
    head: AlertState, slot: ClosedSlot, setting: AlertRules, due: list[Alert]
) -> tuple[AlertState, list[Run]]:
    """Return the runs as they count, by what each region's reference targets say of its network."""
    rows, runs = dict(head.inconclusive_streaks), []
    for run in slot.runs:
        weighed = discount_network_failures(run, setting.references, rows.pop(run.region, 0))
        runs.append(weighed.run)
        if weighed.streak:
            rows[run.region] = weighed.streak
        if weighed.discounted and weighed.streak == 1:
            due.append(transitions.inconclusive_alert(run, setting.references, weighed.discounted))
    return replace(head, inconclusive_streaks=rows), runs


def _verdicts(runs: Iterable[Run], setting: AlertRules) -> dict[str, QuorumResult]:
    """Return what the regions agree on, for each checker that one of them looked at."""
    results: dict[str, tuple[Result, ...]] = {}
    for run in runs:
        for checker, result in {result.id: result for result in run.results}.items():
            results[checker] = (*results.get(checker, ()), result)
    regions = len(setting.calendar.voting_regions)
    return {
        checker.id: apply_quorum(results[checker.id], regions, setting.quorum)
        for checker in setting.checkers
        if checker.id in results
    }


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
