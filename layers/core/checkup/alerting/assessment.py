"""From the attempts of one checker to its status, by the Go program's rules."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from checkup.duration import format_duration
from checkup.model import Attempt, Status
from checkup.stats import rtt_stats


class Assessment(Struct, frozen=True):
    """The status of one result and, if it is degraded, why."""

    status: Status
    notice: str = ""


def assess(attempts: Sequence[Attempt], threshold_rtt: int = 0) -> Assessment:
    """Weigh the attempts of one result.

    Any failed attempt means down. Otherwise a median round trip time strictly above the
    threshold means degraded; a threshold of zero or less switches that rule off.
    """
    if any(attempt.error for attempt in attempts):
        return Assessment(Status.DOWN)
    if 0 < threshold_rtt < rtt_stats(attempts).median:
        limit = format_duration(threshold_rtt)
        return Assessment(Status.DEGRADED, f"median round trip time exceeded threshold ({limit})")
    return Assessment(Status.HEALTHY)
