"""Changes of the head that people ask for, by compare-and-set."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from checkup.alerting.state import Head
from checkup.errors import Changed, Exists, StorageError
from checkup.protocol.heads import commit, open_head
from checkup.protocol.monitor import Monitor

_log = logging.getLogger(__name__)

TRIES: Final = 50
"""Attempts to write; one of several competing writers always succeeds."""

FAILURES: Final = 3
"""Attempts in which the storage may fail before that is reported."""


def change_head(monitor: Monitor, change: Callable[[Head], Head], what: str) -> Head:
    """Change the head, and return it as it is then.

    Args:
        change: may be called several times, and on what it has changed already.
        what: what is changed, such as ``the silence``.

    Raises:
        StorageError: it could not be written down.
    """
    failures = 0
    for _ in range(TRIES):
        try:
            current = open_head(monitor)
            head = change(current.head)
            return head if head == current.head else commit(monitor.storage, current, head).head
        except (Changed, Exists):
            _log.info("%s: somebody else was faster", what)
        except StorageError as error:
            failures += 1
            if failures == FAILURES:
                raise
            _log.info("writing %s again: %s", what, error)
    raise StorageError(f"{what}: others were faster {TRIES} times; try again")
