"""Silences: an operator's wish to hear nothing of some checkers for a while."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from checkup.alerting.state import AlertState, Silence
from checkup.protocol.changing import change_state
from checkup.protocol.monitor import RunContext


def silence_checkers(
    monitor: RunContext, checkers: Collection[str], *, since: int, until: int
) -> Mapping[str, Silence]:
    """Keep quiet about some checkers until a moment, and return all silences that there are then.

    Args:
        checkers: their ids.
        since: the present.
        until: when it ends by itself; a moment that has passed ends it now.

    Raises:
        StorageError: it could not be written down.
    """

    def change(head: AlertState) -> AlertState:
        return _silenced(head, checkers, since, until)

    return change_state(monitor, change, "the silence").silences


def _silenced(head: AlertState, checkers: Collection[str], since: int, until: int) -> AlertState:
    silences = {name: s for name, s in head.silences.items() if name not in checkers}
    if until > since:
        silences |= {name: Silence(since=since, until=until) for name in checkers}
    running = {name: s for name, s in silences.items() if since < s.until}
    return replace(head, silences=running)
