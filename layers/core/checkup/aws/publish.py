"""The time that the publish function has, and the rebuild of the history on request."""

from __future__ import annotations

import logging
import time
from typing import Final

from checkup import app
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.interfaces import Storage

_log = logging.getLogger(__name__)

_PAGE_SECONDS: Final = 20.0
"""What rendering and publishing the page afterwards takes at most."""


_END_SECONDS: Final = 15.0
"""Kept for the last requests to S3, which are retried, and for the log."""


def publish_deadline(remaining_milliseconds: int) -> Deadline:
    """Return when to stop publishing."""
    return Deadline.after(remaining_milliseconds / 1000 - _END_SECONDS)


def rebuild_history(config: Config, storage: Storage, remaining_milliseconds: int) -> None:
    """Count the days again from the runs that are kept; what is not done in time goes on later.

    Raises:
        StorageError: the storage failed.
    """
    life = Deadline.after(remaining_milliseconds / 1000 - _PAGE_SECONDS)
    kept = app.history_store(config, storage, time.time_ns()).rebuild(life)
    if kept is None:
        _log.warning("nothing to rebuild: the runs that are kept do not cover a whole day")
    else:
        _log.info("history rebuilt", extra={"runs": kept.runs, "goes_on": kept.behind})
