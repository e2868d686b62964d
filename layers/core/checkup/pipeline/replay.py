"""Stored runs applied again in memory: the current state, other rules, an earlier state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.apply import AlertRules
from checkup.alerting.state import STATE_KEY, AlertState, decode_state, encode_state
from checkup.documents import compare_and_set, save
from checkup.errors import NewerDocumentError, StorageError, UnreadableDocumentError
from checkup.evaluation import ResultMatcher
from checkup.model import Alert, AlertKind, Result, Run
from checkup.pipeline.context import RunContext
from checkup.pipeline.state_store import apply_silently, read_state
from checkup.run_store import BATCH
from checkup.times import SECOND

# The current state and the last results, read-only.


class SlotResult(Struct, frozen=True):
    """The result of a checker in one run."""

    slot: int
    result: Result


def current_state(context: RunContext) -> AlertState:
    """Return the state after all stored runs; the stored state may be a few runs behind.

    Raises:
        StorageError: the storage failed, or the state is not readable by this version.
    """
    state = read_state(context.storage)
    return _catch_up(context, state) if state.cursor else state


def _catch_up(context: RunContext, state: AlertState) -> AlertState:
    """Apply all runs that are stored after the state's cursor, in memory."""
    while True:
        batch, cursor = context.runs.after(state.cursor), state.cursor
        state = apply_silently(context.rules, state, batch.runs, context.storage.now_ns()).state
        if not batch.more or state.cursor == cursor:
            return state


def last_results(context: RunContext, runs: Iterable[Run]) -> Mapping[str, SlotResult]:
    """Return the last result of each checker in the configured regions, by id.

    Args:
        runs: oldest first; several, because not every run checks every checker.
    """
    voters = context.rules.voting_regions
    return {
        name: SlotResult(run.slot, result)
        for run in runs
        if run.region in voters
        for name, result in _owned(context, run)
    }


def recent_results(context: RunContext, checker: str, count: int) -> list[SlotResult]:
    """Return the results of a checker in the last runs of the day, oldest first.

    Args:
        count: how many runs to look through.

    Raises:
        StorageError: the storage failed.
    """
    _, runs = context.runs.latest(count)
    return [
        SlotResult(run.slot, result)
        for run in runs
        for name, result in _owned(context, run)
        if name == checker
    ]


def _owned(context: RunContext, run: Run) -> Iterator[tuple[str, Result]]:
    """Yield the results of a run by the ids of their checkers; the Go program stored none."""
    for owner, result in ResultMatcher(context.checkers).assign(run.results):
        if owner is not None:
            yield owner, result


class ReplayedAlerts(Struct, frozen=True, kw_only=True):
    """The alerts under one set of rules, in order."""

    alerts: tuple[Alert, ...]

    @property
    def incidents(self) -> tuple[Alert, ...]:
        """The alerts that opened an incident."""
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
        runs: how many were applied, and from and to which slot.
        replayed: the alerts under each set of rules.
    """

    runs: int
    first: int
    last: int
    replayed: tuple[ReplayedAlerts, ...]


def replay(context: RunContext, rule_sets: Sequence[AlertRules], since: int) -> ReplayReport:
    """Apply the runs since a time under each set of rules, from an empty state.

    Raises:
        StorageError: the runs could not be read.
    """
    states = [AlertState() for _ in rule_sets]
    alerts: list[list[Alert]] = [[] for _ in rule_sets]
    count = first = last = 0
    for batch in _batches(context.runs.since(since)):
        count += len(batch)
        first, last = first or batch[0].slot, batch[-1].slot
        for number, rules in enumerate(rule_sets):
            # A region that has not reported yet never will.
            now = last + rules.grace
            states[number], found = apply_silently(rules, states[number], batch, now)
            alerts[number] += found
    replayed = tuple(ReplayedAlerts(alerts=tuple(found)) for found in alerts)
    return ReplayReport(runs=count, first=first, last=last, replayed=replayed)


def _batches(runs: Iterator[Run]) -> Iterator[list[Run]]:
    """Yield runs, many at a time, and those of one slot always together."""
    batch: list[Run] = []
    while read := list(islice(runs, BATCH)):
        batch += read
        # A region's run of the last slot may be the next one to read.
        whole = [run for run in batch if run.slot != batch[-1].slot]
        if whole:
            yield whole
        batch = batch[len(whole) :]
    if batch:
        yield batch


# Restore an earlier state, when the current one is damaged or wrong.


def restore_state(context: RunContext, body: bytes) -> AlertState:
    """Replace the checkers of the current state by those of an earlier one.

    The runs since then are applied again without alerts, so that nothing is alerted twice. What
    is queued now stays queued, and so do silences.

    Args:
        body: the earlier state as it was stored.

    Raises:
        StorageError: that is no state, or it could not be written.
    """
    try:
        old = decode_state(body)
    except (NewerDocumentError, UnreadableDocumentError) as error:
        raise StorageError(f"that version of {STATE_KEY} cannot be restored: {error}") from error
    storage = context.storage

    def attempt() -> AlertState:
        stored = storage.get(STATE_KEY)
        present = None
        with suppress(NewerDocumentError, UnreadableDocumentError):
            present = decode_state(stored.body) if stored else None
        state = _catch_up(context, _with_checkers_of(old, present))
        # Above whatever was written before, also where that cannot be read.
        revision = max(state.revision + 1, storage.now_ns() // SECOND)
        state = replace(state, revision=revision)
        save(storage, STATE_KEY, stored, encode_state(state))
        return state

    return compare_and_set(attempt, STATE_KEY)


def _with_checkers_of(old: AlertState, present: AlertState | None) -> AlertState:
    if present is None:
        # What was queued then may have been delivered since.
        queued = {
            channel: tuple(
                replace(it, claimed_by="", claimed_until=0, maybe_delivered=True) for it in entries
            )
            for channel, entries in old.outboxes.items()
        }
        return replace(old, outboxes=queued)
    return replace(
        present,
        checkers=old.checkers,
        cursor=old.cursor,
        applied_runs=old.applied_runs,
        inconclusive_streaks=old.inconclusive_streaks,
    )
