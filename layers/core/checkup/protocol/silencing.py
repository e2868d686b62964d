"""Silences: an operator's wish to hear nothing of some checkers for a while."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from checkup.alerting.state import Head, Silence
from checkup.errors import StorageError
from checkup.protocol.heads import commit, open_head
from checkup.protocol.monitor import Monitor

_log = logging.getLogger(__name__)

TRIES: Final = 8


def silence(
    monitor: Monitor, checkers: Collection[str], *, since: int, until: int
) -> Mapping[str, Silence]:
    """Keep quiet about some checkers until a moment, and return all silences that there are then.

    Args:
        checkers: their ids.
        since: the present.
        until: when it ends by itself; a moment that has passed ends it now.

    Raises:
        StorageError: it could not be written down.
    """
    for _ in range(TRIES):
        current = open_head(monitor)
        head = _silenced(current.head, checkers, since, until)
        if head == current.head:
            return head.silences
        try:
            return commit(monitor.storage, current, head).head.silences
        except StorageError as error:
            _log.info("writing the silence again: %s", error)
    raise StorageError(f"the silence could not be written in {TRIES} attempts")


def _silenced(head: Head, checkers: Collection[str], since: int, until: int) -> Head:
    silences = {name: s for name, s in head.silences.items() if name not in checkers}
    if until > since:
        silences |= {name: Silence(since=since, until=until) for name in checkers}
    running = {name: s for name, s in silences.items() if since < s.until}
    return replace(head, silences=running)
