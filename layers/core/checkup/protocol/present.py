"""What is known at this moment, for people who ask; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.fold import fold
from checkup.alerting.owners import Owners
from checkup.alerting.state import Head
from checkup.model import Result, Run
from checkup.protocol.heads import read_head
from checkup.protocol.monitor import Monitor
from checkup.protocol.runs import pending_runs, recent_runs


class Observation(Struct, frozen=True):
    """What one run saw of a checker."""

    slot: int
    result: Result


def present(monitor: Monitor) -> Head:
    """Return the head with all runs that are stored; the stored one may be a few behind.

    Raises:
        StorageError: the storage failed, or the head is not readable by this version.
    """
    head = read_head(monitor.storage)
    if not head.cursor:
        return head
    runs, _ = pending_runs(monitor.storage, head.cursor, monitor.regions, monitor.remembered)
    silent = replace(monitor.setting, channels=())
    return fold(head, runs, silent, monitor.storage.clock()).head


def latest(monitor: Monitor, count: int) -> Mapping[str, Observation]:
    """Return what was last seen of each checker by those who have a vote, by its id.

    Args:
        count: how many runs to look through, for not every run looks at every checker.

    Raises:
        StorageError: the storage failed.
    """
    _, runs = recent_runs(monitor.storage, monitor.regions, count)
    voters = monitor.regions or ("",)
    return {
        name: Observation(run.slot, result)
        for run in runs
        if run.region in voters
        for name, result in _owned(monitor, run)
    }


def observations(monitor: Monitor, checker: str, count: int) -> list[Observation]:
    """Return what the last runs of the day saw of a checker, oldest first.

    Args:
        count: how many runs to look through.

    Raises:
        StorageError: the storage failed.
    """
    _, runs = recent_runs(monitor.storage, monitor.regions, count)
    return [
        Observation(run.slot, result)
        for run in runs
        for name, result in _owned(monitor, run)
        if name == checker
    ]


def _owned(monitor: Monitor, run: Run) -> Iterator[tuple[str, Result]]:
    """Yield the results of a run by the ids of their checkers; the Go program stored none."""
    for owner, result in Owners(monitor.checkers).assign(run.results):
        if owner is not None:
            yield owner, result
