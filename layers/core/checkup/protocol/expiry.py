"""Deleting runs that are older than the configuration wants to keep."""

from __future__ import annotations

import logging
from itertools import islice, takewhile
from typing import Final

from checkup.alerting.state import Head
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.model import SECOND, Run
from checkup.ports import Storage
from checkup.protocol.monitor import Monitor
from checkup.runfile import LATE, RUNS, slot_of

_log = logging.getLogger(__name__)

EVERY: Final = 3600 * SECOND
"""How often old runs are looked for, by whichever run comes next."""

AT_ONCE: Final = 1000
"""Files that one run deletes from a folder at most; the rest is for the next time."""


def is_due(head: Head, check_expiry: int, now: int) -> bool:
    """Say whether it is time to delete old runs."""
    return check_expiry > 0 and now - head.expired_at >= EVERY


def expire(monitor: Monitor, head: Head, life: Deadline) -> None:
    """Delete what is older than ``check_expiry``; a failure is logged and tried again later.

    Age is measured by the clock that is earlier, the storage's or the last folded run's, and
    only runs that were folded are deleted: one wrong clock deletes nothing that is needed.
    """
    last = slot_of(head.cursor) or 0
    oldest = min(monitor.storage.clock(), last) - monitor.check_expiry
    limit = Run(slot=max(0, oldest), results=()).name
    try:
        for folder in (RUNS, LATE):
            _delete_before(monitor.storage, folder, limit, life)
    except StorageError as error:
        _log.warning("old runs are still there: %s", error)


def _delete_before(storage: Storage, folder: str, limit: str, life: Deadline) -> None:
    old = takewhile(lambda key: key < folder + limit, storage.list(folder))
    for key in list(islice(old, AT_ONCE)):
        if life.left() <= 0:
            break
        storage.delete(key)
