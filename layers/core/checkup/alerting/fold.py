"""Runs folded into the head: the states that they lead to and the alerts that are due. Pure.

The same head and the same runs give the same bytes, on any machine and at any time. That is what
makes it harmless to fold again after a crash, a race or a lost answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting import alerts
from checkup.alerting.announcing import announce
from checkup.alerting.holding import Holding
from checkup.alerting.inconclusive import weigh
from checkup.alerting.maintenance import Window
from checkup.alerting.outbox import queue
from checkup.alerting.owners import Owners
from checkup.alerting.quorum import MAJORITY, Verdict, verdict
from checkup.alerting.routing import EVERYTHING, Route
from checkup.alerting.slots import Calendar, Slot, closed_slots
from checkup.alerting.state import CheckerState, Head
from checkup.alerting.step import Thresholds, step
from checkup.model import SECOND, Alert, Result, Run, Status
from checkup.ports import Checker

HOUR: Final = 3600 * SECOND

RETIRE_AFTER: Final = HOUR
"""How long a checker may be missing from the configuration before it is forgotten. Not at once,
because two configurations may share one storage and each knows only its own checkers."""

USED: Final = 8
"""Runs of which the head remembers that they were folded."""


class Setting(Struct, frozen=True, kw_only=True):
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
    calendar: Calendar = Calendar()
    quorum: str = MAJORITY
    references: frozenset[str] = frozenset()
    windows: Sequence[Window] = ()

    def holding(self, head: Head, slot: int) -> Holding:
        """Return what keeps announcements back after the run of a slot."""
        return Holding(
            slot=slot,
            checkers={checker.id: checker for checker in self.checkers},
            states=head.checkers,
            windows=(*self.windows, *(planned.window for planned in head.maintenance.values())),
            silences=head.silences,
        )


class Folded(NamedTuple):
    """The head after a fold, and the alerts that the fold put into its outboxes."""

    head: Head
    alerts: tuple[Alert, ...]


def fold(head: Head, runs: Iterable[Run], setting: Setting, now: int) -> Folded:
    """Fold the runs, given in the order of their keys, whose slots are closed.

    Args:
        now: the storage's time; it decides nothing but whether a region is waited for.
    """
    due: list[Alert] = []
    owners = Owners(setting.checkers)
    named = [owners.named(run) for run in runs]
    for slot in closed_slots(named, setting.calendar, now, head.cursor):
        head = _fold_slot(head, slot, setting, due)
    checkers = {checker.id: checker for checker in setting.checkers}
    for channel in setting.channels if due else ():
        route = setting.routes.get(channel, EVERYTHING)
        concerned = [alert for alert in due if route.admits(alert, checkers.get(alert.checker))]
        head = queue(head, channel, concerned)
    return Folded(head, tuple(due))


def _fold_slot(head: Head, slot: Slot, setting: Setting, due: list[Alert]) -> Head:
    """Return the head after a slot, and add to the alerts that are due."""
    if slot.missed > HOUR:
        due.append(alerts.gap(slot.slot, slot.slot - slot.missed))
    head, runs = _weighed(head, slot, setting, due)
    verdicts = _verdicts(runs, setting)
    states = _stepped(head.checkers, verdicts, slot.slot, setting)
    head = replace(
        head,
        checkers=states,
        cursor=slot.cursor,
        used=(*head.used, *(run.name for run in slot.runs))[-USED:],
        silences={c: s for c, s in head.silences.items() if slot.slot < s.until},
        maintenance={k: it for k, it in head.maintenance.items() if slot.slot < it.end},
    )
    told = _announced(head, verdicts, slot.slot, setting, due)
    return replace(head, checkers=_retired({**states, **told}, slot.slot, setting, due))


def _weighed(head: Head, slot: Slot, setting: Setting, due: list[Alert]) -> tuple[Head, list[Run]]:
    """Return the runs as they count, by what each region's reference targets say of its network."""
    rows, runs = dict(head.inconclusive), []
    for run in slot.runs:
        weighed = weigh(run, setting.references, rows.pop(run.region, 0))
        runs.append(weighed.run)
        if weighed.row:
            rows[run.region] = weighed.row
        if weighed.discounted and weighed.row == 1:
            due.append(alerts.inconclusive(run, setting.references, weighed.discounted))
    return replace(head, inconclusive=rows), runs


def _verdicts(runs: Iterable[Run], setting: Setting) -> dict[str, Verdict]:
    """Return what the regions agree on, for each checker that one of them looked at."""
    results: dict[str, tuple[Result, ...]] = {}
    for run in runs:
        for checker, result in {result.id: result for result in run.results}.items():
            results[checker] = (*results.get(checker, ()), result)
    regions = len(setting.calendar.voters)
    return {
        checker.id: verdict(results[checker.id], regions, setting.quorum)
        for checker in setting.checkers
        if checker.id in results
    }


def _stepped(
    before: Mapping[str, CheckerState],
    verdicts: Mapping[str, Verdict],
    slot: int,
    setting: Setting,
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
            partial=seen.partial,
            excluded=seen.excluded,
            looked=slot if checker.interval > 0 else 0,
            missing_since=0,
        )
        states[checker.id] = step(present, seen.status, slot, _thresholds(checker))
    return states


def _thresholds(checker: Checker) -> Thresholds:
    return Thresholds(
        failure=checker.failure_threshold,
        success=checker.success_threshold,
        degraded=checker.degraded_threshold,
        flapping=checker.flapping,
    )


def _announced(
    head: Head, verdicts: Mapping[str, Verdict], slot: int, setting: Setting, due: list[Alert]
) -> dict[str, CheckerState]:
    """Return the states once all has been told that nothing keeps back."""
    holding = setting.holding(head, slot)
    told, spoken = {}, []
    for checker in setting.checkers:
        if checker.id not in verdicts:
            continue
        before = head.checkers[checker.id]
        told[checker.id], kinds = announce(
            before,
            slot,
            held=bool(holding.reasons(checker)),
            remind_every=checker.remind_every,
        )
        result = verdicts[checker.id].result
        spoken += [alerts.about(kind, slot, result, before, told[checker.id]) for kind in kinds]
    after = replace(holding, states={**head.checkers, **told})
    due += [_with_consequences(alert, after) for alert in spoken]
    return told


def _with_consequences(alert: Alert, holding: Holding) -> Alert:
    """Name in an alert of an outage the failures that it explains and that are not announced."""
    if alert.status is not Status.DOWN:
        return alert
    return replace(alert, holds_back=holding.held_back_by(alert.checker))


def _retired(
    states: dict[str, CheckerState], slot: int, setting: Setting, due: list[Alert]
) -> dict[str, CheckerState]:
    """Forget checkers that are gone for good; whoever heard of their outage hears of that."""
    configured = {checker.id for checker in setting.checkers}
    for checker in sorted(states.keys() - configured):
        state = states[checker]
        if not state.missing_since:
            states[checker] = replace(state, missing_since=slot)
        elif slot - state.missing_since >= RETIRE_AFTER:
            del states[checker]
            if state.told in {Status.DOWN, Status.DEGRADED}:
                due.append(alerts.retired(checker, state, slot))
    return states
