"""Stored runs applied again in memory: the current state, other settings, an earlier state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import (
    STATE_KEY,
    AlertState,
    decode_state,
    encode_state,
)
from checkup.documents import compare_and_set
from checkup.errors import NewerDocumentError, StorageError, UnreadableDocumentError
from checkup.evaluation import ResultMatcher
from checkup.model import Alert, AlertKind, Result, Run
from checkup.pipeline.context import RunContext
from checkup.pipeline.state_store import read_state
from checkup.run_store import BATCH, whole_slots
from checkup.times import SECOND

# The current state and the last results, read-only.


class SlotResult(Struct, frozen=True):
    """The result of a checker in one run."""

    slot: int
    result: Result


def current_state(monitor: RunContext) -> AlertState:
    """Return the state after all stored runs; the stored state may be a few runs behind.

    Raises:
        StorageError: the storage failed, or the head is not readable by this version.
    """
    head = read_state(monitor.storage)
    if not head.cursor:
        return head
    return apply_silently(monitor, head)


def apply_silently(monitor: RunContext, head: AlertState) -> AlertState:
    """Apply all runs that are stored after the state's cursor, in memory and without alerts."""
    silent = replace(monitor.rules, channels=())
    while True:
        runs, more = monitor.runs.after(head.cursor)
        before, head = head, apply_runs(head, runs, silent, monitor.storage.now_ns()).head
        if not more or head.cursor == before.cursor:
            return head


def last_results(monitor: RunContext, count: int) -> Mapping[str, SlotResult]:
    """Return the last result of each checker in the configured regions, by id.

    Args:
        count: how many runs to look through, for not every run looks at every checker.

    Raises:
        StorageError: the storage failed.
    """
    _, runs = monitor.runs.latest(count)
    voters = monitor.regions or ("",)
    return {
        name: SlotResult(run.slot, result)
        for run in runs
        if run.region in voters
        for name, result in _owned(monitor, run)
    }


def recent_results(monitor: RunContext, checker: str, count: int) -> list[SlotResult]:
    """Return the results of a checker in the last runs of the day, oldest first.

    Args:
        count: how many runs to look through.

    Raises:
        StorageError: the storage failed.
    """
    _, runs = monitor.runs.latest(count)
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


class ReplayedAlerts(Struct, frozen=True, kw_only=True):
    """The alerts under one set of rules.

    Attributes:
        alerts: in order.
    """

    alerts: tuple[Alert, ...]

    @property
    def incidents(self) -> tuple[Alert, ...]:
        """The beginnings of incidents."""
        return tuple(alert for alert in self.alerts if alert.kind is AlertKind.OPEN)

    @property
    def delays(self) -> tuple[int, ...]:
        """How long each incident had lasted at its first alert, in nanoseconds."""
        return tuple(alert.slot - alert.opened for alert in self.incidents)

    def missing_from(self, other: ReplayedAlerts) -> tuple[Alert, ...]:
        """Return the incidents without an alert under the other rules."""
        known = {(alert.checker, alert.opened) for alert in other.incidents}
        return tuple(a for a in self.incidents if (a.checker, a.opened) not in known)


class ReplayReport(Struct, frozen=True, kw_only=True):
    """The outcome of a replay.

    Attributes:
        runs: how many were folded, and from and to which slot.
        told: what each setting announces.
    """

    runs: int
    first: int
    last: int
    told: tuple[ReplayedAlerts, ...]


def replay(monitor: RunContext, settings: Sequence[AlertRules], since: int) -> ReplayReport:
    """Apply the runs since a time under each set of rules, from an empty state.

    Raises:
        StorageError: the runs could not be read.
    """
    machines = [_Machine(setting) for setting in settings]
    count = first = last = 0
    for batch in _batches(monitor.runs.since(since)):
        count += len(batch)
        first, last = first or batch[0].slot, batch[-1].slot
        for machine in machines:
            machine.fold(batch)
    told = tuple(ReplayedAlerts(alerts=tuple(machine.alerts)) for machine in machines)
    return ReplayReport(runs=count, first=first, last=last, told=told)


class _Machine:
    """Applies runs under one set of rules, and collects the alerts."""

    def __init__(self, setting: AlertRules) -> None:
        self._setting = replace(setting, channels=())
        self._head = AlertState()
        self.alerts: list[Alert] = []

    def fold(self, runs: Sequence[Run]) -> None:
        """Apply runs of complete slots; a region that has not reported yet never will."""
        over = runs[-1].slot + self._setting.grace
        self._head, alerts = apply_runs(self._head, runs, self._setting, over)
        self.alerts += alerts


def _batches(runs: Iterator[Run]) -> Iterator[list[Run]]:
    """Yield runs, many at a time, and those of one slot always together."""
    batch: list[Run] = []
    while read := list(islice(runs, BATCH)):
        batch += read
        whole = whole_slots(batch)
        if whole:
            yield whole
        batch = batch[len(whole) :]
    if batch:
        yield batch


# Restore an earlier state, when the current one is damaged or wrong.


def restore_state(monitor: RunContext, body: bytes) -> AlertState:
    """Replace the checkers of the current state by those of an earlier one.

    The runs since then are folded again and count as told, so that nobody hears of anything twice.
    What waits to be delivered now goes on waiting, and so do silences.

    Args:
        body: the earlier head as it was stored.

    Raises:
        StorageError: that is no head, or it could not be written.
    """
    old = _decoded(body)
    return compare_and_set(lambda: _restore(monitor, old), STATE_KEY)


def _restore(monitor: RunContext, old: AlertState) -> AlertState:
    storage = monitor.storage
    stored = storage.get(STATE_KEY)
    head = apply_silently(monitor, _with_states_of(old, _readable(stored.body if stored else b"")))
    # Above whatever was written before, also where that cannot be read.
    head = replace(head, revision=max(head.revision + 1, storage.now_ns() // SECOND))
    if stored is None:
        storage.create(STATE_KEY, encode_state(head))
    else:
        storage.replace(STATE_KEY, encode_state(head), stored.version)
    return head


def _decoded(body: bytes) -> AlertState:
    try:
        return decode_state(body)
    except (NewerDocumentError, UnreadableDocumentError) as error:
        raise StorageError(f"that version of {STATE_KEY} is of no use: {error}") from error


def _readable(body: bytes) -> AlertState | None:
    try:
        return decode_state(body)
    except (NewerDocumentError, UnreadableDocumentError):
        return None


def _with_states_of(old: AlertState, present: AlertState | None) -> AlertState:
    if present is None:
        # What waited then may have been delivered since.
        waiting = {
            channel: tuple(
                replace(it, claimed_by="", claimed_until=0, maybe_delivered=True) for it in entries
            )
            for channel, entries in old.outboxes.items()
        }
        return replace(old, outboxes=waiting)
    return replace(
        present,
        checkers=old.checkers,
        cursor=old.cursor,
        applied_runs=old.applied_runs,
        inconclusive_streaks=old.inconclusive_streaks,
    )
