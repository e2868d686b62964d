"""The AlertState in the storage: load, repair, rebuild, commit, and the changes of operators.

Scheduled maintenance is written in two documents, the incidents and the state, and whoever writes
may be killed between them. So the state is marked first, and runs look for what the mark is about.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from checkup.alerting import transitions
from checkup.alerting.apply import AlertRules, AppliedRuns, apply_runs
from checkup.alerting.outbox import enqueue
from checkup.alerting.state import (
    STATE_KEY,
    AlertState,
    Silence,
    decode_state,
    encode_state,
)
from checkup.deadline import Deadline
from checkup.documents import Loaded, compare_and_set, quarantine, save
from checkup.errors import NewerDocumentError, StorageError, UnreadableDocumentError
from checkup.incidents.model import IncidentDocument
from checkup.incidents.store import Change, change_incidents, load_incidents
from checkup.interfaces import Storage
from checkup.model import RUNS_PREFIX, Run, Status, key_time
from checkup.pipeline.announcements import announce, with_announcements
from checkup.pipeline.context import RunContext
from checkup.run_store import MAX_CLOCK_SKEW, RunStore
from checkup.times import SECOND

_log = logging.getLogger(__name__)

MAINTENANCE_CHANGE_TIMEOUT: Final = 300 * SECOND
"""How long a change of scheduled maintenance takes at most, from the mark to the last write."""


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


def confirmed_statuses(state: AlertState) -> Mapping[str, Status]:
    """Return the confirmed status of each checker by its id."""
    return {checker: it.status for checker, it in state.checkers.items()}


def load_state(context: RunContext) -> Loaded[AlertState]:
    """Return the state to continue from; afterwards there is one in the storage.

    A state that is missing or unreadable is rebuilt from the last runs. What they show counts as
    alerted, so that nothing is alerted twice; one notice says so, and what fails now.

    Raises:
        StorageError: the storage failed, or a newer version of the program wrote the state.
    """
    return compare_and_set(lambda: _load_or_rebuild(context), STATE_KEY)


def commit_state(
    storage: Storage, loaded: Loaded[AlertState], state: AlertState
) -> Loaded[AlertState]:
    """Replace the state that was loaded by the next one.

    Raises:
        DocumentChangedError: another writer was faster.
        StorageError: it may or may not have been replaced.
    """
    written = replace(state, revision=loaded.document.revision + 1)
    return Loaded(written, save(storage, STATE_KEY, loaded.stored, encode_state(written)))


def update_state(
    context: RunContext,
    change: Callable[[AlertState], AlertState],
    what: str,
    *,
    loaded: Loaded[AlertState] | None = None,
    deadline: Deadline | None = None,
) -> Loaded[AlertState]:
    """Change the state by compare-and-set, and return it.

    Args:
        change: may be called several times, and on what it has changed already.
        what: what is changed, such as ``the silence``.
        loaded: the state that was loaded or committed last. It may be outdated: it is replaced
            only if the storage still has exactly this version.
        deadline: no attempt begins after it, except the first.

    Raises:
        StorageError: it could not be written.
    """
    in_hand = [] if loaded is None else [loaded]

    def attempt() -> Loaded[AlertState]:
        before = in_hand.pop() if in_hand else _load_or_rebuild(context)
        state = change(before.document)
        unchanged = state == before.document
        return before if unchanged else commit_state(context.storage, before, state)

    return compare_and_set(attempt, what, deadline=deadline)


def apply_silently(
    rules: AlertRules, state: AlertState, runs: Iterable[Run], now: int
) -> AppliedRuns:
    """Apply runs whose alerts are queued for no channel."""
    return apply_runs(state, runs, replace(rules, channels=()), now)


# Load the state; repair or rebuild it.


def _load_or_rebuild(context: RunContext) -> Loaded[AlertState]:
    storage = context.storage
    stored = storage.get(STATE_KEY)
    if stored is not None:
        try:
            loaded = _in_time(storage, Loaded(decode_state(stored.body), stored))
            state = with_maintenance_if_marked(storage, loaded.document)
            state = with_announcements(context, state)
            unchanged = state == loaded.document
            return loaded if unchanged else commit_state(storage, loaded, state)
        except NewerDocumentError as error:
            raise NewerDocumentError(f"{STATE_KEY}: {error}") from error
        except UnreadableDocumentError as error:
            _log.error(
                "%s: %s; kept below quarantine/ and rebuilt from the last runs", STATE_KEY, error
            )
        quarantine(storage, stored.body)
    state = _rebuild(context)
    return Loaded(state, save(storage, STATE_KEY, stored, encode_state(state)))


def _in_time(storage: Storage, loaded: Loaded[AlertState]) -> Loaded[AlertState]:
    """Take back a cursor that a wrong clock has put into the future.

    Until that time every run would come too late to count, and nothing would be alerted.
    """
    state = loaded.document
    if (key_time(state.cursor) or 0) <= storage.now_ns() + MAX_CLOCK_SKEW:
        return loaded
    cursor = RunStore(storage).newest_key()
    _log.warning("%s: a clock was ahead; it goes on from the last run before now", STATE_KEY)
    applied = tuple(name for name in state.applied_runs if RUNS_PREFIX + name <= cursor)
    return commit_state(storage, loaded, replace(state, cursor=cursor, applied_runs=applied))


def _rebuild(context: RunContext) -> AlertState:
    """Rebuild the state from the last runs, with one notice in place of their alerts.

    Runs of the Go program, which had no state, move nothing but the cursor: what was down then
    and is still down is news. Where there is no other run, nothing was lost.
    """
    storage = context.storage
    after, recent = context.runs.latest()
    ours = [any(result.id for result in run.results) for run in recent]
    runs = [
        run if is_ours else replace(run, results=())
        for run, is_ours in zip(recent, ours, strict=True)
    ]
    state = apply_silently(context.rules, AlertState(cursor=after), runs, storage.now_ns()).state
    # As after a mark of long ago: what cannot be read now is looked for by the next run.
    state = with_maintenance_if_marked(
        storage, mark_maintenance_change(state, storage.now_ns() - 2 * MAINTENANCE_CHANGE_TIMEOUT)
    )
    if any(ours):
        failing = [
            it.title or checker
            for checker, it in state.checkers.items()
            if it.status in {Status.DOWN, Status.DEGRADED}
        ]
        slot = key_time(state.cursor) or storage.now_ns()
        notice = transitions.state_rebuilt_alert(slot, sum(ours), failing)
        for channel in context.channels:
            state = enqueue(state, channel, [notice])
    # Every write adds one and writes are more than a second apart on average, so a state that
    # begins with the time goes on above the one that was lost.
    return replace(state, revision=storage.now_ns() // SECOND)


# Scheduled maintenance: two documents, so that the page and every run know of it.


def mark_maintenance_change(state: AlertState, now: int) -> AlertState:
    """Return the state, marked: scheduled maintenance is being changed."""
    return replace(state, maintenance_changing=max(state.maintenance_changing, now))


def with_scheduled_maintenance(storage: Storage, state: AlertState) -> AlertState:
    """Return the state with all scheduled maintenance that is not over.

    The mark stays for as long as somebody may still be writing.

    Raises:
        StorageError: it could not be read.
    """
    now = storage.now_ns()
    is_written = not 0 <= now - state.maintenance_changing <= MAINTENANCE_CHANGE_TIMEOUT
    return replace(
        state,
        maintenance=load_incidents(storage).planned(now),
        maintenance_changing=0 if is_written else state.maintenance_changing,
    )


def with_maintenance_if_marked(storage: Storage, state: AlertState) -> AlertState:
    """Return the state with the maintenance scheduled since the mark; the same without a mark.

    Maintenance that cannot be read delays no run.
    """
    if not state.maintenance_changing:
        return state
    try:
        return with_scheduled_maintenance(storage, state)
    except StorageError as error:
        _log.warning("scheduled maintenance is left out: %s", error)
        return state


def schedule_maintenance(context: RunContext, change: Change) -> IncidentDocument:
    """Change scheduled maintenance and return the document of incidents.

    The state is marked first. Killed at any time, it has either not been scheduled, or the next
    run knows of it.

    Args:
        context: whose runs are to know.
        change: as for :func:`checkup.incidents.store.change_incidents`.

    Raises:
        StorageError: it is not scheduled, or that is unknown.
    """
    storage = context.storage
    update_state(
        context, lambda state: mark_maintenance_change(state, storage.now_ns()), "the maintenance"
    )
    document = change_incidents(storage, change)
    try:
        # Read after the state: who schedules something later changes the state later.
        update_state(
            context, lambda state: with_scheduled_maintenance(storage, state), "the maintenance"
        )
    except StorageError as error:
        _log.warning("runs know of it from the next one on: %s", error)
    return document


def announce_update(
    context: RunContext, update: str, write: Callable[[], IncidentDocument]
) -> IncidentDocument:
    """Write an update to incidents or maintenance, and queue it for the channels that ask for it.

    Args:
        update: its id, or that of maintenance that is new.
        write: writes it, and returns the document of incidents.

    Raises:
        StorageError: it is not written, or that is unknown.
    """
    return announce(
        context, update, write, lambda change: update_state(context, change, "the announcement")
    )


# Silences: alerts of some checkers are suppressed for a while.


def silence_checkers(
    context: RunContext, checkers: Collection[str], *, since: int, until: int
) -> Mapping[str, Silence]:
    """Silence some checkers until a time, and return all silences.

    Args:
        checkers: their ids.
        since: the present.
        until: when it ends by itself; a time that has passed ends it now.

    Raises:
        StorageError: it could not be written.
    """

    def change(state: AlertState) -> AlertState:
        silences = {name: s for name, s in state.silences.items() if name not in checkers}
        if until > since:
            silences |= {name: Silence(since=since, until=until) for name in checkers}
        running = {name: s for name, s in silences.items() if since < s.until}
        return replace(state, silences=running)

    return update_state(context, change, "the silence").document.silences
