"""The sequence that announces maintenance, so that both the page and every run know of it."""

from __future__ import annotations

import logging

from checkup.errors import StorageError
from checkup.incidents.model import IncidentDocument
from checkup.protocol.announcing import Change, change_incidents
from checkup.protocol.changing import change_state
from checkup.protocol.monitor import RunContext
from checkup.protocol.planned import mark_maintenance_change, with_scheduled_maintenance

_log = logging.getLogger(__name__)


def schedule_maintenance(monitor: RunContext, change: Change) -> IncidentDocument:
    """Change what is announced of maintenance and return what is announced then.

    Runs are warned first. Killed at any moment, it has either not been announced, or the next
    run knows of it.

    Args:
        monitor: whose runs are to know.
        change: as for :func:`checkup.protocol.announcing.change_incidents`.

    Raises:
        StorageError: it is not announced, or nobody knows whether it is.
    """
    storage = monitor.storage
    change_state(
        monitor, lambda head: mark_maintenance_change(head, storage.clock()), "the maintenance"
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
