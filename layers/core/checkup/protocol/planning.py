"""Announced maintenance in the head, where every run finds it without another request."""

from __future__ import annotations

from msgspec.structs import replace

from checkup.alerting.state import Head
from checkup.protocol.announcing import announcements
from checkup.protocol.changing import change_head
from checkup.protocol.monitor import Monitor


def plan(monitor: Monitor) -> None:
    """Put all announced maintenance that is not over into the head.

    Raises:
        StorageError: it could not be read or written.
    """
    storage = monitor.storage

    def change(head: Head) -> Head:
        # Read after the head: whoever announces something later changes the head later.
        return replace(head, maintenance=announcements(storage).planned(storage.clock()))

    change_head(monitor, change, "the maintenance")
