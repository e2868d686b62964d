"""Announced maintenance in the head, where every run finds it without another request.

It is announced in one document and planned in another. Whoever does that may be killed between
the two, so a warning in the head comes first, and runs look for what it warned of.
"""

from __future__ import annotations

import logging
from typing import Final

from msgspec.structs import replace

from checkup.alerting.state import AlertState
from checkup.errors import StorageError
from checkup.model import SECOND
from checkup.ports import Storage
from checkup.protocol.announcing import load_incidents

_log = logging.getLogger(__name__)

MAINTENANCE_CHANGE_TIMEOUT: Final = 300 * SECOND
"""How long it takes at most to announce maintenance, from the warning to the last word of it."""


def mark_maintenance_change(head: AlertState, now: int) -> AlertState:
    """Return a head that says that maintenance is about to be announced."""
    return replace(head, announcing=max(head.announcing, now))


def with_scheduled_maintenance(storage: Storage, head: AlertState) -> AlertState:
    """Return a head with all announced maintenance that is not over.

    The warning stays for as long as somebody may still be writing.

    Raises:
        StorageError: what is announced could not be read.
    """
    now = storage.clock()
    is_written = not 0 <= now - head.announcing <= MAINTENANCE_CHANGE_TIMEOUT
    return replace(
        head,
        maintenance=load_incidents(storage).planned(now),
        announcing=0 if is_written else head.announcing,
    )


def with_maintenance_if_marked(storage: Storage, head: AlertState) -> AlertState:
    """Return a head with what was announced since the warning; the same head without one.

    What cannot be read holds no run up.
    """
    if not head.announcing:
        return head
    try:
        return with_scheduled_maintenance(storage, head)
    except StorageError as error:
        _log.warning("the announced maintenance is left out: %s", error)
        return head
