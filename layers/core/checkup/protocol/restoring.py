"""Going on from an earlier head, when the present one is damaged or wrong."""

from __future__ import annotations

from msgspec.structs import replace

from checkup.alerting.document import (
    STATE_KEY,
    NewerStateError,
    UnreadableStateError,
    decode_state,
    encode_state,
)
from checkup.alerting.fold import apply_runs
from checkup.alerting.state import AlertState
from checkup.errors import StorageError
from checkup.model import SECOND
from checkup.protocol.monitor import RunContext
from checkup.protocol.persisting import compare_and_set
from checkup.protocol.runs import pending_runs


def restore_state(monitor: RunContext, body: bytes) -> AlertState:
    """Put what an earlier head knew of the checkers in the place of what the present one knows.

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
    head = _caught_up(monitor, _with_states_of(old, _readable(stored.body if stored else b"")))
    # Above whatever was written before, also where that cannot be read.
    head = replace(head, seq=max(head.seq + 1, storage.clock() // SECOND))
    if stored is None:
        storage.create(STATE_KEY, encode_state(head))
    else:
        storage.replace(STATE_KEY, encode_state(head), stored.version)
    return head


def _decoded(body: bytes) -> AlertState:
    try:
        return decode_state(body)
    except (NewerStateError, UnreadableStateError) as error:
        raise StorageError(f"that version of {STATE_KEY} is of no use: {error}") from error


def _readable(body: bytes) -> AlertState | None:
    try:
        return decode_state(body)
    except (NewerStateError, UnreadableStateError):
        return None


def _with_states_of(old: AlertState, present: AlertState | None) -> AlertState:
    if present is None:
        # What waited then may have been delivered since.
        waiting = {
            channel: tuple(replace(it, owner="", until=0, maybe_sent=True) for it in entries)
            for channel, entries in old.channels.items()
        }
        return replace(old, channels=waiting)
    return replace(
        present,
        checkers=old.checkers,
        cursor=old.cursor,
        used=old.used,
        inconclusive=old.inconclusive,
    )


def _caught_up(monitor: RunContext, head: AlertState) -> AlertState:
    """Fold the runs after the head's cursor, and tell nobody."""
    silent = replace(monitor.setting, channels=())
    while True:
        runs, more = pending_runs(monitor.storage, head.cursor, monitor.regions, monitor.remembered)
        before, head = head, apply_runs(head, runs, silent, monitor.storage.clock()).head
        if not more or head.cursor == before.cursor:
            return head
