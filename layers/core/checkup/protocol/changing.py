"""Changes of the head that people ask for, by compare-and-set."""

from __future__ import annotations

from collections.abc import Callable

from checkup.alerting.state import AlertState
from checkup.protocol.heads import commit_state, load_state
from checkup.protocol.monitor import RunContext
from checkup.protocol.persisting import compare_and_set


def change_state(
    monitor: RunContext, change: Callable[[AlertState], AlertState], what: str
) -> AlertState:
    """Change the head, and return it as it is then.

    Args:
        change: may be called several times, and on what it has changed already.
        what: what is changed, such as ``the silence``.

    Raises:
        StorageError: it could not be written down.
    """

    def write() -> AlertState:
        current = load_state(monitor)
        head = change(current.head)
        return head if head == current.head else commit_state(monitor.storage, current, head).head

    return compare_and_set(write, what)
