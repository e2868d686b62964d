"""Changes of the head that people ask for, by compare-and-set."""

from __future__ import annotations

from collections.abc import Callable

from checkup.alerting.state import Head
from checkup.protocol.heads import commit, open_head
from checkup.protocol.monitor import Monitor
from checkup.protocol.persisting import persist


def change_head(monitor: Monitor, change: Callable[[Head], Head], what: str) -> Head:
    """Change the head, and return it as it is then.

    Args:
        change: may be called several times, and on what it has changed already.
        what: what is changed, such as ``the silence``.

    Raises:
        StorageError: it could not be written down.
    """

    def write() -> Head:
        current = open_head(monitor)
        head = change(current.head)
        return head if head == current.head else commit(monitor.storage, current, head).head

    return persist(write, what)
