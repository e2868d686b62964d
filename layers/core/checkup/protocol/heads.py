"""The head in its storage: reading, replacing, and starting anew when there is none to read."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting import alerts
from checkup.alerting.document import HEAD, NewerHead, UnreadableHead, decode_head, encode_head
from checkup.alerting.fold import fold
from checkup.alerting.outbox import queue
from checkup.alerting.state import Head
from checkup.errors import StorageError
from checkup.model import SECOND, Run, Status
from checkup.ports import Storage
from checkup.protocol.monitor import Monitor
from checkup.protocol.planned import ANNOUNCING, planned_if_warned, warned
from checkup.protocol.runs import PATIENCE, last_key, recent_runs
from checkup.runfile import RUNS, slot_of
from checkup.storage.quarantine import quarantine

_log = logging.getLogger(__name__)


class Current(Struct, frozen=True):
    """A head and the version under which it is stored."""

    head: Head
    version: str


def read_head(storage: Storage) -> Head:
    """Return the head; a new one if there is none yet.

    Raises:
        StorageError: it could not be read, or is not readable by this version.
    """
    stored = storage.get(HEAD)
    if stored is None:
        return Head()
    try:
        return decode_head(stored.body)
    except (NewerHead, UnreadableHead) as error:
        raise StorageError(f"{HEAD}: {error}") from error


def known(head: Head) -> Mapping[str, Status]:
    """Return the confirmed status of each checker by its id."""
    return {checker: state.status for checker, state in head.checkers.items()}


def open_head(monitor: Monitor) -> Current:
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


def commit(storage: Storage, current: Current, head: Head) -> Current:
    """Replace the head that was read by what follows from it.

    Raises:
        Changed: somebody else was faster.
        StorageError: it may or may not have been replaced.
    """
    written = replace(head, seq=current.head.seq + 1)
    return Current(written, storage.replace(HEAD, encode_head(written), current.version))


def _open(monitor: Monitor) -> Current:
    storage = monitor.storage
    stored = storage.get(HEAD)
    if stored is None:
        head = _rebuild(monitor)
        return Current(head, storage.create(HEAD, encode_head(head)))
    try:
        current = _in_time(storage, Current(decode_head(stored.body), stored.version))
        head = planned_if_warned(storage, current.head)
        return current if head == current.head else commit(storage, current, head)
    except NewerHead as error:
        raise StorageError(f"{HEAD}: {error}") from error
    except UnreadableHead as error:
        reason = str(error)
    _log.error("%s: %s; kept below quarantine/ and rebuilt from the last runs", HEAD, reason)
    quarantine(storage, stored.body)
    head = _rebuild(monitor)
    return Current(head, storage.replace(HEAD, encode_head(head), stored.version))


def _in_time(storage: Storage, current: Current) -> Current:
    """Take back a cursor that a wrong clock has put into the future.

    Until that moment every run would come too late to count, and nobody would hear of anything.
    """
    if (slot_of(current.head.cursor) or 0) <= storage.clock() + PATIENCE:
        return current
    cursor = last_key(storage)
    _log.warning("%s: a clock was ahead; it goes on from the last run before now", HEAD)
    used = tuple(name for name in current.head.used if RUNS + name <= cursor)
    return commit(storage, current, replace(current.head, cursor=cursor, used=used))


def _rebuild(monitor: Monitor) -> Head:
    """Return a head that knows the last runs, with no word of them but one notice.

    Runs of the Go program, which had no head, move nothing but the cursor: what was down then
    and is still down is news. Where there is no other run, nothing was lost.
    """
    storage = monitor.storage
    silent = replace(monitor.setting, channels=())
    after, recent = recent_runs(storage, monitor.regions)
    runs = [run if _is_ours(run) else replace(run, results=()) for run in recent]
    head = fold(Head(cursor=after), runs, silent, storage.clock()).head
    # As after a warning of long ago: what cannot be read now is looked for by the next run.
    head = planned_if_warned(storage, warned(head, storage.clock() - 2 * ANNOUNCING))
    ours = sum(map(_is_ours, recent))
    if ours:
        head = _with_notice(monitor, head, ours)
    # Every write adds one and writes are more than a second apart on average, so a head that
    # begins with the time goes on above the one that was lost.
    return replace(head, seq=storage.clock() // SECOND)


def _with_notice(monitor: Monitor, head: Head, runs: int) -> Head:
    failing = [
        state.title or checker
        for checker, state in head.checkers.items()
        if state.status in {Status.DOWN, Status.DEGRADED}
    ]
    notice = alerts.rebuilt(slot_of(head.cursor) or monitor.storage.clock(), runs, failing)
    for channel in monitor.channels:
        head = queue(head, channel, [notice])
    return head


def _is_ours(run: Run) -> bool:
    return any(result.id for result in run.results)
