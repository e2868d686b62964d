"""Changes of the head that people ask for, by compare-and-set."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from checkup.alerting.state import Head
from checkup.errors import StorageError
from checkup.protocol.heads import commit, open_head
from checkup.protocol.monitor import Monitor

_log = logging.getLogger(__name__)

TRIES: Final = 8
"""Attempts to write; one of several competing writers always succeeds."""


def change_head(monitor: Monitor, change: Callable[[Head], Head], what: str) -> Head:
    """Change the head, and return it as it is then.

    Args:
        change: may be called several times, and on what it has changed already.
        what: what is changed, such as ``the silence``.

    Raises:
        StorageError: it could not be written down.
    """
    for _ in range(TRIES):
        current = open_head(monitor)
        head = change(current.head)
        if head == current.head:
            return head
        try:
            return commit(monitor.storage, current, head).head
        except StorageError as error:
            _log.info("writing %s again: %s", what, error)
    raise StorageError(f"{what} could not be written in {TRIES} attempts")
