"""The announcements themselves: what is told of a checker, and of the monitor. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from checkup.alerting.state import CheckerState
from checkup.model import Alert, AlertKind, Result, Run, Status

MONITOR: Final = "Checkup"
"""The title of alerts that are about the monitor itself."""

_OF_A_STATUS: Final = {
    AlertKind.OPEN,
    AlertKind.CHANGE,
    AlertKind.REMIND,
    AlertKind.RESOLVE,
    AlertKind.FLAPPING,
    AlertKind.SETTLED,
}


def checker_alert(
    kind: AlertKind, slot: int, result: Result, before: CheckerState, after: CheckerState
) -> Alert:
    """Return the announcement that leads a checker from one state to the other."""
    status = Status.UNKNOWN if kind is AlertKind.BLIND else after.status
    well = status is Status.HEALTHY or (kind in _OF_A_STATUS and status is Status.UNKNOWN)
    return Alert(
        id=f"{result.id}/{kind}:{status}/{after.incident}/{slot}",
        checker=result.id,
        title=after.title,
        endpoint=after.endpoint,
        kind=kind,
        status=status,
        before=before.told,
        slot=slot,
        since=after.since,
        opened=after.opened,
        reason="" if well else result.error or result.notice,
        failure="" if well else result.failure,
        region=result.region,
    )


def removed_checker_alert(checker: str, state: CheckerState, slot: int) -> Alert:
    """Return the end of an incident of a checker that is no longer configured."""
    gone = replace(state, status=Status.UNKNOWN, since=state.missing_since)
    return checker_alert(AlertKind.RESOLVE, slot, Result(id=checker), state, gone)


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
    return _of_the_monitor(AlertKind.GAP, slot, since, "no run took place, so nothing is known")


def state_rebuilt_alert(slot: int, runs: int, failing: Collection[str]) -> Alert:
    """Return the notice that the state was lost and made anew from the last runs."""
    now = f"failing now: {', '.join(failing)}" if failing else "nothing fails now"
    past = "run" if runs == 1 else f"{runs} runs"
    reason = f"the state was lost and rebuilt from the last {past}; {now}"
    return _of_the_monitor(AlertKind.REBUILT, slot, slot, reason)


def _of_the_monitor(kind: AlertKind, slot: int, since: int, reason: str, region: str = "") -> Alert:
    return Alert(
        id=f"/{kind}:unknown/{region or 0}/{slot}",
        checker="",
        title=MONITOR,
        kind=kind,
        status=Status.UNKNOWN,
        before=Status.UNKNOWN,
        slot=slot,
        since=since,
        opened=since,
        reason=reason,
        region=region,
    )
