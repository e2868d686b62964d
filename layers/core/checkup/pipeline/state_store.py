"""The AlertState in the storage: load, repair, rebuild, commit, and the changes of operators.

Scheduled maintenance is written in two documents, the incidents and the state, and whoever writes
may be killed between them. So the state is marked first, and runs look for what the mark is about.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting import transitions
from checkup.alerting.apply import apply_runs
from checkup.alerting.outbox import enqueue
from checkup.alerting.state import (
    STATE_KEY,
    AlertState,
    Silence,
    decode_state,
    encode_state,
)
from checkup.documents import compare_and_set, quarantine
from checkup.errors import NewerDocumentError, StorageError, UnreadableDocumentError
from checkup.incidents.model import IncidentDocument
from checkup.incidents.store import Change, change_incidents, load_incidents
from checkup.interfaces import Storage
from checkup.model import RUNS_PREFIX, Run, Status, key_time
from checkup.pipeline.context import RunContext
from checkup.run_store import MAX_CLOCK_SKEW, RunStore
from checkup.times import SECOND

_log = logging.getLogger(__name__)

MAINTENANCE_CHANGE_TIMEOUT: Final = 300 * SECOND
"""How long a change of scheduled maintenance takes at most, from the mark to the last write."""


def mark_maintenance_change(head: AlertState, now: int) -> AlertState:
    """Return the state, marked: scheduled maintenance is being changed."""
    return replace(head, maintenance_changing=max(head.maintenance_changing, now))


def with_scheduled_maintenance(storage: Storage, head: AlertState) -> AlertState:
    """Return the state with all scheduled maintenance that is not over.

    The warning stays for as long as somebody may still be writing.

    Raises:
        StorageError: what is announced could not be read.
    """
    now = storage.now_ns()
    is_written = not 0 <= now - head.maintenance_changing <= MAINTENANCE_CHANGE_TIMEOUT
    return replace(
        head,
        maintenance=load_incidents(storage).planned(now),
        maintenance_changing=0 if is_written else head.maintenance_changing,
    )


def with_maintenance_if_marked(storage: Storage, head: AlertState) -> AlertState:
    """Return the state with the maintenance scheduled since the mark; the same without a mark.

    What cannot be read holds no run up.
    """
    if not head.maintenance_changing:
        return head
    try:
        return with_scheduled_maintenance(storage, head)
    except StorageError as error:
        _log.warning("the announced maintenance is left out: %s", error)
        return head


# The state in its storage: read, replace, and start again where there is none to read.


class LoadedState(Struct, frozen=True):
    """A state and the version under which it is stored."""

    head: AlertState
    version: str


def read_state(storage: Storage) -> AlertState:
    """Return the state; a new one if there is none yet.

    Raises:
        StorageError: it could not be read, or is not readable by this version.
    """
    stored = storage.get(STATE_KEY)
    if stored is None:
        return AlertState()
    try:
        return decode_state(stored.body)
    except (NewerDocumentError, UnreadableDocumentError) as error:
        raise StorageError(f"{STATE_KEY}: {error}") from error


def confirmed_statuses(head: AlertState) -> Mapping[str, Status]:
    """Return the confirmed status of each checker by its id."""
    return {checker: state.status for checker, state in head.checkers.items()}


def load_state(monitor: RunContext) -> LoadedState:
    """Return the state to continue from; afterwards there is one in the storage.

    A head that is missing or unreadable is rebuilt from the last runs. What they show counts as
    told, so that nothing is announced a second time; one notice says so and what fails now.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote the head.
    """
    try:
        return _open(monitor)
    except StorageError as error:
        _log.info("reading the head again: %s", error)
        return _open(monitor)  # perhaps somebody else has just made it


def commit_state(storage: Storage, current: LoadedState, head: AlertState) -> LoadedState:
    """Replace the state that was read by the next one.

    Raises:
        DocumentChangedError: somebody else was faster.
        StorageError: it may or may not have been replaced.
    """
    written = replace(head, revision=current.head.revision + 1)
    return LoadedState(written, storage.replace(STATE_KEY, encode_state(written), current.version))


def _open(monitor: RunContext) -> LoadedState:
    storage = monitor.storage
    stored = storage.get(STATE_KEY)
    if stored is None:
        head = _rebuild(monitor)
        return LoadedState(head, storage.create(STATE_KEY, encode_state(head)))
    try:
        current = _in_time(storage, LoadedState(decode_state(stored.body), stored.version))
        head = with_maintenance_if_marked(storage, current.head)
        return current if head == current.head else commit_state(storage, current, head)
    except NewerDocumentError as error:
        raise StorageError(f"{STATE_KEY}: {error}") from error
    except UnreadableDocumentError as error:
        reason = str(error)
    _log.error("%s: %s; kept below quarantine/ and rebuilt from the last runs", STATE_KEY, reason)
    quarantine(storage, stored.body)
    head = _rebuild(monitor)
    return LoadedState(head, storage.replace(STATE_KEY, encode_state(head), stored.version))


def _in_time(storage: Storage, current: LoadedState) -> LoadedState:
    """Take back a cursor that a wrong clock has put into the future.

    Until that moment every run would come too late to count, and nobody would hear of anything.
    """
    if (key_time(current.head.cursor) or 0) <= storage.now_ns() + MAX_CLOCK_SKEW:
        return current
    cursor = RunStore(storage).newest_key()
    _log.warning("%s: a clock was ahead; it goes on from the last run before now", STATE_KEY)
    used = tuple(name for name in current.head.applied_runs if RUNS_PREFIX + name <= cursor)
    return commit_state(storage, current, replace(current.head, cursor=cursor, applied_runs=used))


def _rebuild(monitor: RunContext) -> AlertState:
    """Rebuild the state from the last runs, with one notice in place of their alerts.

    Runs of the Go program, which had no head, move nothing but the cursor: what was down then
    and is still down is news. Where there is no other run, nothing was lost.
    """
    storage = monitor.storage
    silent = replace(monitor.rules, channels=())
    after, recent = monitor.runs.latest()
    runs = [run if _is_ours(run) else replace(run, results=()) for run in recent]
    head = apply_runs(AlertState(cursor=after), runs, silent, storage.now_ns()).head
    # As after a warning of long ago: what cannot be read now is looked for by the next run.
    head = with_maintenance_if_marked(
        storage, mark_maintenance_change(head, storage.now_ns() - 2 * MAINTENANCE_CHANGE_TIMEOUT)
    )
    ours = sum(map(_is_ours, recent))
    if ours:
        head = _with_notice(monitor, head, ours)
    # Every write adds one and writes are more than a second apart on average, so a head that
    # begins with the time goes on above the one that was lost.
    return replace(head, revision=storage.now_ns() // SECOND)


def _with_notice(monitor: RunContext, head: AlertState, runs: int) -> AlertState:
    failing = [
        state.title or checker
        for checker, state in head.checkers.items()
        if state.status in {Status.DOWN, Status.DEGRADED}
    ]
    notice = transitions.state_rebuilt_alert(
        key_time(head.cursor) or monitor.storage.now_ns(), runs, failing
    )
    for channel in monitor.channels:
        head = enqueue(head, channel, [notice])
    return head


def _is_ours(run: Run) -> bool:
    return any(result.id for result in run.results)


# Changes by operators, by compare-and-set.


def change_state(
    monitor: RunContext, change: Callable[[AlertState], AlertState], what: str
) -> AlertState:
    """Change the state and return it.

    Args:
        change: may be called several times, and on what it has changed already.
        what: what is changed, such as ``the silence``.

    Raises:
        StorageError: it could not be written down.
    """

    def write() -> AlertState:
        current = load_state(monitor)
        head = change(current.head)
        return head if head == current.head else commit_state(monitor.storage, current, head).head

    return compare_and_set(write, what)


# Scheduled maintenance: two documents, so that the page and every run know of it.


def schedule_maintenance(monitor: RunContext, change: Change) -> IncidentDocument:
    """Change scheduled maintenance and return the document of incidents.

    Runs are warned first. Killed at any moment, it has either not been announced, or the next
    run knows of it.

    Args:
        monitor: whose runs are to know.
        change: as for :func:`checkup.incidents.store.change_incidents`.

    Raises:
        StorageError: it is not announced, or nobody knows whether it is.
    """
    storage = monitor.storage
    change_state(
        monitor, lambda head: mark_maintenance_change(head, storage.now_ns()), "the maintenance"
    )
    document = change_incidents(storage, change)
    try:
        # Read after the head: whoever announces something later changes the head later.
        change_state(
            monitor, lambda head: with_scheduled_maintenance(storage, head), "the maintenance"
        )
    except StorageError as error:
        _log.warning("runs know of it from the next one on: %s", error)
    return document


# Silences: alerts of some checkers are suppressed for a while.


def silence_checkers(
    monitor: RunContext, checkers: Collection[str], *, since: int, until: int
) -> Mapping[str, Silence]:
    """Silence some checkers until a time, and return all silences.

    Args:
        checkers: their ids.
        since: the present.
        until: when it ends by itself; a moment that has passed ends it now.

    Raises:
        StorageError: it could not be written down.
    """

    def change(head: AlertState) -> AlertState:
        return _silenced(head, checkers, since, until)

    return change_state(monitor, change, "the silence").silences


def _silenced(head: AlertState, checkers: Collection[str], since: int, until: int) -> AlertState:
    silences = {name: s for name, s in head.silences.items() if name not in checkers}
    if until > since:
        silences |= {name: Silence(since=since, until=until) for name in checkers}
    running = {name: s for name, s in silences.items() if since < s.until}
    return replace(head, silences=running)
