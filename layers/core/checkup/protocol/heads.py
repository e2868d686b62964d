"""The head in its storage: reading, replacing, and starting anew when there is none to read."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting import alerts
from checkup.alerting.document import (
    STATE_KEY,
    NewerStateError,
    UnreadableStateError,
    decode_state,
    encode_state,
)
from checkup.alerting.fold import apply_runs
from checkup.alerting.outbox import enqueue
from checkup.alerting.state import AlertState
from checkup.errors import StorageError
from checkup.model import SECOND, Run, Status
from checkup.ports import Storage
from checkup.protocol.monitor import RunContext
from checkup.protocol.planned import (
    MAINTENANCE_CHANGE_TIMEOUT,
    mark_maintenance_change,
    with_maintenance_if_marked,
)
from checkup.protocol.runs import MAX_CLOCK_SKEW, last_key, recent_runs
from checkup.runfile import RUNS_PREFIX, key_time
from checkup.storage.quarantine import quarantine

_log = logging.getLogger(__name__)


class LoadedState(Struct, frozen=True):
    """A head and the version under which it is stored."""

    head: AlertState
    version: str


def read_state(storage: Storage) -> AlertState:
    """Return the head; a new one if there is none yet.

    Raises:
        StorageError: it could not be read, or is not readable by this version.
    """
    stored = storage.get(STATE_KEY)
    if stored is None:
        return AlertState()
    try:
        return decode_state(stored.body)
    except (NewerStateError, UnreadableStateError) as error:
        raise StorageError(f"{STATE_KEY}: {error}") from error


def confirmed_statuses(head: AlertState) -> Mapping[str, Status]:
    """Return the confirmed status of each checker by its id."""
    return {checker: state.status for checker, state in head.checkers.items()}


def load_state(monitor: RunContext) -> LoadedState:
    """Return the head to go on from; afterwards there is one in the storage.

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
    """Replace the head that was read by what follows from it.

    Raises:
        DocumentChangedError: somebody else was faster.
        StorageError: it may or may not have been replaced.
    """
    written = replace(head, seq=current.head.seq + 1)
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
    except NewerStateError as error:
        raise StorageError(f"{STATE_KEY}: {error}") from error
    except UnreadableStateError as error:
        reason = str(error)
    _log.error("%s: %s; kept below quarantine/ and rebuilt from the last runs", STATE_KEY, reason)
    quarantine(storage, stored.body)
    head = _rebuild(monitor)
    return LoadedState(head, storage.replace(STATE_KEY, encode_state(head), stored.version))


def _in_time(storage: Storage, current: LoadedState) -> LoadedState:
    """Take back a cursor that a wrong clock has put into the future.

    Until that moment every run would come too late to count, and nobody would hear of anything.
    """
    if (key_time(current.head.cursor) or 0) <= storage.clock() + MAX_CLOCK_SKEW:
        return current
    cursor = last_key(storage)
    _log.warning("%s: a clock was ahead; it goes on from the last run before now", STATE_KEY)
    used = tuple(name for name in current.head.used if RUNS_PREFIX + name <= cursor)
    return commit_state(storage, current, replace(current.head, cursor=cursor, used=used))


def _rebuild(monitor: RunContext) -> AlertState:
    """Return a head that knows the last runs, with no word of them but one notice.

    Runs of the Go program, which had no head, move nothing but the cursor: what was down then
    and is still down is news. Where there is no other run, nothing was lost.
    """
    storage = monitor.storage
    silent = replace(monitor.setting, channels=())
    after, recent = recent_runs(storage, monitor.regions)
    runs = [run if _is_ours(run) else replace(run, results=()) for run in recent]
    head = apply_runs(AlertState(cursor=after), runs, silent, storage.clock()).head
    # As after a warning of long ago: what cannot be read now is looked for by the next run.
    head = with_maintenance_if_marked(
        storage, mark_maintenance_change(head, storage.clock() - 2 * MAINTENANCE_CHANGE_TIMEOUT)
    )
    ours = sum(map(_is_ours, recent))
    if ours:
        head = _with_notice(monitor, head, ours)
    # Every write adds one and writes are more than a second apart on average, so a head that
    # begins with the time goes on above the one that was lost.
    return replace(head, seq=storage.clock() // SECOND)


def _with_notice(monitor: RunContext, head: AlertState, runs: int) -> AlertState:
    failing = [
        state.title or checker
        for checker, state in head.checkers.items()
        if state.status in {Status.DOWN, Status.DEGRADED}
    ]
    notice = alerts.state_rebuilt_alert(
        key_time(head.cursor) or monitor.storage.clock(), runs, failing
    )
    for channel in monitor.channels:
        head = enqueue(head, channel, [notice])
    return head


def _is_ours(run: Run) -> bool:
    return any(result.id for result in run.results)
