"""What is known at this moment, for people who ask; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.fold import apply_runs
from checkup.alerting.owners import ResultMatcher
from checkup.alerting.state import AlertState
from checkup.model import Result, Run
from checkup.protocol.heads import read_state
from checkup.protocol.monitor import RunContext
from checkup.protocol.runs import pending_runs, recent_runs


class SlotResult(Struct, frozen=True):
    """What one run saw of a checker."""

    slot: int
    result: Result


def current_state(monitor: RunContext) -> AlertState:
    """Return the head with all runs that are stored; the stored one may be a few behind.

    Raises:
        StorageError: the storage failed, or the head is not readable by this version.
    """
    head = read_state(monitor.storage)
    if not head.cursor:
        return head
    runs, _ = pending_runs(monitor.storage, head.cursor, monitor.regions, monitor.remembered)
    silent = replace(monitor.setting, channels=())
    return apply_runs(head, runs, silent, monitor.storage.clock()).head


def last_results(monitor: RunContext, count: int) -> Mapping[str, SlotResult]:
    """Return what was last seen of each checker by those who have a vote, by its id.

    Args:
        count: how many runs to look through, for not every run looks at every checker.

    Raises:
        StorageError: the storage failed.
    """
    _, runs = recent_runs(monitor.storage, monitor.regions, count)
    voters = monitor.regions or ("",)
    return {
        name: SlotResult(run.slot, result)
        for run in runs
        if run.region in voters
        for name, result in _owned(monitor, run)
    }


def recent_results(monitor: RunContext, checker: str, count: int) -> list[SlotResult]:
    """Return what the last runs of the day saw of a checker, oldest first.

    Args:
        count: how many runs to look through.

    Raises:
        StorageError: the storage failed.
    """
    _, runs = recent_runs(monitor.storage, monitor.regions, count)
    return [
        SlotResult(run.slot, result)
        for run in runs
        for name, result in _owned(monitor, run)
        if name == checker
    ]


def _owned(monitor: RunContext, run: Run) -> Iterator[tuple[str, Result]]:
    """Yield the results of a run by the ids of their checkers; the Go program stored none."""
    for owner, result in ResultMatcher(monitor.checkers).assign(run.results):
        if owner is not None:
            yield owner, result
