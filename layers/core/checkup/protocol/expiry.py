"""Deleting runs that are older than the configuration wants to keep."""

from __future__ import annotations

import logging
from itertools import islice, takewhile
from typing import Final

from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.model import SECOND, Run
from checkup.ports import BulkDelete, Storage
from checkup.runfile import LATE_PREFIX, RUNS_PREFIX, key_time

_log = logging.getLogger(__name__)

RETENTION_INTERVAL: Final = 3600 * SECOND
"""How often old runs are looked for, by whichever run comes next."""

MAX_DELETIONS: Final = 1000
"""Files that one run deletes from a folder at most; the rest is for the next time."""

MAX_DELETED_SHARE: Final = 0.2
"""The part of all runs that may be deleted after a pause that is longer than runs are kept."""


def is_retention_due(last: int, check_expiry: int, now: int) -> bool:
    """Say whether it is time to delete old runs; a clock that was ahead does not put it off."""
    return check_expiry > 0 and abs(now - last) >= RETENTION_INTERVAL


def delete_expired_runs(storage: Storage, cursor: str, check_expiry: int, life: Deadline) -> None:
    """Delete what is older than ``check_expiry``; a failure is logged and tried again later.

    Age is measured by the clock that is earlier, the storage's or the last folded run's, and
    only runs that were folded are deleted: one wrong clock deletes nothing that is needed. Nor
    do two: if everything up to a long pause would go at once, it stays, for a jump into the
    future looks like that.
    """
    last = key_time(cursor) or 0
    oldest = min(storage.clock(), last) - check_expiry
    limit = Run(slot=max(0, oldest), results=()).name
    try:
        if _is_a_jump(storage, RUNS_PREFIX + limit, check_expiry):
            _log.error(
                "%s of the stored runs and more are older than check_expiry, after a pause as "
                "long as that; if the clock is right, delete them by hand",
                f"{MAX_DELETED_SHARE:.0%}",
            )
            return
        for folder in (RUNS_PREFIX, LATE_PREFIX):
            _delete_before(storage, folder, limit, life)
    except StorageError as error:
        _log.warning("old runs are still there: %s", error)


def _is_a_jump(storage: Storage, limit: str, check_expiry: int) -> bool:
    """Say whether much would go at once because time seems to have made a leap."""
    old = list(takewhile(lambda key: key < limit, storage.list(RUNS_PREFIX)))
    if not old:
        return False
    first = next(storage.list(RUNS_PREFIX, limit), "")
    pause = (key_time(first) or 0) - (key_time(old[-1]) or 0)
    if pause <= check_expiry:
        return False
    kept = sum(1 for _ in storage.list(RUNS_PREFIX, limit))
    return len(old) > MAX_DELETED_SHARE * (len(old) + kept)


def _delete_before(storage: Storage, folder: str, limit: str, life: Deadline) -> None:
    old = takewhile(lambda key: key < folder + limit, storage.list(folder))
    keys = list(islice(old, MAX_DELETIONS))
    if isinstance(storage, BulkDelete) and life.left() > 0:
        storage.delete_all(keys)
        return
    for key in keys:
        if life.left() <= 0:
            break
        storage.delete(key)
