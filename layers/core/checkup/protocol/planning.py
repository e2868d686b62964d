"""The sequence that announces maintenance, so that both the page and every run know of it."""

from __future__ import annotations

import logging

from checkup.errors import StorageError
from checkup.incidents.model import Announcements
from checkup.protocol.announcing import Change, announce
from checkup.protocol.changing import change_head
from checkup.protocol.monitor import Monitor
from checkup.protocol.planned import planned, warned

_log = logging.getLogger(__name__)


def announce_maintenance(monitor: Monitor, change: Change) -> Announcements:
    """Change what is announced of maintenance and return what is announced then.

    Runs are warned first. Killed at any moment, it has either not been announced, or the next
    run knows of it.

    Args:
        monitor: whose runs are to know.
        change: as for :func:`checkup.protocol.announcing.announce`.

    Raises:
        StorageError: it is not announced, or nobody knows whether it is.
    """
    storage = monitor.storage
    change_head(monitor, lambda head: warned(head, storage.clock()), "the maintenance")
    document = announce(storage, change)
    try:
        # Read after the head: whoever announces something later changes the head later.
        change_head(monitor, lambda head: planned(storage, head), "the maintenance")
    except StorageError as error:
        _log.warning("runs know of it from the next one on: %s", error)
    return document
